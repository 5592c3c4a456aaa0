/**
 * Room: protocol/quote. Reads the X.509 certificates of a PCK chain, strictly. Checks no signature and no date. Pure.
 * Source: RFC 5280, 4.1; Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification".
 */
import { bytesToHex } from "viem";
import { BaseError } from "../errors.ts";
import { type DerReader, type Element, fixedInteger, readDer, tag } from "./der.ts";
import { maxCertificateSize } from "./pemChain.ts";

/** Contents of the object identifiers that count, as hex. */
const oid = {
  ecdsaWithSha256: "0x2a8648ce3d040302",
  ecPublicKey: "0x2a8648ce3d0201",
  prime256v1: "0x2a8648ce3d030107",
  basicConstraints: "0x551d13",
  keyUsage: "0x551d0f",
  sgx: "0x2a864886f84d010d01",
} as const;

/** What the verification needs of a certificate. Byte arrays are views into it. */
export type Certificate = {
  /** What the issuer signs. */
  signedPart: Uint8Array;
  /** r || s, 64 bytes. */
  signature: Uint8Array;
  /** Issuer and subject names, whole DER. */
  issuer: Uint8Array;
  subject: Uint8Array;
  /** Unix seconds, first and last second of validity. */
  notBefore: number;
  notAfter: number;
  /** x || y of the P-256 public key. */
  publicKey: Uint8Array;
  isCa: boolean;
  /** Bits of key usage, 0x80 = digitalSignature, 0x04 = keyCertSign. */
  keyUsage: number;
  /** Content of Intel's SGX extension: see `readSgxExtension`. */
  sgxExtension: Uint8Array | undefined;
};

/**
 * Reads a certificate.
 *
 * @param der - at most 4,096 bytes, nothing after the certificate.
 * @throws `MalformedDerError` | {@link UnsupportedCertificateError}
 * @example
 * const leaf = readCertificate(hexToBytes(pckLeaf))
 */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > maxCertificateSize) throw new UnsupportedCertificateError(`size of ${der.length} bytes`);
  const file = readDer(der, "certificate");
  const certificate = readDer(file.next(tag.sequence).content, "certificate");
  file.end();
  const signedPart = certificate.next(tag.sequence);
  requireEcdsa(certificate.next(tag.sequence));
  const signature = readSignature(readBits(certificate.next(tag.bitString)));
  certificate.end();

  const body = readDer(signedPart.content, "certificate body");
  const version = readDer(body.next(tag.version).content, "version").next(tag.integer);
  if (bytesToHex(version.content) !== "0x02") throw new UnsupportedCertificateError("version other than 3");
  body.next(tag.integer); // Serial number: of no use until revocation lists are read.
  requireEcdsa(body.next(tag.sequence));
  const issuer = body.next(tag.sequence).whole;
  const validity = readDer(body.next(tag.sequence).content, "validity");
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.end();
  const subject = body.next(tag.sequence).whole;
  const publicKey = readPublicKey(body.next(tag.sequence));
  const extensions = readExtensions(body.next(tag.extensions));
  body.end();
  return { signedPart: signedPart.whole, signature, issuer, subject, notBefore, notAfter, publicKey, ...extensions };
}

function requireEcdsa(algorithm: Element): void {
  const reader = readDer(algorithm.content, "signature algorithm");
  const id = bytesToHex(reader.next(tag.oid).content);
  if (id !== oid.ecdsaWithSha256) throw new UnsupportedCertificateError(`signature algorithm ${id}`);
  reader.end();
}

/** Content of a bit string of whole bytes. */
function readBits(element: Element): Uint8Array {
  if (element.content[0] !== 0) throw new UnsupportedCertificateError("bit string with unused bits");
  return element.content.subarray(1);
}

function readSignature(der: Uint8Array): Uint8Array {
  const outer = readDer(der, "signature");
  const reader = readDer(outer.next(tag.sequence).content, "signature");
  outer.end();
  const signature = new Uint8Array(64);
  signature.set(fixedInteger(reader.next(tag.integer), 32, "signature r"), 0);
  signature.set(fixedInteger(reader.next(tag.integer), 32, "signature s"), 32);
  reader.end();
  return signature;
}

/** Unix seconds of a UTCTime (years 1950-2049) or a GeneralizedTime. Source: RFC 5280, 4.1.2.5. */
function readTime(reader: DerReader): number {
  const element = reader.optional(tag.utcTime) ?? reader.next(tag.generalizedTime);
  const text = String.fromCharCode(...element.content);
  const utc = element.tag === tag.utcTime;
  const match = (utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(
    text,
  );
  if (match === null) throw new UnsupportedCertificateError("time format");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const fullYear = utc ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(Date.UTC(fullYear, month - 1, day, hour, minute, second));
  // Date rolls 31 February over to March; a time that comes out otherwise than it went in is no time.
  const iso = date.toISOString().replace(/[-:T]|\.000Z/g, "");
  if (iso !== `${utc ? String(fullYear) + text.slice(2, 12) : text.slice(0, 14)}`)
    throw new UnsupportedCertificateError("time that does not exist");
  return date.getTime() / 1000;
}

function readPublicKey(info: Element): Uint8Array {
  const reader = readDer(info.content, "public key");
  const algorithm = readDer(reader.next(tag.sequence).content, "key algorithm");
  const kind = bytesToHex(algorithm.next(tag.oid).content);
  const curve = bytesToHex(algorithm.next(tag.oid).content);
  algorithm.end();
  if (kind !== oid.ecPublicKey || curve !== oid.prime256v1)
    throw new UnsupportedCertificateError("public key algorithm");
  const point = readBits(reader.next(tag.bitString));
  reader.end();
  if (point.length !== 65 || point[0] !== 4) throw new UnsupportedCertificateError("public key form");
  return point.subarray(1);
}

function readExtensions(wrapped: Element) {
  const outer = readDer(wrapped.content, "extensions");
  const list = readDer(outer.next(tag.sequence).content, "extensions");
  outer.end();
  const seen = new Set<string>();
  let isCa = false;
  let keyUsage = 0;
  let sgxExtension: Uint8Array | undefined;
  while (list.more()) {
    const extension = readDer(list.next(tag.sequence).content, "extension");
    const id = bytesToHex(extension.next(tag.oid).content);
    const critical = readBoolean(extension.optional(tag.boolean));
    const value = extension.next(tag.octetString).content;
    extension.end();
    if (seen.has(id)) throw new UnsupportedCertificateError(`extension ${id} twice`);
    seen.add(id);
    if (id === oid.basicConstraints) isCa = readBasicConstraints(value);
    else if (id === oid.keyUsage) keyUsage = readKeyUsage(value);
    else if (id === oid.sgx) sgxExtension = value;
    // Others say nothing that is relied on here, unless they claim to be critical.
    else if (critical) throw new UnsupportedCertificateError(`critical extension ${id}`);
  }
  return { isCa, keyUsage, sgxExtension };
}

function readBasicConstraints(value: Uint8Array): boolean {
  const outer = readDer(value, "basic constraints");
  const reader = readDer(outer.next(tag.sequence).content, "basic constraints");
  outer.end();
  const ca = readBoolean(reader.optional(tag.boolean));
  reader.optional(tag.integer); // Path length: the chain checked here has exactly three links.
  reader.end();
  return ca;
}

/** False where there is none: that is the default wherever a boolean stands here. */
function readBoolean(element: Element | undefined): boolean {
  if (element === undefined) return false;
  const value = bytesToHex(element.content);
  if (value !== "0xff" && value !== "0x00") throw new UnsupportedCertificateError("boolean form");
  return value === "0xff";
}

function readKeyUsage(value: Uint8Array): number {
  const outer = readDer(value, "key usage");
  const bits = outer.next(tag.bitString).content;
  outer.end();
  const usage = bits[1];
  if (bits.length < 2 || bits.length > 3 || usage === undefined)
    throw new UnsupportedCertificateError("key usage form");
  return usage;
}

/** The certificate is not of the kind Intel's PCK chain is made of. */
export class UnsupportedCertificateError extends BaseError {
  override readonly name = "Quote.UnsupportedCertificateError";
  constructor(fact: string) {
    super(`Certificate not supported: ${fact}.`, {
      hint: "A PCK chain has X.509 version 3 certificates, P-256 keys and ECDSA with SHA-256.",
    });
  }
}
