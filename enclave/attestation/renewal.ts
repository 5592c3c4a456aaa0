/**
 * Room: enclave/attestation/renewal. When a registration is renewed. Pure.
 */

/** A registration is never left to its last hour: an outage of an hour must not end it. */
const marginSeconds = 3600;
/** A fleet that started together, or whose collateral ends together, must not move together. */
const spread = 0.2;
/** A renewal that adds less than this share of the longest life is not worth its gas. */
const leastGain = 0.1;

/**
 * When to renew: at about half of the life left, an hour before the end at the latest; where less than that is left,
 * after a quarter of it.
 *
 * @param now - Unix seconds of the newest block.
 * @param expiresAt - Unix seconds.
 * @param random - from 0 to below 1: what spreads a fleet.
 * @returns Unix seconds; `now` if it has expired.
 * @example
 * const due = renewAt(timestamp, registration.expiresAt, Math.random())
 */
export function renewAt(now: bigint, expiresAt: bigint, random: number): bigint {
  if (expiresAt <= now) return now;
  const life = Number(expiresAt - now);
  const wait = Math.max(life / 4, Math.min(life / 2, life - marginSeconds));
  return now + BigInt(Math.floor(wait * (1 - spread * random)));
}

/**
 * Whether a renewal is worth its gas now: after the end always, before it only if it prolongs the registration by a
 * tenth of the longest life.
 *
 * @param now - Unix seconds of the newest block.
 * @param expiresAt - Unix seconds, of the registration.
 * @param judgedUntil - Unix seconds: how long the chain's collateral judges the platform.
 * @param maxLifeSeconds - the registry's longest life.
 * @example
 * if (isWorthRenewing(timestamp, registration.expiresAt, collateralUntil, maxLifeSeconds)) await renew(ports)
 */
export function isWorthRenewing(now: bigint, expiresAt: bigint, judgedUntil: bigint, maxLifeSeconds: bigint): boolean {
  const life = Math.min(Number(judgedUntil - now), Number(maxLifeSeconds));
  if (life <= 0) return false;
  const left = Number(expiresAt - now);
  return left <= 0 || life - left >= Number(maxLifeSeconds) * leastGain;
}

/**
 * How long after a failure it is tried again, in ms: a minute, doubling up to an hour, spread as above.
 *
 * @param failures - in a row, from 1.
 * @example
 * const until = performance.now() + retryAfterMs(failures, Math.random())
 */
export function retryAfterMs(failures: number, random: number): number {
  const pause = Math.min(60_000 * 2 ** (failures - 1), 3_600_000);
  return pause * (1 - spread * random);
}
