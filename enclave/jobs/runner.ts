/**
 * Room: enclave/jobs/runner. Carries out every open job that is this worker's and settles it: a few at a time, so that
 * one whose files do not come holds up nobody. Signed orders whose receipts wait for the market hold up nobody either.
 * Nothing of a job's progress is kept but its signed outcome: the chain says what is open, so that a worker that was
 * killed anywhere starts over and ends in one settlement.
 */
import { getAddress, type Hex, isAddressEqual } from "viem";
import { receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { TransactionRevertedError } from "../chain/sender.ts";
import { AbstainedError, carryOut, refuseConsent } from "./carryOut.ts";
import { JobStop } from "./jobStop.ts";
import type { JobPorts, Outcome, RunnableJob, Settleable, Standing } from "./ports.ts";
import type { SettlementVerdict } from "./settlement.ts";

/** What the runner needs besides what jobs need. */
export type RunnerPorts = JobPorts & {
  openJobs(): readonly RunnableJob[];
  /** The newest outcome kept for a job, with the key that signed it. */
  savedOutcome(jobId: Hex): (Outcome & { signer: Hex }) | undefined;
  /** Durable when it returns. */
  saveOutcome(jobId: Hex, outcome: Outcome): void;
  settle(job: RunnableJob, outcome: Settleable): Promise<SettlementVerdict>;
  /** Sends the acceptance of a job that needs one; see `acceptJob`. */
  accept(job: RunnableJob): Promise<void>;
  /** Forgets a signed order that will not be settled. */
  giveUp(job: RunnableJob, why: "tooLate" | "notWorthIt"): void;
  /** Whether the enclave's registration is in force at the newest block. */
  isRegistered(): Promise<boolean>;
  /** Unix seconds of the newest block: deadlines pass by it, not by a final block that lies minutes back. */
  newestTimestamp(): Promise<bigint>;
  /** Told of every error that did not end in a receipt; ids and error names only. */
  problem(jobId: Hex, error: unknown): void;
  /** How long a job waits for what is missing, in ms. */
  waitMs: number;
};

/** What a try of a job came to. */
export type Attempted = SettlementVerdict | "accepted" | "unpaid" | "notWorthIt" | "kept";

/** Pauses between tries of one job, in ms. */
const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** A job this close to its deadline, in seconds, waits no longer. */
const deadlineMarginSeconds = 30n;
/** An accepted job whose result could not be settled so long before its deadline, in seconds, is failed. */
const bailOutSeconds = 60n;
/** After so many tries, about two minutes, no event is awaited any more that would tell of a signed order's end. */
const hopelessTries = 10;
/** Most jobs that are run at once: each may hold its ciphertexts on disk. */
export const maxUnderWay = 4;
/** Most jobs in hand: those that wait for their settlement hold a receipt only. */
const maxInHand = 256;

/** What is left to do with a job that was run, and holds nothing but its receipt. */
type Settling = () => Promise<Attempted>;

type Waiting = { since: number; until: number; pauseMs: number; tries: number };

/** Runs jobs; `tick` is called after each look at the chain. */
export type Runner = {
  /** Starts on the open jobs that are due. Never throws for a job's sake. */
  tick(): void;
  /** Begins no other job, and resolves when none is under way. */
  idle(): Promise<void>;
  /** What became of the last try of a job that is still open here. */
  waitingFor(jobId: Hex): string | undefined;
};

/**
 * Makes a runner.
 *
 * @example
 * const runner = createRunner(ports);
 * runner.tick();
 */
export function createRunner(ports: RunnerPorts): Runner {
  const waiting = new Map<Hex, Waiting>();
  const reasons = new Map<Hex, string>();
  const underWay = new Map<Hex, Promise<void>>();

  let busy = 0;
  let due: RunnableJob[] = [];
  const queue: (() => void)[] = [];

  /** Does work that may hold ciphertexts, when there is a place for it. */
  async function inPlace<T>(work: () => Promise<T>): Promise<T> {
    if (busy < maxUnderWay) busy += 1;
    else await new Promise<void>((resolve) => queue.push(resolve)); // whose place it was has passed it on
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) busy -= 1;
      else next();
      startDue();
    }
  }

  function startDue(): void {
    while (busy < maxUnderWay && underWay.size < maxInHand) {
      const job = due.shift();
      if (job === undefined) return;
      if (!underWay.has(job.jobId)) underWay.set(job.jobId, work(job));
    }
  }

  async function attempt(job: RunnableJob): Promise<Attempted | Settling> {
    const standing = await ports.chain.standing(job);
    const { is } = standing;
    if ((is === "ended" || is === "unpaid") && isHopeless(job)) return giveUp(job, "tooLate");
    if (standing.is === "ended" || standing.is === "counted") return standing.is;
    if ((await ports.newestTimestamp()) > job.order.deadline) return giveUp(job, "tooLate");
    if (job.origin.by === "session") return keep(job);
    const saved = ports.savedOutcome(job.jobId);
    if (saved === undefined && standing.is === "unpaid") return "unpaid";
    if (standing.is === "unaccepted") return accept(job);
    if (standing.is !== "accepted") return settling(job, standing, saved ?? (await perform(job)));
    // An earlier life of this worker may have accepted the job: what it signed can still be settled, no more.
    if (saved !== undefined && isAddressEqual(standing.by, getAddress(saved.signer)))
      return settling(job, standing, saved);
    const isOurs = isAddressEqual(standing.by, ports.identity.signingKey);
    return isOurs ? settling(job, standing, await perform(job)) : "acceptedByOther";
  }

  /** Signed orders are settled by the dozen; what takes a transaction of its own is not run faster than it is settled. */
  async function settling(job: RunnableJob, standing: Standing, outcome: Outcome): Promise<Attempted | Settling> {
    const settleable = withoutResult(outcome);
    const settleIt = () => settle(job, standing, settleable);
    return job.origin.by === "signature" ? settleIt : settleIt();
  }

  /** Of a session's job the receipt is all: it is paid for by its session's claim. */
  async function keep(job: RunnableJob): Promise<Attempted> {
    await perform(job);
    return "kept";
  }

  /** A signed order whose nonce is gone, or whose payer cannot pay, takes a place here only for so long. */
  function isHopeless({ jobId, origin }: RunnableJob): boolean {
    return origin.by === "signature" && (waiting.get(jobId)?.tries ?? 0) >= hopelessTries;
  }

  /** Seen as accepted by this enclave later, when the acceptance counts as final: only then is anything opened. */
  async function accept(job: RunnableJob): Promise<Attempted> {
    if (!(await ports.isRegistered())) throw new RegistrationOverError();
    await ports.accept(job);
    return "accepted";
  }

  async function settle(job: RunnableJob, standing: Standing, outcome: Settleable): Promise<Attempted> {
    if (!isWorthSending(job, outcome)) return giveUp(job, "notWorthIt");
    const first = await bring(job, standing, outcome);
    const isOurs = standing.is !== "accepted" || isAddressEqual(standing.by, ports.identity.signingKey);
    if (!isOurs && (first === "rerun" || first === "consentEnded")) return "acceptedByOther";
    const last = first === "rerun" ? await ports.settle(job, await again(job)) : first;
    if (last === "tooLate") return giveUp(job, "tooLate");
    return last === "consentEnded" ? settleRefusal(job) : last;
  }

  /** A bond is not lost for a result that the market does not take: before the deadline such a job is failed. */
  async function bring(job: RunnableJob, standing: Standing, outcome: Settleable): Promise<SettlementVerdict> {
    const isAtStake = async () =>
      standing.is === "accepted" &&
      outcome.receipt.status === receiptStatus.ok &&
      (await ports.newestTimestamp()) + bailOutSeconds >= job.order.deadline;
    try {
      const verdict = await ports.settle(job, outcome);
      return verdict === "retry" && (await isAtStake()) ? "consentEnded" : verdict;
    } catch (error) {
      if (await isAtStake()) return "consentEnded";
      // A FAILED receipt asks no owner's contract for its word.
      const isVain = error instanceof TransactionRevertedError && (waiting.get(job.jobId)?.tries ?? 0) >= hopelessTries;
      if (isVain && standing.is === "accepted" && outcome.receipt.status === receiptStatus.ok) return "consentEnded";
      throw error;
    }
  }

  async function settleRefusal(job: RunnableJob): Promise<Attempted> {
    // Of a quorum the others may have been in time: see `isOfTheJob` in carryOut.ts.
    if (job.order.quorum > 1) return "consentEnded";
    const refusal = save(job, await refuseConsent(ports, job));
    return isWorthSending(job, refusal) ? ports.settle(job, refusal) : giveUp(job, "notWorthIt");
  }

  /** Nothing is in escrow for a signed order: where its failure pays nothing, a transaction would only cost gas. */
  function isWorthSending({ origin, order }: RunnableJob, { receipt }: Settleable): boolean {
    return origin.by === "opening" || receipt.status === receiptStatus.ok || order.failureFee > 0n;
  }

  function giveUp(job: RunnableJob, why: "tooLate" | "notWorthIt"): Attempted {
    if (job.origin.by === "signature") ports.giveUp(job, why);
    return why;
  }

  async function perform(job: RunnableJob): Promise<Outcome> {
    // The market would take nothing from this enclave: no reason to open anybody's data.
    if (!(await ports.isRegistered())) throw new RegistrationOverError();
    return save(job, await carryOut(ports, job, { lastChance: await isLastChance(job) }));
  }

  /** The place of a job that is being settled may be another's by now. */
  async function again(job: RunnableJob): Promise<Settleable> {
    return withoutResult(await (job.origin.by === "signature" ? inPlace(() => perform(job)) : perform(job)));
  }

  function save(job: RunnableJob, outcome: Outcome): Outcome {
    ports.saveOutcome(job.jobId, outcome);
    ports.observe("saved", job.jobId);
    return outcome;
  }

  async function isLastChance(job: RunnableJob): Promise<boolean> {
    const since = waiting.get(job.jobId)?.since ?? ports.now();
    if (ports.now() - since >= ports.waitMs) return true;
    const neededBy = job.neededBy ?? job.order.deadline - deadlineMarginSeconds;
    return (await ports.newestTimestamp()) >= neededBy;
  }

  function postpone(jobId: Hex, forGood: boolean, longestMs: number): void {
    const before = waiting.get(jobId) ?? { since: ports.now(), pauseMs: firstPauseMs, tries: 0 };
    const pauseMs = Math.max(before.pauseMs, Math.min(before.pauseMs * 2, longestMs));
    const until = forGood ? Number.POSITIVE_INFINITY : ports.now() + before.pauseMs;
    waiting.set(jobId, { ...before, until, pauseMs, tries: before.tries + 1 });
  }

  async function work(job: RunnableJob): Promise<void> {
    let forGood = false;
    let longestMs = longestPauseMs;
    try {
      const first = await inPlace(() => attempt(job));
      reasons.set(job.jobId, typeof first === "function" ? await first() : first);
    } catch (error) {
      reasons.set(
        job.jobId,
        error instanceof JobStop ? error.message : error instanceof BaseError ? error.name : "Internal",
      );
      ports.problem(job.jobId, error);
      // Its data are not opened again and again for the same failure.
      forGood = error instanceof AbstainedError && error.final;
      // Mined, and in vain: each try costs gas, and a party's contract may say yes whenever it is only asked. What was
      // staked on a job must not be lost by waiting.
      if (error instanceof TransactionRevertedError && job.order.bond === 0n) longestMs = Number.POSITIVE_INFINITY;
    }
    // Also after the end: the job stays open here until its events come, or for good if they are reorganised away.
    postpone(job.jobId, forGood, longestMs);
    underWay.delete(job.jobId);
  }

  return {
    tick() {
      const jobs = ports.openJobs();
      const open = new Set(jobs.map((job) => job.jobId));
      for (const jobId of [...waiting.keys(), ...reasons.keys()]) {
        if (open.has(jobId)) continue;
        waiting.delete(jobId);
        reasons.delete(jobId);
      }
      const tries = ({ jobId }: RunnableJob) => waiting.get(jobId)?.tries ?? 0;
      due = jobs
        .filter(({ jobId }) => !underWay.has(jobId) && (waiting.get(jobId)?.until ?? 0) <= ports.now())
        .sort((one, other) => tries(one) - tries(other));
      startDue();
    },
    async idle() {
      due = [];
      await Promise.all(underWay.values());
    },
    waitingFor: (jobId) => reasons.get(jobId),
  };
}

/** A result may be large, and is on disk by now: what waits for the market must not keep it in memory. */
function withoutResult({ receipt, signature, grants }: Outcome): Settleable {
  return { receipt, signature, grants };
}

/** The enclave's registration has expired. */
export class RegistrationOverError extends BaseError {
  override readonly name = "Jobs.RegistrationOverError";
  constructor() {
    super("The enclave's registration is no longer in force.", {
      hint: "It is renewed as soon as the chain takes the renewal; GET /readyz says what it waits for.",
      retryable: true,
    });
  }
}
