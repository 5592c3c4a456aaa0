/**
 * Room: enclave/sessions/usesLeft. How often grants that are limited in uses can still be used by jobs of one session.
 */
import { type Domain, hashGrant, type JobOrder, type SignedGrant } from "../../protocol/eip712.ts";
import type { At } from "../chain/call.ts";
import type { Reader } from "../chain/reader.ts";

/**
 * How many Ok jobs the market would take now.
 *
 * @param grants - those that it counts.
 * @returns `Number.MAX_SAFE_INTEGER` if none is limited.
 * @throws errors of the chain.
 * @example
 * const surplus = ok.slice(await usesLeft(ports, session, grants))
 */
export async function usesLeft(
  ports: { domain: Domain; reader: Pick<Reader, "grantUses">; newest(): Promise<At> },
  { order }: { order: JobOrder },
  grants: readonly SignedGrant[],
): Promise<number> {
  let left = Number.MAX_SAFE_INTEGER;
  for (const { grant } of grants) {
    if (grant.maxUses === 0n) continue;
    const grantHash = hashGrant(ports.domain, grant);
    const used = await ports.reader.grantUses(grantHash, await ports.newest());
    const perJob = BigInt(order.datasets.filter((use) => use.grantHash === grantHash).length);
    const jobs = used < grant.maxUses && perJob > 0n ? (grant.maxUses - used) / perJob : 0n;
    if (jobs < BigInt(left)) left = Number(jobs);
  }
  return left;
}
