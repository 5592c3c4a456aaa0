/**
 * Room: simulator/crl. Issues certificate revocation lists of version 2 in the shape of Intel's. Pure.
 * Source: RFC 5280, section 5; Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.4.
 */
import { authorityKey, ecdsaWithSha256, extension, signed } from "./certificate.ts";
import * as asn1 from "./der.ts";
import type { P256KeyPair } from "./secrets.ts";

/** What a revocation list says. */
export type CrlTerms = {
  /** Name, DER. */
  issuer: Uint8Array;
  /** 65-byte point of the issuer's key. */
  issuerKey: Uint8Array;
  /** 1 in all lists of Intel's seen so far; none only in forgeries, as with the next update. */
  number: number | undefined;
  thisUpdate: Date;
  nextUpdate: Date | undefined;
  /** Serial numbers, big-endian, 1 to 20 bytes each. */
  revoked: readonly Uint8Array[];
  /** Behind the CRL number and the authority's key identifier. */
  moreExtensions: readonly Uint8Array[];
};

/** Reason code of every entry in Intel's lists. */
const keyCompromise = 1;

/**
 * Signs a revocation list. Entries are dated as the list itself, and an empty list has no list of entries at all, as
 * in Intel's.
 *
 * @returns DER.
 * @example
 * const crl = issueCrl(terms, pckCaKeys)
 */
export function issueCrl(terms: CrlTerms, issuerKeys: P256KeyPair): Uint8Array {
  const entries = terms.revoked.map((serial) =>
    asn1.sequence(
      asn1.unsignedInteger(serial),
      asn1.time(terms.thisUpdate),
      asn1.sequence(extension("2.5.29.21", asn1.enumerated(keyCompromise))),
    ),
  );
  const toBeSigned = asn1.sequence(
    asn1.unsignedInteger(Uint8Array.of(1)), // version 2
    ecdsaWithSha256,
    terms.issuer,
    asn1.time(terms.thisUpdate),
    ...(terms.nextUpdate === undefined ? [] : [asn1.time(terms.nextUpdate)]),
    ...(entries.length > 0 ? [asn1.sequence(...entries)] : []),
    asn1.der(
      0xa0,
      asn1.sequence(
        ...(terms.number === undefined ? [] : [extension("2.5.29.20", asn1.unsignedInteger(bigEndian(terms.number)))]),
        authorityKey(terms.issuerKey),
        ...terms.moreExtensions,
      ),
    ),
  );
  return signed(toBeSigned, issuerKeys);
}

/** 4 bytes. */
function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
