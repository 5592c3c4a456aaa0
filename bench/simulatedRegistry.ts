/** A registry on a bench chain with enclaves of the simulated platform, whose bytes differ from real ones in names and keys. */
import { readFile } from "node:fs/promises";
import { type Abi, type Hex, hexToBytes, keccak256 } from "viem";
import { hardhat } from "viem/chains";
import { enclaveRegistryAbi } from "../protocol/abi.ts";
import { registrationReportData } from "../protocol/attestationBinding.ts";
import { domainOf, registrationTypes } from "../protocol/eip712.ts";
import type { QuoteEvidence } from "../protocol/quote/evidence.ts";
import { createPlatform } from "../simulator/platform.ts";
import { testAccount } from "../test/support/chain.ts";
import { deployAttestation, evidenceFor, push, requirePath } from "./attestationSteps.ts";
import type { BenchChain } from "./benchChain.ts";

/** UpToDate and SWHardeningNeeded; bit n stands for status n. */
export const allowedTcb = 0b110;
const maxLifeSeconds = 7n * 24n * 3_600n;

/**
 * Starts a registry that trusts a simulated platform.
 *
 * @returns `register`, which registers test account `index` as an enclave of test account 1, and what that needs.
 */
export async function startSimulatedRegistry(bench: BenchChain) {
  const appCompose = await readFile(new URL("../deploy/app-compose.json", import.meta.url), "utf8");
  const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(7) });
  const contracts = await deployAttestation(bench, platform.rootKey);
  const artifact = "enclave/EnclaveRegistry.sol/EnclaveRegistry";
  const registry = await bench.deploy(artifact, [contracts.tdxVerifier, maxLifeSeconds, allowedTcb]);
  const now = Number((await bench.chain.getBlock()).timestamp);
  await push(bench, contracts, platform.collateral({ now }));

  const [operator, agent] = [testAccount(1), testAccount(2)];
  const domain = domainOf(hardhat.id, registry);
  const validUntil = BigInt(now) + 86_400n;
  const consent = await operator.signTypedData({
    domain,
    types: {
      OperatorAuthorization: [
        { name: "operator", type: "address" },
        { name: "agent", type: "address" },
        { name: "validUntil", type: "uint64" },
      ],
    },
    primaryType: "OperatorAuthorization",
    message: { operator: operator.address, agent: agent.address, validUntil },
  });
  const endpoint = "https://worker.example.org";

  async function quoteFor(enclave: typeof operator, vaultKey: Hex) {
    const { number, hash } = await bench.chain.getBlock();
    const binding = { chainId: BigInt(hardhat.id), registry, operator: operator.address, vaultKey };
    const reportData = registrationReportData({ ...binding, signingKey: enclave.address }, number, hash);
    const bytes = platform.quote(hexToBytes(reportData));
    return { bytes, blockNumber: number, sent: await evidenceFor(bench, contracts, bytes) };
  }

  async function register(index: number, path: QuoteEvidence["path"], id?: string) {
    const enclave = testAccount(index);
    const vaultKey = keccak256(enclave.address); // as long as a real one
    const { blockNumber, sent } = await quoteFor(enclave, vaultKey);
    requirePath(sent, path);
    const message = { operator: operator.address, vaultKeyHash: keccak256(vaultKey), endpoint, blockNumber };
    const types = registrationTypes;
    const signature = await enclave.signTypedData({ domain, types, primaryType: "EnclaveRegistration", message });
    const { address: signingKey } = enclave;
    const request = { operator: operator.address, signingKey, vaultKey, endpoint, appConfig: "0x", blockNumber };
    const args = [sent.quote, sent.evidence, request, signature, { validUntil, signature: consent }];
    const call = { from: agent, to: registry, abi: enclaveRegistryAbi as Abi, functionName: "register", args };
    await bench.send(id === undefined ? call : { ...call, id });
    return { enclave, vaultKey };
  }
  return { contracts, platform, registry, now, operator, agent, quoteFor, register };
}
