/**
 * What attestation costs: the real dstack quote and collateral of August 2026 under Intel's root key, and registrations
 * on the simulated platform, whose bytes differ in names and keys only. Sources: test/vectors/tdx/README.md.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Abi, type Address, type Hex, hexToBytes, keccak256, slice } from "viem";
import { hardhat } from "viem/chains";
import { enclaveRegistryAbi, tdxCollateralAbi, tdxVerifierAbi } from "../protocol/abi.ts";
import { registrationReportData } from "../protocol/attestationBinding.ts";
import { type CollateralItemName, collateralCall, collateralItems } from "../protocol/collateral/calls.ts";
import { evidenceReader } from "../protocol/collateral/chainState.ts";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { intelRootKey } from "../protocol/deployment.ts";
import { domainOf, registrationTypes } from "../protocol/eip712.ts";
import { buildEvidence, type QuoteEvidence } from "../protocol/quote/evidence.ts";
import { parseQuote } from "../protocol/quote/parseQuote.ts";
import { hashTcbEvidence, platformOf, tcbEvidenceOf } from "../protocol/quote/platformRecord.ts";
import { readEnclaveReport } from "../protocol/quote/tdReport.ts";
import { readCollateralDir } from "../sdk/node/collateralFiles.ts";
import { createPlatform } from "../simulator/platform.ts";
import { testAccount } from "../test/support/chain.ts";
import { type BenchChain, type Measured, startBenchChain } from "./benchChain.ts";

const vectors = fileURLToPath(new URL("../test/vectors/tdx", import.meta.url));
const quoteName = "nearmpc_2026-08-14_50328c652";
const january = { bundle: "nearmpc_B0C06F_2026-01-28_832c32113_eval18", at: 1_769_417_006 };
const august = { bundle: "nearmpc_B0C06F_2026-08-14_50328c652_eval20", at: 1_786_621_538 };
/** UpToDate and SWHardeningNeeded; bit n stands for status n. */
const allowedTcb = 0b110;
const maxLifeSeconds = 7n * 24n * 3_600n;

/** Every transaction of attestation. */
export async function attestationGas(): Promise<Measured[]> {
  const runs = [await realQuote(), await longCrl(), await newAttestationKey(), await noPrecompile(), await simulated()];
  return runs.flat();
}

/* REAL QUOTE */

async function realQuote(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60 });
  const contracts = await deploy(bench, intelRootKey);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  await push(bench, contracts, collateral, {
    pckCa: "authority.pckCa",
    tcbSigning: "authority.tcbSigning",
    rootCrl: "rootCrl.upsert",
    pckCrl: "crl.57",
    qeIdentity: "qeIdentity.upsert",
    tcbInfo: "tcbInfo.upsert",
  });
  await verify(bench, contracts, 1, "verify.first");
  await verify(bench, contracts, 3, "verify.akCached");
  return bench.measured;
}

/** The list of 16 July 2026, the longest there has been. */
async function longCrl(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60 });
  const contracts = await deploy(bench, intelRootKey);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  const pckCrl = await readFile(`${vectors}/crl/pck_platform_129_entries_20260716.der`);
  await push(bench, contracts, { ...collateral, pckCrl: Uint8Array.from(pckCrl) }, { pckCrl: "crl.129" });
  await verify(bench, contracts, 1, "verify.first.crl129");
  return bench.measured;
}

/** The platform is known since January; since then the QE identity has changed, so that the attestation key is not. */
async function newAttestationKey(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: january.at - 60 });
  const contracts = await deploy(bench, intelRootKey);
  await push(bench, contracts, await readCollateralDir(`${vectors}/collateral/${january.bundle}`));
  await verify(bench, contracts, 1);
  bench.setTime(august.at);
  const collateral = await readCollateralDir(`${vectors}/collateral/${august.bundle}`);
  await push(bench, contracts, collateral, {}, ["rootCrl", "pckCrl", "qeIdentity", "tcbInfo"]);
  await verify(bench, contracts, 2, "verify.platformCached");
  return bench.measured;
}

async function noPrecompile(): Promise<Measured[]> {
  const bench = await startBenchChain({ initialTime: august.at - 60, hardfork: "prague" });
  const contracts = await deploy(bench, intelRootKey);
  await push(bench, contracts, await readCollateralDir(`${vectors}/collateral/${august.bundle}`));
  await verify(bench, contracts, 1, "verify.first.noPrecompile");
  return bench.measured;
}

/* SIMULATED PLATFORM */

async function simulated(): Promise<Measured[]> {
  const bench = await startBenchChain();
  const appCompose = await readFile(new URL("../deploy/app-compose.json", import.meta.url), "utf8");
  const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(7) });
  const contracts = await deploy(bench, platform.rootKey);
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

  async function register(index: number, path: QuoteEvidence["path"], id: string) {
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
    await bench.send({ from: agent, to: registry, abi: enclaveRegistryAbi, functionName: "register", args, id });
    return { enclave, vaultKey };
  }

  const { enclave, vaultKey } = await register(3, 1, "register.first");
  await register(4, 3, "register.later");

  bench.setTime(now + 3 * 86_400 + 60);
  const { bytes, blockNumber, sent } = await quoteFor(enclave, vaultKey);
  const tcb = tcbEvidenceOf(platformOf(platform.certificates.pckLeaf, 1), parseQuote(bytes).report, qeIsvSvnOf(bytes));
  const request = {
    signingKey: enclave.address,
    vaultKeyHash: keccak256(vaultKey),
    tcbEvidenceHash: hashTcbEvidence(tcb),
    appConfig: "0x",
    blockNumber,
  };
  const args = [sent.quote, sent.evidence, request];
  await bench.send({ from: agent, to: registry, abi: enclaveRegistryAbi, functionName: "renew", args, id: "renew" });

  const later = platform.collateral({ now: now + 3 * 86_400 });
  await push(bench, contracts, later, { tcbInfo: "tcbInfo.refresh", pckCrl: "crl.refresh" }, ["tcbInfo", "pckCrl"]);
  return bench.measured;
}

function qeIsvSvnOf(quote: Uint8Array): number {
  return readEnclaveReport(parseQuote(quote).qeReport).isvSvn;
}

/* STEPS */

type Contracts = { tdxCollateral: Address; tdxVerifier: Address };

async function deploy(bench: BenchChain, rootKey: Hex): Promise<Contracts> {
  const key = [slice(rootKey, 0, 32), slice(rootKey, 32, 64)];
  const tdxCollateral = await bench.deploy("attestation/TdxCollateral.sol/TdxCollateral", [...key, 0]);
  return { tdxCollateral, tdxVerifier: await bench.deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]) };
}

async function push(
  bench: BenchChain,
  { tdxCollateral: to }: Contracts,
  collateral: Collateral,
  ids: Partial<Record<CollateralItemName, string>> = {},
  items: readonly CollateralItemName[] = collateralItems,
): Promise<void> {
  for (const item of items) {
    const id = ids[item];
    const call = { to, abi: tdxCollateralAbi as Abi, ...collateralCall(item, collateral) };
    await bench.send(id === undefined ? call : { ...call, id });
  }
}

async function verify(bench: BenchChain, contracts: Contracts, path: QuoteEvidence["path"], id?: string) {
  const sent = await evidenceFor(bench, contracts, await readFile(`${vectors}/quotes/${quoteName}.bin`));
  requirePath(sent, path);
  const args = [sent.quote, sent.evidence, allowedTcb];
  const call = { to: contracts.tdxVerifier, abi: tdxVerifierAbi as Abi, functionName: "verify", args };
  await bench.send(id === undefined ? call : { ...call, id });
}

function evidenceFor({ chain }: BenchChain, contracts: Contracts, quote: Uint8Array): Promise<QuoteEvidence> {
  const calls = {
    call: async (to: Address, data: Hex) => (await chain.call({ to, data })).data ?? "0x",
    code: async (address: Address) => (await chain.getCode({ address })) ?? "0x",
  };
  const lastKeyHash = async (pckId: Hex) => {
    const events = await chain.getContractEvents({
      address: contracts.tdxVerifier,
      abi: tdxVerifierAbi,
      eventName: "PlatformRecorded",
      args: { pckId },
      fromBlock: 0n,
    });
    return events.at(-1)?.args.attestationKeyHash;
  };
  return buildEvidence(Uint8Array.from(quote), evidenceReader(calls, contracts, lastKeyHash));
}

function requirePath({ path }: QuoteEvidence, expected: QuoteEvidence["path"]): void {
  if (path !== expected)
    throw new Error(`the quote went path ${path}, not ${expected}: the id would name another thing`);
}
