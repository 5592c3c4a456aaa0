/**
 * Room: sdk/payees. How a data set's payments are shared, checked before anything is uploaded or sent. Pure.
 * Mirrors `register` of `contracts/market/DatasetRegistry.sol`.
 */
import { type Address, isAddress, zeroAddress } from "viem";
import { BaseError } from "../protocol/errors.ts";

/** Most payees of a data set. Source: `MAX_PAYEES` in DatasetRegistry.sol. */
export const maxPayees = 16;
/** What all shares make, in basis points. */
export const allBps = 10_000;

/**
 * Checks that payees can be registered: none, or up to 16 distinct accounts whose shares make 10,000 basis points.
 *
 * @throws {@link BadPayeesError}
 * @example
 * requirePayees([{ account: alice, shareBps: 7_500 }, { account: bob, shareBps: 2_500 }])
 */
export function requirePayees(payees: readonly { account: Address; shareBps: number }[]): void {
  if (payees.length === 0) return;
  if (payees.length > maxPayees) throw new BadPayeesError(`there are ${payees.length}, limit ${maxPayees}`);
  const seen = new Set<string>();
  let total = 0;
  for (const { account, shareBps } of payees) {
    const key = account.toLowerCase();
    if (!isAddress(account) || key === zeroAddress) throw new BadPayeesError(`${account.slice(0, 60)} is no account`);
    if (seen.has(key)) throw new BadPayeesError(`${account} is named twice`);
    if (!Number.isInteger(shareBps) || shareBps < 1 || shareBps > allBps)
      throw new BadPayeesError(`${account} cannot have ${shareBps} basis points`);
    seen.add(key);
    total += shareBps;
  }
  if (total !== allBps) throw new BadPayeesError(`their shares make ${total} basis points, not ${allBps}`);
}

/** Payments cannot be shared like this. */
export class BadPayeesError extends BaseError {
  override readonly name = "Payees.BadPayeesError";
  constructor(fact: string) {
    super(`The payees cannot be registered: ${fact}.`, {
      hint: "Name up to 16 accounts, each once, whose shares make 10,000 basis points; or none, then the owner is paid.",
    });
  }
}
