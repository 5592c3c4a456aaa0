/**
 * Room: enclave/jobs/runner. Carries out every open job that is this worker's and settles it: a few at a time, so that
 * one whose files do not come holds up nobody.
 * Nothing of a job's progress is kept but its signed outcome: the chain says what is open, so that a worker that was
 * killed anywhere starts over and ends in one settlement.
 */
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { carryOut, refuseConsent } from "./carryOut.ts";
import { JobStop } from "./jobStop.ts";
import type { JobPorts, Outcome, RunnableJob } from "./ports.ts";
import type { SettlementVerdict } from "./settlement.ts";

/** What the runner needs besides what jobs need. */
export type RunnerPorts = JobPorts & {
  openJobs(): readonly RunnableJob[];
  /** The newest outcome kept for a job, with the key that signed it. */
  savedOutcome(jobId: Hex): (Outcome & { signer: Hex }) | undefined;
  /** Durable when it returns. */
  saveOutcome(jobId: Hex, outcome: Outcome): void;
  settle(job: RunnableJob, outcome: Outcome): Promise<SettlementVerdict>;
  /** Whether the enclave's registration is in force at the newest block. */
  isRegistered(): Promise<boolean>;
  /** Unix seconds of the newest block: deadlines pass by it, not by a final block that lies minutes back. */
  newestTimestamp(): Promise<bigint>;
  /** Told of every error that did not end in a receipt; ids and error names only. */
  problem(jobId: Hex, error: unknown): void;
  /** How long a job waits for what is missing, in ms. */
  waitMs: number;
  /** Monotonic milliseconds: the host may turn its wall clock as it likes. */
  now(): number;
};

/** Pauses between tries of one job, in ms. */
const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** A job this close to its deadline, in seconds, waits no longer. */
const deadlineMarginSeconds = 30n;
/** Most jobs under way at once: each may hold its ciphertexts in memory. */
const maxUnderWay = 4;

type Waiting = { since: number; until: number; pauseMs: number; tries: number };

/** Runs jobs; `tick` is called after each look at the chain. */
export type Runner = {
  /** Starts on the open jobs that are due. Never throws for a job's sake. */
  tick(): void;
  /** Resolves when no job is under way. */
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

  async function attempt(job: RunnableJob): Promise<SettlementVerdict> {
    if (!(await ports.chain.isOpen(job))) return "ended";
    if ((await ports.newestTimestamp()) > job.order.deadline) return "tooLate";
    const first = await ports.settle(job, ports.savedOutcome(job.jobId) ?? (await perform(job)));
    const last = first === "rerun" ? await ports.settle(job, await perform(job)) : first;
    return last === "consentEnded" ? ports.settle(job, save(job, await refuseConsent(ports, job))) : last;
  }

  async function perform(job: RunnableJob): Promise<Outcome> {
    // The market would take nothing from this enclave: no reason to open anybody's data.
    if (!(await ports.isRegistered())) throw new RegistrationOverError();
    return save(job, await carryOut(ports, job, { lastChance: await isLastChance(job) }));
  }

  function save(job: RunnableJob, outcome: Outcome): Outcome {
    ports.saveOutcome(job.jobId, outcome);
    ports.observe("saved", job.jobId);
    return outcome;
  }

  async function isLastChance(job: RunnableJob): Promise<boolean> {
    const since = waiting.get(job.jobId)?.since ?? ports.now();
    if (ports.now() - since >= ports.waitMs) return true;
    return (await ports.newestTimestamp()) + deadlineMarginSeconds >= job.order.deadline;
  }

  function postpone(jobId: Hex): void {
    const before = waiting.get(jobId) ?? { since: ports.now(), pauseMs: firstPauseMs, tries: 0 };
    const pauseMs = Math.min(before.pauseMs * 2, longestPauseMs);
    waiting.set(jobId, { ...before, until: ports.now() + before.pauseMs, pauseMs, tries: before.tries + 1 });
  }

  async function work(job: RunnableJob): Promise<void> {
    try {
      reasons.set(job.jobId, await attempt(job));
    } catch (error) {
      reasons.set(
        job.jobId,
        error instanceof JobStop ? error.message : error instanceof BaseError ? error.name : "Internal",
      );
      ports.problem(job.jobId, error);
    }
    // Also after the end: the job stays open here until its events come, or for good if they are reorganised away.
    postpone(job.jobId);
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
      const due = jobs
        .filter(({ jobId }) => !underWay.has(jobId) && (waiting.get(jobId)?.until ?? 0) <= ports.now())
        .sort((one, other) => tries(one) - tries(other));
      for (const job of due.slice(0, maxUnderWay - underWay.size)) underWay.set(job.jobId, work(job));
    },
    async idle() {
      await Promise.all(underWay.values());
    },
    waitingFor: (jobId) => reasons.get(jobId),
  };
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
