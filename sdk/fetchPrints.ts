/**
 * Room: sdk/fetchPrints. What a program printed on one's own data: fetched from the worker that ran it, or any other place,
 * and believed only as far as the log goes that the job's receipt commits to.
 */
import { Decrypter } from "age-encryption";
import type { Hex } from "viem";
import type { Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import {
  BadPrintsError,
  decodePrints,
  type OpenedPrints,
  printsCommitmentOf,
  provePrints,
  type SealedPrints,
} from "../protocol/prints.ts";
import type { Client } from "./client.ts";
import { getEnclave } from "./enclaves.ts";
import { findEnding, type Job, UnknownJobError } from "./findJob.ts";
import { findSessionJob } from "./findSessionJob.ts";
import { requireReceipt } from "./settlement.ts";
import { type ExchangeOptions, fetchReceipt, fetchSealedPrints } from "./worker.ts";

/**
 * Fetches and opens what the program of a job printed, whether it failed or not.
 *
 * @param identity - the `AGE-SECRET-KEY-1...` line of a reader that every grant of the job names.
 * @param workerUrl - default: the endpoint that the settling enclave registered. A session's job needs it, as the chain does
 * not know such a job before its leaf is shown.
 * @throws {@link NotSettledError} | any error of `findEnding`, `findSessionJob`, `fetchSealedPrints`, {@link openPrints}
 * @example
 * const { text, cut } = await fetchPrints(client, jobId, identity)
 */
export async function fetchPrints(
  client: Client,
  jobId: Hex,
  identity: string,
  workerUrl?: string,
  options: ExchangeOptions = {},
): Promise<OpenedPrints> {
  const { receipt, url } = await settledReceipt(client, jobId, workerUrl, options);
  return await openPrints(identity, await fetchSealedPrints(url, jobId, options), receipt);
}

/**
 * Opens sealed prints and checks that they are those that the receipt's enclave sealed.
 *
 * @param identity - the reader's `AGE-SECRET-KEY-1...` line.
 * @param receipt - the settled job's, whose signature has been checked.
 * @throws BadPrintsError | {@link PrintsUnreadableError}
 * @example
 * const { text } = await openPrints(identity, sealed, receipt)
 */
export async function openPrints(
  identity: string,
  sealed: SealedPrints,
  receipt: Pick<Receipt, "jobId" | "logRoot" | "logSize">,
): Promise<OpenedPrints> {
  const { printsCommitment } = provePrints(sealed, receipt);
  let plaintext: Uint8Array;
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    plaintext = await decrypter.decrypt(sealed.ciphertext);
  } catch {
    throw new PrintsUnreadableError(); // no cause: a library's message might repeat the identity
  }
  const opened = decodePrints(plaintext, receipt.jobId);
  if (printsCommitmentOf(opened.salt, opened.hash) !== printsCommitment)
    throw new BadPrintsError("the log commits to others");
  return opened;
}

async function settledReceipt(client: Client, jobId: Hex, workerUrl: string | undefined, options: ExchangeOptions) {
  const ending = await findEnding(client, jobId).catch((error: unknown) => {
    if (!(error instanceof UnknownJobError)) throw error;
    return error;
  });
  if (ending instanceof UnknownJobError) {
    const ofSession = await findSessionJob(client, jobId, workerUrl, options);
    if (ofSession === undefined) throw ending;
    return { receipt: ofSession.receipt, url: ofSession.workerUrl };
  }
  const { state, settlement } = ending;
  if (settlement === undefined) throw new NotSettledError(jobId, state);
  const url = workerUrl ?? (await getEnclave(client, settlement.signer)).endpoint;
  const shown = settlement.sent ?? (await fetchReceipt(url, jobId, options));
  requireReceipt(client, jobId, settlement, shown);
  return { receipt: shown.receipt, url };
}

/** What is printed is given out when the job is settled. */
export class NotSettledError extends BaseError {
  override readonly name = "FetchPrints.NotSettledError";
  constructor(jobId: Hex, state: Job["state"]) {
    const open = state === "Open" || state === "Accepted";
    super(`Job ${jobId} is not settled: it is ${state}.`, {
      hint: open ? "Wait until it is settled; a failed one is, too." : "Nothing is given out of what was not settled.",
      retryable: open,
    });
  }
}

/** The prints are not sealed to this identity, or the identity is malformed. */
export class PrintsUnreadableError extends BaseError {
  override readonly name = "FetchPrints.PrintsUnreadableError";
  constructor() {
    super("The prints cannot be opened with this identity.", {
      hint: "Use the identity of a key that every grant of the job names: `dcm grant create --reader age1...`.",
    });
  }
}
