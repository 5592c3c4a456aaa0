/**
 * Room: enclave/sessions/runLedger. The receipts of sessions' jobs that this process has signed. In memory on purpose: the
 * market pays a claim's leaves without looking at their receipts' signatures, so an enclave claims what it ran itself, and
 * nothing that the disk, the chain or another key says was run.
 */
import type { Hex } from "viem";
import { type Receipt, receiptStatus } from "../../protocol/eip712.ts";

/** One leaf to be. */
export type Run = { jobId: Hex; receiptHash: Hex; ok: boolean; countedGrants: number };

/** See {@link createRunLedger}. */
export type RunLedger = {
  /** Remembers a receipt that was signed here; a later one of the same job takes its place. */
  record(sessionId: Hex, receipt: Receipt, receiptHash: Hex): void;
  /** In the order in which the jobs were run first. */
  of(sessionId: Hex): readonly Run[];
  forget(sessionId: Hex): void;
};

/**
 * Makes an empty ledger.
 *
 * @example
 * const ledger = createRunLedger()
 */
export function createRunLedger(): RunLedger {
  const sessions = new Map<Hex, Map<Hex, Run>>();
  return {
    record(sessionId, { jobId, status, countedGrants }, receiptHash) {
      const runs = sessions.get(sessionId) ?? new Map<Hex, Run>();
      sessions.set(sessionId, runs);
      runs.set(jobId, { jobId, receiptHash, ok: status === receiptStatus.ok, countedGrants });
    },
    of: (sessionId) => [...(sessions.get(sessionId)?.values() ?? [])],
    forget: (sessionId) => void sessions.delete(sessionId),
  };
}
