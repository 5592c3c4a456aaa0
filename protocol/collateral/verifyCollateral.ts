/**
 * Room: protocol/collateral. Whether collateral is Intel's (or a simulated root's) and valid at a time. Pure.
 * Source: Intel QVL, VerifyTCBInfo, VerifyEnclaveIdentity, VerifyPCKCertificate; RFC 5280, 6.3.
 */

import { type Hex, hexToBytes } from "viem";
import { BaseError } from "../errors.ts";
import { type Certificate, readCertificate } from "../quote/certificate.ts";
import { intelName } from "../quote/intelNames.ts";
import { isSignedP256 } from "../quote/p256Signature.ts";
import { commonNameOf } from "../quote/x509.ts";
import { sameBytes } from "../sameBytes.ts";
import { requireJsonSize } from "./canonicalJson.ts";
import type { Collateral } from "./collateral.ts";
import { type Crl, readCrl } from "./crl.ts";
import { type QeIdentity, readQeIdentity } from "./qeIdentity.ts";
import { readTcbInfo, type TcbInfo } from "./tcbInfo.ts";

/** Bits of key usage. */
const keyUsage = { digitalSignature: 0x80, certSign: 0x04, crlSign: 0x02 } as const;
const authority = keyUsage.certSign | keyUsage.crlSign;

/** Every check that {@link verifyCollateral} makes, in order. */
export const collateralChecks = [
  "root CA key",
  "root CA signature",
  "root CA role",
  "root CA dates",
  "root CRL signature",
  "root CRL issuer",
  "root CRL dates",
  "root CA revocation",
  "TCB signing signature",
  "TCB signing name",
  "TCB signing role",
  "TCB signing dates",
  "TCB signing revocation",
  "PCK CA signature",
  "PCK CA name",
  "PCK CA role",
  "PCK CA dates",
  "PCK CA revocation",
  "PCK CRL signature",
  "PCK CRL issuer",
  "PCK CRL dates",
  "TCB info signature",
  "TCB info dates",
  "QE identity signature",
  "QE identity dates",
] as const;

/** Name of a check. */
export type CollateralCheck = (typeof collateralChecks)[number];

/** Collateral whose checks passed. */
export type VerifiedCollateral = {
  tcbInfo: TcbInfo;
  qeIdentity: QeIdentity;
  pckCa: Certificate;
  rootCrl: Crl;
  pckCrl: Crl;
  /** Unix seconds: the last second at which all of it is valid. */
  validUntil: number;
};

/**
 * Verifies collateral up to a root public key.
 *
 * @param rootKey - x || y of the P-256 root key, 64 bytes.
 * @param atUnixSeconds - the time at which all of it must be valid.
 * @param passed - told of each check that passed, in order.
 * @throws {@link CollateralCheckError} naming the first check that failed, or what reading an item throws.
 * @example
 * const { tcbInfo } = verifyCollateral(collateral, intelRootKey, 1_786_621_538)
 */
export function verifyCollateral(
  collateral: Collateral,
  rootKey: Hex,
  atUnixSeconds: number,
  passed?: (check: CollateralCheck, fact: string) => void,
): VerifiedCollateral {
  requireJsonSize("TCB info", collateral.tcbInfo);
  requireJsonSize("QE identity", collateral.qeIdentity);
  const needs = needsAt(atUnixSeconds, passed);
  const key = hexToBytes(rootKey, { size: 64 });
  const rootCa = readCertificate(collateral.rootCa);
  needs.that(
    "root CA key",
    sameBytes(rootCa.publicKey, key),
    "another key than the root that is believed",
    "the root key",
  );
  needs.signature("root CA signature", rootCa.signature, rootCa.signedPart, key);
  needs.authority("root CA role", rootCa);
  needs.dates("root CA dates", rootCa.notBefore, rootCa.notAfter);

  const rootCrl = readCrl(collateral.rootCaCrl);
  needs.signature("root CRL signature", rootCrl.signature, rootCrl.signedPart, key);
  needs.issuer("root CRL issuer", rootCrl, rootCa);
  needs.dates("root CRL dates", rootCrl.thisUpdate, rootCrl.nextUpdate - 1);
  needs.unrevoked("root CA revocation", rootCa, rootCrl);

  const signing = readCertificate(collateral.tcbSigning);
  needs.signature("TCB signing signature", signing.signature, signing.signedPart, key);
  needs.name("TCB signing name", signing, ["Intel SGX TCB Signing"]);
  const signs = !signing.isCa && (signing.keyUsage & keyUsage.digitalSignature) !== 0;
  needs.that("TCB signing role", signs, "not an end certificate that signs", "an end certificate that signs");
  needs.dates("TCB signing dates", signing.notBefore, signing.notAfter);
  needs.unrevoked("TCB signing revocation", signing, rootCrl);

  const pckCa = readCertificate(collateral.pckCa);
  needs.signature("PCK CA signature", pckCa.signature, pckCa.signedPart, key);
  needs.name("PCK CA name", pckCa, ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"]);
  needs.authority("PCK CA role", pckCa);
  needs.dates("PCK CA dates", pckCa.notBefore, pckCa.notAfter);
  needs.unrevoked("PCK CA revocation", pckCa, rootCrl);

  const pckCrl = readCrl(collateral.pckCrl);
  needs.signature("PCK CRL signature", pckCrl.signature, pckCrl.signedPart, pckCa.publicKey);
  needs.issuer("PCK CRL issuer", pckCrl, pckCa);
  needs.dates("PCK CRL dates", pckCrl.thisUpdate, pckCrl.nextUpdate - 1);

  // Signatures before contents: what nobody signed is not read.
  needs.signature("TCB info signature", collateral.tcbInfoSignature, collateral.tcbInfo, signing.publicKey);
  const tcbInfo = readTcbInfo(collateral.tcbInfo);
  needs.dates("TCB info dates", tcbInfo.issueDate, tcbInfo.nextUpdate - 1);
  needs.signature("QE identity signature", collateral.qeIdentitySignature, collateral.qeIdentity, signing.publicKey);
  const qeIdentity = readQeIdentity(collateral.qeIdentity);
  needs.dates("QE identity dates", qeIdentity.issueDate, qeIdentity.nextUpdate - 1);
  return { tcbInfo, qeIdentity, pckCa, rootCrl, pckCrl, validUntil: needs.validUntil() };
}

/** What certificates, lists and documents are held to at one time. */
function needsAt(atUnixSeconds: number, passed?: (check: CollateralCheck, fact: string) => void) {
  let validUntil = Number.MAX_SAFE_INTEGER;
  const that = (check: CollateralCheck, holds: boolean, wrong: string, right: string) => {
    if (!holds) throw new CollateralCheckError(check, wrong);
    passed?.(check, right);
  };
  return {
    that,
    validUntil: () => validUntil,
    signature(check: CollateralCheck, ...signed: Parameters<typeof isSignedP256>) {
      that(check, isSignedP256(...signed), "not valid", "valid");
    },
    /** `last` is the last second that is valid: a certificate's notAfter, but the second before a nextUpdate. */
    dates(check: CollateralCheck, first: number, last: number) {
      const holds = atUnixSeconds >= first && atUnixSeconds <= last;
      const range = `${first} to ${last}`;
      that(check, holds, `${atUnixSeconds} is outside ${range}`, `${atUnixSeconds} is within ${range}`);
      validUntil = Math.min(validUntil, last);
    },
    unrevoked(check: CollateralCheck, { serial }: Certificate, { revoked }: Crl) {
      that(check, !revoked.includes(serial), `serial 0x${serial.toString(16)} is revoked`, "not revoked");
    },
    issuer(check: CollateralCheck, { issuer }: Crl, { subject }: Certificate) {
      that(check, sameBytes(issuer, subject), "another issuer", commonNameOf(subject));
    },
    authority(check: CollateralCheck, { isCa, keyUsage: usage }: Certificate) {
      const holds = isCa && (usage & authority) === authority;
      that(check, holds, "not a certificate authority", "an authority for certificates and lists");
    },
    /** A root's certificates are told apart by their names: it signs TCB documents under one of them only. */
    name(check: CollateralCheck, certificate: Certificate, names: readonly Parameters<typeof intelName>[0][]) {
      const name = names.find((one) => sameBytes(certificate.subject, intelName(one)));
      const holds = name !== undefined && sameBytes(certificate.issuer, intelName("Intel SGX Root CA"));
      that(check, holds, `not ${names.join(" or ")} of the root CA`, name ?? "");
    },
  };
}

/** The check did not pass. */
export class CollateralCheckError extends BaseError {
  override readonly name = "Collateral.CollateralCheckError";
  readonly check: CollateralCheck;
  readonly fact: string;
  constructor(check: CollateralCheck, fact: string) {
    super(`Collateral refused, ${check}: ${fact}.`, {
      hint: "Fetch fresh collateral from Intel; if dates are the reason, check the time that was asked for.",
    });
    this.check = check;
    this.fact = fact;
  }
}
