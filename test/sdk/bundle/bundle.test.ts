/** A job's bundle: made, read and audited with no network; what is left out, added or changed is found. */

import { generateX25519Identity } from "age-encryption";
import { expect } from "chai";
import { type Hex, sha256, zeroHash } from "viem";
import { type Domain, hashReceipt } from "../../../protocol/eip712.ts";
import { receiptSchema } from "../../../protocol/receiptJson.ts";
import { foundBy, seededRandom } from "../../../scripts/tampered.ts";
import { type Json, tamperings } from "../../../scripts/tamperings.ts";
import { nothingMore } from "../../../sdk/audit/believed.ts";
import { formatAudit } from "../../../sdk/audit/formatAudit.ts";
import { isSignedBy } from "../../../sdk/audit/isSignedBy.ts";
import type { AuditLine } from "../../../sdk/audit/line.ts";
import { auditBundle, judgeBundle } from "../../../sdk/bundle/auditBundle.ts";
import { type BundleJson, maxJobBundleBytes } from "../../../sdk/bundle/bundleSchema.ts";
import { LeftOutError } from "../../../sdk/bundle/completeness.ts";
import { NothingToStateError, statementOf } from "../../../sdk/bundle/inToto.ts";
import { SurplusProofError } from "../../../sdk/bundle/inventory.ts";
import { type MadeBundle, makeBundle } from "../../../sdk/bundle/makeBundle.ts";
import { SurplusPartError } from "../../../sdk/bundle/parts.ts";
import { BadBundleError, readBundle, writeBundle } from "../../../sdk/bundle/readBundle.ts";
import { retireDataset } from "../../../sdk/datasetOwner.ts";
import { revokeAllGrants, revokeAllOwnGrants, revokeGrantNonce } from "../../../sdk/grants.ts";
import { retireEnclave } from "../../../sdk/operators.ts";
import type { ChainProofs, ProofWants } from "../../../sdk/proofs/chainProofs.ts";
import { collectProofs } from "../../../sdk/proofs/collectProofs.ts";
import { openProofs } from "../../../sdk/proofs/openProofs.ts";
import { type Story, startStory } from "../audit/story.ts";
import { rejection } from "../support/rejection.ts";
import { expectSameOffline } from "./sameOffline.ts";

const utf8 = new TextEncoder();
const jsonOf = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as BundleJson;
const verdictOf = (lines: readonly AuditLine[], id: string) => lines.find((line) => line.id === id)?.verdict;

describe("a job's bundle", () => {
  let story: Story;
  let made: MadeBundle;
  let honest: AuditLine[];
  before(async () => {
    story = await startStory();
    await story.settle(await story.receiptOk());
    made = await makeBundle(optionsOf(story));
    honest = (await judgeBundle(made.bundle)).lines;
  });
  after(() => story.close());

  function optionsOf({ chain, deployment, jobId, workerUrl }: Story) {
    return { chain: chain.public, deployment, jobId, workerUrl };
  }

  it("comes to what the audit online comes to, without a network, and is the same file each time", async () => {
    const { resultIdentity } = story;
    const { bytes, online } = await expectSameOffline({ ...optionsOf(story), resultIdentity });
    expect(bytes).to.deep.equal(made.bytes);
    expect(bytes.length).to.be.below(200 * 1024);
    expect(verdictOf(online.claims, "result.output")).to.equal("verified");
    const stranger = await judgeBundle(made.bundle, { resultIdentity: await generateX25519Identity() });
    expect(verdictOf(stranger.lines, "result.output")).to.equal("cannot be verified");
  });

  it("rests on one block, one deployment and the contracts' code", async () => {
    const { number, hash } = made.bundle.chain.anchor;
    const { deployment } = story;
    const judged = async (options: Parameters<typeof auditBundle>[1]) => {
      const { claims: lines } = await auditBundle(made.bundle, options);
      return ["chain.anchor", "chain.deployment", "chain.code"].map((id) => verdictOf(lines, id));
    };
    const anchor = { number: BigInt(number), hash };
    const knowing = (block: typeof anchor) => ({ ...nothingMore, blocks: [block] });
    expect(await judged({})).to.deep.equal(["cannot be verified", "cannot be verified", "verified"]);
    expect(await judged({ believed: knowing(anchor), deployment })).to.deep.equal(["verified", "verified", "verified"]);
    const elsewhere = {
      ...deployment,
      contracts: { ...deployment.contracts, jobMarket: deployment.contracts.tdxVerifier },
    };
    const wrong = { believed: knowing({ ...anchor, hash: zeroHash }), deployment: elsewhere };
    expect(await judged(wrong)).to.deep.equal(["not verified", "not verified", "verified"]);
    const unproven = { ...anchor, number: anchor.number + 1n };
    expect(await judged({ believed: knowing(unproven) })).to.deep.equal([
      "cannot be verified",
      "cannot be verified",
      "verified",
    ]);
    // A block below that is another one than the auditor knows: then all of it is of another chain.
    const { number: below } = (await openProofs(made.bundle.chain)).blocks.at(-1) ?? { number: -1n };
    const contradicted = { ...nothingMore, blocks: [anchor, { number: below, hash: zeroHash }] };
    expect((await judged({ believed: contradicted }))[0]).to.equal("not verified");
    const twice = { ...nothingMore, blocks: [anchor, { ...anchor, hash: zeroHash }] };
    expect((await judged({ believed: twice }))[0]).to.equal("not verified");
    const { anchors, jobId } = await auditBundle(made.bundle);
    const unchecked = "the bundle, unchecked";
    expect(anchors).to.include({ blockSource: unchecked, deploymentSource: unchecked });
    expect(formatAudit(await auditBundle(made.bundle))).to.match(/root key .*, from the bundle, unchecked\n/);
    const own = (await auditBundle(made.bundle, { believed: knowing(anchor), deployment })).anchors;
    expect(own).to.include({ blockSource: "the auditor", deploymentSource: "the auditor" });
    const mistaken = { believed: { ...nothingMore, rpc: true }, deployment: elsewhere };
    const { anchors: others } = await auditBundle(made.bundle, mistaken);
    expect(others).to.include({ blockSource: unchecked, deploymentSource: unchecked });
    expect(anchors).to.deep.include({ simulated: true, chainId: 31337, blockNumber: number, blockHash: hash });
    expect(jobId).to.equal(story.jobId);
  });

  it("is stated for other tools: result and program, the receipt with its signature, what was found", async () => {
    const audit = await judgeBundle(made.bundle);
    const { receipt, signature, signer } = audit.evidence.settlement ?? expect.fail("no receipt");
    const { _type, subject, predicateType, predicate } = statementOf(made.bytes, audit);
    expect([_type, predicateType]).to.deep.equal([
      "https://in-toto.io/Statement/v1",
      "urn:data-collab-market:job-audit:1",
    ]);
    const packed = made.bundle.program ?? expect.fail("no program");
    expect(subject).to.deep.equal([
      { name: `result of job ${story.jobId}`, digest: { sha256: receipt.resultHash.slice(2) } },
      { name: `program ${story.order.programId}`, digest: { sha256: sha256(packed).slice(2) } },
    ]);
    const stated = predicate.receipt as { message: unknown; domain: Domain };
    const message = receiptSchema.parse(stated.message);
    expect(isSignedBy(hashReceipt(stated.domain, message), signature, signer)).to.equal(true);
    expect(predicate.claims).to.deep.equal(audit.lines);
    const open = { ...audit, evidence: { ...audit.evidence, settlement: undefined } };
    expect(() => statementOf(made.bytes, open)).to.throw(NothingToStateError);
  });

  it("is refused where it is no bundle, in whatever way", () => {
    const text = new TextDecoder().decode(made.bytes);
    const facts: [bytes: Uint8Array, fact: string][] = [
      [new Uint8Array(maxJobBundleBytes + 1), "it has 8388609 bytes, the limit is 8388608"],
      [utf8.encode("[".repeat(1_000_000)), "it is nested deeper than 12"],
      [utf8.encode('{"format":'), "it is not JSON"],
      [new Uint8Array([0xff]), "it is not JSON"],
      [utf8.encode("null"), "the file: Invalid input: expected object, received null"],
      [utf8.encode(`${text} `), "it is not canonical JSON (RFC 8785)"],
      [utf8.encode(`\ufeff${text}`), "it is not JSON"],
      [utf8.encode(text.replace('"format"', '"format":"x","format"')), "it is not canonical JSON (RFC 8785)"],
    ];
    for (const [bytes, fact] of facts)
      expect(() => readBundle(bytes)).to.throw(BadBundleError, `This is not a bundle of a job: ${fact}.`);
    expect(() => writeBundle({ ...jsonOf(made.bytes), result: "A".repeat(maxJobBundleBytes) })).to.throw(
      BadBundleError,
    );
  });

  it("has no part that no claim rests on", async () => {
    const { receipt, signature } = (await judgeBundle(made.bundle)).evidence.settlement ?? expect.fail("no receipt");
    const surplus = { ...made.bundle, receipt: { receipt, signature } };
    expect((await rejection(judgeBundle(surplus), SurplusPartError)).part).to.equal("receipt");
    const spaced = utf8.encode(`${new TextDecoder().decode(made.bundle.program)} `);
    const respelled = await rejection(judgeBundle({ ...made.bundle, program: spaced }), SurplusPartError);
    expect(respelled.part).to.equal("program");
  });

  it("shows every single change: a sample of all that `npm run tamper` makes", async () => {
    const random = seededRandom(7);
    const all = [...tamperings(jsonOf(made.bytes) as unknown as Json, random)];
    const unseen: string[] = [];
    const sample = all.filter(({ path }) => random() < (path.startsWith("chain.") ? 0.006 : 0.02));
    for (const { path, how, apply } of sample)
      if ((await foundBy(apply(jsonOf(made.bytes) as unknown as Json), honest)) === undefined)
        unseen.push(`${path} ${how}`);
    expect(sample.length).to.be.within(10, 40);
    expect(unseen).to.deep.equal([]);
  });

  it("names the claim that a changed part makes false", async () => {
    const changed = (edit: (bundle: BundleJson) => void) => {
      const json = structuredClone(jsonOf(made.bytes));
      edit(json);
      return foundBy(json as unknown as Json, honest);
    };
    const attested = (bundle: BundleJson) => bundle.attestation ?? expect.fail("no attestation");
    const found = {
      program: await changed((it) => (it.program = utf8.encode("{}").toBase64())),
      result: await changed((it) => (it.result = "AAAA")),
      compose: await changed((it) => (attested(it).appCompose += " ")),
      log: await changed((it) => attested(it).eventLog.pop()),
      rootKey: await changed((it) => (it.deployment.rootKey = `0x${"11".repeat(64)}`)),
      code: await changed((it) => (it.deployment.allowedTcb = 0xffff)),
      header: await changed((it) => (it.chain.headers[0] = it.chain.headers[1] ?? "")),
      job: await changed((it) => (it.jobId = zeroHash)),
    };
    expect(found).to.deep.equal({
      program: "code.program receipt.policy receipt.run",
      result: "result.sealed result.readers",
      compose: "code.compose",
      log: "code.boot",
      rootKey:
        "order.contracts attestation.signature attestation.tcb attestation.binding attestation.workload code.compose code.boot chain.code",
      code: "order.contracts chain.code",
      header: "Proofs.WrongAnchorError",
      job: "Audit.NoSuchJobError",
    });
  });

  it("proves nothing that is not looked at", async () => {
    const { chain } = made.bundle;
    const unused = (await story.chain.public.getBlock({ blockNumber: 1n })).transactions[0] as Hex;
    const { jobMarket, endorsements } = story.deployment.contracts;
    const [block, address] = [BigInt(chain.anchor.number), jobMarket];
    const surplus: [ProofWants, RegExp][] = [
      [{ transactions: [unused] }, /: transaction 0x/],
      [{ accounts: [{ block, address: endorsements, slots: [] }] }, /: account 0x/],
      [{ accounts: [{ block, address, slots: [zeroHash] }] }, /: slot 0x0/],
      [{ blocks: [0n] }, /: block 0/],
    ];
    for (const [more, what] of surplus) {
      const padded = { ...made.bundle, chain: await reproved(chain, more) };
      expect((await rejection(judgeBundle(padded), SurplusProofError)).message).to.match(what);
    }
  });

  it("lets no event be left out that a claim rests on", async () => {
    const { providerA, providerB, operator, order, enclave } = story;
    const a = order.datasets[0]?.datasetId ?? expect.fail("no data set");
    const grants = (await judgeBundle(made.bundle)).evidence.settlement?.grants as { grant: { nonce: bigint } }[];
    const nonce = grants[1]?.grant.nonce ?? expect.fail("no grant");
    const sent: Record<string, Hex> = {
      "revocations of data set 1": (await revokeAllGrants(providerA, a)).hash,
      "the retirement of data set 1": (await retireDataset(providerA, a)).hash,
      "the revocation of the grant for data set 2": (await revokeGrantNonce(providerB, nonce)).hash,
      "revocations by the owner of data set 2": (await revokeAllOwnGrants(providerB)).hash,
      "the end of the enclave's registration": (await retireEnclave(operator, enclave.signingKey.address)).hash,
    };
    const { bundle, online } = await expectSameOffline(optionsOf(story));
    expect(online.claims.filter(({ verdict }) => verdict === "not verified")).to.deep.equal([]);
    for (const [what, hash] of Object.entries(sent)) {
      if (what.startsWith("the revocation of the grant") && nonce < 224n) continue; // the owner's next epoch overwrote it
      const cut = { ...bundle, chain: await reproved(bundle.chain, {}, hash) };
      expect((await rejection(judgeBundle(cut), LeftOutError)).what).to.equal(what);
    }
    const { ending } = (await judgeBundle(bundle)).evidence;
    const unsettled = { ...bundle, chain: await reproved(bundle.chain, {}, ending?.transactionHash) };
    await rejection(judgeBundle(unsettled), SurplusProofError);
  });

  /** Proofs of the same and more, without one transaction. */
  async function reproved(chain: ChainProofs, more: ProofWants, without?: Hex) {
    const proven = await openProofs(chain);
    const wants = {
      blocks: [...proven.blocks.map(({ number }) => number), ...(more.blocks ?? [])],
      transactions: [...proven.receipts.map((one) => one.transactionHash), ...(more.transactions ?? [])],
      accounts: [...chain.accounts.map((one) => ({ ...one, block: BigInt(one.block) })), ...(more.accounts ?? [])],
      logIndexes: false,
    };
    const transactions = wants.transactions.filter((hash) => hash !== without);
    const proofs = await collectProofs(story.chain.public, { ...wants, transactions }, proven.anchor);
    return { ...proofs, logIndexes: false as const };
  }
});
