/**
 * Room: enclave/releasedResult. A stored result that may be given out: its size at once, its bytes when there is room for them.
 */
import type { Hex } from "viem";
import type { ResultRelease } from "./http/workerApi.ts";
import { CorruptRowError } from "./store/rows.ts";
import type { Store } from "./store/store.ts";

/**
 * The result of an outcome.
 *
 * @returns undefined if it has none. `read` throws {@link CorruptRowError} if the disk has not what was signed.
 * @example
 * const release = releasedResult(store, jobId, receiptHash)
 */
export function releasedResult(
  store: Pick<Store, "outcome" | "resultBytes">,
  jobId: Hex,
  receiptHash: Hex,
): ResultRelease | undefined {
  const sizeBytes = store.resultBytes(jobId, receiptHash);
  if (sizeBytes === undefined) return undefined;
  return {
    released: true,
    sizeBytes,
    read() {
      const result = store.outcome(jobId, receiptHash)?.resultCiphertext;
      if (result?.length !== sizeBytes) throw new CorruptRowError("outcomes", jobId);
      return result;
    },
  };
}
