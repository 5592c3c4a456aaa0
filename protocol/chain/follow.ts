/**
 * Room: protocol/chain. Steps along a chain until told to stop; waits when there is nothing new or the provider fails.
 */
import { BaseError } from "../errors.ts";
import type { ChainSource } from "./chainSource.ts";
import type { Cursor } from "./cursor.ts";
import { type Step, type StepOptions, step } from "./followChain.ts";
import { pause } from "./pause.ts";

/** How to follow. */
export type FollowOptions = StepOptions & {
  signal: AbortSignal;
  /** Wait at the head before asking again. */
  pollMs: number;
  /** First wait after a failure; doubles with each failure in a row. 500 unless told. */
  backoffMs?: number;
  /** Longest wait after a failure; 30,000 unless told. */
  maxBackoffMs?: number;
  /** Told of each failure that is retried. */
  onFailure?: (error: unknown) => void;
  /** Also yield steps that found nothing new: for who must know that there is nothing new. */
  yieldIdle?: boolean;
};

/**
 * Yields every step that has something to commit. The next one is taken from its cursor when the consumer comes back:
 * commit first. Ends when the signal aborts.
 *
 * @throws {@link ReorgTooDeepError}, and whatever the source throws that no retry can cure.
 * @example
 * for await (const { cursor, events } of follow(source, store.loadCursor() ?? startCursor(0n), { signal, pollMs: 2000 }))
 *   store.applyStep(cursor, decodeMarketEvents(deployment, events).events)
 */
export async function* follow(source: ChainSource, start: Cursor, options: FollowOptions): AsyncGenerator<Step, void> {
  const { signal, pollMs, backoffMs = 500, maxBackoffMs = 30_000 } = options;
  let cursor = start;
  let failures = 0;

  while (!signal.aborted) {
    let taken: Step | undefined;
    try {
      taken = await step(source, cursor, options);
    } catch (error) {
      if (!(error instanceof BaseError) || !error.retryable) throw error;
      options.onFailure?.(error);
    }
    if (signal.aborted) return;
    if (taken?.status === "refused") options.onFailure?.(taken.refusal);
    if (taken === undefined || taken.status === "refused") {
      cursor = taken?.cursor ?? cursor;
      await pause(Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(failures++, 20)), signal);
      continue;
    }
    failures = 0;
    if (taken.status !== "idle" || options.yieldIdle) yield taken;
    cursor = taken.cursor;
    if (taken.status === "idle" || cursor.next > (taken.head ?? -1n)) await pause(pollMs, signal);
  }
}
