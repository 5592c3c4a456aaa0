/**
 * Room: protocol/contractEnums. Members of the contracts' enums by name, as their errors carry them by number. Pure.
 * Mirrors the enums of `contracts/interfaces/`.
 */
import { authorityRoles, collateralKinds } from "./collateral/chainState.ts";
import { failureCodes, jobStates, sessionStates } from "./eip712.ts";
import { demotionReasons, enclaveStates, recordedStatuses } from "./enclaveRecord.ts";

const members: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["enum AuthorityRole", authorityRoles],
  ["enum CollateralKind", collateralKinds],
  ["enum DemotionReason", demotionReasons],
  ["enum EnclaveState", enclaveStates],
  ["enum FailureCode", failureCodes],
  ["enum JobState", jobStates],
  ["enum SessionState", sessionStates],
  ["enum TcbStatus", recordedStatuses],
]);

/** What an error carries as a plain number although it is a member of an enum; by `Error.argument`. */
const plainNumbers: ReadonlyMap<string, string> = new Map([["Sessions_WrongState.state", "enum SessionState"]]);

/**
 * An argument of a contract's error, in words.
 *
 * @param internalType - as the ABI has it, e.g. "enum TcbStatus".
 * @param of - the error and the argument's name.
 * @returns the member's name; of any other type the value as text.
 * @example
 * wordFor("enum CollateralKind", 2) // "QeIdentity"
 * wordFor("uint8", 1, "Sessions_WrongState.state") // "Open"
 */
export function wordFor(internalType: string | undefined, value: unknown, of = ""): string {
  return members.get(plainNumbers.get(of) ?? internalType ?? "")?.[Number(value)] ?? String(value);
}
