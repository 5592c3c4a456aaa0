/**
 * Room: enclave/sessions/takeSessionOrder. Takes in the signed orders of a session's jobs. What is kept here is run and
 * claimed: so it must be such that its leaf can be shown, whoever disputes it. Source: ISessions.settleLeaf.
 */
import { type Hex, keccak256, zeroHash } from "viem";
import { type Domain, hashOrder, hashSession, type JobOrder, type SessionTerms } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import type { At } from "../chain/call.ts";
import type { Reader } from "../chain/reader.ts";
import type { JobChain } from "../jobs/ports.ts";
import { OrderRefusedError, requireSignatures } from "../jobs/takeOrder.ts";
import type { JobCounts } from "../store/sessionJobsTable.ts";
import type { KeptSession } from "../store/sessionsTable.ts";
import { claimMargin, type Times } from "./claimMargin.ts";

/** Most sessions that are under way here at once. */
export const maxSessions = 64;
/** Most of their jobs that wait to be run. */
export const maxWaitingJobs = 256;
/** Time that running may take before the claim is due, in seconds: with less, nothing is begun. */
const runSeconds = 120n;

/** What taking such orders needs. */
export type TakeSessionOrderPorts = {
  domain: Domain;
  reader: Pick<Reader, "session">;
  chain: Pick<JobChain, "anchor" | "isSignedBy">;
  times(): Promise<Times>;
  /** The newest block. */
  newest(): Promise<At>;
  /** Why this worker does not take such orders, or such sessions; see serves.ts. */
  whyNotServed(order: JobOrder, session: { order: JobOrder; terms: SessionTerms }): string | undefined;
  session(sessionId: Hex): KeptSession | undefined;
  isKnown(jobId: Hex): boolean;
  isNonceTaken(sessionId: Hex, nonce: bigint): boolean;
  /** Whether the session's claim was made here or asked for: then no more jobs come. */
  isClosing(sessionId: Hex): boolean;
  counts(sessionId: Hex): JobCounts;
  /** Ids of the sessions that are under way here at that time, in Unix seconds. */
  live(at: bigint): readonly Hex[];
  /** Durable when it returns. */
  keep(jobId: Hex, signed: SignedOrder): void;
};

/**
 * Makes the taker. Taking an order again changes nothing.
 *
 * @throws from it: {@link UnknownSessionError}, OrderRefusedError, {@link SessionsFullError}; errors of the chain.
 * @example
 * const { jobId } = await createTakeSessionOrder(ports)(signed)
 */
export function createTakeSessionOrder(ports: TakeSessionOrderPorts): (signed: SignedOrder) => Promise<{ jobId: Hex }> {
  return async function takeSessionOrder(signed) {
    const { order } = signed;
    const jobId = hashOrder(ports.domain, order);
    if (ports.isKnown(jobId)) return { jobId };
    const session = ports.session(order.session);
    if (session === undefined) throw new UnknownSessionError(order.session);
    requireTerms(ports, session, signed);
    const times = await ports.times();
    requireTime(session, order, times);
    requireRoom(ports, session, order, times.newest);
    await requireSignatures(ports, jobId, signed);
    await requireOpen(ports, session);
    // Others may have come while the chain was asked, this very order, too; from here to `keep` nothing is awaited.
    if (ports.isKnown(jobId)) return { jobId };
    requireRoom(ports, session, order, times.newest);
    ports.keep(jobId, signed);
    return { jobId };
  };
}

function requireTerms(ports: TakeSessionOrderPorts, session: KeptSession, { order, params }: SignedOrder): void {
  const { deadline, nonce } = session.order;
  const template = { ...order, paramsHash: zeroHash, session: zeroHash, deadline, nonce };
  if (hashSession(ports.domain, template, session.terms) !== session.sessionId) {
    throw new OrderRefusedError("its terms are not those of its session");
  }
  if (keccak256(params) !== order.paramsHash) throw new OrderRefusedError("the parameters are not those of its hash");
  const why = ports.whyNotServed(order, session);
  if (why !== undefined) throw new OrderRefusedError(why);
}

function requireTime(session: KeptSession, order: JobOrder, times: Times): void {
  // The claim may come as late as its deadline, and a leaf whose order has ended by then cannot be shown.
  if (order.deadline < session.order.deadline) {
    throw new OrderRefusedError("its deadline is before that of its session's claim");
  }
  const seconds = claimMargin(times) + runSeconds;
  if (session.order.deadline < times.newest + seconds) {
    throw new OrderRefusedError(`its session's claim deadline is less than ${seconds} seconds ahead`);
  }
}

function requireRoom(
  ports: TakeSessionOrderPorts,
  { sessionId, terms }: KeptSession,
  { nonce }: JobOrder,
  now: bigint,
): void {
  if (ports.isClosing(sessionId)) throw new OrderRefusedError("its session is being claimed");
  if (ports.isNonceTaken(sessionId, nonce)) throw new OrderRefusedError("its nonce is taken in its session");
  if (ports.counts(sessionId).taken >= terms.maxJobs) {
    throw new OrderRefusedError(`its session has its ${terms.maxJobs} jobs`);
  }
  const live = ports.live(now);
  const waiting = live.reduce((sum, id) => sum + notRun(ports.counts(id)), 0);
  const isNew = !live.includes(sessionId);
  if ((isNew && live.length >= maxSessions) || waiting >= maxWaitingJobs) throw new SessionsFullError();
}

function notRun({ taken, ran }: JobCounts): number {
  return taken - ran;
}

/** Open where it counts as final, and still open now. */
async function requireOpen(ports: TakeSessionOrderPorts, { sessionId }: KeptSession): Promise<void> {
  const { hash } = await ports.chain.anchor();
  for (const at of [{ blockHash: hash }, await ports.newest()]) {
    const { state } = await ports.reader.session(sessionId, at);
    if (state === "None") throw new UnknownSessionError(sessionId);
    if (state !== "Open") throw new OrderRefusedError("its session is claimed, or over");
  }
}

/** No such session has been opened, as far as this worker has read the chain. */
export class UnknownSessionError extends BaseError {
  override readonly name = "Sessions.UnknownSessionError";
  constructor(sessionId: Hex) {
    super(`This worker knows of no session ${sessionId}.`, {
      hint: "Open it on chain, and try again when the opening counts as final (HEAD_POLICY of the worker).",
      retryable: true,
    });
  }
}

/** Too many sessions, or jobs of theirs, are under way here. */
export class SessionsFullError extends BaseError {
  override readonly name = "Sessions.SessionsFullError";
  constructor() {
    super(`${maxSessions} sessions are under way here, or ${maxWaitingJobs} of their jobs wait.`, {
      hint: "Try again when some are done.",
      retryable: true,
    });
  }
}
