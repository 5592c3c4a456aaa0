/**
 * Room: enclave/jobs/serves. Which orders this worker takes at all: by their terms alone, before anything is asked or run.
 * Pure. What it does not take it leaves to others; nothing is signed about it.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress, zeroHash } from "viem";
import type { JobOrder, Offer } from "../../protocol/eip712.ts";
import { maxQuorum } from "../../protocol/limits.ts";
import { type Config, paysEnough } from "../config.ts";

/** By what an order is judged. */
export type Service = {
  workloadId: Hex;
  operator: Address;
  minFees: Config["minFees"];
  /** Most that is staked on one job, by lowercase token. */
  maxBonds: Config["maxBonds"];
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
export function whyNotServed(service: Service, order: JobOrder, origin: "opening" | "signature"): string | undefined {
  if (order.workloadId !== service.workloadId) return "it is for another workload";
  if (!isAddressEqual(order.operator, zeroAddress) && !isAddressEqual(order.operator, service.operator)) {
    return "it is for another operator";
  }
  if (!paysEnough(service.minFees, order)) return "its operator fee is below what this worker takes";
  if (order.session !== zeroHash) return "it belongs to a session, and this worker runs none";
  if (order.quorum < 1 || order.quorum > maxQuorum) return "there is no such quorum";
  return whyNotAccepted(service, order, origin) ?? whyNotByOffer(service, order);
}

function whyNotAccepted(service: Service, order: JobOrder, origin: "opening" | "signature"): string | undefined {
  const { acceptBy, bond, quorum } = order;
  if (origin === "signature" && (quorum !== 1 || acceptBy !== 0n)) return "it must be opened on chain first";
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
