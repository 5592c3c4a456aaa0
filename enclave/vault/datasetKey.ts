/**
 * Room: enclave/vault/datasetKey. A data set key is an age X25519 identity in its text form (AGE-SECRET-KEY-1...).
 */
import { Decrypter } from "age-encryption";
import { BaseError } from "../../protocol/errors.ts";

const identityPattern = /^AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}$/;

/**
 * The identity text in a data set key.
 *
 * @returns undefined if the bytes are anything else.
 * @example
 * const identity = parseDatasetKey(key)
 */
export function parseDatasetKey(key: Uint8Array): string | undefined {
  if (key.length !== 74) return undefined;
  const text = String.fromCharCode(...key);
  return identityPattern.test(text) ? text : undefined;
}

/**
 * Decrypts a data set. The plaintext exists in memory only; the caller destroys it with `fill(0)`.
 *
 * @param ciphertext - an age v1 file.
 * @throws {@link DatasetDecryptionError} whatever went wrong: causes could carry data.
 * @example
 * const plaintext = await decryptDataset(key, ciphertext)
 */
export async function decryptDataset(key: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
  try {
    const identity = parseDatasetKey(key);
    if (identity === undefined) throw new DatasetDecryptionError();
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return await decrypter.decrypt(ciphertext);
  } catch {
    throw new DatasetDecryptionError();
  }
}

/** The ciphertext does not open with the data set key. */
export class DatasetDecryptionError extends BaseError {
  override readonly name = "Vault.DatasetDecryptionError";
  constructor() {
    super("The data set does not open with the key that was sealed for it.", {
      hint: "The provider must seal the key that the registered ciphertext was made with.",
    });
  }
}
