/**
 * Room: scripts/conformance. What a vector holds beyond what is sent to the contracts: they pin the root's key and keep the
 * PCK CA's, so that its certificate in a quote, and every root certificate, stay behind. A vector is taken whole or not
 * at all: these must be genuine too.
 */
import { bytesToHex, type Hex, hexToBytes } from "viem";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { isSignedP256 } from "../../protocol/quote/p256Signature.ts";
import { chainOf, parseQuote } from "../../protocol/quote/parseQuote.ts";

/**
 * Refuses a quote or collateral whose certificates that are not sent are not of the root.
 *
 * @param rootKey - x || y, 64 bytes.
 * @param at - Unix seconds at which they must be valid.
 * @throws {@link BadUnsentPartError} | what reading quote and certificates throws
 * @example
 * requireUnsentParts(quote, collateral, intelRootKey, 1_786_621_538)
 */
export function requireUnsentParts(quote: Uint8Array, collateral: Collateral, rootKey: Hex, at: number): void {
  const [, issuer, root] = chainOf(parseQuote(quote));
  requireGenuine("the PCK CA certificate of the quote", issuer, rootKey, at);
  for (const [what, der] of [
    ["the root certificate of the quote", root],
    ["the root certificate of the collateral", collateral.rootCa],
  ] as const) {
    requireGenuine(what, der, rootKey, at);
    const { publicKey } = readCertificate(der);
    if (bytesToHex(publicKey) !== rootKey) throw new BadUnsentPartError(what, "it has another key than the root");
  }
}

function requireGenuine(what: string, der: Uint8Array, rootKey: Hex, at: number): void {
  const { signature, signedPart, isCa, notBefore, notAfter } = readCertificate(der);
  if (!isSignedP256(signature, signedPart, hexToBytes(rootKey)))
    throw new BadUnsentPartError(what, "the root's key has not signed it");
  if (!isCa) throw new BadUnsentPartError(what, "it is of no certificate authority");
  if (at < notBefore || at > notAfter)
    throw new BadUnsentPartError(what, `${at} is outside of ${notBefore} to ${notAfter}`);
}

/** A certificate that the contracts never see is not genuine. */
export class BadUnsentPartError extends BaseError {
  override readonly name = "Conformance.BadUnsentPartError";
  constructor(what: string, fact: string) {
    super(`${what}: ${fact}.`, { hint: "The contracts do without it, but a vector counts as a whole." });
  }
}
