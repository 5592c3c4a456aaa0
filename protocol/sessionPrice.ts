/** Room: protocol/sessionPrice. Which grants a session's jobs can use. Pure. Source: Sessions._useGrants. */
import { isCounted } from "./charges.ts";
import { type DatasetUse, type Grant, priceUnits } from "./eip712.ts";

/**
 * Whether the market takes a grant at a session's claim: its price is flat, and just what the template names.
 *
 * @example
 * if (!isSessionPrice(grant, use)) throw new MeteredGrantError(use.grantHash)
 */
export function isSessionPrice(
  grant: Pick<Grant, "price" | "priceUnit" | "maxUses">,
  use: Pick<DatasetUse, "maxPrice">,
): boolean {
  return (!isCounted(grant) || grant.priceUnit === priceUnits.use) && grant.price === use.maxPrice;
}
