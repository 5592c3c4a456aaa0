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
