/**
 * Room: sdk/watchMarket. The market's events as they happen, across reorgs and restarts: none lost, none twice. Pure but
 * for the chain. Built on protocol/chain: a step of the follower may hold many events, a cursor here stands between two.
 */
import type { ChainLog, ChainSource } from "../protocol/chain/chainSource.ts";
import type { BlockRef, Cursor } from "../protocol/chain/cursor.ts";
import { follow } from "../protocol/chain/follow.ts";
import type { Step } from "../protocol/chain/followChain.ts";
import { decodeMarketLog, type MarketEvent } from "../protocol/chain/marketEvents.ts";
import { type HeadPolicy, viemSource } from "../protocol/chain/viemSource.ts";
import type { Deployment } from "../protocol/deployment.ts";
import type { Client } from "./client.ts";
import { requireSameMarket, type Seen, startWatch, type WatchCursor } from "./watchCursor.ts";

/** What a watch yields. Keep `cursor` together with the effects of the news, and a restart goes on right behind them. */
export type MarketNews =
  | { type: "event"; event: MarketEvent; cursor: WatchCursor }
  /** Everything above block `ancestor` is void; `dropped` are the remembered ones of those blocks. */
  | { type: "reorg"; ancestor: bigint; dropped: readonly BlockRef[]; cursor: WatchCursor }
  /** Everything up to block `head` was yielded. Comes once at least, and again whenever there was something new. */
  | { type: "caughtUp"; head: bigint; cursor: WatchCursor };

/** How to watch. */
export type WatchOptions = {
  /** Ends the watch. */
  signal: AbortSignal;
  /** Where to go on; at the deployment's first block unless told. */
  cursor?: WatchCursor;
  /** Which block is the newest that counts; "latest" unless told. */
  head?: HeadPolicy;
  /** How often the chain is asked for news, in milliseconds; 2,000 unless told. */
  pollMs?: number;
  /** Deepest reorg that is survived, in blocks; 256 unless told, at most 4,000. */
  depth?: number;
  /** Told of each failure of the RPC; it is asked again, with growing pauses. */
  onFailure?: (error: unknown) => void;
  /** Told of logs that are no events of the contracts or contradict their own hashes: the RPC lies. They are left out. */
  onBadLog?: (log: ChainLog) => void;
};

/**
 * Watches all contracts of the market, until the signal aborts.
 *
 * @throws {@link ForeignCursorError} | ReorgTooDeepError
 * @example
 * for await (const news of watchMarket(client, { signal })) {
 *   if (news.type === "event" && news.event.eventName === "JobSettled") console.log(news.event.args.jobId)
 * }
 */
export function watchMarket(client: Client, options: WatchOptions): AsyncGenerator<MarketNews, void> {
  const { jobMarket, datasetRegistry, enclaveRegistry } = client.deployment.contracts;
  const addresses = [jobMarket, datasetRegistry, enclaveRegistry];
  const source = viemSource({ client: client.chain, addresses, head: options.head ?? "latest" });
  return watchSource(source, client.deployment, options);
}

/**
 * As {@link watchMarket}, of any source.
 *
 * @throws {@link ForeignCursorError} | ReorgTooDeepError
 * @example
 * for await (const news of watchSource(source, deployment, { signal, pollMs: 100 })) apply(news)
 */
export async function* watchSource(
  source: ChainSource,
  deployment: Deployment,
  options: WatchOptions,
): AsyncGenerator<MarketNews, void> {
  const { signal, pollMs = 2000, depth = 256, onFailure = () => {} } = options;
  const how = { signal, pollMs, depth, onFailure, yieldIdle: true };
  let cursor = options.cursor ?? startWatch(deployment);
  requireSameMarket(cursor, deployment);
  let toldHead = false;

  // Once, but for reorgs of what was seen: the follower does not know of it and must go back.
  while (!signal.aborted) {
    const start = cursor.chain;
    for await (const step of follow(source, start, how)) {
      const isNew = step.status !== "idle";
      const found = cursor.seen === undefined || !isNew ? unseen(step) : beyond(cursor.seen, start, step);
      if (found?.reorg !== undefined) {
        cursor = { ...cursor, chain: found.reorg.chain, seen: undefined };
        const { ancestor, dropped } = found.reorg;
        yield { type: "reorg", ancestor, dropped, cursor };
        if (found.reorg.chain !== step.cursor) break;
      }
      for (const [i, log] of (found?.logs ?? []).entries()) {
        if (signal.aborted) return;
        const { blockNumber, blockHash, logIndex } = log;
        const isLast = i + 1 === found?.logs.length;
        if (!isLast) cursor = { ...cursor, seen: { blockNumber, blockHash, logIndex } };
        else cursor = { ...cursor, chain: step.cursor, seen: undefined };
        const event = decodeMarketLog(deployment, log);
        if (event === undefined) options.onBadLog?.(log);
        else yield { type: "event", event, cursor };
      }
      if (isNew && found !== undefined) cursor = { ...cursor, chain: step.cursor, seen: undefined };
      const isAtHead = step.cursor.next > (step.head ?? -1n);
      if (!isAtHead || (toldHead && !isNew) || signal.aborted) continue;
      toldHead = true;
      yield { type: "caughtUp", head: step.cursor.next - 1n, cursor };
    }
  }
}

/** What a step found: a reorg, with where to go on, or logs. */
type Found = {
  reorg?: { ancestor: bigint; dropped: readonly BlockRef[]; chain: Cursor };
  logs: readonly ChainLog[];
};

function unseen({ events, cursor: chain }: Step): Found {
  const reorg = events.find((event) => event.type === "reorg");
  const logs = events.flatMap((event) => (event.type === "log" ? [event.log] : []));
  return reorg === undefined ? { logs } : { reorg: { ...reorg, chain }, logs };
}

/**
 * What a step found beyond a log that was seen, after a restart from `start`, the blocks before it. If that log is not
 * there any more, everything above `start` is void. Undefined: the step does not reach that far, all of it was told.
 */
function beyond(seen: Seen, start: Cursor, step: Step): Found | undefined {
  const { reorg, logs } = unseen(step);
  if (reorg !== undefined && reorg.ancestor < start.next - 1n) return { reorg, logs };
  const at = logs.findIndex((log) => log.blockHash === seen.blockHash && log.logIndex === seen.logIndex);
  const isReached = step.cursor.next > seen.blockNumber;
  if (reorg !== undefined || (isReached && at === -1)) {
    return { reorg: { ancestor: start.next - 1n, dropped: [], chain: start }, logs: [] };
  }
  return isReached ? { logs: logs.slice(at + 1) } : undefined;
}
