/**
 * Room: protocol/offerJson. JSON form of an operator's signed offer: OFFER_FILE of a worker, GET /offer. Pure.
 */
import { z } from "zod";
import type { Offer, SignedOffer } from "./eip712.ts";
import { maxSignatureBytes } from "./limits.ts";
import { address, bytes32, hexUpTo, uint64String, uintString } from "./schemas.ts";

/** JSON form of an {@link Offer}. */
export const offerSchema = z.strictObject({
  operator: address,
  workloadId: bytes32,
  token: address,
  fee: uintString,
  pricePerSecond: uintString,
  validUntil: uint64String,
  nonce: uintString,
});

/** JSON form of a {@link SignedOffer}. */
export const signedOfferSchema = z.strictObject({ offer: offerSchema, signature: hexUpTo(maxSignatureBytes) });

/**
 * JSON form of an offer: bigints as decimal strings.
 *
 * @example
 * JSON.stringify(offerToJson(offer))
 */
export function offerToJson(offer: Offer) {
  return {
    ...offer,
    fee: offer.fee.toString(),
    pricePerSecond: offer.pricePerSecond.toString(),
    validUntil: offer.validUntil.toString(),
    nonce: offer.nonce.toString(),
  };
}

/**
 * JSON form of a signed offer.
 *
 * @example
 * await writeFile("offer.json", JSON.stringify(signedOfferToJson(signed)))
 */
export function signedOfferToJson({ offer, signature }: SignedOffer) {
  return { offer: offerToJson(offer), signature };
}
