/**
 * Room: enclave/policy. Random integers that a seed decides: the keystream of AES-256 in counter mode. The same seed gives
 * the same integers on every machine. Pure.
 */
import { createCipheriv } from "node:crypto";

/** Uniform integers, one after the other. */
export type RandomInts = {
  /** A uniform integer from 0 to `limit` - 1; `limit` is at least 1. */
  below(limit: bigint): bigint;
};

const blockBytes = 4096;
const wordBytes = 8;

/**
 * Starts a sequence.
 *
 * @param seed - 32 secret bytes, used for one sequence only; may be overwritten as soon as this returns.
 * @example
 * const coin = randomInts(seed).below(2n)
 */
export function randomInts(seed: Uint8Array): RandomInts {
  const cipher = createCipheriv("aes-256-ctr", seed, new Uint8Array(16));
  const zeros = new Uint8Array(blockBytes);
  let block = Buffer.alloc(0);
  let at = 0;

  function word(): bigint {
    if (at === block.length) {
      block = cipher.update(zeros);
      at = 0;
    }
    at += wordBytes;
    return block.readBigUInt64LE(at - wordBytes);
  }

  return {
    below(limit) {
      if (limit === 1n) return 0n;
      const bits = (limit - 1n).toString(2).length;
      for (;;) {
        let drawn = 0n;
        for (let i = 0; i < bits; i += 64) drawn = (drawn << 64n) | word();
        drawn = BigInt.asUintN(bits, drawn);
        if (drawn < limit) return drawn; // more often than not: the bits are as few as hold limit - 1
      }
    },
  };
}
