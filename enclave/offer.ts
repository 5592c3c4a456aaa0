/**
 * Room: enclave/offer. Makes sure that the operator's offer is one that the market will take, before anybody relies on it.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { type Domain, hashOffer, type Offer, type SignedOffer } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";

/** What the check needs. */
export type OfferPorts = {
  domain: Domain;
  operator: Address;
  workloadId: Hex;
  isSignedBy(account: Address, digest: Hex, signature: Hex): Promise<boolean>;
};

/**
 * Checks an offer.
 *
 * @returns it with its hash; undefined for none.
 * @throws {@link BadOfferError}; errors of the chain.
 * @example
 * const offer = await checkOffer(ports, config.offer)
 */
export async function checkOffer(
  ports: OfferPorts,
  signed: SignedOffer | undefined,
): Promise<{ hash: Hex; offer: Offer } | undefined> {
  if (signed === undefined) return undefined;
  const { offer, signature } = signed;
  const hash = hashOffer(ports.domain, offer);
  if (!isAddressEqual(offer.operator, ports.operator)) throw new BadOfferError("it is another operator's");
  if (offer.workloadId !== ports.workloadId) {
    throw new BadOfferError(`it is for workload ${offer.workloadId}, this is ${ports.workloadId}`);
  }
  if (!(await ports.isSignedBy(offer.operator, hash, signature))) {
    throw new BadOfferError("it is not signed by its operator for this chain and market");
  }
  return { hash, offer };
}

/** The offer in OFFER_FILE cannot be used by this worker. */
export class BadOfferError extends BaseError {
  override readonly name = "Enclave.BadOfferError";
  constructor(fact: string) {
    super(`The operator's offer cannot be used: ${fact}.`, {
      hint: "Sign one as OPERATOR_ADDRESS for the workload of GET /enclave, or leave OFFER_FILE away.",
    });
  }
}
