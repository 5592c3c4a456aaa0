/**
 * Room: simulator/certificate. Issues X.509 v3 certificates over P-256 in the shape of Intel's. Pure.
 * Source: RFC 5280, section 4; RFC 5480; names and extensions as in Intel "SGX PCK Certificate and CRL Profile".
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import * as asn1 from "./der.ts";
import { signP256 } from "./ecdsa.ts";
import type { P256KeyPair } from "./secrets.ts";

/** What a certificate says. */
export type CertificateTerms = {
  issuer: Uint8Array;
  subject: Uint8Array;
  /** 65-byte uncompressed P-256 point. */
  subjectKey: Uint8Array;
  /** Big-endian, 1 to 20 bytes. */
  serial: Uint8Array;
  notBefore: Date;
  notAfter: Date;
  extensions: readonly Uint8Array[];
};

/** AlgorithmIdentifier of every signature here, DER. */
export const ecdsaWithSha256 = asn1.sequence(asn1.oid("1.2.840.10045.4.3.2"));
const p256Algorithm = asn1.sequence(asn1.oid("1.2.840.10045.2.1"), asn1.oid("1.2.840.10045.3.1.7"));

/**
 * Signs a certificate.
 *
 * @returns DER. The same terms and key give the same bytes (RFC 6979); s is not normalised, as in Intel's.
 * @example
 * const leaf = issueCertificate(terms, issuerKeys)
 */
export function issueCertificate(terms: CertificateTerms, issuerKeys: P256KeyPair): Uint8Array {
  const version3 = asn1.der(0xa0, asn1.unsignedInteger(Uint8Array.of(2)));
  const tbs = asn1.sequence(
    version3,
    asn1.unsignedInteger(terms.serial),
    ecdsaWithSha256,
    terms.issuer,
    asn1.sequence(asn1.time(terms.notBefore), asn1.time(terms.notAfter)),
    terms.subject,
    publicKeyInfo(terms.subjectKey),
    asn1.der(0xa3, asn1.sequence(...terms.extensions)),
  );
  return signed(tbs, issuerKeys);
}

/**
 * What is to be signed, with its signature behind it: the outer form of certificates and CRLs.
 *
 * @param toBeSigned - DER.
 * @example
 * signed(tbsCertList, issuerKeys)
 */
export function signed(toBeSigned: Uint8Array, issuerKeys: P256KeyPair): Uint8Array {
  return asn1.sequence(toBeSigned, ecdsaWithSha256, asn1.bitString(signP256(toBeSigned, issuerKeys, "der")));
}

/**
 * SubjectPublicKeyInfo of a P-256 key, DER.
 *
 * @example
 * publicKeyInfo(keys.publicKey).length // 91
 */
export function publicKeyInfo(publicKey: Uint8Array): Uint8Array {
  return asn1.sequence(p256Algorithm, asn1.bitString(publicKey));
}

/**
 * Key identifier: the leftmost 20 bytes of the key's SHA-256 (RFC 7093, method 1).
 *
 * @example
 * keyIdentifier(keys.publicKey).length // 20
 */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return sha256(publicKey).subarray(0, 20);
}

/**
 * A name.
 *
 * @param parts - in order; `C` is a PrintableString, the others UTF8String, as in Intel's certificates.
 * @example
 * distinguishedName([["CN", "Intel SGX Root CA"], ["O", "Intel Corporation"]])
 */
export function distinguishedName(parts: readonly (readonly [keyof typeof nameOids, string])[]): Uint8Array {
  return asn1.sequence(
    ...parts.map(([part, text]) =>
      asn1.setOf(
        asn1.sequence(asn1.oid(nameOids[part]), part === "C" ? asn1.printableString(text) : asn1.utf8String(text)),
      ),
    ),
  );
}

/**
 * A name of Intel's, byte for byte: verifiers compare names, so a simulated platform must bear the real ones.
 *
 * @example
 * intelName("Intel SGX Root CA")
 */
export function intelName(commonName: string): Uint8Array {
  return distinguishedName([
    ["CN", commonName],
    ["O", "Intel Corporation"],
    ["L", "Santa Clara"],
    ["ST", "CA"],
    ["C", "US"],
  ]);
}

const nameOids = { CN: "2.5.4.3", O: "2.5.4.10", L: "2.5.4.7", ST: "2.5.4.8", C: "2.5.4.6" } as const;

/* EXTENSIONS */

/** Any extension, from the DER of its value. */
export function extension(id: string, value: Uint8Array, critical = false): Uint8Array {
  return asn1.sequence(asn1.oid(id), ...(critical ? [asn1.derTrue] : []), asn1.octetString(value));
}

/** Which key signed this certificate. */
export const authorityKey = (issuerKey: Uint8Array) =>
  extension("2.5.29.35", asn1.sequence(asn1.der(0x80, keyIdentifier(issuerKey))));

/** Which key this certificate is of. */
export const subjectKey = (key: Uint8Array) => extension("2.5.29.14", asn1.octetString(keyIdentifier(key)));

/** Where the issuer's CRL would lie. */
export const crlDistribution = (url: string) =>
  extension(
    "2.5.29.31",
    asn1.sequence(asn1.sequence(asn1.der(0xa0, asn1.der(0xa0, asn1.der(0x86, utf8ToBytes(url)))))),
  );

/** Key usage: certificate and CRL signing for a CA, digital signature and non-repudiation for a leaf. */
export const keyUsage = (use: "authority" | "leaf") =>
  extension(
    "2.5.29.15",
    use === "authority" ? asn1.bitString(Uint8Array.of(0x06), 1) : asn1.bitString(Uint8Array.of(0xc0), 6),
    true,
  );

/** Basic constraints: a CA with this many CAs allowed below it, or (undefined) no CA. */
export const basicConstraints = (pathLength: number | undefined) =>
  extension(
    "2.5.29.19",
    pathLength === undefined
      ? asn1.sequence()
      : asn1.sequence(asn1.derTrue, asn1.unsignedInteger(Uint8Array.of(pathLength))),
    true,
  );

/**
 * PEM of a certificate: base64 in lines of 64, each block ended by a newline.
 *
 * @example
 * toPem(leaf) + toPem(issuer)
 */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
