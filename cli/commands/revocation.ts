/** Room: cli/commands/revocation. What is revoked, as a person says it: of one data set, of one nonce, or all. */
import type { Hex } from "viem";
import type { Revocation } from "../../sdk/councils.ts";
import { UsageError } from "../failure.ts";

/**
 * The one thing that was named.
 *
 * @throws {@link UsageError} if none or several were.
 * @example
 * requireOne(undefined, { all: true }) // "all"
 */
export function requireOne(datasetId: Hex | undefined, { all, nonce }: { all?: boolean; nonce?: bigint }): Revocation {
  const named: Revocation[] = [];
  if (datasetId !== undefined) named.push({ datasetId });
  if (nonce !== undefined) named.push({ nonce });
  if (all) named.push("all");
  const [one, ...more] = named;
  if (one !== undefined && more.length === 0) return one;
  throw new UsageError("It is not clear what to revoke.", {
    hint: "Give the id of a data set, or --all, or --nonce N.",
  });
}

/**
 * Reads a grant's nonce.
 *
 * @throws {@link UsageError}
 * @example
 * new Option("--nonce <n>").argParser(grantNonce)
 */
export function grantNonce(text: string): bigint {
  if (/^[0-9]{1,78}$/.test(text) && BigInt(text) < 2n ** 256n) return BigInt(text);
  throw new UsageError("--nonce: it is not a whole number below 2^256.", { hint: "`dcm grant list --json` shows it." });
}
