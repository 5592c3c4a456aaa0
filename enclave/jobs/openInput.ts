/**
 * Room: enclave/jobs/openInput. One input of a job as the stream that the sandbox is fed with, and what its failures mean
 * for the job.
 */
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import type { Ciphertext } from "../fetch/fetchBlob.ts";
import { DatasetDecryptionError, type OpenDataset, openDataset } from "../vault/openDataset.ts";
import { JobStop } from "./jobStop.ts";

/**
 * Opens an input. Nothing of its plaintext is in memory until it is read, and a few chunks then.
 *
 * @param onRead - called with the plaintext's size in bytes when all of it was read, and was right.
 * @throws {@link JobStop} DecryptionFailed, or InputUnavailable (later) if the worker's own copy was damaged; reading
 * throws the same.
 * @example
 * const input = await openInput(key, ciphertext, { datasetId, onRead })
 */
export async function openInput(
  key: Uint8Array,
  ciphertext: Ciphertext,
  { datasetId, onRead }: { datasetId: Hex; onRead: (plainBytes: number) => void },
): Promise<OpenDataset> {
  const judge = (error: unknown): unknown => {
    if (error instanceof DatasetDecryptionError) return new JobStop("DecryptionFailed", `data set ${datasetId}`);
    // From the blob store or the spool: the file was whole when it was fetched.
    return error instanceof BaseError ? new JobStop("InputUnavailable", error.name, "later") : error;
  };
  async function* read({ chunks, sizeBytes }: OpenDataset): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (error) {
      throw judge(error);
    }
    onRead(sizeBytes);
  }
  try {
    const opened = await openDataset(key, ciphertext);
    return { ...opened, chunks: read(opened) };
  } catch (error) {
    throw judge(error);
  }
}
