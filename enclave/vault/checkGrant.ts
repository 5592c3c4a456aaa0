/**
 * Room: enclave/vault/checkGrant. Whether a grant consents to one use of a data set by one job. Pure: what it needs of
 * the chain is given to it. What the use costs is for meter.ts. The contract checks the same again when the job settles.
 */
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { type DatasetUse, type Grant, type JobOrder, priceUnits } from "../../protocol/eip712.ts";
import { isWithinBudget, type Policy } from "../../protocol/policy.ts";

/** Why a grant does not consent; undefined: it does. Safe to show: it names fields, never their data. */
export type GrantRefusal =
  | "other data set"
  | "other program"
  | "other workload"
  | "other requester"
  | "other operator"
  | "other token"
  | "unknown price unit"
  | "not yet in force"
  | "expired"
  | "revoked with all grants of its epoch"
  | "revoked with all grants of its owner's epoch"
  | "revoked by nonce, or with its data set"
  | "used up";

/** What the chain says at the anchor block. */
export type ConsentState = {
  /** Consent epoch of the data set. */
  epoch: number;
  /** Consent epoch of its owner. */
  ownerEpoch: number;
  /** By the grant's nonce, or because the data set is retired. */
  revoked: boolean;
  /** Settled jobs that used the grant. */
  uses: bigint;
  /** Unix seconds of the anchor block. */
  timestamp: bigint;
};

/**
 * Compares a grant with the order, the data set's use in it, and the chain.
 *
 * @param operator - who runs this enclave.
 * @returns the first reason to refuse, or undefined.
 * @example
 * const refusal = checkGrant(order, use, grant, operator, state)
 */
export function checkGrant(
  order: JobOrder,
  use: DatasetUse,
  grant: Grant,
  operator: Address,
  state: ConsentState,
): GrantRefusal | undefined {
  if (grant.datasetId !== use.datasetId) return "other data set";
  if (grant.programId !== order.programId) return "other program";
  if (grant.workloadId !== order.workloadId) return "other workload";
  if (!allows(grant.requester, order.requester)) return "other requester";
  if (!allows(grant.operator, operator)) return "other operator";
  if (!isAddressEqual(grant.token, order.token)) return "other token";
  if (!Object.values<number>(priceUnits).includes(grant.priceUnit)) return "unknown price unit";
  if (state.timestamp < grant.notBefore) return "not yet in force";
  if (state.timestamp > grant.notAfter) return "expired";
  if (grant.epoch !== state.epoch) return "revoked with all grants of its epoch";
  if (grant.ownerEpoch !== state.ownerEpoch) return "revoked with all grants of its owner's epoch";
  if (state.revoked) return "revoked by nonce, or with its data set";
  if (grant.maxUses !== 0n && state.uses >= grant.maxUses) return "used up";
  return undefined;
}

/**
 * Whether a grant is limited to as few uses as the policy of its program allows. Those that are used up are for
 * {@link checkGrant}; this is about what was signed, and comes out the same in every enclave.
 *
 * @returns why not, or undefined.
 * @example
 * if (checkBudget(manifest.output.policy, grant) !== undefined) fail("BudgetExceeded")
 */
export function checkBudget(
  policy: Policy | undefined,
  { maxUses }: Pick<Grant, "maxUses">,
): "more uses than the policy allows" | undefined {
  return isWithinBudget(policy, maxUses) ? undefined : "more uses than the policy allows";
}

/** Zero stands for anyone. */
function allows(named: Address, actual: Address): boolean {
  return isAddressEqual(named, zeroAddress) || isAddressEqual(named, actual);
}
