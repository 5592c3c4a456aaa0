/** Room: protocol/chain. Waiting that a stop cuts short. */

/**
 * Waits, or returns at once when the signal aborts.
 *
 * @example
 * await pause(1000, signal)
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
