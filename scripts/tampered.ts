/**
 * What finds out that a bundle was changed.
 */
import { BaseError } from "../protocol/errors.ts";
import { toJcsBytes } from "../protocol/jcs.ts";
import type { AuditLine } from "../sdk/audit/line.ts";
import { judgeBundle } from "../sdk/bundle/auditBundle.ts";
import { readBundle } from "../sdk/bundle/readBundle.ts";
import type { Json } from "./tamperings.ts";

/**
 * Audits a changed bundle.
 *
 * @param honest - the lines of the bundle as it was made.
 * @returns the error by which it is refused, or the ids of the lines that were verified and no longer are; undefined: nothing.
 * @throws whatever is thrown that is no typed error.
 * @example
 * const by = await foundBy(changed, honest) // "Bundle.BadBundleError", or "code.program receipt.policy"
 */
export async function foundBy(changed: Json, honest: readonly AuditLine[]): Promise<string | undefined> {
  try {
    const { lines } = await judgeBundle(readBundle(toJcsBytes(changed)));
    const verdicts = new Map(lines.map(({ id, verdict }) => [id, verdict]));
    const lost = honest.filter(({ id, verdict }) => verdict === "verified" && verdicts.get(id) !== "verified");
    return lost.length === 0 ? undefined : lost.map(({ id }) => id).join(" ");
  } catch (error) {
    if (error instanceof BaseError) return error.name;
    throw error;
  }
}

/**
 * Numbers that are the same in every run. Source: mulberry32.
 *
 * @example
 * const random = seededRandom(7)
 */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
