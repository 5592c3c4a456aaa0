/**
 * Room: protocol/quote. Verifies a TDX quote offline, check by check as the chain does. Pure: the time is an argument.
 * Mirrors `contracts/attestation/TdxVerifier.sol`. TCB collateral is not consulted: the result says so.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, type Hex, hexToBytes, keccak256 } from "viem";
import { BaseError } from "../errors.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { parseQuote, quoteBytes, type SplitQuote, splitQuote } from "./parseQuote.ts";
import { maxCertificateSize } from "./pemChain.ts";
import { type Platform, readSgxExtension } from "./sgxExtension.ts";
import { type EnclaveReport, readEnclaveReport, type TdReport } from "./tdReport.ts";

const keyCertSign = 0x04;
const digitalSignature = 0x80;

/**
 * Intel's TD quoting enclave. The PCK key certifies reports of any enclave with provisioning rights, and a host can make
 * one: without this it could have any attestation key certified. Its ISVSVN is for collateral to judge.
 * Source: Intel PCS API v4, QE identity "TD_QE" version 2. Attributes: INIT and PROVISION_KEY, not DEBUG.
 */
const quotingEnclave = {
  mrSigner: "0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5",
  isvProdId: 2,
  flags: 0x11n,
  /** MODE64BIT is free. */
  flagsMask: 0xffff_ffff_ffff_fffbn,
} as const;

/** Bits of TDATTRIBUTES, little-endian. Source: Intel TDX Module ABI, "ATTRIBUTES". */
const attribute = { septVeDisable: 1n << 28n, pks: 1n << 30n, keyLocker: 1n << 31n, perfmon: 1n << 63n } as const;
const debugGroup = 0xffn;
const knownAttributes = debugGroup | attribute.septVeDisable | attribute.pks | attribute.keyLocker | attribute.perfmon;

/** Every check that {@link verifyQuote} makes, in order. */
export const quoteChecks = [
  "issuer signature",
  "issuer role",
  "issuer dates",
  "leaf signature",
  "leaf name",
  "leaf role",
  "leaf dates",
  "QE report signature",
  "QE identity",
  "QE binding",
  "TD signature",
  "debug attribute",
  "SEPT_VE_DISABLE attribute",
  "reserved attributes",
  "MRSIGNERSEAM",
  "SEAM attributes",
] as const;

/** Name of a check. */
export type QuoteCheck = (typeof quoteChecks)[number];

/** What a verified quote says. */
export type VerifiedQuote = {
  report: TdReport;
  platform: Platform;
  /** keccak256 of the PPID, as the registry stores it. */
  platformId: Hex;
  /** Unix seconds: the earliest last second of the certificates. */
  validUntil: number;
  /** Intel's verdict on the platform's patch level needs collateral, which is not consulted. */
  tcb: "not evaluated";
};

/**
 * Verifies a quote up to a root public key.
 *
 * @param quote - a whole quote, or what `EnclaveRegistry.register` was given.
 * @param rootKey - x || y of the P-256 root key, 64 bytes: Intel's or a simulated platform's.
 * @param atUnixSeconds - the time at which the certificates must be valid.
 * @throws {@link QuoteCheckError} naming the first check that failed, or what reading the quote throws.
 * @example
 * const { report, platformId } = verifyQuote(bytes, intelRootKey, 1_786_621_538)
 */
export function verifyQuote(quote: Uint8Array | SplitQuote, rootKey: Hex, atUnixSeconds: number): VerifiedQuote {
  const split = quote instanceof Uint8Array ? splitQuote(quote) : quote;
  const parsed = parseQuote(quoteBytes(split.quote));
  const issuer = readCertificate(quoteBytes(split.pckIssuer, maxCertificateSize));
  const leaf = readCertificate(quoteBytes(split.pckLeaf, maxCertificateSize));

  requireSignature("issuer signature", issuer.signature, issuer.signedPart, hexToBytes(rootKey, { size: 64 }));
  // The root is pinned by its key, so that only its key is compared; names bind the two certificates to each other.
  requireThat("issuer role", issuer.isCa && (issuer.keyUsage & keyCertSign) !== 0, "not a certificate authority");
  requireDates("issuer dates", issuer, atUnixSeconds);
  requireSignature("leaf signature", leaf.signature, leaf.signedPart, issuer.publicKey);
  requireThat("leaf name", equal(leaf.issuer, issuer.subject), "issued by another name");
  requireThat("leaf role", !leaf.isCa && (leaf.keyUsage & digitalSignature) !== 0, "not an end certificate that signs");
  if (leaf.sgxExtension === undefined) throw new QuoteCheckError("leaf role", "no SGX extension");
  const platform = readSgxExtension(leaf.sgxExtension);
  requireDates("leaf dates", leaf, atUnixSeconds);

  requireSignature("QE report signature", parsed.qeSignature, parsed.qeReport, leaf.publicKey);
  const enclave = readEnclaveReport(parsed.qeReport);
  requireQuotingEnclave(enclave);
  const binding = sha256(concatBytes([parsed.attestationKey, parsed.authData]));
  const { reportData } = enclave;
  requireThat(
    "QE binding",
    equal(reportData.subarray(0, 32), binding) && isZero(reportData.subarray(32)),
    "another key",
  );
  requireSignature("TD signature", parsed.signature, parsed.signedPart, parsed.attestationKey);
  requireProduction(parsed.report);
  return {
    report: parsed.report,
    platform,
    platformId: keccak256(platform.ppid),
    validUntil: Math.min(leaf.notAfter, issuer.notAfter),
    tcb: "not evaluated",
  };
}

function requireQuotingEnclave(enclave: EnclaveReport): void {
  const flags = littleEndian(enclave.attributes.subarray(0, 8));
  const { mrSigner, isvProdId, flagsMask } = quotingEnclave;
  requireThat("QE identity", bytesToHex(enclave.mrSigner) === mrSigner, "not signed by Intel");
  requireThat("QE identity", enclave.isvProdId === isvProdId, "another enclave of Intel's");
  const attributes = (flags & flagsMask) === quotingEnclave.flags && enclave.miscSelect === 0;
  requireThat("QE identity", attributes, "a debug enclave, or of other attributes");
}

/** Refuses a VM that its host may look into. MRSERVICETD does not exist in TDX 1.0 bodies: the workload pins the rest. */
function requireProduction(report: TdReport): void {
  const attributes = littleEndian(report.tdAttributes);
  requireThat("debug attribute", (attributes & debugGroup) === 0n, "the host may read the VM's memory");
  requireThat("SEPT_VE_DISABLE attribute", (attributes & attribute.septVeDisable) !== 0n, "not set");
  requireThat("reserved attributes", (attributes & ~knownAttributes) === 0n, "a reserved bit is set");
  requireThat("MRSIGNERSEAM", isZero(report.mrSignerSeam), "the TDX module is not Intel's");
  requireThat("SEAM attributes", isZero(report.seamAttributes), "not zero");
}

function requireDates(check: QuoteCheck, certificate: Certificate, atUnixSeconds: number): void {
  const { notBefore, notAfter } = certificate;
  requireThat(
    check,
    atUnixSeconds >= notBefore && atUnixSeconds <= notAfter,
    `${atUnixSeconds} is outside ${notBefore} to ${notAfter}`,
  );
}

/** ECDSA over P-256 and SHA-256. Intel does not make s low: both are accepted, since nothing here identifies by signature. */
function requireSignature(check: QuoteCheck, signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): void {
  let valid = false;
  try {
    valid = p256.verify(signature, sha256(message), concatBytes([Uint8Array.of(4), publicKey]), { lowS: false });
  } catch {
    // A point off the curve or a zero r or s: no valid signature either.
  }
  requireThat(check, valid, "not valid");
}

function requireThat(check: QuoteCheck, passed: boolean, fact: string): void {
  if (!passed) throw new QuoteCheckError(check, fact);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(bytesToHex(Uint8Array.from(bytes).reverse()));
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The check did not pass. */
export class QuoteCheckError extends BaseError {
  override readonly name = "Quote.QuoteCheckError";
  readonly check: QuoteCheck;
  constructor(check: QuoteCheck, fact: string) {
    super(`Quote refused, ${check}: ${fact}.`, {
      hint: "Do not trust this enclave; ask its operator for a fresh quote.",
    });
    this.check = check;
  }
}
