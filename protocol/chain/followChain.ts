/**
 * Room: protocol/chain. Follows the logs of a chain, one step at a time, across reorgs. Pure but for the source.
 * A step changes nothing: commit its cursor and the effects of its events together, and a crash loses and repeats none.
 */
import { BaseError } from "../errors.ts";
import { type ChainLog, type ChainSource, type Header, InconsistentSourceError } from "./chainSource.ts";
import { type BlockRef, type Cursor, maxRangeBlocks } from "./cursor.ts";

/** What happened on the chain, in order. */
export type ChainEvent =
  /** Everything above block `ancestor` is void; `dropped` are the remembered ones of those blocks. */
  | { type: "reorg"; ancestor: bigint; dropped: readonly BlockRef[] }
  /** A log was added. */
  | { type: "log"; log: ChainLog };

/** What a step found. */
export type Step = {
  cursor: Cursor;
  events: readonly ChainEvent[];
  /** refused: the provider did not answer so wide a range; the cursor asks for half of it next time. */
  status: "advanced" | "reorg" | "refused" | "idle";
  /** The head that the step saw. Caught up when `cursor.next` lies above it. */
  head: bigint | undefined;
  /** Why the provider refused. */
  refusal?: unknown;
};

/** How a follower works. */
export type StepOptions = {
  /** Deepest reorg that is survived, in blocks; 256 unless told, at most 4,000. */
  depth?: number;
  /** Widest range of one getLogs call, in blocks; 2,000 unless told. */
  maxRange?: number;
};

/** Parallel requests for headers. */
const parallel = 8;

/**
 * Reads on from a cursor: at most one range of logs, or one reorg.
 *
 * @param cursor - where to read on; not changed.
 * @returns what to commit. With status "idle" nothing has changed.
 * @throws {@link ReorgTooDeepError} if no remembered block is on the source's chain any more.
 * @throws {@link InconsistentSourceError} (retryable) if the answers do not fit each other; and what the source throws.
 *
 * @example
 * const { cursor: next, events } = await step(source, cursor)
 */
export async function step(source: ChainSource, cursor: Cursor, options: StepOptions = {}): Promise<Step> {
  const depth = BigInt(Math.min(options.depth ?? 256, 4000));
  const head = await source.head();
  const idle: Step = { cursor, events: [], status: "idle", head: head?.number };
  if (head === undefined) return idle;
  const tip = cursor.blocks.at(-1);

  // The head is not above us: a provider that lags, a chain that stands still, or a reorg that has not outgrown us yet.
  if (head.number < cursor.next) {
    const known = cursor.blocks.find((block) => block.number === head.number);
    return known === undefined || known.hash === head.hash ? idle : rewind(source, cursor, head);
  }

  const from = cursor.next;
  // Deeper than any reorg that is survived, headers between the logs need not be remembered: catching up is cheap.
  const settled = head.number - depth;
  const wanted = from + BigInt(Math.min(cursor.rangeBlocks, options.maxRange ?? 2000)) - 1n;
  const to = min(wanted, from <= settled ? settled : head.number);
  const last = to === head.number ? head : await blockAt(source, to);

  let logs: readonly ChainLog[];
  try {
    logs = await source.logs(from, to);
  } catch (error) {
    if (from === to || !(error instanceof BaseError) || !error.retryable) throw error;
    const rangeBlocks = Math.max(1, Number(to - from + 1n) >> 1);
    return { ...idle, cursor: { ...cursor, rangeBlocks }, status: "refused", refusal: error };
  }

  // Headers after the logs, their last one equal to that of before: no reorg in between went unseen.
  const numbers = to > settled ? range(from, to) : ascending([from, ...logs.map((log) => log.blockNumber), to]);
  if (numbers[0] !== from || numbers.at(-1) !== to) throw new InconsistentSourceError(`logs outside ${from}..${to}`);
  const headers = await blocksAt(source, numbers);
  const first = headers[0] as Header; // `numbers` holds at least `from`
  if (tip !== undefined && first.parentHash !== tip.hash) return rewind(source, cursor, head);
  if (headers.at(-1)?.hash !== last.hash) throw new InconsistentSourceError(`block ${to} changed while reading`);
  checkChain(headers);

  const all = to > settled ? [...logs, ...(await missedLogs(source, headers, logs))] : logs;
  const events = inOrder(all, headers).map((log) => ({ type: "log", log }) as const);
  const kept = [...cursor.blocks, ...(to > settled ? headers : [last])].filter((block) => block.number >= to - depth);
  const next: Cursor = { ...cursor, next: to + 1n, blocks: kept.map(toRef), rangeBlocks: grown(cursor, from, to) };
  return { cursor: next, events, status: "advanced", head: head.number };
}

/** Walks back to the newest remembered block that is still on the chain. */
async function rewind(source: ChainSource, cursor: Cursor, head: Header): Promise<Step> {
  if ((await blockAt(source, head.number)).hash !== head.hash) {
    throw new InconsistentSourceError(`block ${head.number} changed while reading`);
  }
  for (let i = cursor.blocks.length - 1; i >= 0; i--) {
    const block = cursor.blocks[i] as BlockRef; // i is in range
    if (block.number > head.number || (await blockAt(source, block.number)).hash !== block.hash) continue;
    // The newest block is on the chain after all: the provider's nodes took turns.
    if (i === cursor.blocks.length - 1) throw new InconsistentSourceError(`block ${block.number} left and came back`);
    return rewound(cursor, block.number, i + 1, head);
  }
  // All of it is void. That is fine only if we remember everything since the first block.
  const oldest = cursor.blocks[0];
  if (oldest?.number !== cursor.start) throw new ReorgTooDeepError(oldest?.number ?? cursor.start);
  return rewound(cursor, cursor.start - 1n, 0, head);
}

function rewound(cursor: Cursor, ancestor: bigint, keep: number, head: Header): Step {
  const event: ChainEvent = { type: "reorg", ancestor, dropped: cursor.blocks.slice(keep) };
  const next = { ...cursor, next: ancestor + 1n, blocks: cursor.blocks.slice(0, keep) };
  return { cursor: next, events: [event], status: "reorg", head: head.number };
}

/** A node that lags behind the headers answers a range with too few logs; asked by hash it must have the block. */
async function missedLogs(source: ChainSource, headers: readonly Header[], logs: readonly ChainLog[]) {
  const present = new Set(logs.map((log) => log.blockNumber));
  const suspects = headers.filter((header) => header.mayHoldLogs && !present.has(header.number));
  return (await inParallel(suspects, (header) => source.logsOf(header.hash))).flat();
}

/** Each log once, in chain order, and each in a block of this very chain. */
function inOrder(logs: readonly ChainLog[], headers: readonly Header[]): ChainLog[] {
  const hashes = new Map(headers.map((header) => [header.number, header.hash]));
  const unique = new Map<string, ChainLog>();
  for (const log of logs) {
    if (hashes.get(log.blockNumber) !== log.blockHash) {
      throw new InconsistentSourceError(`a log of block ${log.blockNumber} is from another fork`);
    }
    unique.set(`${log.blockNumber}/${log.logIndex}`, log);
  }
  return [...unique.values()].sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
}

function checkChain(headers: readonly Header[]): void {
  for (const [i, header] of headers.entries()) {
    const parent = headers[i - 1];
    if (parent?.number === header.number - 1n && parent.hash !== header.parentHash) {
      throw new InconsistentSourceError(`block ${header.number} is not the child of ${parent.number}`);
    }
  }
}

async function blockAt(source: ChainSource, number: bigint): Promise<Header> {
  const block = await source.block(number);
  if (block?.number !== number) throw new InconsistentSourceError(`block ${number} is below the head but missing`);
  return block;
}

function blocksAt(source: ChainSource, numbers: readonly bigint[]): Promise<Header[]> {
  return inParallel(numbers, (number) => blockAt(source, number));
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += parallel) {
    results.push(...(await Promise.all(items.slice(i, i + parallel).map(work))));
  }
  return results;
}

/** By an eighth, so that a provider's fixed limit is hit now and then, not every other time. */
function grown({ rangeBlocks }: Cursor, from: bigint, to: bigint): number {
  return to - from + 1n < BigInt(rangeBlocks)
    ? rangeBlocks
    : Math.min(maxRangeBlocks, rangeBlocks + (rangeBlocks >> 3) + 1);
}

function range(from: bigint, to: bigint): bigint[] {
  return Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i)); // to - from < maxRangeBlocks
}

function ascending(numbers: readonly bigint[]): bigint[] {
  return [...new Set(numbers)].sort((a, b) => Number(a - b));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function toRef({ number, hash, parentHash }: BlockRef): BlockRef {
  return { number, hash, parentHash };
}

/** The chain was rewritten further back than the follower remembers. */
export class ReorgTooDeepError extends BaseError {
  override readonly name = "Chain.ReorgTooDeepError";
  /** The oldest block that was remembered, and is gone. */
  readonly oldest: bigint;
  constructor(oldest: bigint) {
    super(`Block ${oldest}, the oldest remembered, is not on the chain any more.`, {
      hint: "Check that the RPC provider serves the right chain; then start again with an empty data directory.",
    });
    this.oldest = oldest;
  }
}
