import { createServer } from "node:http";
import { generateX25519Identity } from "age-encryption";
import { expect } from "chai";
import type { Hex } from "viem";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { auditJob } from "../../../sdk/audit/auditJob.ts";
import { formatAudit } from "../../../sdk/audit/formatAudit.ts";
import { type AuditReport, linesOf } from "../../../sdk/audit/report.ts";
import { revokeAllGrants } from "../../../sdk/grants.ts";
import { cancelJob, expireJob } from "../../../sdk/jobs.ts";
import { type Story, startStory } from "./story.ts";

/** Lines that nobody can verify on a simulated platform, whatever happens. */
const never = [
  "attestation.genuine",
  "chain.rpc",
  "code.expected",
  "code.images",
  "code.launch",
  "privacy.keys",
  "privacy.physical",
  "result.right",
];

const idsOf = (report: AuditReport, verdict: string) =>
  linesOf(report)
    .filter((line) => line.verdict === verdict)
    .map((line) => line.id);
const reasonOf = (report: AuditReport, id: string) => linesOf(report).find((line) => line.id === id)?.reason;

function audit(story: Story, options: { workerUrl?: string; resultIdentity?: string; at?: bigint } = {}) {
  const { chain, deployment, jobId } = story;
  return auditJob({ chain: chain.public, deployment, jobId, ...options });
}

describe("auditJob of a settled job", () => {
  let story: Story;
  let openBlock: bigint;
  before(async () => {
    story = await startStory();
    openBlock = await story.chain.public.getBlockNumber();
    await story.settle(await story.receiptOk());
  });
  after(() => story.close());

  it("verifies every line that can be", async () => {
    const report = await audit(story, { workerUrl: story.workerUrl, resultIdentity: story.resultIdentity });
    expect(idsOf(report, "not verified")).to.deep.equal([]);
    expect(idsOf(report, "cannot be verified").sort()).to.deep.equal(never);
    expect(idsOf(report, "verified").length).to.equal(36);
    expect(new Set(linesOf(report).map((line) => line.id)).size).to.equal(linesOf(report).length);
    const head = await story.chain.public.getBlock();
    expect(report.anchors).to.deep.equal({
      rootKey: story.platform.rootKey,
      simulated: true,
      chainId: 31337,
      blockNumber: head.number.toString(),
      blockHash: head.hash,
      blockSource: "an RPC, unchecked",
      deploymentSource: "the auditor",
      workloadId: null,
      images: [],
      auditors: [],
    });
    expect(JSON.parse(JSON.stringify(report))).to.deep.equal(report);
  });

  it("says what is missing without a worker and without a reader's identity", async () => {
    const report = await audit(story);
    expect(idsOf(report, "not verified")).to.deep.equal([]);
    const more = ["code.boot", "code.compose", "code.program", "receipt.policy", "result.output"];
    const log = ["receipt.log", "receipt.run", "receipt.history", "receipt.growth"];
    const expected = [...never, ...more, ...log, "result.readers", "result.sealed"].sort();
    expect(idsOf(report, "cannot be verified").sort()).to.deep.equal(expected);
    expect(reasonOf(report, "code.compose")).to.equal("no worker was asked");
    expect(reasonOf(report, "attestation.tcb")).to.equal(
      "the chain recorded UpToDate; not judged anew: no worker was asked",
    );
    expect(reasonOf(report, "result.output")).to.equal("only a reader of the result can open it");
  });

  it("does not repeat the identity, and says when it is not a reader's", async () => {
    const resultIdentity = await generateX25519Identity();
    const report = await audit(story, { workerUrl: story.workerUrl, resultIdentity });
    expect(reasonOf(report, "result.output")).to.equal("this identity does not open the result");
    expect(JSON.stringify(report)).to.not.include(resultIdentity);
    const malformed = await audit(story, { workerUrl: story.workerUrl, resultIdentity: "AGE-SECRET-KEY-1CANARY" });
    expect(JSON.stringify(malformed)).to.not.include("CANARY");
  });

  it("catches a worker that shows another compose file, log, program or result", async () => {
    const honest = new Map(story.answers);
    const show = (shown: object) => story.answers.set("/attestation", new TextEncoder().encode(JSON.stringify(shown)));
    const program = [...honest.keys()].find((path) => path.startsWith("/blobs/")) ?? "";
    const lines = async (ids: readonly string[]) => {
      const report = await audit(story, { workerUrl: story.workerUrl, resultIdentity: story.resultIdentity });
      for (const [path, bytes] of honest) story.answers.set(path, bytes);
      return ids.map((id) => linesOf(report).find((line) => line.id === id)?.verdict);
    };
    show({ ...story.shown, appCompose: `${story.shown.appCompose} ` });
    expect(await lines(["code.compose", "code.launch", "code.images"])).to.deep.equal([
      "not verified",
      "cannot be verified",
      "cannot be verified",
    ]);
    show({ ...story.shown, eventLog: story.shown.eventLog.replace("storage-fs", "storage-gs") });
    expect(await lines(["code.boot"])).to.deep.equal(["not verified"]);
    show({ ...story.shown, eventLog: "[]", binding: { signingKey: `0x${"11".repeat(20)}` } });
    expect(await lines(["code.boot"])).to.deep.equal(["cannot be verified"]);
    show({ nonsense: true });
    expect(await lines(["code.boot", "code.compose"])).to.deep.equal(["cannot be verified", "cannot be verified"]);
    story.answers.set(program, new TextEncoder().encode('{"manifest":{},"files":{}}'));
    expect(await lines(["code.program", "receipt.policy"])).to.deep.equal(["not verified", "cannot be verified"]);
    story.answers.set(`/results/${story.jobId}`, new Uint8Array(100));
    expect(await lines(["result.sealed", "result.output"])).to.deep.equal(["not verified", "cannot be verified"]);
  });

  it("survives a worker that answers without end", async () => {
    const server = createServer((_, response) => {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        response.once("drain", pour);
      };
      pour();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    try {
      const { binding } = story.shown;
      expect(binding.signingKey).to.equal(story.enclave.signingKey.address);
      const report = await audit(story, { workerUrl: `http://127.0.0.1:${port}` });
      expect(reasonOf(report, "code.compose")).to.match(/answered with more than 4194304 bytes/);
      expect(reasonOf(report, "result.sealed")).to.match(/could not be had/);
      expect(idsOf(report, "not verified")).to.deep.equal([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("looks at the chain from an earlier block", async () => {
    const report = await audit(story, { at: openBlock });
    expect(reasonOf(report, "receipt.none")).to.equal("the job is open: there is no receipt yet");
    expect(reasonOf(report, "order.state")).to.equal("Open");
    expect(reasonOf(report, "money.paid")).to.equal("the job is open: the money is in escrow");
    expect(idsOf(report, "not verified")).to.deep.equal([]);
  });

  it("still verifies consent that was taken back after the settlement, and says so", async () => {
    await revokeAllGrants(story.providerA, story.order.datasets[0]?.datasetId as Hex);
    const report = await audit(story);
    expect(idsOf(report, "not verified")).to.deep.equal([]);
    expect(reasonOf(report, "consent.1.force")).to.match(/not revoked before; revoked since$/);
    expect(reasonOf(report, "consent.2.force")).to.match(/not revoked before$/);
  });

  it("catches a deployment file that names another root key or contract", async () => {
    const { chain, deployment, jobId } = story;
    const real = await auditJob({ chain: chain.public, deployment: { ...deployment, rootKey: intelRootKey }, jobId });
    expect(idsOf(real, "not verified")).to.deep.equal([
      "attestation.signature",
      "attestation.genuine",
      "attestation.binding",
      "attestation.workload",
      "code.compose",
      "code.boot",
      "order.contracts",
    ]);
    expect(reasonOf(real, "order.contracts")).to.equal("the verifier pins another root key");
    expect(reasonOf(real, "attestation.genuine")).to.equal("Quote refused, issuer signature: not valid.");
  });

  it("refuses ids that are none, unknown jobs and other chains with typed errors", async () => {
    const { chain, deployment } = story;
    const failing = async (changes: object) => {
      try {
        await auditJob({ chain: chain.public, deployment, jobId: story.jobId, ...changes });
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
      return "nothing was thrown";
    };
    expect(await failing({ jobId: "0x12" })).to.equal("Audit.BadJobIdError: The job id is not 32 bytes of hex.");
    const block = await chain.public.getBlockNumber();
    const unknown = `0x${"ab".repeat(32)}`;
    const noJob = `Audit.NoSuchJobError: No job ${unknown} was opened up to block ${block}.`;
    expect(await failing({ jobId: unknown })).to.equal(noJob);
    expect(await failing({ deployment: { ...deployment, chainId: 1 } })).to.equal(
      "Audit.WrongAuditChainError: The RPC serves chain 31337, the deployment is on chain 1.",
    );
    const upper = await audit({ ...story, jobId: story.jobId.toUpperCase().replace("0X", "0x") as Hex });
    expect(upper.jobId).to.equal(story.jobId);
  });

  it("is written for people under the claims, and says SIMULATED", async () => {
    const text = formatAudit(await audit(story, { workerUrl: story.workerUrl, resultIdentity: story.resultIdentity }));
    const headings = ["The data stay private", "The exact agreed code ran", "The result is what that code returned"];
    for (const heading of [...headings, "Order, money and chain agree", "SIMULATED: not Intel's"])
      expect(text).to.include(heading);
    expect(text).to.match(/\nCANNOT BE VERIFIED: 36 verified, 0 not verified, 5 cannot be verified\n$/);
    expect(text.split("\n").filter((row) => /^ {2}[+X?] /.test(row)).length).to.equal(41);
  });
});

describe("auditJob of jobs that end otherwise", () => {
  const stories: Story[] = [];
  const tell = async () => {
    const story = await startStory();
    stories.push(story);
    return story;
  };
  after(async () => {
    for (const story of stories) await story.close();
  });

  it("reports a signed failure: refund checked, no result, no grants", async () => {
    const story = await tell();
    await story.settle(await story.receiptFailed());
    const report = await audit(story, { workerUrl: story.workerUrl });
    expect(idsOf(report, "not verified")).to.deep.equal([]);
    expect(reasonOf(report, "order.state")).to.equal("SettledFailed");
    expect(reasonOf(report, "receipt.order")).to.equal("Failed: ProgramUnavailable");
    expect(reasonOf(report, "receipt.inputs")).to.equal("the run failed before it had inputs");
    expect(reasonOf(report, "receipt.policy")).to.equal("the run failed before it had a program");
    expect(reasonOf(report, "consent.1.grant")).to.equal("a FAILED settlement carries no grants: none was paid for");
    expect(reasonOf(report, "money.paid")).to.equal("2 credits, 2500001 in all, as the order says");
    expect(linesOf(report).some((line) => line.id.startsWith("result.") && line.id !== "result.right")).to.equal(false);
  });

  it("catches a failure that claims other inputs than agreed", async () => {
    const story = await tell();
    const inputsRoot: Hex = `0x${"12".repeat(32)}`;
    await story.settle({ ...(await story.receiptFailed()), inputsRoot, policyHash: inputsRoot });
    const report = await audit(story, { workerUrl: story.workerUrl });
    expect(idsOf(report, "not verified")).to.deep.equal(["receipt.inputs", "receipt.policy"]);
  });

  it("reports a cancelled and an expired job with their refunds", async () => {
    const cancelled = await tell();
    await cancelJob(cancelled.requester, cancelled.jobId);
    const first = await audit(cancelled);
    expect(reasonOf(first, "order.state")).to.equal("Cancelled");
    expect(reasonOf(first, "receipt.none")).to.equal("the job was cancelled: there is no receipt, and nobody was paid");
    expect(reasonOf(first, "money.paid")).to.equal("1 credits, 2500001 in all, as the order says");

    const expired = await tell();
    await expired.chain.control.setNextBlockTimestamp({ timestamp: expired.order.deadline + 1n });
    await expired.chain.control.mine({ blocks: 1 });
    await expireJob(expired.operator, expired.jobId);
    const second = await audit(expired);
    expect(reasonOf(second, "order.state")).to.equal("Expired");
    for (const report of [first, second]) expect(idsOf(report, "not verified")).to.deep.equal([]);
  });

  it("catches a receipt over wrong roots, policy and result that the contract cannot see", async () => {
    const story = await tell();
    const wrong: Hex = `0x${"34".repeat(32)}`;
    const roots = { inputsRoot: wrong, grantsRoot: wrong, policyHash: wrong };
    await story.settle({ ...(await story.receiptOk()), ...roots, resultHash: wrong, outputCommitment: wrong });
    const report = await audit(story, { workerUrl: story.workerUrl, resultIdentity: story.resultIdentity });
    const expected = ["receipt.inputs", "receipt.grants", "receipt.policy", "receipt.run", "result.sealed"];
    expect(idsOf(report, "not verified")).to.deep.equal(expected);
    expect(reasonOf(report, "result.output")).to.equal("the sealed result at hand is another one");
  });
});
