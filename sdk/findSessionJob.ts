/**
 * Room: sdk/findSessionJob. A job of a session: what its worker says of it, held against the session on chain. The chain
 * itself knows such a job by nothing but its leaf's place in a Merkle root, until the leaf is shown.
 */
import { getAbiItem, type Hex, isAddressEqual } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { type FailureCode, failureCodes, hashReceipt, type Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { recoverSigner } from "../protocol/signature.ts";
import { ServerRefusedError } from "./boundedFetch.ts";
import { BadLeafError, leafChecker } from "./checkClaim.ts";
import type { Client } from "./client.ts";
import { getEnclave } from "./enclaves.ts";
import { type FoundSession, findSession } from "./findSession.ts";
import { findEvent } from "./scanEvents.ts";
import { type ExchangeOptions, fetchJobView, fetchLeaves, fetchReceipt } from "./worker.ts";

/** A job of a session with its receipt. */
export type SessionJob = {
  session: FoundSession;
  workerUrl: string;
  /** Its place in the claim; undefined: not claimed yet. */
  leaf: number | undefined;
  receipt: Receipt;
  failure: FailureCode | undefined;
};

const shownEvent = getAbiItem({ abi: jobMarketAbi, name: "LeafSettled" });

/**
 * Finds a job of a session.
 *
 * @param workerUrl - that ran it; without it only a job whose leaf was shown is found.
 * @returns undefined if it is no session's, or has no receipt yet, as far as can be known.
 * @throws {@link BadLeafError} | {@link ForgedReceiptError} | any error of `findSession` and the fetches
 * @example
 * const job = await findSessionJob(client, jobId, "https://worker.example")
 */
export async function findSessionJob(
  client: Client,
  jobId: Hex,
  workerUrl?: string,
  options: ExchangeOptions = {},
): Promise<SessionJob | undefined> {
  const url = workerUrl ?? (await endpointOf(client, jobId));
  if (url === undefined) return undefined;
  const view = await fetchJobView(url, jobId, options).catch(orUnknown);
  if (view?.session === undefined) return undefined;
  const session = await findSession(client, view.session);
  const { leaf } = view;
  if (leaf === undefined || session.claim === undefined) {
    const signed = await fetchReceipt(url, jobId, options).catch(orUnknown);
    if (signed === undefined) return undefined;
    await requireReceipt(client, session, jobId, signed);
    return { session, workerUrl: url, leaf: undefined, ...told(signed.receipt) };
  }
  const [shown] = await fetchLeaves(url, session.sessionId, leaf, options);
  if (shown === undefined) throw new BadLeafError(session.sessionId, leaf, ["the worker does not show it"]);
  const checked = await leafChecker(client, session)(shown);
  const problems = checked.jobId === jobId ? checked.problems : ["it is another job's", ...checked.problems];
  if (problems.length > 0) throw new BadLeafError(session.sessionId, leaf, problems);
  return { session, workerUrl: url, leaf: shown.leaf, ...told(shown.receipt) };
}

function told(receipt: Receipt) {
  return { receipt, failure: failureCodes[receipt.failureCode] };
}

/** Where the enclave lives that claimed the session of a leaf that was shown. */
async function endpointOf(client: Client, jobId: Hex): Promise<string | undefined> {
  const address = client.deployment.contracts.jobMarket;
  const log = await findEvent(client, { address, event: shownEvent, args: { jobId }, newestFirst: true });
  if (log === undefined) return undefined;
  const { claim } = await findSession(client, log.args.sessionId);
  return claim === undefined ? undefined : (await getEnclave(client, claim.signer)).endpoint;
}

/** Before the claim nothing but the registration vouches for a receipt. */
async function requireReceipt(
  client: Client,
  { order }: FoundSession,
  jobId: Hex,
  { receipt, signature }: { receipt: Receipt; signature: Hex },
): Promise<void> {
  const signer = recoverSigner(hashReceipt(client.marketDomain, receipt), signature);
  const enclave = signer === undefined ? undefined : await getEnclave(client, signer);
  const isAgreed = enclave?.workloadId === order.workloadId && isAddressEqual(enclave.operator, order.operator);
  if (!isAgreed || receipt.jobId !== jobId || receipt.programId !== order.programId)
    throw new ForgedReceiptError(jobId);
}

function orUnknown(error: unknown): undefined {
  if (!(error instanceof ServerRefusedError) || error.status !== 404) throw error;
}

/** The worker's receipt is not one of the enclaves that the session is for. */
export class ForgedReceiptError extends BaseError {
  override readonly name = "FindSessionJob.ForgedReceiptError";
  constructor(jobId: Hex) {
    super(`The worker's receipt of job ${jobId} is not signed by an enclave that its session is for.`, {
      hint: "The worker is faulty or lies. Ask the one that the order was given to.",
    });
  }
}
