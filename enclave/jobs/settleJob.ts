/**
 * Room: enclave/jobs/settleJob. Brings a signed receipt to the market. Idempotent: whoever settled first, the job ends once.
 */
import { type Address, encodeFunctionData, type Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type Sender, TransactionRefusedError } from "../chain/sender.ts";
import type { JobStep, Outcome, RunnableJob } from "./ports.ts";
import { type SettlementVerdict, verdictOf } from "./settlement.ts";

/** What settling takes. */
export type SettlePorts = {
  market: Address;
  sender: Sender;
  /** Whether the job is still open at the newest block. */
  isOpenNow(job: RunnableJob): Promise<boolean>;
  observe(step: JobStep, jobId: Hex): void;
};

/**
 * Sends a receipt and waits until it is mined.
 *
 * @returns what to do next; errors of the chain other than the contract's refusal are thrown.
 * @example
 * const verdict = await settleJob(ports, job, outcome)
 */
export async function settleJob(ports: SettlePorts, job: RunnableJob, outcome: Outcome): Promise<SettlementVerdict> {
  const data = encodeFunctionData({
    abi: jobMarketAbi,
    functionName: "settle",
    args: [job.index, job.order, outcome.receipt, outcome.signature, outcome.grants],
  });
  try {
    ports.observe("sending", job.jobId);
    await ports.sender.send({ to: ports.market, data }, async () => !(await ports.isOpenNow(job)));
    ports.observe("settled", job.jobId);
    return "ended";
  } catch (error) {
    if (error instanceof TransactionRefusedError) return verdictOf(error.errorName);
    throw error;
  }
}
