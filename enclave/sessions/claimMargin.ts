/**
 * Room: enclave/sessions/claimMargin. How long before its deadline a session is claimed. Pure.
 */

/** Unix seconds of the newest block, and of the newest that counts as final. */
export type Times = { newest: bigint; final: bigint };

/** Least margin, in seconds. */
const leastSeconds = 300n;

/**
 * Seconds before a session's deadline from which on it is claimed: a claim that a reorganisation undoes must have time to
 * be mined again, and finality may take longer than it did.
 *
 * @example
 * if (newest + claimMargin({ newest, final }) >= session.order.deadline) claim()
 */
export function claimMargin({ newest, final }: Times): bigint {
  return newest > final ? leastSeconds + 2n * (newest - final) : leastSeconds;
}
