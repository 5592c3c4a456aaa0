/**
 * Room: enclave/running. How work is run here: loops together, tries again. Knows no other room.
 */
import { pause } from "../protocol/chain/pause.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Logger } from "./log/logger.ts";

/** Runs loops until the signal aborts or one of them fails: then the others end too. */
export async function together(
  signal: AbortSignal,
  ...loops: ((stopped: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  const ends = loops.map((loop) => loop(stopped).finally(() => failed.abort()));
  await Promise.allSettled(ends);
  await Promise.all(ends);
}

/** Tries again, ever more slowly, what may succeed without anything being changed here. */
export async function retrying<T>(
  log: Logger,
  signal: AbortSignal,
  what: string,
  work: () => Promise<T>,
  waits: (error: BaseError) => void = () => {},
): Promise<T> {
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof BaseError && error.retryable && !signal.aborted;
      if (!again) throw error;
      log.warn(what, { error, hint: error.hint });
      waits(error);
      await pause(pauseMs, signal);
    }
  }
}
