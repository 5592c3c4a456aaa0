/**
 * Room: protocol/quote. Which collateral a quote is judged by: its platform's kind and who certified it. Checks no
 * signature. Pure.
 */
import { type Hex, hexToBytes } from "viem";
import { readCertificate } from "./certificate.ts";
import { type SplitQuote, splitQuote } from "./parseQuote.ts";
import { type P256Key, p256KeyOf, platformOf } from "./platformRecord.ts";
import { commonNameOf } from "./x509.ts";

/** What collateral is looked up by. */
export type QuotePlatform = {
  /** 6 bytes. */
  fmspc: Hex;
  /** Key of the PCK CA that the quote's chain names. */
  pckCa: P256Key;
  /** Which of Intel's two PCK CAs that is, for a PCS. */
  ca: "platform" | "processor";
};

/**
 * Reads the platform of a quote.
 *
 * @param quote - a whole quote, with its certificate chain, or one split already.
 * @throws what `splitQuote` and reading the certificates throw
 * @example
 * const { fmspc, ca } = quotePlatformOf(bytes)
 */
export function quotePlatformOf(quote: Uint8Array | SplitQuote): QuotePlatform {
  const { pckLeaf, pckIssuer } = quote instanceof Uint8Array ? splitQuote(quote) : quote;
  const issuer = readCertificate(hexToBytes(pckIssuer));
  const isProcessor = commonNameOf(issuer.subject) === "Intel SGX PCK Processor CA";
  return {
    fmspc: platformOf(hexToBytes(pckLeaf), 0).fmspc,
    pckCa: p256KeyOf(issuer.publicKey),
    ca: isProcessor ? "processor" : "platform",
  };
}
