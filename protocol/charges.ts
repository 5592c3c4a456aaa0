/**
 * Room: protocol/charges. What a job costs at most, and what it comes to: the sums that JobMarket does. Pure.
 * Amounts in base units of the order's token. Source: IJobMarket.open, settle; PriceUnit and Offer in MarketTypes.sol.
 */
import { type Grant, type JobOrder, type Offer, priceUnits } from "./eip712.ts";

/**
 * What opening a job escrows: the sum of the ceilings, and the operator's fee for each enclave.
 *
 * @example
 * const cost = costOf(order)
 */
export function costOf(order: Pick<JobOrder, "datasets" | "operatorFee" | "quorum">): bigint {
  return order.datasets.reduce((sum, use) => sum + use.maxPrice, BigInt(order.quorum) * order.operatorFee);
}

/**
 * What one use of a grant comes to. It must not be over the order's ceiling for it.
 *
 * @param sizeBytes - of the data set's ciphertext, as registered.
 * @param outputRows - as the receipt counts them.
 * @example
 * if (priceOf(grant, sizeBytes, rows) > use.maxPrice) fail("PriceTooHigh")
 */
export function priceOf(
  { price, priceUnit }: Pick<Grant, "price" | "priceUnit">,
  sizeBytes: number | bigint,
  outputRows: bigint,
): bigint {
  if (priceUnit === priceUnits.outputRow) return price * outputRows;
  return priceUnit === priceUnits.inputByte ? price * BigInt(sizeBytes) : price;
}

/**
 * What an operator is paid for an Ok job: its offer's prices up to the order's fee, or without an offer that fee.
 *
 * @param runSeconds - as the receipt counts them.
 * @example
 * const fee = operatorFeeOf(order, offer, receipt.runSeconds)
 */
export function operatorFeeOf(
  order: Pick<JobOrder, "operatorFee">,
  offer: Pick<Offer, "fee" | "pricePerSecond"> | undefined,
  runSeconds: number,
): bigint {
  if (offer === undefined) return order.operatorFee;
  const charge = offer.fee + offer.pricePerSecond * BigInt(runSeconds);
  return charge < order.operatorFee ? charge : order.operatorFee;
}

/**
 * Whether the market checks and counts a grant: bit i of a receipt's `countedGrants`.
 *
 * @example
 * if (isCounted(grant)) shown.push(signed)
 */
export function isCounted({ price, maxUses }: Pick<Grant, "price" | "maxUses">): boolean {
  return price > 0n || maxUses > 0n;
}

/**
 * The bits of `countedGrants` for an Ok receipt.
 *
 * @param grants - all of the job's, in the order's order.
 * @example
 * const countedGrants = countedGrantsOf(grants)
 */
export function countedGrantsOf(grants: readonly Pick<Grant, "price" | "maxUses">[]): number {
  return grants.reduce((bits, grant, i) => (isCounted(grant) ? bits | (1 << i) : bits), 0);
}

/**
 * Who is paid how much of a data set's price: shares are rounded down, the last payee gets the rest.
 *
 * @param payees - as registered; none: the owner is paid all.
 * @example
 * for (const { account, amount } of splitOf(1_000_000n, owner, payees)) console.log(account, amount)
 */
export function splitOf<A>(
  amount: bigint,
  owner: A,
  payees: readonly { account: A; shareBps: number }[],
): { account: A; amount: bigint }[] {
  if (payees.length === 0) return [{ account: owner, amount }];
  let left = amount;
  return payees.map(({ account, shareBps }, i) => {
    const share = i === payees.length - 1 ? left : (amount * BigInt(shareBps)) / 10_000n;
    left -= share;
    return { account, amount: share };
  });
}
