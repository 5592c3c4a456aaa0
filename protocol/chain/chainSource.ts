/**
 * Room: protocol/chain. What a follower asks of a chain; `viemSource.ts` answers over JSON-RPC. Types and errors only.
 */
import type { Address, Hex } from "viem";
import { BaseError } from "../errors.ts";
import type { BlockRef } from "./cursor.ts";

/** A block, and whether its header's bloom filter admits logs that the source would deliver. */
export type Header = BlockRef & { mayHoldLogs: boolean };

/** A raw log of a mined transaction. */
export type ChainLog = {
  address: Address;
  topics: readonly Hex[];
  data: Hex;
  blockNumber: bigint;
  blockHash: Hex;
  transactionHash: Hex;
  logIndex: number;
};

/** Where a follower reads from. Every method may fail with a retryable {@link BaseError}. */
export type ChainSource = {
  /** The newest block that counts, under the source's finality policy; undefined if there is none yet. */
  head(): Promise<Header | undefined>;
  /** The canonical block at a height, as far as the source knows. */
  block(number: bigint): Promise<Header | undefined>;
  /** The logs of a range of blocks, both ends included. */
  logs(from: bigint, to: bigint): Promise<readonly ChainLog[]>;
  /** The logs of one block; fails if the source does not know that very block. */
  logsOf(blockHash: Hex): Promise<readonly ChainLog[]>;
};

/** The provider's answers contradict each other: two of its nodes disagree, or the chain moved between two calls. */
export class InconsistentSourceError extends BaseError {
  override readonly name = "Chain.InconsistentSourceError";
  /** What contradicts what, with block numbers. */
  readonly fact: string;
  constructor(fact: string) {
    super(`The RPC provider contradicts itself: ${fact}.`, {
      hint: "Retried by itself. If it stays, use another provider.",
      retryable: true,
    });
    this.fact = fact;
  }
}
