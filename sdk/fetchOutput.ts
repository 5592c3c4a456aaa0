/**
 * Room: sdk/fetchOutput. The opened result of a settled job: fetched from the worker that settled it, or any other
 * place, and believed only as far as the receipt on chain goes.
 */
import type { Hex } from "viem";
import { BaseError } from "../protocol/errors.ts";
import type { ResultEnvelope } from "../protocol/result.ts";
import { ServerRefusedError } from "./boundedFetch.ts";
import type { Client } from "./client.ts";
import { getEnclave } from "./enclaves.ts";
import { decryptResult } from "./encryption.ts";
import { findEnding, type Job, UnknownJobError } from "./findJob.ts";
import { findSessionJob, type SessionJob } from "./findSessionJob.ts";
import { requireReceipt } from "./settlement.ts";
import { type ExchangeOptions, fetchReceipt, fetchResult } from "./worker.ts";

/**
 * Fetches and opens a job's result.
 *
 * @param identity - the reader's `AGE-SECRET-KEY-1...` line.
 * @param workerUrl - default: the endpoint that the settling enclave registered. A session's job needs it, as the chain does
 * not know such a job before its leaf is shown.
 * @throws {@link NoResultError} | any error of `findEnding`, `findSessionJob`, `fetchResult` and `decryptResult`
 * @example
 * const { output } = await fetchOutput(client, jobId, identity)
 */
export async function fetchOutput(
  client: Client,
  jobId: Hex,
  identity: string,
  workerUrl?: string,
  options: ExchangeOptions = {},
): Promise<ResultEnvelope> {
  const ending = await findEnding(client, jobId).catch((error: unknown) => {
    if (!(error instanceof UnknownJobError)) throw error;
    return error;
  });
  if (ending instanceof UnknownJobError) {
    const ofSession = await findSessionJob(client, jobId, workerUrl, options);
    if (ofSession === undefined) throw ending;
    return await sessionOutput(jobId, identity, ofSession, options);
  }
  const { state, settlement } = ending;
  if (state !== "SettledOk" || settlement === undefined) throw new NoResultError(jobId, state, settlement?.failure);
  const url = workerUrl ?? (await getEnclave(client, settlement.signer)).endpoint;
  const shown = settlement.sent ?? (await fetchReceipt(url, jobId, options));
  requireReceipt(client, jobId, settlement, shown);
  return await decryptResult(identity, await fetchResult(url, jobId, options), shown.receipt);
}

/** Of a session's job: its receipt was held against the claim, or before that against the enclave's registration. */
async function sessionOutput(
  jobId: Hex,
  identity: string,
  { receipt, failure, workerUrl }: SessionJob,
  options: ExchangeOptions,
): Promise<ResultEnvelope> {
  if (failure !== "None") throw new NoResultError(jobId, "SettledFailed", failure);
  return await decryptResult(identity, await fetchResult(workerUrl, jobId, options), receipt);
}

/** Pause between two looks, in ms. */
const pauseMs = 500;

/**
 * As {@link fetchOutput}, but waits for an open job to end and for the worker to release the result.
 *
 * @param waitMs - how long; then the last error is thrown.
 * @example
 * const { output } = await waitForOutput(client, jobId, identity, { waitMs: 60_000 })
 */
export async function waitForOutput(
  client: Client,
  jobId: Hex,
  identity: string,
  options: ExchangeOptions & { waitMs: number; workerUrl?: string },
): Promise<ResultEnvelope> {
  const until = performance.now() + options.waitMs;
  for (;;) {
    try {
      return await fetchOutput(client, jobId, identity, options.workerUrl, options);
    } catch (error) {
      const heldBack = error instanceof ServerRefusedError && error.problem === "Http.ResultHeldBackError";
      const unsettled = error instanceof UnknownJobError; // a signed order that a worker has, or nobody
      const again = heldBack || unsettled || (error instanceof NoResultError && error.retryable);
      if (!again || options.signal?.aborted || performance.now() + pauseMs > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const whereToLook = "see `dcm credit show`, with --token if it was a token.";
const noResultHints: Partial<Record<Job["state"], string>> = {
  Open: "Wait until it is settled; GET /jobs/<id> of a worker says what it waits for.",
  Accepted: "Wait until the enclave that accepted it settles it; past the deadline anyone may expire it.",
  Disagreed: `Enclaves said different things, so nobody was paid; the escrow is the payer's credit; ${whereToLook}`,
  SettledFailed: `The escrow, less the failure fee, is the payer's credit; ${whereToLook}`,
  Cancelled: `The escrow is the payer's credit; ${whereToLook}`,
  Expired: `The escrow is the payer's credit; ${whereToLook}`,
};

/** The job has no result, or none yet. */
export class NoResultError extends BaseError {
  override readonly name = "FetchOutput.NoResultError";
  constructor(jobId: Hex, state: Job["state"], failure: string | undefined) {
    super(`Job ${jobId} has no result: it is ${state}${failure === undefined ? "" : ` (${failure})`}.`, {
      hint: noResultHints[state] ?? "See `dcm job status`.",
      retryable: state === "Open" || state === "Accepted",
    });
  }
}
