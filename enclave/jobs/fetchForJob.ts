/**
 * Room: enclave/jobs/fetchForJob. What a failed fetch means for a job: wait, or give up.
 */
import { BaseError } from "../../protocol/errors.ts";
import { BlobCorruptError, BlobMissingError } from "../blobs/blobStore.ts";
import { type FetchBlob, FetchMismatchError, FetchTooLargeError } from "../fetch/fetchBlob.ts";
import type { JobPorts } from "./ports.ts";

/**
 * Makes the `fetch` of {@link JobPorts}.
 *
 * @param timeoutMs - longest time for one fetch.
 * @param signal - aborts when the worker stops.
 * @example
 * const fetch = fetchForJobs(createFetchBlob(policy), 60_000, signal)
 */
export function fetchForJobs(fetchBlob: FetchBlob, timeoutMs: number, signal: AbortSignal): JobPorts["fetch"] {
  return async (uri, limits) => {
    try {
      return { status: "ok", bytes: await fetchBlob(uri, { ...limits, timeoutMs, signal }) };
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
