/**
 * Room: sdk/audit/verifiedReport. The report in the registration's quote, after the quote was verified: no line rests on
 * measurements that nobody signed. Pure.
 */
import { type VerifiedQuote, verifyQuote } from "../../protocol/quote/verifyQuote.ts";
import type { Evidence, Registration, RegistrationCall } from "./evidence.ts";

/**
 * Verifies the registration's quote under the deployment's root key, as of the registration's block.
 *
 * @throws what `verifyQuote` throws.
 * @example
 * const { report } = verifyRegistered(evidence, registration, registration.call)
 */
export function verifyRegistered(
  evidence: Evidence,
  registration: Registration,
  call: RegistrationCall,
): VerifiedQuote {
  return verifyQuote(call.quote, evidence.deployment.rootKey, Number(registration.block.timestamp));
}
