/**
 * Room: enclave/store. How jobs end, by the market's events. Pure.
 */
import type { Hex } from "viem";
import type { MarketEvent } from "../../protocol/chain/marketEvents.ts";
import type { JobState } from "../../protocol/eip712.ts";

/** How a signed order ends without the chain: its time is over, or its failure is not worth a transaction. */
export type Lapse = "Expired" | "Unsettled";

/** How a job can end. */
export type ClosedAs = Exclude<JobState, "None" | "Open" | "Accepted"> | Lapse;

/** Every {@link ClosedAs}. */
export const closedAs = [
  "SettledOk",
  "SettledFailed",
  "Cancelled",
  "Expired",
  "Disagreed",
  "Unsettled",
] as const satisfies readonly ClosedAs[];

/** The end of a job. What is null does not belong to such an end. */
export type End = {
  as: ClosedAs;
  jobId: Hex;
  /** Null: a signed order, which was never opened. */
  index: bigint | null;
  settleTx: Hex | null;
  receiptHash: Hex | null;
};

/**
 * Reads an end from an event.
 *
 * @returns undefined if the event ends no job: a receipt that was merely counted does not.
 * @example
 * const end = endOf(event)
 */
export function endOf(event: MarketEvent): End | undefined {
  switch (event.eventName) {
    case "JobSettled":
    case "OrderSettled": {
      const { jobId, receiptHash, failureCode } = event.args;
      const as = failureCode === 0 ? "SettledOk" : "SettledFailed";
      const index = event.eventName === "JobSettled" ? event.args.index : null;
      return { as, jobId, index, settleTx: event.transactionHash, receiptHash };
    }
    case "JobDisagreed":
      return withoutReceipt("Disagreed", event.args);
    case "JobCancelled":
      return withoutReceipt("Cancelled", event.args);
    case "JobExpired":
      return withoutReceipt("Expired", event.args);
    default:
      return undefined;
  }
}

function withoutReceipt(as: ClosedAs, { jobId, index }: { jobId: Hex; index: bigint }): End {
  return { as, jobId, index, settleTx: null, receiptHash: null };
}
