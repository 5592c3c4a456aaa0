/**
 * Room: sdk/audit/gather/log. What the worker shows of the log that the receipt commits to.
 */
import { BaseError } from "../../../protocol/errors.ts";
import type { LogEvidence } from "../../../protocol/logJson.ts";
import { fetchLogEvidence } from "../../log.ts";
import type { Missing, Settlement } from "../evidence.ts";

/**
 * The job's entries, the proofs about them, and if it is not too long the whole log.
 *
 * @example
 * const log = await gatherLog("https://worker.example", settlement)
 */
export async function gatherLog(
  workerUrl: string | undefined,
  settlement: Settlement | undefined,
): Promise<LogEvidence | Missing> {
  if (settlement === undefined) return { missing: "there is no receipt" };
  if (workerUrl === undefined) return { missing: "no worker was asked" };
  try {
    return await fetchLogEvidence(workerUrl, settlement);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { missing: `the enclave's log could not be had: ${error.message}` };
  }
}
