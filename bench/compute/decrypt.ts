/**
 * Opening a data set of 256 MiB as a worker does, held against node:crypto's ChaCha20-Poly1305 over the same bytes in the
 * same chunks of 64 KiB, each result let go of at once. Both read from memory.
 */
import { createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Decrypter } from "age-encryption";
import { openDataset } from "../../enclave/vault/openDataset.ts";
import { chunkBytes, chunkNonce, chunksIn, payloadNonceBytes, tagBytes } from "../../protocol/agePayload.ts";
import { datasetKeyBytes } from "../../sdk/encryption.ts";
import { encryptStream } from "../../sdk/node/encryptStream.ts";
import { type Figure, rounds } from "./rounds.ts";

const mebibyte = 2 ** 20;
const plaintextBytes = 256 * mebibyte;

/**
 * Measures both in turn.
 *
 * @returns the ratio of their speeds; 1: as fast as the cipher alone.
 * @example
 * const { value, spread } = await measure()
 */
export async function measure(): Promise<Figure> {
  const { key, ciphertext } = await makeDataset();
  const keyBytes = datasetKeyBytes(key);
  const payloadKey = await payloadKeyOf(key, ciphertext);
  const payload = ciphertext.subarray(headerBytesOf(ciphertext) + payloadNonceBytes);
  return rounds(15, async () => {
    const rawMs = await timed(async () => rawCipher(payloadKey, payload));
    return rawMs / (await timed(() => openAll(keyBytes, ciphertext)));
  });
}

/** With the reads of 1 MiB that files come in. */
async function openAll(key: Uint8Array, ciphertext: Uint8Array): Promise<number> {
  async function* read() {
    for (let at = 0; at < ciphertext.length; at += mebibyte) yield ciphertext.subarray(at, at + mebibyte);
  }
  const { chunks } = await openDataset(key, { sizeBytes: ciphertext.length, read });
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return length;
}

function rawCipher(key: Uint8Array, payload: Uint8Array): number {
  const count = chunksIn(payload.length);
  let length = 0;
  for (let position = 0; position < count; position++) {
    const at = position * (chunkBytes + tagBytes);
    const chunk = payload.subarray(at, at + chunkBytes + tagBytes);
    const nonce = chunkNonce(position, position === count - 1);
    const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(chunk.subarray(-tagBytes));
    length += decipher.update(chunk.subarray(0, -tagBytes)).length;
    decipher.final();
  }
  return length;
}

async function timed(work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const length = await work();
  if (length !== plaintextBytes) throw new RangeError(`${length} bytes came out.`);
  return performance.now() - startedAt;
}

async function makeDataset(): Promise<{ key: string; ciphertext: Uint8Array }> {
  async function* plaintext() {
    const piece = randomBytes(mebibyte);
    for (let at = 0; at < plaintextBytes; at += mebibyte) yield piece;
  }
  const { key, ciphertext } = await encryptStream(plaintext());
  const pieces: Uint8Array[] = [];
  for await (const piece of ciphertext) pieces.push(piece);
  return { key, ciphertext: Buffer.concat(pieces) };
}

async function payloadKeyOf(key: string, ciphertext: Uint8Array): Promise<Uint8Array> {
  const headerBytes = headerBytesOf(ciphertext);
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  const fileKey = await decrypter.decryptHeader(ciphertext.slice(0, headerBytes));
  const nonce = ciphertext.subarray(headerBytes, headerBytes + payloadNonceBytes);
  return new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

function headerBytesOf(ciphertext: Uint8Array): number {
  const start = Buffer.from(ciphertext.subarray(0, 4096));
  return start.indexOf("\n", start.indexOf("\n---") + 1) + 1;
}
