/**
 * Room: enclave/jobs/orderGroups. Receipts of signed orders as one call of the market: orders that share their terms and
 * their grants are a group, whose terms, grants and payments are sent and made once. Pure.
 */
import { encodeFunctionData, type Hex, zeroHash } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type SignedOffer, shownGrantOf } from "../../protocol/eip712.ts";
import { commonOrder, type OrderGroup, type OrderItem } from "../../protocol/orderGroup.ts";
import { outcomeOf } from "../../protocol/outcome.ts";
import { orderToJson } from "../../protocol/receiptJson.ts";
import type { JobOrigin, RunnableJob, Settleable } from "./ports.ts";

/** A job that came as a signed order, and what is to be brought to the market about it. */
export type SignedWork = {
  job: RunnableJob & { origin: Exclude<JobOrigin, { by: "opening" }> };
  outcome: Settleable;
};

/**
 * The call that settles orders, in as few groups as they make.
 *
 * @param offer - the operator's, for orders that name it.
 * @example
 * await sender.send({ to: market, data: settleOrdersCall(works, config.offer) }, isDone)
 */
export function settleOrdersCall(works: readonly SignedWork[], offer: SignedOffer | undefined): Hex {
  const groups = [...grouped(works).values()].map((group) => groupOf(group, offer));
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "settleOrders", args: [groups] });
}

/**
 * The most gas that an order takes beside others. Not of contracts that are asked for their word: those spend what they
 * like.
 *
 * @param joins - whether an order of its terms is among the others.
 * @example
 * const gas = mostGasOf(work, terms.has(termsOf(work)))
 */
export function mostGasOf({ outcome }: SignedWork, joins: boolean): number {
  const { order, group, grant } = mostGas;
  return joins ? order : order + group + outcome.grants.length * grant;
}

/**
 * The group that an order belongs to. What its grants say is in it by their hashes; how they are signed may differ.
 *
 * @example
 * const isOneGroup = termsOf(one) === termsOf(other)
 */
export function termsOf({ job, outcome }: SignedWork): string {
  return JSON.stringify([orderToJson(commonOrder(job.order)), outcome.grants.map(({ signature }) => signature)]);
}

/**
 * Gas. Of an order: signatures of keys, a word of nonces that is new, calldata, an event. Of a grant: all of its 16 payees may
 * be new to the market.
 */
const mostGas = { order: 80_000, group: 60_000, grant: 420_000 } as const;

type Group = [SignedWork, ...SignedWork[]];

function grouped(works: readonly SignedWork[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const work of works) {
    const key = termsOf(work);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [work]);
    else group.push(work);
  }
  return groups;
}

function groupOf(works: Group, offer: SignedOffer | undefined): OrderGroup {
  const [{ job, outcome }] = works;
  return {
    order: commonOrder(job.order),
    grants: outcome.grants.map(shownGrantOf),
    offer: job.order.offerHash === zeroHash || offer === undefined ? [] : [offer],
    items: works.map(itemOf),
  };
}

function itemOf({ job, outcome }: SignedWork): OrderItem {
  const { paramsHash, deadline, nonce } = job.order;
  const { requesterSignature, payerSignature } = job.origin;
  const { receipt, signature: receiptSignature } = outcome;
  const signatures = { requesterSignature, payerSignature, receiptSignature };
  return { paramsHash, deadline, nonce, ...signatures, outcome: outcomeOf(receipt) };
}
