/**
 * Room: enclave/jobs/settleJob. Brings a signed receipt to the market. Idempotent: whoever settled first, the job ends once.
 */
import { type Address, encodeFunctionData, type Hex, zeroHash } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type SignedOffer, shownGrantOf } from "../../protocol/eip712.ts";
import { outcomeOf } from "../../protocol/outcome.ts";
import { type Sender, TransactionRefusedError } from "../chain/sender.ts";
import { settleOrdersCall } from "./orderGroups.ts";
import type { JobStep, RunnableJob, Settleable, Standing } from "./ports.ts";
import { type SettlementVerdict, verdictOf } from "./settlement.ts";

/** What settling takes. */
export type SettlePorts = {
  market: Address;
  sender: Pick<Sender, "send">;
  /** Of the operator; what orders that name it are charged by. */
  offer: SignedOffer | undefined;
  /** At the newest block. */
  standingNow(job: RunnableJob): Promise<Standing>;
  observe(step: JobStep, jobId: Hex): void;
};

/**
 * Sends a receipt and waits until it is mined.
 *
 * @returns what to do next; errors of the chain other than the contract's refusal are thrown.
 * @example
 * const verdict = await settleJob(ports, job, outcome)
 */
export async function settleJob(ports: SettlePorts, job: RunnableJob, outcome: Settleable): Promise<SettlementVerdict> {
  const isDone = async () => ["ended", "counted"].includes((await ports.standingNow(job)).is);
  try {
    ports.observe("sending", job.jobId);
    await ports.sender.send({ to: ports.market, data: callOf(ports, job, outcome) }, isDone);
    ports.observe("settled", job.jobId);
    return job.order.quorum > 1 ? "counted" : "ended";
  } catch (error) {
    if (error instanceof TransactionRefusedError) return verdictOf(error.errorName);
    throw error;
  }
}

function callOf({ offer: ours }: SettlePorts, { order, origin, ...job }: RunnableJob, outcome: Settleable): Hex {
  // A session's job is not settled: the runner keeps its receipt.
  if (origin.by !== "opening") return settleOrdersCall([{ job: { order, origin, ...job }, outcome }], ours);
  const { receipt, signature } = outcome;
  const grants = outcome.grants.map(shownGrantOf);
  const offer = order.offerHash === zeroHash || ours === undefined ? [] : [ours];
  const args = [origin.index, order, outcomeOf(receipt), signature, grants, offer] as const;
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "settle", args });
}
