/**
 * Room: sdk/findJob. A job from the chain's events: order, state, receipt. What hashes or is signed is checked, so
 * that a lying RPC can hide a job but not change one.
 */
import { type Address, getAbiItem, type Hex, isHex, zeroAddress } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { type FailureCode, hashOrder, type JobOrder, type JobState, jobStates } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import { findOrder } from "./findOrder.ts";
import { findEvent } from "./scanEvents.ts";
import { read } from "./send.ts";
import { ForgedJobError, type Settlement, settlementOf } from "./settlement.ts";

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
  /** The enclave that has accepted the job, and who staked the bond. */
  acceptance: { signer: Address; bonder: Address } | undefined;
  /** How many enclaves have said the same so far, where the order asks for several. */
  votes: number;
  settlement: Settlement | undefined;
};

/** A job in one look. */
export type JobStatus = Pick<Job, "jobId" | "state" | "votes"> & {
  /** undefined: a signed order that was settled without being opened. */
  index: bigint | undefined;
  quorum: number | undefined;
  acceptedBy: Address | undefined;
  /** Unix seconds; undefined where the order does not show, as is `quorum`. */
  deadline: bigint | undefined;
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
  const votes = order.quorum > 1 ? await votesOf(client, jobId) : 0;
  const acceptance = order.acceptBy > 0n ? await acceptanceOf(client, jobId) : undefined;
  return { jobId, index, order, state, programUri, params, openedHash, openedBlock, acceptance, votes, settlement };
}

/**
 * How a job ended, or that it has not: of one that was opened, or a signed order that was settled.
 *
 * @throws any error of {@link findJob} and `findOrder`
 * @example
 * const { state, settlement } = await findEnding(client, jobId)
 */
export async function findEnding(
  client: Client,
  idOrIndex: Hex | bigint,
): Promise<Pick<Job, "jobId" | "state" | "settlement"> & Partial<Job>> {
  try {
    return await findJob(client, idOrIndex);
  } catch (error) {
    const order = error instanceof UnknownJobError && isHex(idOrIndex) ? await findOrder(client, idOrIndex) : undefined;
    if (order === undefined) throw error;
    const { order: terms, ...rest } = order;
    return terms === undefined ? rest : { ...rest, order: terms };
  }
}

/**
 * State, failure and result hash of a job.
 *
 * @throws any error of {@link findEnding}
 * @example
 * const { state } = await jobStatus(client, jobId)
 */
export async function jobStatus(client: Client, idOrIndex: Hex | bigint): Promise<JobStatus> {
  const { jobId, index, state, order, acceptance, votes = 0, settlement } = await findEnding(client, idOrIndex);
  return {
    jobId,
    index,
    state,
    deadline: order?.deadline,
    quorum: order?.quorum,
    votes,
    acceptedBy: acceptance?.signer,
    failure: settlement?.failure,
    signer: settlement?.signer,
    resultHash: state === "SettledOk" ? settlement?.resultHash : undefined,
    settledHash: settlement?.transactionHash,
  };
}

async function findSettlement(client: Client, jobId: Hex, fromBlock: bigint): Promise<Settlement> {
  const address = client.deployment.contracts.jobMarket;
  const log = await findEvent(client, { address, event: settledEvent, args: { jobId }, fromBlock });
  if (log === undefined) throw new ForgedJobError(jobId, "settlement");
  return await settlementOf(client, jobId, log);
}

async function votesOf(client: Client, jobId: Hex): Promise<number> {
  const address = client.deployment.contracts.jobMarket;
  const [, platformIds] = await read(client, { address, abi: jobMarketAbi, functionName: "ballot", args: [jobId] });
  return platformIds.length;
}

async function acceptanceOf(client: Client, jobId: Hex): Promise<Job["acceptance"]> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: jobMarketAbi, functionName: "acceptance", args: [jobId] } as const;
  const [signer, bonder] = await read(client, call);
  return signer === zeroAddress ? undefined : { signer, bonder };
}

/** No such job. */
export class UnknownJobError extends BaseError {
  override readonly name = "FindJob.UnknownJobError";
  constructor(idOrIndex: Hex | bigint) {
    super(`There is no job ${idOrIndex}.`, {
      hint: "Check the id, the deployment and the RPC. Of an order that was never opened there is nothing on chain until it settles; of a session's job its worker knows more (--worker).",
    });
  }
}
