/** Quotes that must not make an enclave, against the real registry and verifier on a real node. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { type Hex, hexToBytes, keccak256, slice, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { deployContracts } from "../../../deploy/deployContracts.ts";
import { enclaveRegistryAbi, tdxVerifierAbi } from "../../../protocol/abi.ts";
import { type EnclaveBinding, registrationReportData } from "../../../protocol/attestationBinding.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, registrationTypes } from "../../../protocol/eip712.ts";
import { splitQuote } from "../../../protocol/quote/parseQuote.ts";
import { generateVaultKey } from "../../../protocol/sealing.ts";
import { ContractRefusedError } from "../../../sdk/chainErrors.ts";
import { type Client, createClient } from "../../../sdk/client.ts";
import { simulate } from "../../../sdk/send.ts";
import { createPlatform, type Platform } from "../../../simulator/platform.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { rejection } from "../../support/rejection.ts";

/** With the verifier's errors, which come through the registry. */
const abi = [...enclaveRegistryAbi, ...tdxVerifierAbi.filter((item) => item.type === "error")] as const;
const issuer = 1;
const leaf = 0;

describe("a registration", () => {
  let chain: TestChain;
  let deployment: Deployment;
  let client: Client;
  let platform: Platform;
  /** Another machine: another root, another chain, other keys. */
  let foreign: Platform;

  before(async () => {
    chain = await startChain();
    const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
    platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(1) });
    foreign = createPlatform({ appCompose, seed: new Uint8Array(32).fill(2) });
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    deployment = await deployContracts(clients, { rootKey: platform.rootKey, maxLifeSeconds: 604_800n });
    client = await createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(1) });
  });
  after(() => chain.close());

  type Asked = Awaited<ReturnType<typeof ask>>;

  /** Not the newest: the node simulates calls in the newest block itself, whose own hash no contract knows. */
  async function recentBlock() {
    const newest = await chain.public.getBlockNumber();
    return chain.public.getBlock({ blockNumber: newest - 1n });
  }

  /** What an enclave that is in order asks for, signed, with the binding that its quote should carry. */
  async function ask(block?: { number: bigint; hash: Hex }) {
    const { number, hash } = block ?? (await recentBlock());
    const account = privateKeyToAccount(generatePrivateKey());
    const registry = deployment.contracts.enclaveRegistry;
    const operator = testAccount(1).address;
    const vaultKey = (await generateVaultKey()).publicKey;
    const endpoint = "http://127.0.0.1:1";
    const message = { operator, vaultKeyHash: keccak256(vaultKey), endpoint, blockNumber: number };
    const signature = await account.signTypedData({
      domain: domainOf(deployment.chainId, registry),
      types: registrationTypes,
      primaryType: "EnclaveRegistration",
      message,
    });
    const binding: EnclaveBinding = {
      chainId: BigInt(deployment.chainId),
      registry,
      operator,
      signingKey: account.address,
      vaultKey,
    };
    const request = { operator, signingKey: account.address, vaultKey, endpoint, blockNumber: number };
    return { request, signature, binding, reportData: registrationReportData(binding, number, hash) };
  }

  const quoteOf = (on: Platform, reportData: Hex, overrides: Parameters<Platform["quote"]>[1] = {}) =>
    splitQuote(on.quote(hexToBytes(reportData), overrides));

  const register = ({ request, signature }: Asked, { quote, pckLeaf, pckIssuer }: ReturnType<typeof quoteOf>) =>
    simulate(client, {
      address: deployment.contracts.enclaveRegistry,
      abi,
      functionName: "register",
      args: [quote, pckLeaf, pckIssuer, request, signature],
    });

  async function refused(asked: Asked, quote: ReturnType<typeof quoteOf>) {
    const { contractError, args } = await rejection(register(asked, quote), ContractRefusedError);
    return { contractError, args };
  }

  it("in order is taken: what follows is refused for what is said there", async () => {
    const asked = await ask();
    await register(asked, quoteOf(platform, asked.reportData));
  });

  it("is refused with the debug bit, or any of its kin", async () => {
    for (const bit of [0, 1, 7]) {
      const asked = await ask();
      const tdAttributes = Uint8Array.of(1 << bit, 0, 0, 0x10, 0, 0, 0, 0);
      const expected = { contractError: "TdxVerifier_DebugTd", args: { tdAttributes: toHex(tdAttributes) } };
      expect(await refused(asked, quoteOf(platform, asked.reportData, { tdAttributes }))).to.deep.equal(expected);
    }
  });

  it("is refused with the report data of other keys, another operator, registry or chain, or none", async () => {
    const { number, hash } = await recentBlock();
    const asked = await ask({ number, hash });
    const other = "0x000000000000000000000000000000000000dEaD" as const;
    const bindings: Partial<EnclaveBinding>[] = [
      { signingKey: other },
      { operator: other },
      { registry: other },
      { chainId: 1n },
      { vaultKey: keccak256("0x") },
    ];
    const wrong = bindings.map((change) => registrationReportData({ ...asked.binding, ...change }, number, hash));
    const tail = `${asked.reportData.slice(0, -2)}01` as Hex;
    for (const reportData of [...wrong, tail, toHex(0, { size: 64 })]) {
      const args = {
        expected: slice(asked.reportData, 0, 32),
        actualHigh: slice(reportData, 0, 32),
        actualLow: slice(reportData, 32, 64),
      };
      const expected = { contractError: "EnclaveRegistry_ReportDataMismatch", args };
      expect(await refused(asked, quoteOf(platform, reportData))).to.deep.equal(expected);
    }
  });

  it("is refused for a block that is stale, to come, or not of this chain", async () => {
    const old = await chain.public.getBlock();
    await chain.control.mine({ blocks: 300 });
    const currentBlock = await chain.public.getBlockNumber();
    const stale = async (number: bigint, hash: Hex) => {
      const asked = await ask({ number, hash });
      const expected = { contractError: "EnclaveRegistry_StaleBlock", args: { blockNumber: number, currentBlock } };
      expect(await refused(asked, quoteOf(platform, asked.reportData))).to.deep.equal(expected);
    };
    await stale(old.number, old.hash);
    await stale(currentBlock, keccak256("0x"));

    const { number, hash } = await recentBlock();
    const asked = await ask({ number, hash: keccak256("0x") });
    const { contractError, args } = await refused(asked, quoteOf(platform, asked.reportData));
    expect(contractError).to.equal("EnclaveRegistry_ReportDataMismatch");
    expect(args.expected).to.equal(slice(registrationReportData(asked.binding, number, hash), 0, 32));
  });

  it("is refused with a chain that is broken, or leads to another root", async () => {
    const asked = await ask();
    const own = quoteOf(platform, asked.reportData);
    const others = quoteOf(foreign, asked.reportData);
    const cases: [Partial<typeof own>, string, object][] = [
      [others, "TdxVerifier_BadCertificateSignature", { certificate: issuer }],
      [{ pckLeaf: others.pckLeaf }, "TdxVerifier_BadCertificateSignature", { certificate: leaf }],
      [{ pckIssuer: others.pckIssuer }, "TdxVerifier_BadCertificateSignature", { certificate: issuer }],
      [{ quote: others.quote }, "TdxVerifier_BadQeReportSignature", {}],
    ];
    for (const [change, contractError, args] of cases) {
      expect(await refused(asked, { ...own, ...change })).to.deep.equal({ contractError, args });
    }
  });

  it("is refused if a bit of the signed body, or of its signature, was changed", async () => {
    const asked = await ask();
    const own = quoteOf(platform, asked.reportData);
    const flip = (at: number) => toHex(hexToBytes(own.quote).map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const endOfBody = 48 + 584;
    for (const at of [48 + 136, 48 + 184, 48 + 328, endOfBody + 4, endOfBody + 4 + 63]) {
      const expected = { contractError: "TdxVerifier_BadQuoteSignature", args: {} };
      expect(await refused(asked, { ...own, quote: flip(at) })).to.deep.equal(expected);
    }
  });

  it("is refused if its own key did not sign it, and if the key is registered already", async () => {
    const [asked, thief] = [await ask(), await ask()];
    const quote = quoteOf(platform, asked.reportData);
    const { signingKey } = asked.request;
    const badSignature = { contractError: "EnclaveRegistry_BadSignature", args: { signingKey } };
    expect(await refused({ ...asked, signature: thief.signature }, quote)).to.deep.equal(badSignature);
    // The endpoint is signed too: nobody can front-run a registration with an address of its own.
    const request = { ...asked.request, endpoint: "http://thief.example" };
    expect(await refused({ ...asked, request }, quote)).to.deep.equal(badSignature);

    const hash = await chain.wallet(1).writeContract({
      address: deployment.contracts.enclaveRegistry,
      abi,
      functionName: "register",
      args: [quote.quote, quote.pckLeaf, quote.pckIssuer, asked.request, asked.signature],
    });
    await chain.public.waitForTransactionReceipt({ hash });
    const again = { contractError: "EnclaveRegistry_AlreadyRegistered", args: { signingKey } };
    expect(await refused(asked, quote)).to.deep.equal(again);
  });
});
