/**
 * Room: simulator/der. Writes DER, the byte form of certificates. Pure; reads nothing, so it has nothing to refuse.
 * Source: ITU-T X.690 (2021), sections 8 and 10.
 */
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * One DER value: tag, length, contents. Contents must be shorter than 2^24 bytes.
 *
 * @example
 * der(0x30, oid("1.2.3")) // SEQUENCE { OID }
 */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const value = concatBytes(...contents);
  const { length } = value;
  const bytes = [length >> 16, (length >> 8) & 0xff, length & 0xff];
  const significant = bytes.slice(length < 0x100 ? 2 : length < 0x10000 ? 1 : 0);
  const head = length < 0x80 ? [length] : [0x80 + significant.length, ...significant];
  return concatBytes(Uint8Array.of(tag, ...head), value);
}

/** SEQUENCE. */
export const sequence = (...items: readonly Uint8Array[]) => der(0x30, ...items);
/** SET of one item: no order to get wrong. */
export const setOf = (item: Uint8Array) => der(0x31, item);
/** OCTET STRING. */
export const octetString = (bytes: Uint8Array) => der(0x04, bytes);
/** BIT STRING of whole bytes, or with `unusedBits` at its end. */
export const bitString = (bytes: Uint8Array, unusedBits = 0) => der(0x03, Uint8Array.of(unusedBits), bytes);
/** UTF8String. */
export const utf8String = (text: string) => der(0x0c, utf8ToBytes(text));
/** PrintableString. */
export const printableString = (text: string) => der(0x13, utf8ToBytes(text));
/** BOOLEAN TRUE. */
export const derTrue = Uint8Array.of(0x01, 0x01, 0xff);
/** ENUMERATED of one byte below 0x80. */
export const enumerated = (value: number) => der(0x0a, Uint8Array.of(value));

/** INTEGER from unsigned big-endian bytes. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const minimal = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  // A leading bit of one would read as negative.
  return (minimal[0] ?? 0) & 0x80 ? der(0x02, Uint8Array.of(0), minimal) : der(0x02, minimal);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left & 0x7f) | 0x80);
    }
    return digits;
  });
  return der(0x06, Uint8Array.from(bytes));
}

/** Time of a certificate, as RFC 5280 wants it: UTCTime through 2049, GeneralizedTime from 2050 on. */
export function time(date: Date): Uint8Array {
  const digits = `${date.toISOString().slice(0, 19).replace(/\D/g, "")}Z`;
  return date.getUTCFullYear() < 2050 ? der(0x17, utf8ToBytes(digits.slice(2))) : der(0x18, utf8ToBytes(digits));
}
