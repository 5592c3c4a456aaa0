/**
 * Room: sdk/verifyRegistration. Verifies an enclave's registration anew, from the quote in the registering
 * transaction. Whoever seals a key does this, so that even a lying RPC cannot name a vault key that is not an
 * enclave's.
 */
import { bytesToHex, hexToBytes, isAddressEqual, keccak256 } from "viem";
import { registrationReportData, workloadIdOf } from "../protocol/attestationBinding.ts";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { type Judgement, judgeQuote } from "../protocol/collateral/judgeQuote.ts";
import { domainOf, hashOperatorAuthorization } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { measurementsOf } from "../protocol/quote/mrConfigId.ts";
import { verifyQuote } from "../protocol/quote/verifyQuote.ts";
import { recoverSigner } from "../protocol/signature.ts";
import { toTypedError } from "./chainErrors.ts";
import type { Client } from "./client.ts";
import type { EnclaveListing } from "./enclaves.ts";
import { gatherProof, type RegistrationProof } from "./registration/proof.ts";
import { proofSource } from "./registration/proofSource.ts";

/** What a verified registration rests on. */
export type VerifiedRegistration = {
  proof: RegistrationProof;
  /** How the operator agreed. `not shown`: by its contract's word (ERC-1271), which only the chain could ask at the time. */
  operatorBy: "sender" | "signature" | "not shown";
  /** Own verdict on the platform's patch level; undefined without collateral: then it is the chain's word. */
  judgement: Judgement | undefined;
};

/**
 * Checks that the enclave's vault key is bound by a genuine quote, under the deployment's root, to its workload, to
 * this chain and registry.
 *
 * @param atUnixSeconds - when the platform's certificates must be valid: the caller's own clock.
 * @param collateral - to judge the platform's patch level by, too.
 * @throws {@link RegistrationNotProvenError} | ProofNotShownError | any error of `verifyQuote` | RpcError
 * @example
 * await verifyRegistration(client, enclave, Math.floor(Date.now() / 1000))
 */
export async function verifyRegistration(
  client: Client,
  enclave: EnclaveListing,
  atUnixSeconds: number,
  collateral?: Collateral,
): Promise<VerifiedRegistration> {
  const { chainId, contracts, rootKey } = client.deployment;
  const proof = await gatherProof(proofSource(client), enclave.transactionHash);
  const { request, authorization, sender } = proof;
  const { report, platformId } = verifyQuote(proof.quote, rootKey, atUnixSeconds);
  const need = (holds: boolean, fact: string) => {
    if (!holds) throw new RegistrationNotProvenError(enclave, fact);
  };
  const isSameKey =
    isAddressEqual(request.signingKey, enclave.signingKey) &&
    keccak256(request.vaultKey) === keccak256(enclave.vaultKey);
  need(isSameKey, "its transaction registers other keys");
  const block = await client.chain.getBlock({ blockNumber: request.blockNumber }).catch((cause) => {
    throw toTypedError(cause);
  });
  const { operator, signingKey, vaultKey } = enclave;
  const binding = { chainId: BigInt(chainId), registry: contracts.enclaveRegistry, operator, signingKey, vaultKey };
  const expected = registrationReportData(binding, request.blockNumber, block.hash);
  need(expected === bytesToHex(report.reportData), "its quote binds other keys, or is for another chain or registry");
  const measured = workloadIdOf(measurementsOf(report, hexToBytes(request.appConfig)));
  need(measured === enclave.workloadId, "its quote is of another workload");
  need(platformId === enclave.platformId, "its quote is of another platform");

  const judgement = collateral && judgeQuote(proof.quote, collateral, rootKey, atUnixSeconds);
  need(judgement?.accepted !== false, `by the collateral at hand: ${judgement?.error?.message ?? ""}`);
  const consent = { operator, agent: sender, validUntil: authorization.validUntil };
  const digest = hashOperatorAuthorization(domainOf(chainId, contracts.enclaveRegistry), consent);
  const signer = recoverSigner(digest, authorization.signature);
  const isSigned = signer !== undefined && isAddressEqual(signer, operator);
  const operatorBy = isAddressEqual(sender, operator) ? "sender" : isSigned ? "signature" : "not shown";
  return { proof, operatorBy, judgement };
}

/** The registration does not prove what it says. */
export class RegistrationNotProvenError extends BaseError {
  override readonly name = "VerifyRegistration.RegistrationNotProvenError";
  constructor(enclave: Pick<EnclaveListing, "signingKey">, fact: string) {
    super(`The registration of enclave ${enclave.signingKey} proves nothing: ${fact}.`, {
      hint: "Give it no key. If the RPC is not your own, use another one.",
    });
  }
}
