/** Room: sdk/random. Nonces nobody can guess or collide with. */
import { bytesToBigInt } from "viem";

/**
 * A random number below 2^256.
 *
 * @example
 * const nonce = randomUint256()
 */
export function randomUint256(): bigint {
  return bytesToBigInt(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Nonces that follow each other: up to 256 share one storage slot of the market, so that orders which are settled
 * together pay for it once.
 *
 * @example
 * const nonces = neighbouringNonces(50)
 */
export function neighbouringNonces(count: number): bigint[] {
  const first = (randomUint256() >> 9n) << 8n; // starts a slot, and leaves room above
  return Array.from({ length: count }, (_, i) => first + BigInt(i));
}
