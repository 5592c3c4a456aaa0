/**
 * Room: protocol/agePayload. How the payload of an age v1 file is cut up (STREAM): a nonce, then chunks of 64 KiB, each
 * with its tag, the last one shorter or as long. Pure: the cipher stands in enclave/vault and sdk/node.
 * Source: C2SP age.md v1, "Payload".
 */

/** Bytes before the first chunk. */
export const payloadNonceBytes = 16;
/** Plaintext of every chunk but the last. */
export const chunkBytes = 64 * 1024;
/** ChaCha20-Poly1305's tag, at the end of each chunk. */
export const tagBytes = 16;

/**
 * The plaintext's size in bytes.
 *
 * @param sizeBytes - of all chunks, without header and nonce.
 * @returns undefined if chunks cannot be so long: the last one must hold something unless it is the only one.
 * @example
 * plaintextBytesOf(16) // 0
 */
export function plaintextBytesOf(sizeBytes: number): number | undefined {
  if (sizeBytes < tagBytes) return undefined;
  const chunks = chunksIn(sizeBytes);
  const lastBytes = sizeBytes - (chunks - 1) * (chunkBytes + tagBytes);
  return lastBytes > tagBytes || sizeBytes === tagBytes ? sizeBytes - chunks * tagBytes : undefined;
}

/**
 * How many chunks there are, the last one included.
 *
 * @param sizeBytes - of all chunks, without header and nonce.
 * @example
 * chunksIn(2 * (chunkBytes + tagBytes)) // 2
 */
export function chunksIn(sizeBytes: number): number {
  return Math.ceil(sizeBytes / (chunkBytes + tagBytes));
}

/**
 * The nonce of a chunk: its position in 11 bytes, big-endian, and a byte that says whether it is the last.
 *
 * @param position - from 0; below 2^48, far above any size here.
 * @param nonce - of the chunk before, to be written over; else a new one is made.
 * @example
 * chunkNonce(0, true) // 11 zeros and a one
 */
export function chunkNonce(position: number, isLast: boolean, nonce: Uint8Array = new Uint8Array(12)): Uint8Array {
  const high = Math.floor(position / 2 ** 32);
  nonce[5] = high >>> 8;
  nonce[6] = high;
  nonce[7] = position >>> 24;
  nonce[8] = position >>> 16;
  nonce[9] = position >>> 8;
  nonce[10] = position;
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
