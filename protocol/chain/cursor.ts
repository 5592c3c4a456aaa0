/**
 * Room: protocol/chain. Where a follower stands on a chain, and how that is kept. Pure: no clock, disk or network.
 */
import type { Hex } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";
import { bytes32 } from "../schemas.ts";

/** Most blocks that a cursor may remember: bounds what is read back from a disk. */
export const maxKeptBlocks = 4096;
/** Most blocks asked for in one getLogs call. */
export const maxRangeBlocks = 10_000;

/** A block as far as a follower cares. */
export type BlockRef = { number: bigint; hash: Hex; parentHash: Hex };

/** Where a follower stands. Plain data: keep it in the same transaction as the effects of the events. */
export type Cursor = {
  /** The first block ever wanted. */
  start: bigint;
  /** The next block to read. */
  next: bigint;
  /** Remembered blocks, ascending; the last one is `next - 1`. Empty before the first step. */
  blocks: readonly BlockRef[];
  /** How many blocks the next getLogs call may span: shrinks when the provider refuses, grows back. */
  rangeBlocks: number;
};

/** As many digits as every block number and log index of a real chain needs; exact as a JSON number. */
const count = z.int().min(0).transform(BigInt);

const cursorSchema = z
  .strictObject({
    start: count,
    next: count,
    rangeBlocks: z.int().min(1).max(maxRangeBlocks),
    blocks: z.array(z.strictObject({ number: count, hash: bytes32, parentHash: bytes32 })).max(maxKeptBlocks),
  })
  .refine(
    ({ start, next, blocks }) => next - 1n === (blocks.at(-1)?.number ?? start - 1n),
    "last block must be next - 1",
  )
  .refine(({ start, blocks }) => (blocks[0]?.number ?? start) >= start, "no block may lie before the start")
  .refine(({ blocks }) => blocks.every((b, i) => i === 0 || (blocks[i - 1]?.number ?? 0n) < b.number), "must ascend");

/**
 * The cursor of a follower that has read nothing yet.
 *
 * @param start - the first block wanted, e.g. `deployment.fromBlock`; it may lie in the future.
 * @throws {@link BadCursorError} if it is negative or not a safe integer.
 * @example
 * const cursor = startCursor(BigInt(deployment.fromBlock))
 */
export function startCursor(start: bigint): Cursor {
  return readCursor({ start: Number(start), next: Number(start), blocks: [], rangeBlocks: 1000 });
}

/**
 * JSON form of a cursor.
 *
 * @example
 * JSON.stringify(cursorToJson(cursor))
 */
export function cursorToJson(cursor: Cursor) {
  return {
    start: Number(cursor.start),
    next: Number(cursor.next),
    rangeBlocks: cursor.rangeBlocks,
    blocks: cursor.blocks.map((block) => ({ ...block, number: Number(block.number) })),
  };
}

/**
 * Reads a cursor's JSON form back; trusts nothing in it.
 *
 * @throws {@link BadCursorError} if a field is missing, unknown or contradicts another.
 * @example
 * const cursor = readCursor(JSON.parse(text))
 */
export function readCursor(json: unknown): Cursor {
  const parsed = cursorSchema.safeParse(json);
  if (!parsed.success) throw new BadCursorError(parsed.error);
  return parsed.data;
}

/** What was given is no cursor. */
export class BadCursorError extends BaseError {
  override readonly name = "Chain.BadCursorError";
  constructor(cause: unknown) {
    super("The follower's cursor is malformed.", {
      hint: "Discard it and start again from the deployment's block.",
      cause,
    });
  }
}
