/**
 * Room: sdk/node/encryptFile. A data set's file, encrypted to another file in one pass: about a chunk of it is in memory,
 * however large it is. What it holds is described from the very bytes that are encrypted.
 */
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import type { Hex } from "viem";
import { type CsvDescription, createCsvDescriber } from "../describeCsv.ts";
import { BadDatasetSizeError, maxDatasetBytes } from "../encryption.ts";
import type { HashedBlob } from "../worker.ts";
import { encryptStream } from "./encryptStream.ts";
import { readPieces, writeThenUse } from "./files.ts";

/** An encrypted file, while it is there. `key` is the secret: the `AGE-SECRET-KEY-1...` line. */
export type EncryptedFile = HashedBlob & {
  key: string;
  sizeBytes: number;
  /** Empty unless it was to be described. */
  description: CsvDescription | Record<string, never>;
  /** Keeps the ciphertext as a file, readable by all; one that is there is not replaced. */
  keepAs: (path: string) => Promise<void>;
};

/**
 * Encrypts a file to a fresh key.
 *
 * @param path - 1 to `maxDatasetBytes` bytes.
 * @param options - `directory`: where the ciphertext is until `use` has ended; `describe`: whether it is CSV to describe.
 * @param use - what to do with it.
 * @returns what `use` returns.
 * @throws BadDatasetSizeError | BadCsvError | FileUnreadableError | FileUnwritableError | any error of `use`
 * @example
 * await encryptFile("co2.csv", { directory, describe: true }, (file) => uploadBlob(workerUrl, file))
 */
export async function encryptFile<T>(
  path: string,
  { directory, describe }: { directory: string; describe: boolean },
  use: (file: EncryptedFile) => Promise<T>,
): Promise<T> {
  const describer = describe ? createCsvDescriber() : undefined;
  const hash = createHash("sha256");
  let plainBytes = 0;
  let sizeBytes = 0;
  async function* plaintext() {
    for await (const piece of readPieces(path, maxDatasetBytes)) {
      describer?.add(piece);
      plainBytes += piece.length;
      yield piece;
    }
    if (plainBytes === 0) throw new BadDatasetSizeError(0, maxDatasetBytes);
  }
  const { key, ciphertext } = await encryptStream(plaintext());
  async function* counted() {
    for await (const piece of ciphertext) {
      hash.update(piece);
      sizeBytes += piece.length;
      yield piece;
    }
  }
  return writeThenUse(directory, counted(), async (file, keepAs) => {
    const sha256: Hex = `0x${hash.digest("hex")}`;
    const description = describer?.end() ?? {};
    const blob = await openAsBlob(file);
    return use({ key, blob, sha256, sizeBytes, description, keepAs: (name) => keepAs(name, 0o644) });
  });
}
