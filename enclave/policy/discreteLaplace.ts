/**
 * Room: enclave/policy. Exact samples of the discrete Laplace distribution (the two-sided geometric one) with integers
 * only: rounded floating-point noise can be told from the low bits of what it is added to. Pure.
 * Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithms 1 and 2.
 */
import type { RandomInts } from "./randomInts.ts";

/** A positive fraction; need not be in lowest terms. */
export type Scale = { numerator: bigint; denominator: bigint };

/**
 * One sample: x with a probability proportional to exp(-|x| / scale).
 *
 * @param scale - sensitivity / epsilon.
 * @example
 * const noise = discreteLaplace(random, { numerator: 3n, denominator: 1n })
 */
export function discreteLaplace(random: RandomInts, { numerator, denominator }: Scale): bigint {
  for (;;) {
    // A geometric sample of ratio exp(-1 / numerator), in two digits of base `numerator`...
    const low = random.below(numerator);
    if (!isExpOf(random, low, numerator)) continue;
    let high = 0n;
    while (isExpOf(random, 1n, 1n)) high++;
    // ...and of ratio exp(-denominator / numerator).
    const size = (low + numerator * high) / denominator;
    const negative = random.below(2n) === 1n;
    if (negative && size === 0n) continue; // or 0 would come twice as often
    return negative ? -size : size;
  }
}

/** True with probability exp(-a / b), for 0 <= a <= b: by von Neumann's series, over coins of probability a / (b k). */
function isExpOf(random: RandomInts, a: bigint, b: bigint): boolean {
  let k = 1n;
  while (random.below(b * k) < a) k++;
  return k % 2n === 1n;
}
