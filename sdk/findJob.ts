/**
 * Room: sdk/findJob. A job from the chain's events: order, state, receipt. What hashes or is signed is checked, so
 * that a lying RPC can hide a job but not change one.
 */
import { type Address, getAbiItem, type Hex, isAddressEqual, isHex, recoverAddress } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import {
  type FailureCode,
  failureCodes,
  hashOrder,
  hashReceipt,
  type JobOrder,
  type JobState,
  jobStates,
  type Receipt,
} from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import { findEvent } from "./scanEvents.ts";
import { read } from "./send.ts";

/** How a job ended. */
export type Settlement = {
  receipt: Receipt;
  signature: Hex;
  signer: Address;
  /** Why there is no result; "None" if there is one. */
  failure: FailureCode;
  transactionHash: Hex;
  blockNumber: bigint;
};

/** A job as the chain tells it. */
export type Job = {
  jobId: Hex;
  index: bigint;
  order: JobOrder;
  state: JobState;
  programUri: string;
  /** Canonical JSON as sent, hex. */
  params: Hex;
  openedHash: Hex;
  openedBlock: bigint;
  settlement: Settlement | undefined;
};

/** A job in one look. */
export type JobStatus = Pick<Job, "jobId" | "index" | "state"> & {
  /** Unix seconds. */
  deadline: bigint;
  failure: FailureCode | undefined;
  signer: Address | undefined;
  resultHash: Hex | undefined;
  settledHash: Hex | undefined;
};

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" });
const settledEvent = getAbiItem({ abi: jobMarketAbi, name: "JobSettled" });

/**
 * Finds a job by its id or its index.
 *
 * @throws {@link UnknownJobError} | {@link ForgedJobError} | any error of `scanEvents`
 * @example
 * const { order, state } = await findJob(client, jobId)
 */
export async function findJob(client: Client, idOrIndex: Hex | bigint): Promise<Job> {
  const address = client.deployment.contracts.jobMarket;
  const args = isHex(idOrIndex) ? { jobId: idOrIndex } : { index: idOrIndex };
  const opened = await findEvent(client, { address, event: openedEvent, args, newestFirst: true });
  if (opened === undefined) throw new UnknownJobError(idOrIndex);
  const { jobId, index, order, programUri, params } = opened.args;
  if (hashOrder(client.marketDomain, order) !== jobId) throw new ForgedJobError(jobId, "order");
  const call = { address, abi: jobMarketAbi, functionName: "jobState", args: [index, jobId] } as const;
  const state = jobStates[await read(client, call)] ?? "None";
  const { transactionHash: openedHash, blockNumber: openedBlock } = opened;
  const settled = state === "SettledOk" || state === "SettledFailed";
  const settlement = settled ? await findSettlement(client, jobId, openedBlock) : undefined;
  return { jobId, index, order, state, programUri, params, openedHash, openedBlock, settlement };
}

/**
 * State, failure and result hash of a job.
 *
 * @throws any error of {@link findJob}
 * @example
 * const { state } = await jobStatus(client, jobId)
 */
export async function jobStatus(client: Client, idOrIndex: Hex | bigint): Promise<JobStatus> {
  const { jobId, index, state, order, settlement } = await findJob(client, idOrIndex);
  return {
    jobId,
    index,
    state,
    deadline: order.deadline,
    failure: settlement?.failure,
    signer: settlement?.signer,
    resultHash: state === "SettledOk" ? settlement?.receipt.resultHash : undefined,
    settledHash: settlement?.transactionHash,
  };
}

async function findSettlement(client: Client, jobId: Hex, fromBlock: bigint): Promise<Settlement> {
  const address = client.deployment.contracts.jobMarket;
  const log = await findEvent(client, { address, event: settledEvent, args: { jobId }, fromBlock });
  if (log === undefined) throw new ForgedJobError(jobId, "settlement");
  const { receipt, signature, signer } = log.args;
  const hash = hashReceipt(client.marketDomain, receipt);
  const actual = await recoverAddress({ hash, signature }).catch(() => undefined);
  if (receipt.jobId !== jobId || actual === undefined || !isAddressEqual(actual, signer))
    throw new ForgedJobError(jobId, "receipt");
  const failure = failureCodes[receipt.failureCode];
  if (failure === undefined) throw new ForgedJobError(jobId, "failure code");
  const { transactionHash, blockNumber } = log;
  return { receipt, signature, signer, failure, transactionHash, blockNumber };
}

/** No such job. */
export class UnknownJobError extends BaseError {
  override readonly name = "FindJob.UnknownJobError";
  constructor(idOrIndex: Hex | bigint) {
    super(`There is no job ${idOrIndex}.`, { hint: "Check the id, the deployment and the RPC." });
  }
}

/** What the RPC tells of the job does not hash, is not signed, or is missing. */
export class ForgedJobError extends BaseError {
  override readonly name = "FindJob.ForgedJobError";
  constructor(jobId: Hex, part: string) {
    super(`The RPC's ${part} of job ${jobId} is not what the chain can hold.`, {
      hint: "The RPC is faulty or lies. Use another one.",
    });
  }
}
