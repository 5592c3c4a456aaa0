/** Room: sdk/watchCursor. Where a watch of the market stands, and how that is kept. Pure. */
import { type Address, type Hex, isAddressEqual } from "viem";
import { z } from "zod";
import {
  BadCursorError,
  type Cursor,
  cursorToJson,
  maxRangeBlocks,
  readCursor,
  startCursor,
} from "../protocol/chain/cursor.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { BaseError } from "../protocol/errors.ts";
import { address, bytes32 } from "../protocol/schemas.ts";

/** A log of those after the cursor's blocks: the last one that was yielded. */
export type Seen = { blockNumber: bigint; blockHash: Hex; logIndex: number };

/** Where a watch stands. Plain data; {@link watchCursorToJson} makes it fit for a file. */
export type WatchCursor = {
  chainId: number;
  jobMarket: Address;
  /** Whatever lies in its blocks was yielded. */
  chain: Cursor;
  /** Up to here was yielded beyond that; undefined: nothing. */
  seen: Seen | undefined;
};

/** A log that was seen lies in the range of one getLogs call, or in the one after it if ranges have shrunk since. */
const maxBeyond = 2n * BigInt(maxRangeBlocks);

const cursorSchema = z.strictObject({
  chainId: z.int().positive(),
  jobMarket: address,
  chain: z.unknown(),
  seen: z
    .strictObject({ blockNumber: z.int().min(0).transform(BigInt), blockHash: bytes32, logIndex: z.int().min(0) })
    .optional(),
});

/**
 * JSON form of a cursor.
 *
 * @example
 * JSON.stringify(watchCursorToJson(news.cursor))
 */
export function watchCursorToJson({ chainId, jobMarket, chain, seen }: WatchCursor) {
  const place = seen === undefined ? {} : { seen: { ...seen, blockNumber: Number(seen.blockNumber) } };
  return { chainId, jobMarket, chain: cursorToJson(chain), ...place };
}

/**
 * Reads a cursor's JSON form back; trusts nothing in it.
 *
 * @throws {@link BadWatchCursorError} if a field is missing, unknown or contradicts another.
 * @example
 * const cursor = readWatchCursor(JSON.parse(text))
 */
export function readWatchCursor(json: unknown): WatchCursor {
  try {
    const { chain, seen, ...rest } = cursorSchema.parse(json);
    const read = readCursor(chain);
    const beyond = seen === undefined ? 0n : seen.blockNumber - read.next;
    // Nothing is told until what was seen is found again: a block far ahead would keep all news back.
    if (beyond < 0n || beyond >= maxBeyond) throw new BadCursorError("what was seen is not next to it");
    return { ...rest, chain: read, seen };
  } catch (cause) {
    throw new BadWatchCursorError(cause);
  }
}

/**
 * The cursor of a watch that has yielded nothing yet.
 *
 * @example
 * const cursor = startWatch(deployment)
 */
export function startWatch({ chainId, fromBlock, contracts }: Deployment): WatchCursor {
  return { chainId, jobMarket: contracts.jobMarket, chain: startCursor(BigInt(fromBlock)), seen: undefined };
}

/**
 * Refuses a cursor of another market: its events would be taken for this one's.
 *
 * @throws {@link ForeignCursorError}
 * @example
 * requireSameMarket(cursor, deployment)
 */
export function requireSameMarket(cursor: WatchCursor, { chainId, contracts }: Deployment): void {
  if (cursor.chainId !== chainId || !isAddressEqual(cursor.jobMarket, contracts.jobMarket)) {
    throw new ForeignCursorError(cursor, chainId, contracts.jobMarket);
  }
}

/** What was given is no cursor of a watch. */
export class BadWatchCursorError extends BaseError {
  override readonly name = "WatchMarket.BadWatchCursorError";
  constructor(cause: unknown) {
    super("The watch's cursor is malformed.", {
      hint: "Discard it: without one, all events come from the start.",
      cause,
    });
  }
}

/** The cursor is of another market. */
export class ForeignCursorError extends BaseError {
  override readonly name = "WatchMarket.ForeignCursorError";
  constructor(cursor: WatchCursor, chainId: number, jobMarket: Address) {
    const [theirs, ours] = [`${cursor.jobMarket} on chain ${cursor.chainId}`, `${jobMarket} on chain ${chainId}`];
    super(`The cursor is of the market ${theirs}, not of ${ours}.`, {
      hint: "Use the cursor of this deployment, or none.",
    });
  }
}
