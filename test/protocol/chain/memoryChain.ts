/**
 * A chain in memory that forks on command, and a provider of it that may misbehave as real ones do. Deterministic.
 */
import { type Hex, keccak256, toHex, zeroAddress, zeroHash } from "viem";
import type { ChainLog, ChainSource, Header } from "../../../protocol/chain/chainSource.ts";
import type { ChainEvent } from "../../../protocol/chain/followChain.ts";
import { BaseError } from "../../../protocol/errors.ts";

type Block = Header & { logs: ChainLog[] };

/** A deterministic stream of numbers in [0, 1). Source: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The provider refused or failed, as a test told it to. */
export class ProviderError extends BaseError {
  override readonly name = "Test.ProviderError";
  constructor(message: string) {
    super(message, { hint: "Wait.", retryable: true });
  }
}

let salt = 0;

/** A chain with a genesis block. */
export class MemoryChain {
  blocks: Block[] = [];
  constructor() {
    this.mine(0);
  }

  /** Adds a block with so many logs. */
  mine(logs: number): Block {
    const parent = this.blocks.at(-1);
    const number = BigInt(this.blocks.length);
    const hash = keccak256(toHex(`block ${salt++}`));
    const block: Block = { number, hash, parentHash: parent?.hash ?? zeroHash, mayHoldLogs: logs > 0, logs: [] };
    for (let i = 0; i < logs; i++) block.logs.push(logAt(block, i));
    this.blocks.push(block);
    return block;
  }

  /** Takes the newest blocks off. */
  drop(count: number): void {
    this.blocks.length = Math.max(1, this.blocks.length - count);
  }

  /** A branch that shares what is there so far. */
  fork(): MemoryChain {
    const branch = new MemoryChain();
    branch.blocks = [...this.blocks];
    return branch;
  }

  /** All logs from a block on, as keys. */
  keys(from: bigint): string[] {
    return this.blocks.filter((block) => block.number >= from).flatMap((block) => block.logs.map(keyOf));
  }

  /** An honest provider. */
  source(): ChainSource {
    return {
      head: async () => this.blocks.at(-1),
      block: async (number) => this.blocks[Number(number)],
      logs: async (from, to) => this.blocks.slice(Number(from), Number(to) + 1).flatMap((block) => block.logs),
      logsOf: async (hash) => {
        const block = this.blocks.find((one) => one.hash === hash);
        if (block === undefined) throw new ProviderError("unknown block");
        return block.logs;
      },
    };
  }
}

/** What a consumer believes after some events: the keys of the logs that are live. */
export class LiveLogs {
  readonly logs = new Map<string, ChainLog>();
  deliveredTwice = 0;

  apply(events: readonly ChainEvent[]): void {
    for (const event of events) {
      if (event.type === "reorg") {
        for (const [key, log] of this.logs) if (log.blockNumber > event.ancestor) this.logs.delete(key);
      } else {
        if (this.logs.has(keyOf(event.log))) this.deliveredTwice++;
        this.logs.set(keyOf(event.log), event.log);
      }
    }
  }

  keys(): string[] {
    return [...this.logs.keys()];
  }
}

function logAt(block: Block, logIndex: number): ChainLog {
  const transactionHash: Hex = keccak256(toHex(`tx ${block.hash} ${logIndex}`));
  return {
    address: zeroAddress,
    topics: [],
    data: "0x",
    blockNumber: block.number,
    blockHash: block.hash,
    transactionHash,
    logIndex,
  };
}

function keyOf(log: ChainLog): string {
  return `${log.blockNumber}/${log.blockHash}/${log.logIndex}`;
}
