/**
 * Room: protocol/quote. Reads the X.509 certificates of a PCK chain, strictly. Checks no signature and no date. Pure.
 * Source: RFC 5280, 4.1; Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification".
 */
import { bytesToHex } from "viem";
import { BaseError } from "../errors.ts";
import { type Element, readDer, tag } from "./der.ts";
import { maxCertificateSize } from "./pemChain.ts";
import {
  readBits,
  readBoolean,
  readExtensionList,
  readSerial,
  readSignature,
  readTime,
  requireEcdsa,
  unwrap,
} from "./x509.ts";

/** Contents of the object identifiers that count, as hex. */
const oid = {
  ecPublicKey: "0x2a8648ce3d0201",
  prime256v1: "0x2a8648ce3d030107",
  basicConstraints: "0x551d13",
  keyUsage: "0x551d0f",
  sgx: "0x2a864886f84d010d01",
} as const;

/** Content of the version's tag: the integer 2, and nothing else. */
const version3 = "0x020102";

/** What the verification needs of a certificate. Byte arrays are views into it. */
export type Certificate = {
  /** What the issuer signs. */
  signedPart: Uint8Array;
  /** r || s, 64 bytes. */
  signature: Uint8Array;
  /** At most 20 bytes. */
  serial: bigint;
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
  if (der.length > maxCertificateSize) throw unsupported(`size of ${der.length} bytes`);
  const file = readDer(der, "certificate");
  const certificate = readDer(file.next(tag.sequence).content, "certificate");
  file.end();
  const signedPart = certificate.next(tag.sequence);
  requireEcdsa(certificate.next(tag.sequence), unsupported);
  const signature = readSignature(certificate.next(tag.bitString), unsupported);
  certificate.end();

  const body = readDer(signedPart.content, "certificate body");
  if (bytesToHex(body.next(tag.version).content) !== version3) throw unsupported("version other than 3");
  const serial = readSerial(body);
  requireEcdsa(body.next(tag.sequence), unsupported);
  const issuer = body.next(tag.sequence).whole;
  const validity = readDer(body.next(tag.sequence).content, "validity");
  const notBefore = readTime(validity, unsupported);
  const notAfter = readTime(validity, unsupported);
  validity.end();
  const subject = body.next(tag.sequence).whole;
  const publicKey = readPublicKey(body.next(tag.sequence));
  const extensions = readExtensions(body.next(tag.extensions));
  body.end();
  const names = { issuer, subject };
  return { signedPart: signedPart.whole, signature, serial, ...names, notBefore, notAfter, publicKey, ...extensions };
}

function readPublicKey(info: Element): Uint8Array {
  const reader = readDer(info.content, "public key");
  const algorithm = readDer(reader.next(tag.sequence).content, "key algorithm");
  const kind = bytesToHex(algorithm.next(tag.oid).content);
  const curve = bytesToHex(algorithm.next(tag.oid).content);
  algorithm.end();
  if (kind !== oid.ecPublicKey || curve !== oid.prime256v1) throw unsupported("public key algorithm");
  const point = readBits(reader.next(tag.bitString), unsupported);
  reader.end();
  if (point.length !== 65 || point[0] !== 4) throw unsupported("public key form");
  return point.subarray(1);
}

function readExtensions(wrapped: Element) {
  let isCa = false;
  let keyUsage = 0;
  let sgxExtension: Uint8Array | undefined;
  for (const { id, critical, value } of readExtensionList(unwrap(wrapped), unsupported)) {
    if (id === oid.basicConstraints) isCa = readBasicConstraints(value);
    else if (id === oid.keyUsage) keyUsage = readKeyUsage(value);
    else if (id === oid.sgx) sgxExtension = value;
    // Others say nothing that is relied on here, unless they claim to be critical.
    else if (critical) throw unsupported(`critical extension ${id}`);
  }
  return { isCa, keyUsage, sgxExtension };
}

function readBasicConstraints(value: Uint8Array): boolean {
  const outer = readDer(value, "basic constraints");
  const reader = readDer(outer.next(tag.sequence).content, "basic constraints");
  outer.end();
  const ca = readBoolean(reader.optional(tag.boolean), unsupported);
  reader.optional(tag.integer); // Path length: the chain checked here has exactly three links.
  reader.end();
  return ca;
}

function readKeyUsage(value: Uint8Array): number {
  const outer = readDer(value, "key usage");
  const bits = outer.next(tag.bitString).content;
  outer.end();
  const usage = bits[1];
  if (bits.length < 2 || bits.length > 3 || usage === undefined) throw unsupported("key usage form");
  return usage;
}

function unsupported(fact: string): UnsupportedCertificateError {
  return new UnsupportedCertificateError(fact);
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
