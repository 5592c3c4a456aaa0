/**
 * Room: protocol/collateral. Reads the revocation lists of Intel's root and PCK CAs, strictly. Checks no signature and no
 * date. Pure. Source: RFC 5280, 5.1; Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification".
 */
import { bytesToHex } from "viem";
import { BaseError } from "../errors.ts";
import { type DerReader, type Element, fixedInteger, readDer, tag } from "../quote/der.ts";
import { readExtensionList, readSerial, readSignature, readTime, requireEcdsa, unwrap } from "../quote/x509.ts";

/** Longest list that is read, in bytes; real ones have 0.3 to 7 KB. */
export const maxCrlSize = 65_535;

const oid = { crlNumber: "0x551d14", authorityKey: "0x551d23" } as const;
const version2 = "0x01";

/** A revocation list. Byte arrays are views into it. */
export type Crl = {
  /** What the issuer signs. */
  signedPart: Uint8Array;
  /** r || s, 64 bytes. */
  signature: Uint8Array;
  /** Whole DER. */
  issuer: Uint8Array;
  /** Unix seconds; valid from the first until before the second. */
  thisUpdate: number;
  nextUpdate: number;
  /** At most 20 bytes. Intel has written 1 in every list so far: what tells old from new is `thisUpdate`. */
  number: bigint;
  /** Serial numbers of the revoked certificates, as listed. */
  revoked: readonly bigint[];
};

/**
 * Reads a revocation list.
 *
 * @param der - at most {@link maxCrlSize} bytes, nothing after the list.
 * @throws `MalformedDerError` | {@link UnsupportedCrlError}
 * @example
 * const { revoked } = readCrl(collateral.pckCrl)
 */
export function readCrl(der: Uint8Array): Crl {
  if (der.length > maxCrlSize) throw unsupported(`size of ${der.length} bytes`);
  const file = readDer(der, "revocation list");
  const list = readDer(file.next(tag.sequence).content, "revocation list");
  file.end();
  const signedPart = list.next(tag.sequence);
  requireEcdsa(list.next(tag.sequence), unsupported);
  const signature = readSignature(list.next(tag.bitString), unsupported);
  list.end();

  const body = readDer(signedPart.content, "revocation list");
  if (bytesToHex(body.next(tag.integer).content) !== version2) throw unsupported("version other than 2");
  requireEcdsa(body.next(tag.sequence), unsupported);
  const issuer = body.next(tag.sequence).whole;
  const thisUpdate = readTime(body, unsupported);
  const nextUpdate = readTime(body, unsupported);
  const entries = body.optional(tag.sequence);
  const revoked = entries === undefined ? [] : readEntries(readDer(entries.content, "revoked certificates"));
  const number = readNumber(body.next(tag.crlExtensions));
  body.end();
  return { signedPart: signedPart.whole, signature, issuer, thisUpdate, nextUpdate, number, revoked };
}

function readEntries(list: DerReader): bigint[] {
  const serials: bigint[] = [];
  while (list.more()) {
    const entry = readDer(list.next(tag.sequence).content, "revoked certificate");
    serials.push(readSerial(entry));
    readTime(entry, unsupported);
    const extensions = entry.optional(tag.sequence);
    entry.end();
    // A critical one may say that the entry is of another issuer's certificate.
    if (extensions !== undefined && readExtensionList(extensions, unsupported).some(({ critical }) => critical))
      throw unsupported("critical extension of an entry");
  }
  return serials;
}

function readNumber(wrapped: Element): bigint {
  let number: bigint | undefined;
  for (const { id, critical, value } of readExtensionList(unwrap(wrapped), unsupported)) {
    if (id === oid.crlNumber) {
      const reader = readDer(value, "CRL number");
      number = BigInt(bytesToHex(fixedInteger(reader.next(tag.integer), 20, "CRL number")));
      reader.end();
    }
    // Critical ones change what the list means: that it is a delta, or of some certificates only.
    else if (critical && id !== oid.authorityKey) throw unsupported(`critical extension ${id}`);
  }
  if (number === undefined) throw unsupported("no CRL number");
  return number;
}

function unsupported(fact: string): UnsupportedCrlError {
  return new UnsupportedCrlError(fact);
}

/** The revocation list is not of the kind Intel publishes. */
export class UnsupportedCrlError extends BaseError {
  override readonly name = "Collateral.UnsupportedCrlError";
  constructor(fact: string) {
    super(`Revocation list not supported: ${fact}.`, {
      hint: "Give Intel's list as DER: version 2, complete, with a number, ECDSA with SHA-256.",
    });
  }
}
