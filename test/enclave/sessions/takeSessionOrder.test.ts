import { expect } from "chai";
import { type Address, type Hex, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { OrderRefusedError } from "../../../enclave/jobs/takeOrder.ts";
import {
  createTakeSessionOrder,
  maxSessions,
  maxWaitingJobs,
  SessionsFullError,
  type TakeSessionOrderPorts,
  UnknownSessionError,
} from "../../../enclave/sessions/takeSessionOrder.ts";
import { isSignedByKey } from "../../../enclave/vault/ownerSignature.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashOrder, hashSession, type JobOrder, type SessionState } from "../../../protocol/eip712.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import { sampleJob } from "../../support/emitter.ts";
import { rejection } from "../../support/rejection.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const domain = domainOf(31337, market);
const requester = privateKeyToAccount(`0x${"21".repeat(32)}`);
const payer = privateKeyToAccount(`0x${"22".repeat(32)}`);
const now = 1_000_000n;
const terms = { maxJobs: 3, challengeSeconds: 600, disputeBond: 7n };

function sessionOf(changes: Partial<JobOrder> = {}) {
  const { order } = sampleJob(deployment, 0, { requester: requester.address, payer: requester.address, ...changes });
  const template = { ...order, paramsHash: zeroHash, deadline: now + 3_600n };
  const sessionId = hashSession(domain, template, terms);
  return { sessionId, order: template, terms, programUri: "", claimedRoot: null, ended: null };
}

async function signedJob(session: ReturnType<typeof sessionOf>, number: number, changes: Partial<JobOrder> = {}) {
  const { params, programUri, order: sample } = sampleJob(deployment, number);
  const own = { paramsHash: sample.paramsHash, nonce: BigInt(number), session: session.sessionId };
  const order = { ...session.order, ...own, ...changes };
  const hash = hashOrder(domain, order);
  const requesterSignature = await requester.sign({ hash });
  return { order, programUri, params, requesterSignature, payerSignature: await payer.sign({ hash }) } as SignedOrder;
}

/** A taker of one session's orders that remembers what it kept. */
function taker(
  session: ReturnType<typeof sessionOf>,
  world: Partial<TakeSessionOrderPorts> & { states?: SessionState[] } = {},
) {
  const kept = new Map<Hex, JobOrder>();
  const { states = ["Open", "Open"], ...ports } = world;
  let look = 0;
  const take = createTakeSessionOrder({
    domain,
    reader: { session: async () => ({ state: states[look++ % 2] }) as never },
    chain: {
      anchor: async () => ({ number: 1n, hash: zeroHash, timestamp: now }),
      isSignedBy: async (account, digest, signature) => isSignedByKey(account, digest, signature),
    },
    times: async () => ({ newest: now, final: now - 50n }),
    newest: async () => ({ blockHash: zeroHash }),
    whyNotServed: () => undefined,
    session: (id) => (id === session.sessionId ? session : undefined),
    isKnown: (jobId) => kept.has(jobId),
    isNonceTaken: (_, nonce) => [...kept.values()].some((order) => order.nonce === nonce),
    isClosing: () => false,
    counts: () => ({ taken: kept.size, ran: 0, ok: 0 }),
    live: () => (kept.size > 0 ? [session.sessionId] : []),
    keep: (jobId, { order }) => void kept.set(jobId, order),
    ...ports,
  });
  return { take, kept };
}

const refusal = async (work: Promise<unknown>) => (await rejection(work, OrderRefusedError)).message;
const said = (fact: string) => `The order was refused: ${fact}.`;

describe("createTakeSessionOrder", () => {
  const session = sessionOf();

  it("keeps a job of an open session, once, also when it comes twice at once", async () => {
    const { take, kept } = taker(session);
    const signed = await signedJob(session, 1);
    const jobId = hashOrder(domain, signed.order);
    expect(await Promise.all([take(signed), take(signed)])).to.deep.equal([{ jobId }, { jobId }]);
    expect([...kept.keys()]).to.deep.equal([jobId]);
  });

  it("takes one of two that come at once with one nonce, and no more than the session's jobs", async () => {
    const twins = taker(session);
    const pair = [await signedJob(session, 1), await signedJob(session, 2, { nonce: 1n })] as const;
    const both = await Promise.allSettled(pair.map((one) => twins.take(one)));
    expect(both.map(({ status }) => status)).to.have.members(["fulfilled", "rejected"]);
    expect(twins.kept.size).to.equal(1);
    const { take, kept } = taker(session);
    const four = await Promise.all([1, 2, 3, 4].map((number) => signedJob(session, number)));
    const ends = await Promise.allSettled(four.map((one) => take(one)));
    expect(ends.filter(({ status }) => status === "rejected")).to.have.length(1);
    expect(kept.size).to.equal(3);
    expect(await refusal(take(await signedJob(session, 5)))).to.equal(said("its session has its 3 jobs"));
  });

  it("refuses other terms than the session's, and what its parties did not sign", async () => {
    const { take, kept } = taker(session);
    const terms = "its terms are not those of its session";
    const others: Partial<JobOrder>[] = [
      { requester: payer.address },
      { payer: payer.address },
      { token: market },
      { operatorFee: 8n },
      { failureFee: 0n },
      { quorum: 2 },
      { acceptBy: now },
      { datasets: [] },
    ];
    for (const changes of others)
      expect(await refusal(take(await signedJob(session, 1, changes)))).to.equal(said(terms));
    const unsigned = { ...(await signedJob(session, 1)), requesterSignature: "0x" as const };
    expect(await refusal(take(unsigned))).to.match(/not signed by its requester/);
    const sponsored = sessionOf({ payer: payer.address });
    const by = taker(sponsored);
    const signed = await signedJob(sponsored, 1);
    const twice = { ...signed, payerSignature: signed.requesterSignature };
    expect(await refusal(by.take(twice))).to.match(/not signed by its payer/);
    await by.take(signed);
    expect([kept.size, by.kept.size]).to.deep.equal([0, 1]);
  });

  it("refuses a session that is not open, here or now, is being claimed, or ends too soon", async () => {
    const job = await signedJob(session, 1);
    const unknown = { ...job, order: { ...job.order, session: zeroHash } };
    await rejection(taker(session).take(unknown), UnknownSessionError);
    await rejection(taker(session, { states: ["None", "Open"] }).take(job), UnknownSessionError);
    const over = said("its session is claimed, or over");
    expect(await refusal(taker(session, { states: ["Open", "Claimed"] }).take(job))).to.equal(over);
    expect(await refusal(taker(session, { states: ["Expired", "Expired"] }).take(job))).to.equal(over);
    const claiming = said("its session is being claimed");
    expect(await refusal(taker(session, { isClosing: () => true }).take(job))).to.equal(claiming);
    // 300 seconds, twice the 50 that finality takes, 120 to run.
    const late = (newest: bigint) => taker(session, { times: async () => ({ newest, final: newest - 50n }) }).take(job);
    const soon = said("its session's claim deadline is less than 520 seconds ahead");
    expect(await refusal(late(session.order.deadline - 519n))).to.equal(soon);
    await late(session.order.deadline - 520n);
    const early = await signedJob(session, 1, { deadline: session.order.deadline - 1n });
    expect(await refusal(taker(session).take(early))).to.equal(
      said("its deadline is before that of its session's claim"),
    );
  });

  it("holds only so many sessions, and jobs of theirs", async () => {
    const job = await signedJob(session, 1);
    const others = Array.from({ length: maxSessions }, (_, i): Hex => `0x${i.toString(16).padStart(64, "0")}`);
    await rejection(
      taker(session, { live: () => others, counts: () => ({ taken: 1, ran: 1, ok: 1 }) }).take(job),
      SessionsFullError,
    );
    const counts = (id: Hex) => ({ taken: id === session.sessionId ? 0 : maxWaitingJobs, ran: 0, ok: 0 });
    await rejection(taker(session, { live: () => others.slice(0, 1), counts }).take(job), SessionsFullError);
  });
});
