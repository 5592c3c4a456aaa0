/**
 * Room: protocol/grantPackage. What a provider's key broker posts to an enclave (POST /grants). Pure.
 * Numbers that JSON cannot hold are decimal strings.
 */

import type { Hex } from "viem";
import { z } from "zod";
import type { Grant } from "./eip712.ts";
import { maxSignatureBytes } from "./limits.ts";
import { address, bytes32, hexOf, hexUpTo, uint32, uint64String, uintString } from "./schemas.ts";
import { type SignedAppointment, signedAppointmentSchema, signedAppointmentToJson } from "./sealerAppointment.ts";
import type { SealedKey } from "./sealing.ts";

/** JSON form of a {@link Grant}. */
export const grantSchema = z.strictObject({
  datasetId: bytes32,
  programId: bytes32,
  workloadId: bytes32,
  requester: address,
  operator: address,
  token: address,
  priceUnit: z.int().min(0).max(2),
  price: uintString,
  maxUses: uint64String,
  notBefore: uint64String,
  notAfter: uint64String,
  resultReaders: z.array(bytes32).max(16),
  epoch: uint32,
  ownerEpoch: uint32,
  nonce: uintString,
});

/** JSON form of a {@link SealedKey}. */
export const sealedKeySchema = z.strictObject({ vaultKey: hexOf(32), enc: hexOf(32), ciphertext: hexUpTo(512) });

/** JSON form of a `SignedGrant`. */
export const signedGrantSchema = z.strictObject({ grant: grantSchema, signature: hexUpTo(maxSignatureBytes) });

/** A signed grant and the data set key sealed under it; the body of POST /grants. */
export const grantPackageSchema = z.strictObject({
  ...signedGrantSchema.shape,
  sealedKey: sealedKeySchema,
  /** Signature of the sealed key, see `hashSealedKey`: the owner's, or the appointed sealer's. */
  sealedKeySignature: hexUpTo(maxSignatureBytes),
  /** Why a sealer's signature is enough; left out where the owner signed. */
  sealerAppointment: signedAppointmentSchema.optional(),
});

/** A parsed grant package. */
export type GrantPackage = {
  grant: Grant;
  signature: Hex;
  sealedKey: SealedKey;
  sealedKeySignature: Hex;
  sealerAppointment?: SignedAppointment | undefined;
};

/**
 * JSON form of a grant: bigints as decimal strings.
 *
 * @example
 * JSON.stringify(grantToJson(grant))
 */
export function grantToJson(grant: Grant) {
  return {
    ...grant,
    price: grant.price.toString(),
    maxUses: grant.maxUses.toString(),
    notBefore: grant.notBefore.toString(),
    notAfter: grant.notAfter.toString(),
    nonce: grant.nonce.toString(),
  };
}

/**
 * JSON form of a grant package.
 *
 * @example
 * const body = JSON.stringify(grantPackageToJson(pkg))
 */
export function grantPackageToJson(pkg: GrantPackage) {
  const { grant, signature, sealedKey, sealedKeySignature, sealerAppointment } = pkg;
  const appointed =
    sealerAppointment === undefined ? {} : { sealerAppointment: signedAppointmentToJson(sealerAppointment) };
  return { grant: grantToJson(grant), signature, sealedKey, sealedKeySignature, ...appointed };
}
