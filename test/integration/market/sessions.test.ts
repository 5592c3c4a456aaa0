/** Sessions with a real worker: jobs run one by one, claimed together, disputed leaf by leaf, paid to the unit. */
import { expect } from "chai";
import { bytesToHex, type Hex, keccak256, zeroAddress, zeroHash } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import {
  hashOrder,
  hashSession,
  type JobOrder,
  type SessionTerms,
  type SignedGrant,
} from "../../../protocol/eip712.ts";
import { encodeParams, type Program } from "../../../protocol/program.ts";
import { type SignedOrder, signedOrderToJson } from "../../../protocol/signedOrder.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { decryptResult } from "../../../sdk/encryption.ts";
import { findSession } from "../../../sdk/findSession.ts";
import { revokeGrantNonce } from "../../../sdk/grants.ts";
import { openSession, type PreparedSession, sessionOrder, signClaimRequest } from "../../../sdk/sessions.ts";
import { fetchReceipt, fetchResult, fetchSession, postClaimRequest, postOrder } from "../../../sdk/worker.ts";
import { bring, consent, fees, oneInputProgram, problemOf, rawJob, timesSeen } from "../../support/hostile.ts";
import type { Provider } from "../../support/scenario.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";
import { fund, gains, signed, until, viewOf } from "./people.ts";

const everyone = [1, 2, 3, 4] as const; // operator, providers, requester
const env = { GRANT_WAIT_SECONDS: "1" };
const cost = fees.operatorFee + fees.price;
const terms: SessionTerms = { maxJobs: 3, challengeSeconds: 600, disputeBond: fees.operatorFee };

type Opened = PreparedSession & { program: Program; grant: SignedGrant; provider: Provider; identity: string };

describe("a session", () => {
  let s: Scenario;
  let program: Program;
  before(async () => {
    s = await startScenario({ env });
    await fund(s, 4, 100n * cost);
    program = oneInputProgram(
      s,
      'export default ({ data }, params) => { if (params.fail) throw new Error("no"); return { n: data.length }; };',
      { params: { type: "object" } },
    );
  });
  after(() => s.stop());

  const url = () => s.worker().url;
  const now = async () => (await s.market.chain.public.getBlock()).timestamp;
  const pass = async (seconds: number) => {
    await s.market.chain.control.increaseTime({ seconds });
    await s.market.chain.control.mine({ blocks: 1 });
  };

  /** Opens a session at the requester's cost. */
  async function open(changes: { terms?: Partial<SessionTerms>; order?: Partial<JobOrder>; price?: bigint } = {}) {
    const provider = s.providers[0];
    const price = changes.price ?? fees.price;
    const grant = await consent(s, provider, program, { price });
    const job = await rawJob(s, { program, grants: [grant] });
    const order = { ...job.order, paramsHash: zeroHash, operator: testAccount(1).address, ...changes.order };
    const own = { ...terms, ...changes.terms };
    const sessionId = hashSession(s.requester.marketDomain, order, own);
    const session = { order, terms: own, sessionId, programUri: job.programUri };
    await openSession(s.requester, { ...session, cost: BigInt(own.maxJobs) * (price + order.operatorFee) });
    // Nobody has signed this one; the worker says so once it has seen the opening.
    const probe = { order: { ...order, session: sessionId }, programUri: "", params: "0x", requesterSignature: "0x" };
    await s.market.chain.control.mine({ blocks: 1 }); // the anchor is the newest block's parent
    await until(s, async () => !(await refusal({ ...probe, payerSignature: "0x" } as SignedOrder)).startsWith("503"));
    return { ...session, cost: 0n, program, grant, provider, identity: job.identity } satisfies Opened;
  }

  /** One job of a session, signed. */
  async function job(session: Opened, nonce: number, params: object = {}, changes: Partial<JobOrder> = {}) {
    const { bytes, hash: paramsHash } = encodeParams(params);
    const { deadline } = session.order;
    const order = { ...sessionOrder(session, { paramsHash, deadline, nonce: BigInt(nonce) }), ...changes };
    const { programUri } = session;
    return signed(s.requester, { order, programUri, params: bytesToHex(bytes) });
  }

  const idOf = ({ order }: SignedOrder) => hashOrder(s.requester.marketDomain, order);
  const give = async (order: SignedOrder) => (await postOrder(url(), order)).jobId;
  const phase = async (sessionId: Hex) => (await fetchSession(url(), sessionId)).phase;
  const reached = (sessionId: Hex, wanted: string) => until(s, async () => (await phase(sessionId)) === wanted);
  const refusal = async (order: SignedOrder) => {
    const response = await fetch(`${url()}/orders`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(signedOrderToJson(order)),
    });
    const { name, detail } = (await response.json()) as { name: string; detail: string };
    return `${response.status} ${name}: ${detail}`;
  };
  const refused = (fact: string) => `422 Jobs.OrderRefusedError: The order was refused: ${fact}.`;

  it("runs its jobs, is claimed when it has them all, shows what is disputed, and pays to the unit", async () => {
    const { gained, value } = await gains(s, everyone, async () => {
      const session = await open();
      const { sessionId } = session;
      const jobs = [await job(session, 1), await job(session, 2, { fail: true }), await job(session, 3)];
      const [first, failed, third] = [
        await give(jobs[0] as SignedOrder),
        await give(jobs[1] as SignedOrder),
        "" as Hex,
      ];
      await until(s, async () => (await viewOf(url(), first)).phase === "finished");
      // Its data set is paid for: nobody has it before that is certain.
      expect(await problemOf(`${url()}/results/${first}`)).to.equal("409 Http.ResultHeldBackError");
      expect((await fetchSession(url(), sessionId)).claim).to.equal(undefined);
      const last = await give(jobs[2] as SignedOrder);
      await reached(sessionId, "claimed");
      const found = await findSession(s.requester, sessionId);
      expect(found).to.deep.include({ state: "Claimed", operator: testAccount(1).address });
      expect(found.claim?.claim).to.include({ okCount: 2, failedCount: 1, countedGrants: 1 });
      expect(await viewOf(url(), failed)).to.deep.include({ phase: "claimed", session: sessionId, leaf: 2 });
      expect(third).to.equal("");

      // Both in one block, so that they are shown in one transaction.
      const { control } = s.market.chain;
      await control.setAutomine(false);
      const disputes = [0, 2].map((leaf) => ({
        functionName: "disputeLeaf",
        args: [session.order, terms, BigInt(leaf)],
      }));
      const { verifyingContract: address } = s.requester.marketDomain;
      for (const call of disputes)
        await s.market.chain.wallet(4).writeContract({ address, abi: jobMarketAbi, gas: 1_000_000n, ...call } as never);
      await control.mine({ blocks: 1 });
      await control.setAutomine(true);
      await until(s, async () => {
        const { settledOk, settledFailed } = (await findSession(s.requester, sessionId)).leaves;
        return settledOk + settledFailed === 2;
      });
      // Shown, it is paid for whatever happens; the other still can be disputed.
      await until(s, async () => (await fetch(`${url()}/results/${first}`)).ok);
      expect(await problemOf(`${url()}/results/${last}`)).to.equal("409 Http.ResultHeldBackError");
      await pass(601);
      await reached(sessionId, "closed");
      return { session, first, failed, last };
    });
    const { disputeBond } = terms;
    const operatorGains = 2n * fees.operatorFee + fees.failureFee + 2n * disputeBond;
    expect(s.worker().child.lines.stdout.filter((line) => line.includes('"session.shown"'))).to.have.length(1);
    expect(gained).to.deep.equal([operatorGains, 2n * fees.price, 0n, -operatorGains - 2n * fees.price]);
    for (const jobId of [value.first, value.last]) {
      const { receipt } = await fetchReceipt(url(), jobId);
      const { output } = await decryptResult(value.session.identity, await fetchResult(url(), jobId), receipt);
      expect(output).to.have.property("n").that.is.greaterThan(10_000);
    }
    expect(await viewOf(url(), value.failed)).to.include({ phase: "failed" });
    expect(await problemOf(`${url()}/results/${value.failed}`)).to.equal("404 Http.UnknownJobError");
  });

  it("goes on after SIGKILL: what a dead key ran is run again, what it had claimed is claimed as it was", async () => {
    const session = await open({ terms: { maxJobs: 2 } });
    const { sessionId, grant, provider } = session;
    const first = await give(await job(session, 1));
    await until(s, async () => (await viewOf(url(), first)).phase === "finished");
    const before = (await fetchReceipt(url(), first)).receipt;
    await s.worker().child.stop();
    await s.restartWorker({ script: "test/support/killableWorker.ts", env: { ...env, KILL_AT: "claimSigned" } });
    const doomed = s.worker();
    const { signingKey } = (await (await fetch(`${url()}/enclave`)).json()) as { signingKey: Hex };
    await bring(s, grant, { key: provider.datasetKey });
    const { gained } = await gains(s, everyone, async () => {
      const last = await give(await job(session, 2));
      expect(await doomed.child.exited).to.equal("SIGKILL");
      await s.restartWorker({ env });
      await reached(sessionId, "claimed");
      const { claim } = await findSession(s.requester, sessionId);
      expect(claim).to.deep.include({ signer: signingKey });
      expect(claim?.claim).to.include({
        okCount: 2,
        failedCount: 0,
        root: (await fetchSession(url(), sessionId)).claim?.claim.root,
      });
      await pass(601);
      await reached(sessionId, "closed");
      for (const jobId of [first, last]) {
        const { receipt } = await fetchReceipt(url(), jobId);
        await decryptResult(session.identity, await fetchResult(url(), jobId), receipt);
      }
    });
    expect(gained).to.deep.equal([2n * fees.operatorFee, 2n * fees.price, 0n, 0n]);
    const after = (await fetchReceipt(url(), first)).receipt;
    expect(after.outputCommitment).to.equal(before.outputCommitment);
    expect(after.resultHash).not.to.equal(before.resultHash);
  });

  it("whose data are free gives results at once, and is claimed when its requester says so, once", async () => {
    const session = await open({ price: 0n, terms: { maxJobs: 4 } });
    const { sessionId } = session;
    const only = await give(await job(session, 1));
    await until(s, async () => (await fetch(`${url()}/results/${only}`)).ok);

    const requests: [Parameters<typeof postClaimRequest>[2], string][] = [
      [await signClaimRequest(s.requester, sessionId, 2), "it is for 2 jobs, and 1 were taken"],
      [
        await signClaimRequest(session.provider.client, sessionId, 1),
        "it is not signed by the session's requester for this chain and market",
      ],
    ];
    for (const [request, fact] of requests) {
      const error = await postClaimRequest(url(), sessionId, request).catch((thrown: Error) => thrown);
      expect(error).to.have.property("message").that.includes(`The request to claim was refused: ${fact}.`);
    }
    const request = await signClaimRequest(s.requester, sessionId, 1);
    const { gained } = await gains(s, everyone, async () => {
      await postClaimRequest(url(), sessionId, request);
      expect(await refusal(await job(session, 2))).to.equal(refused("its session is being claimed"));
      await reached(sessionId, "claimed");
      expect((await postClaimRequest(url(), sessionId, request)).phase).to.equal("claimed");
      await pass(601);
      await reached(sessionId, "closed");
    });
    expect(gained).to.deep.equal([fees.operatorFee, 0n, 0n, 3n * fees.operatorFee]);
    expect(await problemOf(`${url()}/sessions/${only}`)).to.equal("404 Http.NoSuchSessionError");
  });

  it("whose grant is taken back before the claim is claimed as failed, and no result of it is given out", async () => {
    const session = await open({ terms: { maxJobs: 2 } });
    const { sessionId, provider, grant } = session;
    const jobId = await give(await job(session, 1));
    await until(s, async () => (await viewOf(url(), jobId)).phase === "finished");
    expect((await fetchReceipt(url(), jobId)).receipt).to.include({ failureCode: 0 });
    await revokeGrantNonce(provider.client, grant.grant.nonce);
    const { gained } = await gains(s, everyone, async () => {
      await postClaimRequest(url(), sessionId, await signClaimRequest(s.requester, sessionId, 1));
      await reached(sessionId, "claimed");
      await pass(601);
      await reached(sessionId, "closed");
    });
    expect(gained).to.deep.equal([fees.failureFee, 0n, 0n, 2n * cost - fees.failureFee]);
    expect(await viewOf(url(), jobId)).to.include({ phase: "failed", failureCode: 7 });
    expect(await problemOf(`${url()}/results/${jobId}`)).to.equal("404 Http.UnknownJobError");
  });

  it("takes no order that it could not show, or not be paid for", async () => {
    const session = await open({ terms: { maxJobs: 1 } });
    const other = await open();
    const anyones = await open({ order: { operator: zeroAddress } });
    const cheap = await open({ terms: { disputeBond: fees.operatorFee - 1n } });
    const late = await open({ order: { deadline: (await now()) + 400n } });
    const { deadline } = session.order;
    const wrongParams = { ...(await job(session, 1)), params: "0x7b7d20" as const };
    const cases: [SignedOrder, string][] = [
      [await job(session, 1, {}, { operatorFee: 1n }), "its terms are not those of its session"],
      [await job(session, 1, {}, { resultKey: keccak256("0x01") }), "its terms are not those of its session"],
      [await job(session, 1, {}, { session: other.sessionId }), "its terms are not those of its session"],
      [await job(session, 1, {}, { deadline: deadline - 1n }), "its deadline is before that of its session's claim"],
      [wrongParams, "the parameters are not those of its hash"],
      [
        { ...(await job(session, 1)), requesterSignature: (await job(session, 2)).requesterSignature },
        "it is not signed by its requester for this chain and market",
      ],
      [await job(anyones, 1), "its session names no operator: another's enclave may claim it"],
      [await job(cheap, 1), `its session's dispute bond is below ${fees.operatorFee}`],
      [await job(late, 1), "its session's claim deadline is less than 420 seconds ahead"],
    ];
    for (const [order, fact] of cases) expect(await refusal(order)).to.equal(refused(fact));
    const unknown = { ...session, sessionId: keccak256("0x02") };
    expect(await refusal(await job(unknown, 1))).to.match(/^503 Sessions.UnknownSessionError/);

    const taken = await job(other, 1);
    expect(await give(taken)).to.equal(idOf(taken));
    expect(await refusal(await job(other, 1, { again: 1 }))).to.equal(refused("its nonce is taken in its session"));
    expect(await give(taken)).to.equal(idOf(taken)); // the same again changes nothing
    await Promise.all([give(await job(other, 2)), give(await job(other, 3))]);
    expect(await refusal(await job(other, 4))).to.match(/its session (has its 3 jobs|is being claimed)/);
    await reached(other.sessionId, "claimed");
    expect(timesSeen(s, "ran", idOf(taken))).to.equal(1);
  });
});
