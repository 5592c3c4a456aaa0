/**
 * Room: enclave/sessions/keeper. Brings sessions to their end: claims them when they are due, shows leaves that are
 * disputed, closes them. What is still to do the newest block says at every look, so that a worker that was killed
 * anywhere, or whose chain was reorganised, goes on with the claim that it signed.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import type { Domain, SignedGrant } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { At } from "../chain/call.ts";
import type { Reader, SessionRecord } from "../chain/reader.ts";
import { type Sender, TransactionRefusedError, TransactionRevertedError } from "../chain/sender.ts";
import type { JobChain } from "../jobs/ports.ts";
import { verdictOf } from "../jobs/settlement.ts";
import type { KeptClaim } from "../store/claimsTable.ts";
import type { KeptSession } from "../store/sessionsTable.ts";
import type { Store } from "../store/store.ts";
import { claimMargin, type Times } from "./claimMargin.ts";
import { claimCall, closeCall, makeClaim } from "./makeClaim.ts";
import type { Run, RunLedger } from "./runLedger.ts";
import { showDisputed } from "./showDisputed.ts";
import { usesLeft } from "./usesLeft.ts";

/** The steps of a session that is brought to its end. */
export type SessionStep = "claimSigned" | "claimed" | "shown" | "closed";

/** What keeping sessions takes. */
export type KeeperPorts = {
  domain: Domain;
  market: Address;
  identity: Pick<EnclaveIdentity, "signingKey" | "signDigest">;
  sender: Pick<Sender, "send">;
  reader: Pick<Reader, "session" | "leafCounts" | "leafState" | "grantUses">;
  chain: Pick<JobChain, "anchor">;
  store: Pick<Store, "sessions" | "sessionJobs" | "claims" | "signedOutcome">;
  ledger: RunLedger;
  times(): Promise<Times>;
  /** The newest block. */
  newest(): Promise<At>;
  /** Whether the enclave's registration is in force at the newest block. */
  isRegistered(): Promise<boolean>;
  /** Signs and keeps a FAILED receipt for a job whose consent the market says has ended. */
  refuse(jobId: Hex): Promise<void>;
  observe(step: SessionStep, sessionId: Hex): void;
  /** Told of every error; ids and error names only. */
  problem(sessionId: Hex, error: unknown): void;
  /** Monotonic milliseconds. */
  now(): number;
};

/** Keeps sessions; `tick` is called after each look at the chain. */
export type Keeper = {
  /** Looks at the sessions that are under way. Never throws for a session's sake. */
  tick(): void;
  /** Resolves when no look is under way. */
  idle(): Promise<void>;
  /** Where the newest look found a session, and what it came to. */
  lastLook(sessionId: Hex): { record?: SessionRecord; came?: string };
};

/** Pauses after a failure, in ms. */
const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** Where there is nothing left to do, the pause is the longest. */
const nothingLeft = ["tooLate", "notWorthIt", "claimedByOther", "ended"];
/** A session that nobody claimed is looked at for so long after its deadline, in seconds. */
const afterlifeSeconds = 3_600n;

/**
 * Makes a keeper.
 *
 * @example
 * const keeper = createKeeper(ports);
 * keeper.tick();
 */
export function createKeeper(ports: KeeperPorts): Keeper {
  const { store, reader, sender, market, identity } = ports;
  const looks = new Map<Hex, { record?: SessionRecord; came?: string; until: number; pauseMs: number }>();
  const underWay = new Map<Hex, Promise<void>>();
  let newestSeen = 0n;

  async function look(session: KeptSession): Promise<string> {
    const { sessionId } = session;
    const times = await ports.times();
    newestSeen = times.newest;
    const record = await reader.session(sessionId, await ports.newest());
    looks.set(sessionId, { ...(looks.get(sessionId) ?? { until: 0, pauseMs: firstPauseMs }), record });
    if (record.state === "Open") return claim(session, times);
    if (record.state !== "Claimed") return "ended";
    const kept = store.claims.ofSession(sessionId, record.root);
    if (kept === undefined) return "claimedByOther";
    if (record.touched && times.newest <= record.claimedAt + 2n * challenge(session)) {
      if (await showDisputed(ports, session, kept)) ports.observe("shown", sessionId);
    }
    return close(session, record, times);
  }

  async function claim(session: KeptSession, times: Times): Promise<string> {
    if (times.newest > session.order.deadline) {
      // No reorganisation can bring it any more: what was signed takes no place here until somebody expires the session.
      if (times.final > session.order.deadline) store.claims.discard(session.sessionId);
      return "tooLate";
    }
    const kept = store.claims.ofSession(session.sessionId);
    if (kept !== undefined) return send(session, kept);
    if (!isDue(session, times)) return "open";
    if (!(await ports.isRegistered())) return "notRegistered";
    await refuseSurplus(session);
    const isWorth = ({ ok }: Run) => ok || session.order.failureFee > 0n;
    // A claim of nothing but failures that pay nothing would only cost gas: the session expires as well.
    if (!ports.ledger.of(session.sessionId).some(isWorth)) return "notWorthIt";
    const anchor = await ports.chain.anchor();
    const made = makeClaim(ports, session.sessionId, ports.ledger.of(session.sessionId), anchor);
    store.claims.save(made);
    ports.observe("claimSigned", session.sessionId);
    return send(session, made);
  }

  /**
   * When all jobs that can come have come, or the requester says so, or time runs out, and those that came have receipts.
   * Those that have none when half of that time is gone are left out.
   */
  function isDue({ sessionId, order, terms }: KeptSession, times: Times): boolean {
    const { taken, ran } = store.sessionJobs.counts(sessionId, identity.signingKey);
    const [margin, left] = [claimMargin(times), order.deadline - times.newest];
    if (2n * left <= margin) return true;
    return taken === ran && (left <= margin || taken >= terms.maxJobs || store.claims.isWished(sessionId));
  }

  /** Others may have used a grant up since: what the market would not take is refused before it is claimed. */
  async function refuseSurplus(session: KeptSession): Promise<void> {
    const ok = ports.ledger.of(session.sessionId).filter((run) => run.ok);
    const left = await usesLeft(ports, session, grantsOf(ok[0]));
    for (const { jobId } of ok.slice(left)) await ports.refuse(jobId);
  }

  async function send(session: KeptSession, kept: KeptClaim): Promise<string> {
    const { sessionId } = session;
    const [first] = kept.claim.okCount > 0 ? kept.leaves : [];
    const data = claimCall(session, kept, grantsOf(first));
    const isDone = async () => (await reader.session(sessionId, await ports.newest())).state !== "Open";
    try {
      await sender.send({ to: market, data }, isDone);
      ports.observe("claimed", sessionId);
      return "claimed";
    } catch (error) {
      if (!(error instanceof TransactionRefusedError)) throw error;
      return refused(session, kept, error);
    }
  }

  /** What the market does not take of this claim it may take of another. */
  async function refused(session: KeptSession, kept: KeptClaim, error: TransactionRefusedError): Promise<string> {
    const { sessionId } = session;
    const verdict = verdictOf(error.errorName);
    const isOurs = isAddressEqual(kept.signer, identity.signingKey);
    if (verdict === "consentEnded" && isOurs) {
      const ok = ports.ledger.of(sessionId).filter((run) => run.ok);
      // Somebody was faster with the last uses of a grant: that ends the jobs that it has none for, and no other.
      const left = error.errorName === "JobMarket_GrantUsedUp" ? await usesLeft(ports, session, grantsOf(ok[0])) : 0;
      for (const { jobId } of ok.slice(Math.min(left, ok.length - 1))) await ports.refuse(jobId);
    }
    // A registration that lapsed is renewed, and the claim taken then; that of a dead key is not.
    const isStale = error.errorName === "JobMarket_BadAnchor" || !isOurs;
    if (verdict === "consentEnded" || (verdict === "rerun" && isStale)) store.claims.discard(sessionId);
    if (verdict === "retry") throw error;
    return verdict;
  }

  /** Grants that the market counts, as an Ok job of the session was shown them. */
  function grantsOf(leaf: { jobId: Hex; receiptHash: Hex } | undefined): readonly SignedGrant[] {
    return leaf === undefined ? [] : (store.signedOutcome(leaf.jobId, leaf.receiptHash)?.grants ?? []);
  }

  async function close(session: KeptSession, record: SessionRecord, { newest }: Times): Promise<string> {
    const { sessionId } = session;
    const at = await ports.newest();
    const { disputedOk, disputedFailed } = await reader.leafCounts(sessionId, at);
    const rounds = disputedOk + disputedFailed === 0 ? 1n : 2n;
    if (newest <= record.claimedAt + rounds * challenge(session)) return "claimed";
    const isDone = async () => (await reader.session(sessionId, await ports.newest())).state !== "Claimed";
    await sender.send({ to: market, data: closeCall(session) }, isDone);
    ports.observe("closed", sessionId);
    return "closed";
  }

  async function work(session: KeptSession): Promise<void> {
    const { sessionId } = session;
    let came: string;
    let failed = false;
    let longestMs = longestPauseMs;
    try {
      came = await look(session);
    } catch (error) {
      failed = true;
      // Mined, and in vain: each try costs gas, and a party's contract may say yes whenever it is only asked.
      if (error instanceof TransactionRevertedError) longestMs = Number.POSITIVE_INFINITY;
      came = error instanceof BaseError ? error.name : "Internal";
      ports.problem(sessionId, error);
    }
    const before = looks.get(sessionId) ?? { until: 0, pauseMs: firstPauseMs };
    const rest = nothingLeft.includes(came) ? longestPauseMs : 0;
    const pauseMs = failed ? Math.max(before.pauseMs, Math.min(before.pauseMs * 2, longestMs)) : firstPauseMs;
    looks.set(sessionId, { ...before, came, pauseMs, until: ports.now() + (failed ? pauseMs : rest) });
    underWay.delete(sessionId);
  }

  return {
    tick() {
      const sessions = store.sessions.live(newestSeen - afterlifeSeconds);
      const live = new Set(sessions.map(({ sessionId }) => sessionId));
      for (const sessionId of looks.keys()) {
        if (live.has(sessionId)) continue;
        looks.delete(sessionId);
        if (store.sessions.byId(sessionId)?.ended) ports.ledger.forget(sessionId); // not what a reorganisation took away
      }
      for (const session of sessions) {
        const { sessionId } = session;
        if (underWay.has(sessionId) || (looks.get(sessionId)?.until ?? 0) > ports.now()) continue;
        underWay.set(sessionId, work(session));
      }
    },
    async idle() {
      await Promise.all(underWay.values());
    },
    lastLook: (sessionId) => looks.get(sessionId) ?? {},
  };
}

function challenge({ terms }: KeptSession): bigint {
  return BigInt(terms.challengeSeconds);
}
