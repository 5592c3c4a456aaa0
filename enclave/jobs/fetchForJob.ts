/**
 * Room: enclave/jobs/fetchForJob. How long a job's fetch may take, and what its failure means: wait, or give up.
 */
import { BaseError } from "../../protocol/errors.ts";
import { BlobCorruptError, BlobMissingError } from "../blobs/blobStore.ts";
import { FetchMismatchError, FetchTooLargeError } from "../fetch/fetchBlob.ts";
import type { Fetched } from "./ports.ts";

/** A server that is slower, in bytes a second, is given up on: 32 Mbit. */
const leastBytesPerSecond = 4 * 1024 * 1024;

/**
 * Makes `fetch` or `fetchCiphertext` of `JobPorts`.
 *
 * @param timeoutMs - longest time for one fetch; large files get a second more for every 4 MiB.
 * @param signal - aborts when the worker stops.
 * @example
 * const fetch = fetchForJobs(createFetchBlob(policy), 60_000, signal)
 */
export function fetchForJobs<Limits extends { maxBytes: number }, T>(
  fetch: (uri: string, options: Limits & { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal,
): (uri: string, limits: Limits) => Promise<Fetched<T>> {
  return async (uri, limits) => {
    const extraMs = Math.floor(limits.maxBytes / leastBytesPerSecond) * 1000;
    try {
      return { status: "ok", fetched: await fetch(uri, { ...limits, timeoutMs: timeoutMs + extraMs, signal }) };
    } catch (error) {
      if (!(error instanceof BaseError) || signal.aborted) throw error;
      if (error instanceof FetchMismatchError || error instanceof FetchTooLargeError) {
        return { status: "mismatch", fact: error.name };
      }
      // A blob that is missing or was damaged here may be uploaded again.
      const mayCome = error.retryable || error instanceof BlobMissingError || error instanceof BlobCorruptError;
      return { status: "unavailable", fact: error.name, final: !mayCome };
    }
  };
}
