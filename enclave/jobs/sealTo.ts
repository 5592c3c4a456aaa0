/**
 * Room: enclave/jobs/sealTo. What leaves the enclave leaves as an age file to named readers.
 */
import { Encrypter } from "age-encryption";
import type { Hex } from "viem";
import { recipientOf } from "../../protocol/ageKey.ts";
import { JobStop } from "./jobStop.ts";

/**
 * Seals bytes to readers.
 *
 * @param readers - X25519 public keys.
 * @param plaintext - is overwritten.
 * @throws {@link JobStop} OutputRefused: one of the keys is none.
 * @example
 * const ciphertext = await sealTo(new Set([order.resultKey]), encodeResult(envelope))
 */
export async function sealTo(readers: ReadonlySet<Hex>, plaintext: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  try {
    for (const reader of readers) encrypter.addRecipient(recipientOf(reader));
    return await encrypter.encrypt(plaintext);
  } catch {
    throw new JobStop("OutputRefused", "a reader's key is not a usable X25519 key");
  } finally {
    plaintext.fill(0);
  }
}
