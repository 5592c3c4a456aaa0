/**
 * Room: sdk/offers. An operator's signed prices: made, handed over as a file, checked, and whether an order can go by
 * them. An offer is public; an order names it by its hash.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { hashOffer, type Offer, offerTypes, type SignedOffer } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { signedOfferSchema, signedOfferToJson } from "../protocol/offerJson.ts";
import { addressOf, type Client } from "./client.ts";
import { chainTime } from "./grants.ts";
import { randomUint256 } from "./random.ts";
import { isSignedBy, signTyped } from "./signatures.ts";
import { readSignedFile, signedFileOf } from "./signedFile.ts";

/** What an operator offers; amounts in base units of `token`. */
export type OfferTerms = Omit<Offer, "operator" | "nonce">;

/**
 * Signs an offer of the client's wallet. Sends nothing.
 *
 * @throws any error of `signTyped`
 * @example
 * const { offer, signature, offerHash } = await signOffer(client, terms)
 */
export async function signOffer(client: Client, terms: OfferTerms): Promise<SignedOffer & { offerHash: Hex }> {
  const { workloadId, token, fee, pricePerSecond, validUntil } = terms;
  const operator = addressOf(client);
  const offer: Offer = { operator, workloadId, token, fee, pricePerSecond, validUntil, nonce: randomUint256() };
  const domain = client.marketDomain;
  const signature = await signTyped(client, { domain, types: offerTypes, primaryType: "Offer", message: offer });
  return { offer, signature, offerHash: hashOffer(domain, offer) };
}

/**
 * Checks that an offer is signed by its operator and has not run out.
 *
 * @throws {@link OfferBadSignatureError} | {@link OfferRunOutError} | RpcError
 * @example
 * const { offerHash } = await verifyOffer(client, signed)
 */
export async function verifyOffer(client: Client, { offer, signature }: SignedOffer): Promise<{ offerHash: Hex }> {
  const offerHash = hashOffer(client.marketDomain, offer);
  if (!(await isSignedBy(client, offer.operator, offerHash, signature)))
    throw new OfferBadSignatureError(offerHash, offer.operator);
  const now = await chainTime(client);
  if (offer.validUntil < now) throw new OfferRunOutError(offerHash, offer.validUntil);
  return { offerHash };
}

/**
 * Checks an offer for an order, as JobMarket does when the job settles.
 *
 * @throws {@link OfferNotForOrderError} | any error of {@link verifyOffer}
 * @example
 * await checkOffer(client, signed, order)
 */
export async function checkOffer(
  client: Client,
  signed: SignedOffer,
  order: { operator: Address; workloadId: Hex; token: Address; deadline: bigint },
): Promise<void> {
  const { offerHash } = await verifyOffer(client, signed);
  const { offer } = signed;
  const refuse = (fact: string) => new OfferNotForOrderError(offerHash, fact);
  // With any operator in the order, an enclave of another one could take the job and be unable to settle it.
  if (order.operator === zeroAddress || !isAddressEqual(offer.operator, order.operator))
    throw refuse(`is operator ${offer.operator}'s; name it in the job`);
  if (offer.workloadId !== order.workloadId) throw refuse(`is for workload ${offer.workloadId} only`);
  if (!isAddressEqual(offer.token, order.token)) throw refuse(`is in token ${offer.token}, not ${order.token}`);
  if (offer.validUntil < order.deadline) throw refuse(`ends at ${offer.validUntil}, before the deadline`);
}

/**
 * The JSON of an offer file.
 *
 * @example
 * await writeFile("offer.json", JSON.stringify(offerFileOf(deployment, signed)))
 */
export function offerFileOf(deployment: Deployment, signed: SignedOffer) {
  return signedFileOf("offer", deployment, signedOfferToJson(signed));
}

/**
 * Reads an offer file. The signature is checked by `verifyOffer`, not here.
 *
 * @throws BadSignedFileError
 * @example
 * const { offer, signature } = readOfferFile(text, deployment)
 */
export function readOfferFile(text: string, deployment: Deployment): SignedOffer {
  return readSignedFile("offer", text, deployment, signedOfferSchema);
}

/** The offer is not signed by its operator for this deployment. */
export class OfferBadSignatureError extends BaseError {
  override readonly name = "Offers.OfferBadSignatureError";
  constructor(offerHash: Hex, operator: Address) {
    super(`Offer ${offerHash} is not signed by ${operator}, its operator.`, {
      hint: "Ask the operator for an offer made with `dcm offer sign` on this deployment.",
    });
  }
}

/** The offer does not hold any more. */
export class OfferRunOutError extends BaseError {
  override readonly name = "Offers.OfferRunOutError";
  constructor(offerHash: Hex, validUntil: bigint) {
    super(`Offer ${offerHash} held until ${validUntil}, in Unix seconds.`, { hint: "Ask the operator for a new one." });
  }
}

/** The order cannot go by this offer. */
export class OfferNotForOrderError extends BaseError {
  override readonly name = "Offers.OfferNotForOrderError";
  constructor(offerHash: Hex, fact: string) {
    super(`Offer ${offerHash} ${fact}.`, { hint: "Change the job, or ask the operator for an offer that fits." });
  }
}
