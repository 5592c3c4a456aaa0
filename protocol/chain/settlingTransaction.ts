/**
 * Room: protocol/chain. What a transaction settled a job with. The market's events carry hashes only; outcome, signature and,
 * of an order that was never opened, the order itself are in calldata. Pure.
 * Limit: only calls of the market itself, and of its multicall, are looked through: not those that a contract made.
 */
import { type ContractFunctionArgs, decodeFunctionData, type Hex } from "viem";
import { jobMarketAbi } from "../abi.ts";
import { type Domain, hashOrder, type JobOrder, type Receipt, type ShownGrant, type SignedOffer } from "../eip712.ts";
import { receiptOf } from "../outcome.ts";

/** Most calls of a multicall that are looked through. */
const maxCalls = 1024;

/** How a job was settled. `receipt` and `signature` are as sent: whose they are is for the caller to find out. */
export type Settlement = {
  order: JobOrder;
  receipt: Receipt;
  signature: Hex;
  /** One for each grant that the receipt counts. */
  grants: readonly ShownGrant[];
  /** The order's offer, if it names one. */
  offer: readonly SignedOffer[];
  /** The receipts of all orders that are paid for together, this one's too: they are the first one's, by its job id. */
  together: readonly Receipt[];
};

type Group = ContractFunctionArgs<typeof jobMarketAbi, "nonpayable", "settleOrders">[0][number];

/**
 * The settlement of a job in a transaction.
 *
 * @param input - calldata of a transaction to the market, as a node tells them. The caller compares the receipt's hash with
 * that of the market's event.
 * @param domain - of the JobMarket.
 * @returns undefined if there is none, or if the calldata are not of the market's.
 * @example
 * const settlement = settlementIn(transaction.input, domain, jobId)
 * if (settlement === undefined || hashReceipt(domain, settlement.receipt) !== event.args.receiptHash) return "elsewhere"
 */
export function settlementIn(input: Hex, domain: Domain, jobId: Hex): Settlement | undefined {
  for (const call of callsOf(input)) {
    const settlement = inCall(call, domain, jobId);
    if (settlement !== undefined) return settlement;
  }
  return undefined;
}

function callsOf(input: Hex): readonly Hex[] {
  const decoded = decode(input);
  return decoded?.functionName === "multicall" ? decoded.args[0].slice(0, maxCalls) : [input];
}

function inCall(data: Hex, domain: Domain, jobId: Hex): Settlement | undefined {
  const call = decode(data);
  if (call?.functionName === "settle") {
    const [, order, outcome, signature, grants, offer] = call.args;
    if (hashOrder(domain, order) !== jobId) return undefined;
    const receipt = receiptOf(jobId, order, outcome);
    return { order, receipt, signature, grants, offer, together: [receipt] };
  }
  if (call?.functionName !== "settleOrders") return undefined;
  for (const group of call.args[0]) {
    const settlement = inGroup(group, domain, jobId);
    if (settlement !== undefined) return settlement;
  }
  return undefined;
}

function inGroup({ order: common, items, grants, offer }: Group, domain: Domain, jobId: Hex): Settlement | undefined {
  const all = items.map(({ paramsHash, deadline, nonce, outcome, receiptSignature: signature }) => {
    const order = { ...common, paramsHash, deadline, nonce };
    return { order, receipt: receiptOf(hashOrder(domain, order), order, outcome), signature };
  });
  const one = all.find(({ receipt }) => receipt.jobId === jobId);
  return one === undefined ? undefined : { ...one, grants, offer, together: all.map(({ receipt }) => receipt) };
}

function decode(data: Hex) {
  try {
    return decodeFunctionData({ abi: jobMarketAbi, data });
  } catch {
    return undefined; // viem throws for everything malformed
  }
}
