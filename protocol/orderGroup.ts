/**
 * Room: protocol/orderGroup. Orders that share their terms: what a group and each of its items say together. Pure.
 * Mirrors `OrderGroup` and `OrderItem` in MarketTypes.sol.
 */
import { type Hex, zeroHash } from "viem";
import type { JobOrder, ShownGrant, SignedOffer } from "./eip712.ts";
import type { Outcome } from "./outcome.ts";

/** What sets an order apart from the others of its group or session. */
export type OrderTerms = Pick<JobOrder, "paramsHash" | "deadline" | "nonce">;

/** One order of a group. Field by field: `OrderItem` in MarketTypes.sol. */
export type OrderItem = OrderTerms & {
  requesterSignature: Hex;
  payerSignature: Hex;
  outcome: Outcome;
  receiptSignature: Hex;
};

/** Orders to be settled together. Field by field: `OrderGroup` in MarketTypes.sol. */
export type OrderGroup = {
  order: JobOrder;
  grants: readonly ShownGrant[];
  /** At most one. */
  offer: readonly SignedOffer[];
  items: readonly OrderItem[];
};

/**
 * What an order has in common with others of its group.
 *
 * @example
 * const group = { order: commonOrder(order), grants, offer: [], items: [item] }
 */
export function commonOrder(order: JobOrder): JobOrder {
  return { ...order, paramsHash: zeroHash, deadline: 0n, nonce: 0n };
}
