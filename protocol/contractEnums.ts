/**
 * Room: protocol/contractEnums. Members of the contracts' enums by name, as their errors carry them by number. Pure.
 * Mirrors the enums of `contracts/interfaces/`.
 */
import { authorityRoles, collateralKinds } from "./collateral/chainState.ts";
import { failureCodes, jobStates } from "./eip712.ts";
import { demotionReasons, enclaveStates, recordedStatuses } from "./enclaveRecord.ts";

const members: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["enum AuthorityRole", authorityRoles],
  ["enum CollateralKind", collateralKinds],
  ["enum DemotionReason", demotionReasons],
  ["enum EnclaveState", enclaveStates],
  ["enum FailureCode", failureCodes],
  ["enum JobState", jobStates],
  ["enum TcbStatus", recordedStatuses],
]);

/**
 * An argument of a contract's error, in words.
 *
 * @param internalType - as the ABI has it, e.g. "enum TcbStatus".
 * @returns the member's name; of any other type the value as text.
 * @example
 * wordFor("enum CollateralKind", 2) // "QeIdentity"
 */
export function wordFor(internalType: string | undefined, value: unknown): string {
  return members.get(internalType ?? "")?.[Number(value)] ?? String(value);
}
