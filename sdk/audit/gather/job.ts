/**
 * Room: sdk/audit/gather/job. How a job was opened and ended, and what money moved, from events and calldata.
 */
import {
  type Address,
  decodeFunctionData,
  erc20Abi,
  getAbiItem,
  type Hex,
  isAddressEqual,
  parseEventLogs,
  zeroAddress,
} from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import type { SignedGrant } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import type { Credit, Ending, Missing, Opening, Settlement } from "../evidence.ts";
import { type ChainView, ContradictoryChainError } from "./chainView.ts";

/** Source: JobMarket.open, BadDatasetCount. */
const maxDatasets = 16;

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" });
const settledEvent = getAbiItem({ abi: jobMarketAbi, name: "JobSettled" });
const cancelledEvent = getAbiItem({ abi: jobMarketAbi, name: "JobCancelled" });
const expiredEvent = getAbiItem({ abi: jobMarketAbi, name: "JobExpired" });
const creditedEvent = getAbiItem({ abi: jobMarketAbi, name: "Credited" });

/**
 * How the job was opened.
 *
 * @throws {@link NoSuchJobError} | ContradictoryChainError
 * @example
 * const { order } = await gatherOpening(view, jobId)
 */
export async function gatherOpening(view: ChainView, jobId: Hex): Promise<Opening> {
  const address = view.deployment.contracts.jobMarket;
  const [opened, ...more] = await view.events({ address, event: openedEvent, args: { jobId } });
  if (opened === undefined) throw new NoSuchJobError(jobId, view.anchor.number);
  if (more.length > 0) throw new ContradictoryChainError("the job was opened twice");
  const { index, order, programUri, params } = opened.args;
  if (order.datasets.length > maxDatasets) throw new ContradictoryChainError("no job has so many data sets");
  const moved = await gatherMoves(view, opened.transactionHash, order.token);
  return { block: opened.block, logIndex: opened.logIndex, index, order, programUri, params, moved };
}

async function gatherMoves(view: ChainView, transactionHash: Hex, token: Address): Promise<Opening["moved"]> {
  const market = view.deployment.contracts.jobMarket;
  if (token === zeroAddress) {
    const { from, to, value } = await view.transaction(transactionHash);
    if (to === null || !isAddressEqual(to, market))
      return {
        missing: "the job was opened through another contract: the coin sent along does not show in the transaction",
      };
    return [{ token, from, amount: value }];
  }
  const { logs } = await view.receipt(transactionHash);
  const ofToken = logs.filter((log) => isAddressEqual(log.address, token));
  return parseEventLogs({ abi: erc20Abi, eventName: "Transfer", logs: ofToken })
    .filter(({ args }) => isAddressEqual(args.to, market))
    .map(({ args }) => ({ token, from: args.from, amount: args.value }));
}

/**
 * How the job ended, if it did.
 *
 * @throws ContradictoryChainError if it ended twice.
 * @example
 * const { ending, settlement } = await gatherEnding(view, jobId)
 */
export async function gatherEnding(
  view: ChainView,
  jobId: Hex,
): Promise<{ ending: Ending | undefined; settlement: Settlement | undefined }> {
  const address = view.deployment.contracts.jobMarket;
  const args = { jobId };
  const settled = await view.events({ address, event: settledEvent, args });
  const cancelled = await view.events({ address, event: cancelledEvent, args });
  const expired = await view.events({ address, event: expiredEvent, args });
  const endings: Ending[] = [
    ...settled.map((seen) => ({ ...seen, index: seen.args.index, how: "settled" as const })),
    ...cancelled.map((seen) => ({ ...seen, index: seen.args.index, how: "cancelled" as const })),
    ...expired.map((seen) => ({ ...seen, index: seen.args.index, how: "expired" as const })),
  ];
  if (endings.length > 1) throw new ContradictoryChainError("the job ended more than once");
  const [ending] = endings;
  const [last] = settled;
  if (last === undefined) return { ending, settlement: undefined };
  const { receipt, signature, signer } = last.args;
  const grants = await gatherGrants(view, last.transactionHash, last.args.index);
  return { ending, settlement: { receipt, signature, signer, grants } };
}

/** The grants of a settlement stand in its calldata only. */
async function gatherGrants(view: ChainView, transactionHash: Hex, index: bigint): Promise<SignedGrant[] | Missing> {
  const { to, input } = await view.transaction(transactionHash);
  const elsewhere = {
    missing: "the job was settled through another contract: its grants do not show in the transaction",
  };
  if (to === null || !isAddressEqual(to, view.deployment.contracts.jobMarket)) return elsewhere;
  try {
    const call = decodeFunctionData({ abi: jobMarketAbi, data: input });
    if (call.functionName !== "settle" || call.args[0] !== index) return elsewhere;
    return [...call.args[4]];
  } catch {
    return { missing: "the settlement's calldata cannot be read" };
  }
}

/**
 * Every credit of the job.
 *
 * @example
 * const credits = await gatherCredits(view, jobId)
 */
export async function gatherCredits(view: ChainView, jobId: Hex): Promise<Credit[]> {
  const address = view.deployment.contracts.jobMarket;
  const seen = await view.events({ address, event: creditedEvent, args: { jobId } });
  return seen.map(({ args: { account, token, amount }, transactionHash }) => ({
    account,
    token,
    amount,
    transactionHash,
  }));
}

/** The chain does not know the job. */
export class NoSuchJobError extends BaseError {
  override readonly name = "Audit.NoSuchJobError";
  constructor(jobId: Hex, block: bigint) {
    super(`No job ${jobId} was opened up to block ${block}.`, {
      hint: "Check the job id, the deployment and the RPC.",
    });
  }
}
