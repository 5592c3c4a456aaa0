/**
 * Room: enclave/jobs/serves. Which orders this worker takes at all: by their terms alone, before anything is asked or run.
 * Pure. What it does not take it leaves to others; nothing is signed about it.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress, zeroHash } from "viem";
import type { JobOrder, Offer, SessionTerms } from "../../protocol/eip712.ts";
import { maxQuorum } from "../../protocol/limits.ts";
import { type Config, paysEnough } from "../config.ts";
import type { JobOrigin } from "./ports.ts";

/** Most leaves that are shown in one transaction, if one data set is paid for: each costs about 100,000 gas. */
const leavesOfOneDataset = 32;

/**
 * Most leaves that are shown in one transaction, which may cost 2^24 gas (EIP-7825): a data set has up to 16 payees, and
 * each is credited for each leaf.
 *
 * @param order - the session's template.
 * @example
 * const shown = leaves.slice(0, leavesPerTransaction(session.order))
 */
export function leavesPerTransaction({ datasets }: Pick<JobOrder, "datasets">): number {
  const paid = datasets.filter(({ maxPrice }) => maxPrice > 0n).length;
  return Math.floor(leavesOfOneDataset / Math.max(1, paid));
}

/** By what an order is judged. */
export type Service = {
  workloadId: Hex;
  operator: Address;
  minFees: Config["minFees"];
  /** Most that is staked on one job, by lowercase token. */
  maxBonds: Config["maxBonds"];
  /** Least that a dispute of a session's leaf must stake, by lowercase token. */
  minDisputeBonds: Config["minDisputeBonds"];
  /** The operator's offer with its EIP-712 hash. */
  offer: { hash: Hex; offer: Offer } | undefined;
};

/**
 * Why an order is not taken.
 *
 * @param origin - of the job: orders that were not opened on chain cannot have what takes several transactions.
 * @returns undefined: it is taken. Safe to show.
 * @example
 * if (whyNotServed(service, order, "opening") === undefined) run(job)
 */
export function whyNotServed(service: Service, order: JobOrder, origin: JobOrigin["by"]): string | undefined {
  if (order.workloadId !== service.workloadId) return "it is for another workload";
  if (!isAddressEqual(order.operator, zeroAddress) && !isAddressEqual(order.operator, service.operator)) {
    return "it is for another operator";
  }
  if (!paysEnough(service.minFees, order)) return "its operator fee is below what this worker takes";
  if ((order.session !== zeroHash) !== (origin === "session")) return "it belongs to a session, or ought to";
  if (order.quorum < 1 || order.quorum > maxQuorum) return "there is no such quorum";
  return whyNotAccepted(service, order, origin) ?? whyNotByOffer(service, order);
}

/**
 * Why jobs of a session are not run: its claim would not be sure, or to dispute one would cost too little.
 *
 * @param order - the session's template.
 * @returns undefined: they are. Safe to show.
 * @example
 * if (whyNoSession(service, session) === undefined) keep(signed)
 */
export function whyNoSession(
  service: Service,
  { order, terms }: { order: JobOrder; terms: SessionTerms },
): string | undefined {
  // Whoever claims first claims alone.
  if (isAddressEqual(order.operator, zeroAddress))
    return "its session names no operator: another's enclave may claim it";
  const least = leastDisputeBond(service, order);
  if (terms.disputeBond < least) return `its session's dispute bond is below ${least}`;
  const seconds = leastChallengeSeconds(order, terms.maxJobs);
  return terms.challengeSeconds < seconds
    ? `its session's time for disputes is below ${seconds} seconds, too short to show all leaves in`
    : undefined;
}

/** Showing a leaf costs a transaction: unless the operator says better, what pays for a job must pay for that. */
function leastDisputeBond({ minDisputeBonds }: Service, { token, operatorFee }: JobOrder): bigint {
  return minDisputeBonds[token.toLowerCase()] ?? operatorFee;
}

/** All leaves may be disputed in the last second, and are shown {@link leavesPerTransaction} at a time. */
function leastChallengeSeconds(order: JobOrder, maxJobs: number): number {
  return 300 + 30 * Math.ceil(maxJobs / leavesPerTransaction(order));
}

function whyNotAccepted(service: Service, order: JobOrder, origin: JobOrigin["by"]): string | undefined {
  const { acceptBy, bond, quorum } = order;
  if (origin !== "opening" && (quorum !== 1 || acceptBy !== 0n)) return "it must be opened on chain first";
  if (acceptBy === 0n) return bond === 0n ? undefined : "it has a bond, and nothing to accept";
  if (quorum !== 1) return "it must be accepted by one enclave, and has a quorum";
  return bond > (service.maxBonds[order.token.toLowerCase()] ?? 0n)
    ? "its bond is higher than this worker stakes"
    : undefined;
}

function whyNotByOffer({ offer: ours }: Service, order: JobOrder): string | undefined {
  if (order.offerHash === zeroHash) return undefined;
  if (ours === undefined || order.offerHash !== ours.hash) return "it names another offer than this worker's";
  if (!isAddressEqual(order.token, ours.offer.token)) return "it is in another token than the offer";
  return order.deadline > ours.offer.validUntil ? "its deadline is after the offer ends" : undefined;
}
