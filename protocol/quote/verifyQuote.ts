/**
 * Room: protocol/quote. Verifies a TDX quote offline, check by check as the chain does. Pure: the time is an argument.
 * Mirrors `contracts/attestation/TdxVerifier.sol`. TCB collateral is not consulted: the result says so; `protocol/collateral/judgeQuote.ts` does that.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, type Hex, hexToBytes } from "viem";
import { BaseError } from "../errors.ts";
import { sameBytes } from "../sameBytes.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { type EnclaveIdentity, intelTdQe, mismatchOf } from "./enclaveIdentity.ts";
import { isSignedP256 } from "./p256Signature.ts";
import { parseQuote, quoteBytes, type SplitQuote, splitQuote } from "./parseQuote.ts";
import { maxCertificateSize } from "./pemChain.ts";
import { type Platform, platformIdOf, readSgxExtension } from "./sgxExtension.ts";
import { type EnclaveReport, readEnclaveReport, type TdReport } from "./tdReport.ts";

const keyUsage = { certSign: 0x04, digitalSignature: 0x80 } as const;

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
  "MRSERVICETD",
] as const;

/** Name of a check. */
export type QuoteCheck = (typeof quoteChecks)[number];

/** What a verified quote says. */
export type VerifiedQuote = {
  report: TdReport;
  platform: Platform;
  /** As the registry stores it. */
  platformId: Hex;
  /** Unix seconds: the earliest last second of the certificates. */
  validUntil: number;
  /** Intel's verdict on the platform's patch level needs collateral, which is not consulted. */
  tcb: "not evaluated";
};

/** A quote whose own checks passed, with the certificates that vouch for it. */
export type CheckedQuote = Omit<VerifiedQuote, "tcb"> & {
  leaf: Certificate;
  issuer: Certificate;
  enclave: EnclaveReport;
};

/** What {@link checkQuote} is asked for. */
export type QuoteDemands = {
  rootKey: Hex;
  /** The time at which the certificates must be valid. */
  atUnixSeconds: number;
  /** The quoting enclave that is believed. */
  identity: EnclaveIdentity;
  /** Told of each check that passed, in order. */
  passed?: (check: QuoteCheck, fact: string) => void;
};

/**
 * Verifies a quote up to a root public key, with Intel's quoting enclave as it is known without collateral.
 *
 * @param quote - a whole quote, or what `EnclaveRegistry.register` was given.
 * @param rootKey - x || y of the P-256 root key, 64 bytes: Intel's or a simulated platform's.
 * @param atUnixSeconds - the time at which the certificates must be valid.
 * @throws {@link QuoteCheckError} naming the first check that failed, or what reading the quote throws.
 * @example
 * const { report, platformId } = verifyQuote(bytes, intelRootKey, 1_786_621_538)
 */
export function verifyQuote(quote: Uint8Array | SplitQuote, rootKey: Hex, atUnixSeconds: number): VerifiedQuote {
  const checked = checkQuote(quote, { rootKey, atUnixSeconds, identity: intelTdQe });
  const { report, platform, platformId, validUntil } = checked;
  return { report, platform, platformId, validUntil, tcb: "not evaluated" };
}

/**
 * The checks of {@link verifyQuote}, one by one, for an enclave identity of the caller's.
 *
 * @throws as {@link verifyQuote}
 * @example
 * const { leaf } = checkQuote(bytes, { rootKey, atUnixSeconds, identity: readQeIdentity(json).identity })
 */
export function checkQuote(quote: Uint8Array | SplitQuote, demands: QuoteDemands): CheckedQuote {
  const { rootKey, atUnixSeconds, identity, passed } = demands;
  const split = quote instanceof Uint8Array ? splitQuote(quote) : quote;
  const parsed = parseQuote(quoteBytes(split.quote));
  const issuer = readCertificate(quoteBytes(split.pckIssuer, maxCertificateSize));
  const leaf = readCertificate(quoteBytes(split.pckLeaf, maxCertificateSize));

  const need = (check: QuoteCheck, holds: boolean, wrong: string, right: string) => {
    if (!holds) throw new QuoteCheckError(check, wrong);
    passed?.(check, right);
  };
  const needSignature = (check: QuoteCheck, by: string, ...signed: Parameters<typeof isSignedP256>) =>
    need(check, isSignedP256(...signed), "not valid", `by ${by}`);
  const needDates = (check: QuoteCheck, { notBefore, notAfter }: Certificate) =>
    need(
      check,
      atUnixSeconds >= notBefore && atUnixSeconds <= notAfter,
      `${atUnixSeconds} is outside ${notBefore} to ${notAfter}`,
      `${atUnixSeconds} is within ${notBefore} to ${notAfter}`,
    );

  const root = hexToBytes(rootKey, { size: 64 });
  needSignature("issuer signature", "the root key", issuer.signature, issuer.signedPart, root);
  // The root is pinned by its key, so that only its key is compared; names bind the two certificates to each other.
  const mayIssue = issuer.isCa && (issuer.keyUsage & keyUsage.certSign) !== 0;
  need("issuer role", mayIssue, "not a certificate authority", "a certificate authority");
  needDates("issuer dates", issuer);
  needSignature("leaf signature", "the issuer", leaf.signature, leaf.signedPart, issuer.publicKey);
  need("leaf name", sameBytes(leaf.issuer, issuer.subject), "issued by another name", "issued by the issuer's name");
  const isEnd = !leaf.isCa && (leaf.keyUsage & keyUsage.digitalSignature) !== 0;
  const wrongRole = isEnd ? "no SGX extension" : "not an end certificate that signs";
  need("leaf role", isEnd && leaf.sgxExtension !== undefined, wrongRole, "an end certificate of a platform");
  const platform = readSgxExtension(leaf.sgxExtension ?? new Uint8Array());
  needDates("leaf dates", leaf);

  needSignature("QE report signature", "the PCK leaf", parsed.qeSignature, parsed.qeReport, leaf.publicKey);
  const enclave = readEnclaveReport(parsed.qeReport);
  const mismatch = mismatchOf(enclave, identity);
  need("QE identity", mismatch === undefined, mismatch ?? "", `Intel's TD quoting enclave, ISVSVN ${enclave.isvSvn}`);
  const binding = sha256(concatBytes([parsed.attestationKey, parsed.authData]));
  const bound = sameBytes(enclave.reportData.subarray(0, 32), binding) && isZero(enclave.reportData.subarray(32));
  need("QE binding", bound, "another key", "the QE vouches for the attestation key");
  const { signature, signedPart, attestationKey, report } = parsed;
  needSignature("TD signature", "the attestation key", signature, signedPart, attestationKey);
  needProduction(report, need);
  const validUntil = Math.min(leaf.notAfter, issuer.notAfter);
  return { report, platform, platformId: platformIdOf(platform.ppid), validUntil, leaf, issuer, enclave };
}

type Need = (check: QuoteCheck, holds: boolean, wrong: string, right: string) => void;

/** Refuses a VM that its host may look into, or that another VM may. The workload pins the rest. */
function needProduction(report: TdReport, need: Need): void {
  const attributes = littleEndian(report.tdAttributes);
  need("debug attribute", (attributes & debugGroup) === 0n, "the host may read the VM's memory", "off");
  need("SEPT_VE_DISABLE attribute", (attributes & attribute.septVeDisable) !== 0n, "not set", "set");
  need("reserved attributes", (attributes & ~knownAttributes) === 0n, "a reserved bit is set", "zero");
  need("MRSIGNERSEAM", isZero(report.mrSignerSeam), "the TDX module is not Intel's", "zero: Intel's TDX module");
  need("SEAM attributes", isZero(report.seamAttributes), "not zero", "zero");
  const { mrServiceTd } = report;
  const right = mrServiceTd === undefined ? "TDX 1.0 has none" : "zero: no service TD";
  need("MRSERVICETD", mrServiceTd === undefined || isZero(mrServiceTd), "a service TD is bound to the VM", right);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(bytesToHex(Uint8Array.from(bytes).reverse()));
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The check did not pass. */
export class QuoteCheckError extends BaseError {
  override readonly name = "Quote.QuoteCheckError";
  readonly check: QuoteCheck;
  readonly fact: string;
  constructor(check: QuoteCheck, fact: string) {
    super(`Quote refused, ${check}: ${fact}.`, {
      hint: "Do not trust this enclave; ask its operator for a fresh quote.",
    });
    this.check = check;
    this.fact = fact;
  }
}
