/**
 * Room: protocol/sealerAppointment. The owner's word that another account may sign the sealed keys of a data set in its
 * stead. For owners that cannot sign at every delivery: a council would need N members for each new enclave. Pure.
 * It consents to nothing: under which grants a key is taken at all, the owner's signatures of these say. No contract
 * reads it; enclaves do, see enclave/vault/appointment.
 */
import { type Address, type Hex, hashTypedData } from "viem";
import { z } from "zod";
import type { Domain } from "./eip712.ts";
import { maxSignatureBytes } from "./limits.ts";
import { address, bytes32, hexUpTo, uint32, uint64String } from "./schemas.ts";

/** Who may seal the key of which data set, and until when. */
export type SealerAppointment = {
  datasetId: Hex;
  /** Signs with its own key: a contract's word (ERC-1271) is not taken. */
  sealer: Address;
  /** Consent epoch of the data set; raising it ends the appointment. */
  epoch: number;
  /** As that, of its owner. */
  ownerEpoch: number;
  /** Unix seconds, the last second at which it holds. */
  notAfter: bigint;
};

/** An appointment with the signature of the data set's owner. */
export type SignedAppointment = { appointment: SealerAppointment; signature: Hex };

/** EIP-712 types; primary type `SealerAppointment`. */
export const appointmentTypes = {
  SealerAppointment: [
    { name: "datasetId", type: "bytes32" },
    { name: "sealer", type: "address" },
    { name: "epoch", type: "uint32" },
    { name: "ownerEpoch", type: "uint32" },
    { name: "notAfter", type: "uint64" },
  ],
} as const;

/** JSON form of a {@link SignedAppointment}. */
export const signedAppointmentSchema = z.strictObject({
  appointment: z.strictObject({
    datasetId: bytes32,
    sealer: address,
    epoch: uint32,
    ownerEpoch: uint32,
    notAfter: uint64String,
  }),
  signature: hexUpTo(maxSignatureBytes),
});

/**
 * EIP-712 hash of an appointment: what the data set's owner signs.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashSealerAppointment(domainOf(chainId, market), appointment)
 */
export function hashSealerAppointment(domain: Domain, appointment: SealerAppointment): Hex {
  const typed = { domain, types: appointmentTypes, primaryType: "SealerAppointment" } as const;
  return hashTypedData({ ...typed, message: appointment });
}

/**
 * JSON form of a signed appointment: bigints as decimal strings.
 *
 * @example
 * JSON.stringify(signedAppointmentToJson(signed))
 */
export function signedAppointmentToJson({ appointment, signature }: SignedAppointment) {
  return { appointment: { ...appointment, notAfter: appointment.notAfter.toString() }, signature };
}
