/**
 * Room: sdk/proofs. How a block is led back to a newer one that is proven: as its parent; or by the history contract, which
 * keeps the hashes of the last 8191 blocks in its storage. Pure. Source: EIP-2935.
 */
import { type Hex, numberToHex } from "viem";
import type { ProvenBlock } from "./chainProofs.ts";

/** The history contract's address. Source: EIP-2935, `HISTORY_STORAGE_ADDRESS`. */
export const historyAddress = "0x0000f90827f1c53a10cb7a02335b175320002935";

/** How many blocks back it knows. Source: EIP-2935, `HISTORY_SERVE_WINDOW`. */
export const historyWindow = 8191n;

/**
 * Where the history contract keeps the hash of a block.
 *
 * @example
 * const slot = historySlot(20_000_000n)
 */
export function historySlot(blockNumber: bigint): Hex {
  return numberToHex(blockNumber % historyWindow, { size: 32 });
}

/** What a block is led back to. */
export type Link = { from: ProvenBlock; by: "parent" | "history" };

/**
 * The one link that counts for a block: its child; else the newest block whose state knows its hash.
 *
 * @param newer - proven blocks above it, in falling order.
 * @returns undefined if none reaches that far.
 * @example
 * const link = linkOf(blocks, 17n)
 */
export function linkOf(newer: readonly ProvenBlock[], blockNumber: bigint): Link | undefined {
  const last = newer.at(-1);
  if (last?.number === blockNumber + 1n) return { from: last, by: "parent" };
  const from = newer.find(({ number }) => number - blockNumber <= historyWindow);
  return from === undefined ? undefined : { from, by: "history" };
}
