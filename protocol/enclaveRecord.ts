/**
 * Room: protocol/enclaveRecord. Names for the numbers in the registry's records and events. Pure.
 * Mirrors `contracts/interfaces/TcbTypes.sol` and `IEnclaveRegistry.sol`.
 */
import { encodeAbiParameters, type Hex, keccak256, slice } from "viem";
import { tcbStatuses } from "./collateral/tcbStatus.ts";
import { hashTcbEvidence, type TcbEvidence } from "./quote/platformRecord.ts";

/** Values of `TcbStatus`, by number. */
export const recordedStatuses = ["Unsupported", ...tcbStatuses] as const;
/** Name of a recorded status. */
export type RecordedStatus = (typeof recordedStatuses)[number];

/** Values of `EnclaveState`, by number. */
export const enclaveStates = ["None", "Active", "Expired", "Demoted", "Retired"] as const;
/** Name of a registration's state. */
export type EnclaveState = (typeof enclaveStates)[number];

/** Values of `DemotionReason`, by number. */
export const demotionReasons = ["Expired", "TcbStatus", "CertificateRevoked"] as const;

/**
 * Names of the statuses that a policy allows.
 *
 * @param allowedTcb - bit n stands for status n.
 * @example
 * allowedStatuses(0b110) // ["UpToDate", "SWHardeningNeeded"]
 */
export function allowedStatuses(allowedTcb: number): RecordedStatus[] {
  return recordedStatuses.filter((_, number) => ((allowedTcb >> number) & 1) === 1);
}

/**
 * What the registry keeps of a registration's vault key and TCB evidence: `Enclave.evidenceHash`, 16 bytes.
 *
 * @param tcb - what collateral judged last, or its hash; from EnclaveRegistered, or the last EnclaveRenewed.
 * @example
 * if (evidenceHashOf(vaultKey, registered.tcb) !== record.evidenceHash) throw new ForgedEnclaveError(signingKey)
 */
export function evidenceHashOf(vaultKey: Hex, tcb: TcbEvidence | Hex): Hex {
  const hashes = [keccak256(vaultKey), typeof tcb === "string" ? tcb : hashTcbEvidence(tcb)] as const;
  return slice(keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "bytes32" }], hashes)), 0, 16);
}
