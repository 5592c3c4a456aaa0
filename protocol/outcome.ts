/**
 * Room: protocol/outcome. What of a receipt goes to the chain, and back: the rest of it stands in the order. Pure.
 * Mirrors `Outcome` in MarketTypes.sol and `toReceipt` in JobTypes.sol.
 */
import type { Hex } from "viem";
import { type JobOrder, type Receipt, receiptStatus } from "./eip712.ts";

/** A receipt without what its order says already. Field by field: `Outcome` in MarketTypes.sol. */
export type Outcome = Omit<Receipt, "jobId" | "status" | "programId" | "workloadId" | "paramsHash">;

/**
 * What JobMarket.settle takes of a receipt.
 *
 * @example
 * const args = [index, order, outcomeOf(receipt), signature, grants, []] as const
 */
export function outcomeOf(receipt: Receipt): Outcome {
  const { jobId: _, status: __, programId: ___, workloadId: ____, paramsHash: _____, ...outcome } = receipt;
  return outcome;
}

/**
 * The receipt that an order and an outcome make.
 *
 * @param order - with the job's own paramsHash.
 * @example
 * const digest = hashReceipt(domain, receiptOf(jobId, order, item.outcome))
 */
export function receiptOf(
  jobId: Hex,
  order: Pick<JobOrder, "programId" | "workloadId" | "paramsHash">,
  outcome: Outcome,
): Receipt {
  const { programId, workloadId, paramsHash } = order;
  const status = outcome.failureCode === 0 ? receiptStatus.ok : receiptStatus.failed;
  return { jobId, status, programId, workloadId, paramsHash, ...outcome };
}
