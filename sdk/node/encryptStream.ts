/**
 * Room: sdk/node/encryptStream. Encrypts a data set as a stream: one chunk is in memory, whatever its size. The same age v1
 * file as sdk/encryption makes; its header is age-encryption's, its payload node:crypto's.
 * Source: C2SP age.md v1; sizes and nonces in protocol/agePayload.
 */
import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { chunkBytes, chunkNonce, payloadNonceBytes, tagBytes } from "../../protocol/agePayload.ts";

/** A data set being encrypted: `key` is the secret `AGE-SECRET-KEY-1...` line. Read `ciphertext` once. */
export type EncryptingDataset = { key: string; ciphertext: AsyncIterable<Uint8Array> };

/**
 * Encrypts a data set to a fresh key.
 *
 * @param plaintext - its pieces may be used again by the sender when the next one is asked for.
 * @returns the key at once; `ciphertext` fails with the errors of `plaintext`.
 * @example
 * const { key, ciphertext } = await encryptStream(createReadStream("data.csv"))
 */
export async function encryptStream(plaintext: AsyncIterable<Uint8Array>): Promise<EncryptingDataset> {
  const key = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(key));
  // The header of an empty file is one of any file: what the file key encrypts is under a nonce of its own.
  const empty = await encrypter.encrypt(new Uint8Array());
  const header = empty.subarray(0, empty.length - payloadNonceBytes - tagBytes);
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  return { key, ciphertext: seal(header, await decrypter.decryptHeader(header), plaintext) };
}

async function* seal(
  header: Uint8Array,
  fileKey: Uint8Array,
  plaintext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const nonce = randomBytes(payloadNonceBytes);
  const key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
  const chunk = new Uint8Array(chunkBytes);
  let position = 0;
  let length = 0;
  const sealChunk = (isLast: boolean) => {
    const cipher = createCipheriv("chacha20-poly1305", key, chunkNonce(position++, isLast), {
      authTagLength: tagBytes,
    });
    const sealed = cipher.update(chunk.subarray(0, length));
    cipher.final();
    length = 0;
    return Buffer.concat([sealed, cipher.getAuthTag()]);
  };
  try {
    yield Buffer.concat([header, nonce]);
    for await (const piece of plaintext) {
      for (let at = 0; at < piece.length; ) {
        // Only now is it known that the full chunk is not the last.
        if (length === chunkBytes) yield sealChunk(false);
        const part = piece.subarray(at, at + chunkBytes - length);
        chunk.set(part, length);
        length += part.length;
        at += part.length;
      }
    }
    yield sealChunk(true);
  } finally {
    for (const secret of [fileKey, key, chunk]) secret.fill(0);
  }
}
