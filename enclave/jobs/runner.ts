/**
 * Room: enclave/jobs/runner. Carries out every open job that is this worker's, one at a time, and settles it.
 * Nothing of a job's progress is kept but its signed outcome: the chain says what is open, so that a worker that was
 * killed anywhere starts over and ends in one settlement.
 */
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { carryOut } from "./carryOut.ts";
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

type Waiting = { since: number; until: number; pauseMs: number };

/** Runs jobs; `tick` is called after each look at the chain. */
export type Runner = {
  /** Tries every open job that is due. Never throws for a job's sake. */
  tick(): Promise<void>;
  /** What became of the last try of a job that is still open here. */
  waitingFor(jobId: Hex): string | undefined;
};

/**
 * Makes a runner.
 *
 * @example
 * const runner = createRunner(ports);
 * await runner.tick();
 */
export function createRunner(ports: RunnerPorts): Runner {
  const waiting = new Map<Hex, Waiting>();
  const reasons = new Map<Hex, string>();

  async function attempt(job: RunnableJob): Promise<SettlementVerdict> {
    if (!(await ports.chain.isOpen(job))) return "ended";
    if ((await ports.chain.anchor()).timestamp > job.order.deadline) return "tooLate";
    const first = await ports.settle(job, ports.savedOutcome(job.jobId) ?? (await perform(job, false)));
    if (first === "rerun") return ports.settle(job, await perform(job, false));
    // At a newer anchor the end of the consent is the enclave's own finding: a FAILED receipt.
    if (first === "consentEnded") return ports.settle(job, await perform(job, true));
    return first;
  }

  async function perform(job: RunnableJob, insist: boolean): Promise<Outcome> {
    const outcome = await carryOut(ports, job, { lastChance: insist || (await isLastChance(job)) });
    ports.saveOutcome(job.jobId, outcome);
    ports.observe("saved", job.jobId);
    return outcome;
  }

  async function isLastChance(job: RunnableJob): Promise<boolean> {
    const since = waiting.get(job.jobId)?.since ?? ports.now();
    if (ports.now() - since >= ports.waitMs) return true;
    return (await ports.chain.anchor()).timestamp + deadlineMarginSeconds >= job.order.deadline;
  }

  function postpone(jobId: Hex): void {
    const { since, pauseMs } = waiting.get(jobId) ?? { since: ports.now(), pauseMs: firstPauseMs };
    waiting.set(jobId, { since, until: ports.now() + pauseMs, pauseMs: Math.min(pauseMs * 2, longestPauseMs) });
  }

  return {
    async tick() {
      const jobs = ports.openJobs();
      const open = new Set(jobs.map((job) => job.jobId));
      for (const jobId of [...waiting.keys(), ...reasons.keys()]) {
        if (open.has(jobId)) continue;
        waiting.delete(jobId);
        reasons.delete(jobId);
      }
      for (const job of jobs) {
        if ((waiting.get(job.jobId)?.until ?? 0) > ports.now()) continue;
        try {
          const verdict = await attempt(job);
          reasons.set(job.jobId, verdict);
        } catch (error) {
          reasons.set(
            job.jobId,
            error instanceof JobStop ? error.message : error instanceof BaseError ? error.name : "Internal",
          );
          ports.problem(job.jobId, error);
        }
        // Also after the end: the job stays open here until its events come, or for good if they are reorganised away.
        postpone(job.jobId);
      }
    },
    waitingFor: (jobId) => reasons.get(jobId),
  };
}
