/**
 * Room: enclave/vault/checkAppointment. Whether an appointment lets its sealer sign keys sealed under a grant. Pure: what
 * it needs of the chain is given to it. Who signed the appointment is for grantBook.ts.
 */
import type { Grant } from "../../protocol/eip712.ts";
import type { SealerAppointment } from "../../protocol/sealerAppointment.ts";

/** Why an appointment does not hold; undefined: it does. Safe to show. */
export type AppointmentRefusal =
  | "is for another data set"
  | "has ended with its data set's epoch"
  | "has ended with its owner's epoch"
  | "has expired";

/** What the chain says of a data set. */
export type OwnerState = {
  /** Consent epoch of the data set. */
  epoch: number;
  /** Consent epoch of its owner. */
  ownerEpoch: number;
};

/**
 * Compares an appointment with the grant that a key is sealed under, and with the chain.
 *
 * @param now - Unix seconds of the newest block.
 * @returns the first reason to refuse, or undefined.
 * @example
 * const refusal = checkAppointment(appointment, pkg.grant, consent, await reader.timestamp())
 */
export function checkAppointment(
  appointment: SealerAppointment,
  grant: Grant,
  state: OwnerState,
  now: bigint,
): AppointmentRefusal | undefined {
  if (appointment.datasetId !== grant.datasetId) return "is for another data set";
  // The grant's own epochs too: a key that waits under a grant of a later epoch would outlive the appointment.
  if (appointment.epoch !== state.epoch || appointment.epoch !== grant.epoch)
    return "has ended with its data set's epoch";
  if (appointment.ownerEpoch !== state.ownerEpoch || appointment.ownerEpoch !== grant.ownerEpoch)
    return "has ended with its owner's epoch";
  if (now > appointment.notAfter) return "has expired";
  return undefined;
}
