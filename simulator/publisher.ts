/**
 * Room: simulator/publisher. What a simulated Intel has published last: re-issued every day, as the real one does, and
 * with other contents when a test says so.
 */
import type { Collateral } from "../protocol/collateral/collateral.ts";
import type { CollateralOptions } from "./collateral.ts";
import type { Platform } from "./platform.ts";

/** Publishes collateral. */
export type Publisher = {
  /** What is published now: issued at the last midnight (UTC) that is an hour ago, or later by {@link publish}. */
  current(): Collateral;
  /**
   * Publishes other contents from now on, in place of all said before: a TCB recovery, a revocation. `publish({})` takes
   * everything back.
   *
   * @param options - `now` is a minute ago by default, and later than what was published before; it may be given.
   */
  publish(options: Partial<CollateralOptions>): Collateral;
};

const daySeconds = 86_400;
const hourSeconds = 3600;
// A chain's newest block is a little behind the clock, and must not find this issued in the future.
const minuteSeconds = 60;

/**
 * A publisher for a platform.
 *
 * @param clock - Unix seconds.
 * @example
 * const { current, publish } = createPublisher(platform, () => Math.floor(Date.now() / 1000));
 * publish({ statuses: { platform: "OutOfDate" }, tcbInfo: { tcbEvaluationDataNumber: 21 } });
 */
export function createPublisher(platform: Platform, clock: () => number): Publisher {
  /** The last midnight that is an hour ago. */
  const midnight = () => Math.floor((clock() - hourSeconds) / daySeconds) * daySeconds;
  let last = issue({}, midnight());

  function issue(said: Partial<CollateralOptions>, at: number) {
    return { said, at, day: midnight(), collateral: platform.collateral({ ...said, now: at }) };
  }

  function current(): Collateral {
    if (midnight() > last.day) last = issue(last.said, Math.max(midnight(), last.at));
    return last.collateral;
  }

  return {
    current,
    publish(options) {
      current();
      last = issue(options, options.now ?? Math.max(clock() - minuteSeconds, last.at + 1));
      return last.collateral;
    },
  };
}
