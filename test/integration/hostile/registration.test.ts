/** Quotes that must not make an enclave, against the real registry, verifier and collateral on a real node. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { concatHex, type Hex, hexToBytes, keccak256, slice, toHex, zeroHash } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { deployContracts } from "../../../deploy/deployContracts.ts";
import { type EnclaveBinding, registrationReportData } from "../../../protocol/attestationBinding.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, operatorAuthorizationTypes, registrationTypes } from "../../../protocol/eip712.ts";
import type { Evidence } from "../../../protocol/quote/evidence.ts";
import { generateVaultKey } from "../../../protocol/sealing.ts";
import { ContractRefusedError } from "../../../sdk/chainErrors.ts";
import { addressOf, type Client, createClient } from "../../../sdk/client.ts";
import { getEnclave } from "../../../sdk/enclaves.ts";
import { authorizeAgent } from "../../../sdk/operators.ts";
import { send, simulate } from "../../../sdk/send.ts";
import { verifyRegistration } from "../../../sdk/verifyRegistration.ts";
import { createPlatform, type Platform } from "../../../simulator/platform.ts";
import { registryAbi as abi, blockBelowHead, evidenceFor, pushCollateralOf } from "../../support/attestation.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { rejection } from "../../support/rejection.ts";

type Authorization = { validUntil: bigint; signature: Hex };
type Shown = { quote: Hex; evidence: Evidence };

const notNeeded: Authorization = { validUntil: 0n, signature: "0x" };
const other = "0x000000000000000000000000000000000000dEaD" as const;

describe("a registration", () => {
  let chain: TestChain;
  let deployment: Deployment;
  /** The operator; `agent` is somebody else's wallet. */
  let client: Client;
  let agent: Client;
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
    const connect = (index: number) =>
      createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(index), pollingIntervalMs: 20 });
    [client, agent] = await Promise.all([connect(1), connect(2)]);
    await pushCollateralOf(agent, platform);
  });
  after(() => chain.close());

  type Asked = Awaited<ReturnType<typeof ask>>;

  /** What an enclave that is in order asks for, signed, with the binding that its quote should carry. */
  async function ask(block?: { number: bigint; hash: Hex }) {
    const { number, hash } = block ?? (await blockBelowHead(client));
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
    const chainId = BigInt(deployment.chainId);
    const binding: EnclaveBinding = { chainId, registry, operator, signingKey: account.address, vaultKey };
    const signingKey = account.address;
    const request = { operator, signingKey, vaultKey, endpoint, appConfig: "0x" as Hex, blockNumber: number };
    return { request, signature, binding, reportData: registrationReportData(binding, number, hash) };
  }

  const shown = (on: Platform, reportData: Hex, overrides: Parameters<Platform["quote"]>[1] = {}) =>
    evidenceFor(client, on.quote(hexToBytes(reportData), overrides));

  function callOf({ request, signature }: Asked, { quote, evidence }: Shown, authorization = notNeeded) {
    const args = [quote, evidence, request, signature, authorization] as const;
    return { address: deployment.contracts.enclaveRegistry, abi, functionName: "register", args } as const;
  }

  async function refused(asked: Asked, how: Shown, by: Client = client, authorization = notNeeded) {
    const { contractError, args } = await rejection(
      simulate(by, callOf(asked, how, authorization)),
      ContractRefusedError,
    );
    return { contractError, args };
  }

  it("in order is taken: what follows is refused for what is said there", async () => {
    const asked = await ask();
    await simulate(client, callOf(asked, await shown(platform, asked.reportData)));
  });

  it("is refused with the debug bit, or any of its kin", async () => {
    for (const bit of [0, 1, 7]) {
      const asked = await ask();
      const tdAttributes = Uint8Array.of(1 << bit, 0, 0, 0x10, 0, 0, 0, 0);
      const expected = { contractError: "TdxVerifier_DebugTd", args: { tdAttributes: toHex(tdAttributes) } };
      expect(await refused(asked, await shown(platform, asked.reportData, { tdAttributes }))).to.deep.equal(expected);
    }
  });

  it("is refused with the report data of other keys, another operator, registry or chain, or none", async () => {
    const { number, hash } = await blockBelowHead(client);
    const asked = await ask({ number, hash });
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
      expect(await refused(asked, await shown(platform, reportData))).to.deep.equal(expected);
    }
  });

  it("is refused for a block that is stale, to come, or not of this chain", async () => {
    const old = await chain.public.getBlock();
    await chain.control.mine({ blocks: 300 });
    const currentBlock = await chain.public.getBlockNumber();
    const stale = async (number: bigint, hash: Hex) => {
      const asked = await ask({ number, hash });
      const expected = { contractError: "EnclaveRegistry_StaleBlock", args: { blockNumber: number, currentBlock } };
      expect(await refused(asked, await shown(platform, asked.reportData))).to.deep.equal(expected);
    };
    await stale(old.number, old.hash);
    await stale(currentBlock, keccak256("0x"));

    const { number, hash } = await blockBelowHead(client);
    const asked = await ask({ number, hash: keccak256("0x") });
    const { contractError, args } = await refused(asked, await shown(platform, asked.reportData));
    expect(contractError).to.equal("EnclaveRegistry_ReportDataMismatch");
    expect(args.expected).to.equal(slice(registrationReportData(asked.binding, number, hash), 0, 32));
  });

  it("is refused with a chain that is broken, or leads to another root", async () => {
    const asked = await ask();
    const own = await shown(platform, asked.reportData);
    const others = await shown(foreign, asked.reportData);
    const { issuerKey } = others.evidence;
    const foreignLeaf = { ...own.evidence, pckLeaf: others.evidence.pckLeaf };
    const cases: [Shown, string, object][] = [
      [others, "TdxVerifier_UnknownIssuer", { keyX: issuerKey.x, keyY: issuerKey.y }],
      [{ ...own, evidence: foreignLeaf }, "TdxVerifier_BadCertificateSignature", {}],
      [{ ...own, quote: others.quote }, "TdxVerifier_BadQeReportSignature", {}],
    ];
    for (const [how, contractError, args] of cases) {
      expect(await refused(asked, how)).to.deep.equal({ contractError, args });
    }
  });

  it("is refused if a bit of the signed body, or of its signature, was changed", async () => {
    const asked = await ask();
    const own = await shown(platform, asked.reportData);
    const flip = (at: number) => toHex(hexToBytes(own.quote).map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const endOfBody = 48 + 584;
    for (const at of [48 + 136, 48 + 184, 48 + 328, endOfBody + 4, endOfBody + 4 + 63]) {
      const expected = { contractError: "TdxVerifier_BadQuoteSignature", args: {} };
      expect(await refused(asked, { ...own, quote: flip(at) })).to.deep.equal(expected);
    }
  });

  it("is refused in the name of an operator who neither sent it nor agreed", async () => {
    const asked = await ask();
    const how = await shown(platform, asked.reportData);
    const [operator, thief] = [addressOf(client), addressOf(agent)];
    const unauthorized = {
      contractError: "EnclaveRegistry_OperatorNotAuthorized",
      args: { operator, agent: thief },
    };
    const { timestamp } = await chain.public.getBlock();
    const sign = (message: { agent: Hex; validUntil: bigint }, chainId = deployment.chainId) =>
      testAccount(1).signTypedData({
        domain: domainOf(chainId, deployment.contracts.enclaveRegistry),
        types: operatorAuthorizationTypes,
        primaryType: "OperatorAuthorization",
        message: { operator, ...message },
      });
    const validUntil = timestamp + 600n;
    const wrong: Authorization[] = [
      { validUntil, signature: "0x" },
      { validUntil, signature: (await authorizeAgent(agent, thief, 1)).signature },
      { validUntil, signature: await sign({ agent: other, validUntil }) },
      { validUntil: validUntil + 1n, signature: await sign({ agent: thief, validUntil }) },
      { validUntil, signature: await sign({ agent: thief, validUntil }, 1) },
    ];
    for (const authorization of wrong)
      expect(await refused(asked, how, agent, authorization)).to.deep.equal(unauthorized);

    const over = { validUntil: timestamp - 1n, signature: await sign({ agent: thief, validUntil: timestamp - 1n }) };
    const { contractError, args } = await refused(asked, how, agent, over);
    expect([contractError, args.validUntil]).to.deep.equal(["EnclaveRegistry_AuthorizationExpired", timestamp - 1n]);
  });

  it("by an agent that the operator agreed to is taken, and proves from calldata alone how it agreed", async () => {
    const { validUntil, signature } = await authorizeAgent(client, addressOf(agent), 1);
    const asked = await ask();
    const now = Math.floor(Date.now() / 1000);
    await send(agent, callOf(asked, await shown(platform, asked.reportData), { validUntil, signature }));
    const enclave = await getEnclave(client, asked.request.signingKey);
    const first = await verifyRegistration(client, enclave, now, platform.collateral());
    expect([first.operatorBy, first.judgement?.tcb?.status]).to.deep.equal(["signature", "UpToDate"]);

    // The platform is known now: the next quote is cut after its attestation key, and still can be verified whole.
    const next = await ask();
    const how = await evidenceFor(client, platform.quote(hexToBytes(next.reportData)));
    expect(how.path).to.equal(3);
    await send(client, callOf(next, how));
    const later = await verifyRegistration(client, await getEnclave(client, next.request.signingKey), now);
    expect([later.operatorBy, later.judgement]).to.deep.equal(["sender", undefined]);
    expect([later.proof.pckLeafIn, later.proof.qeReportIn]).to.deep.equal(Array(2).fill(enclave.transactionHash));
  });

  it("is refused if its own key did not sign it, and if the key is registered already", async () => {
    const [asked, thief] = [await ask(), await ask()];
    const how = await shown(platform, asked.reportData);
    const { signingKey } = asked.request;
    const badSignature = { contractError: "EnclaveRegistry_BadSignature", args: { signingKey } };
    expect(await refused({ ...asked, signature: thief.signature }, how)).to.deep.equal(badSignature);
    // The endpoint is signed too: nobody can front-run a registration with an address of its own.
    const request = { ...asked.request, endpoint: "http://thief.example" };
    expect(await refused({ ...asked, request }, how)).to.deep.equal(badSignature);

    await send(client, callOf(asked, how));
    const again = { contractError: "EnclaveRegistry_AlreadyRegistered", args: { signingKey } };
    expect(await refused(asked, how)).to.deep.equal(again);
  });

  it("is refused on the word of a record that is another platform's, or of another key", async () => {
    const asked = await ask();
    const { quote, evidence } = await shown(platform, asked.reportData);
    const pckId = keccak256(concatHex([evidence.platform.pckKey.x, evidence.platform.pckKey.y]));
    const better = { ...evidence, platform: { ...evidence.platform, pceSvn: evidence.platform.pceSvn + 1 } };
    expect((await refused(asked, { quote, evidence: better })).contractError).to.equal(
      "TdxVerifier_PlatformNotRecorded",
    );
    const unknown = { ...evidence, platform: { ...evidence.platform, pckKey: { x: pckId, y: zeroHash } } };
    const { contractError, args } = await refused(asked, { quote, evidence: unknown });
    expect([contractError, args.recorded]).to.deep.equal(["TdxVerifier_PlatformNotRecorded", zeroHash]);
  });
});
