/**
 * Room: enclave/collateral. What a quote of this machine says of its platform, for collateral and for renewals. Pure.
 */
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { parseQuote, quoteBytes, splitQuote } from "../../protocol/quote/parseQuote.ts";
import { platformOf, type RecordedPlatform } from "../../protocol/quote/platformRecord.ts";
import { type QuotePlatform, quotePlatformOf } from "../../protocol/quote/quotePlatform.ts";
import { readEnclaveReport, type TdReport } from "../../protocol/quote/tdReport.ts";

/** A quote's platform. */
export type Platform = QuotePlatform & {
  /** Unix seconds: the first second at which its PCK certificate has expired. */
  certificateUntil: bigint;
  report: TdReport;
  qeIsvSvn: number;
  /** As the verifier records it, under the CA's number on the chain. */
  recordedAs(issuer: number): RecordedPlatform;
};

/**
 * Reads a whole quote.
 *
 * @throws what reading the quote and its certificates throws.
 * @example
 * const { fmspc, ca } = platformOfQuote(quoteBytes)
 */
export function platformOfQuote(bytes: Uint8Array): Platform {
  const split = splitQuote(bytes);
  const leaf = quoteBytes(split.pckLeaf);
  const { report, qeReport } = parseQuote(bytes);
  return {
    ...quotePlatformOf(split),
    certificateUntil: BigInt(readCertificate(leaf).notAfter) + 1n,
    report,
    qeIsvSvn: readEnclaveReport(qeReport).isvSvn,
    recordedAs: (number) => platformOf(leaf, number),
  };
}
