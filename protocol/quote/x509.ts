/**
 * Room: protocol/quote. What X.509 certificates and revocation lists have in common: times, signatures, extensions. Pure.
 * Every reader says what it cannot read through the error that its caller gives. Source: RFC 5280.
 */
import { bytesToHex, type Hex } from "viem";
import type { BaseError } from "../errors.ts";
import { type DerReader, type Element, fixedInteger, readDer, tag } from "./der.ts";

/** Makes the caller's error of a fact. */
export type Unsupported = (fact: string) => BaseError;

/** One extension: object identifier (its content), criticality, content of its octet string. */
export type Extension = { id: Hex; critical: boolean; value: Uint8Array };

const ecdsaWithSha256 = "0x2a8648ce3d040302";
const commonNameId = "0x550403";
const maxSerialSize = 20;

/**
 * A serial number: not negative, at most 20 bytes.
 *
 * @throws `MalformedDerError`
 * @example
 * const serial = readSerial(body)
 */
export function readSerial(reader: DerReader): bigint {
  return BigInt(bytesToHex(fixedInteger(reader.next(tag.integer), maxSerialSize, "serial number")));
}

/**
 * Refuses every signature algorithm but ECDSA with SHA-256.
 *
 * @throws `MalformedDerError` | what `unsupported` makes
 * @example
 * requireEcdsa(certificate.next(tag.sequence), unsupported)
 */
export function requireEcdsa(algorithm: Element, unsupported: Unsupported): void {
  const reader = readDer(algorithm.content, "signature algorithm");
  const id = bytesToHex(reader.next(tag.oid).content);
  if (id !== ecdsaWithSha256) throw unsupported(`signature algorithm ${id}`);
  reader.end();
}

/**
 * Content of a bit string of whole bytes.
 *
 * @throws what `unsupported` makes
 * @example
 * const point = readBits(info.next(tag.bitString), unsupported)
 */
export function readBits(element: Element, unsupported: Unsupported): Uint8Array {
  if (element.content[0] !== 0) throw unsupported("bit string with unused bits");
  return element.content.subarray(1);
}

/**
 * An ECDSA signature over P-256.
 *
 * @returns r || s, 64 bytes.
 * @throws `MalformedDerError` | what `unsupported` makes
 * @example
 * const signature = readSignature(certificate.next(tag.bitString), unsupported)
 */
export function readSignature(element: Element, unsupported: Unsupported): Uint8Array {
  const outer = readDer(readBits(element, unsupported), "signature");
  const reader = readDer(outer.next(tag.sequence).content, "signature");
  outer.end();
  const signature = new Uint8Array(64);
  signature.set(fixedInteger(reader.next(tag.integer), 32, "signature r"), 0);
  signature.set(fixedInteger(reader.next(tag.integer), 32, "signature s"), 32);
  reader.end();
  return signature;
}

/**
 * A UTCTime (years 1950-2049) or a GeneralizedTime. Source: RFC 5280, 4.1.2.5.
 *
 * @returns Unix seconds.
 * @throws `MalformedDerError` | what `unsupported` makes
 * @example
 * const notBefore = readTime(validity, unsupported)
 */
export function readTime(reader: DerReader, unsupported: Unsupported): number {
  const element = reader.optional(tag.utcTime) ?? reader.next(tag.generalizedTime);
  const text = String.fromCharCode(...element.content);
  const utc = element.tag === tag.utcTime;
  const match = (utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(
    text,
  );
  if (match === null) throw unsupported("time format");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const fullYear = utc ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(Date.UTC(fullYear, month - 1, day, hour, minute, second));
  // Date rolls 31 February over to March; a time that comes out otherwise than it went in is no time.
  const iso = date.toISOString().replace(/[-:T]|\.000Z/g, "");
  if (iso !== `${utc ? String(fullYear) + text.slice(2, 12) : text.slice(0, 14)}`)
    throw unsupported("time that does not exist");
  if (date.getTime() < 0) throw unsupported("time before 1970"); // which the contracts do not read
  return date.getTime() / 1000;
}

/**
 * Extensions, none of them twice.
 *
 * @param sequence - of extensions; see {@link unwrap} for the explicit tag around it.
 * @throws `MalformedDerError` | what `unsupported` makes
 * @example
 * for (const { id, value } of readExtensionList(unwrap(body.next(tag.extensions)), unsupported)) read(id, value)
 */
export function readExtensionList(sequence: Element, unsupported: Unsupported): Extension[] {
  const list = readDer(sequence.content, "extensions");
  const found = new Map<Hex, Extension>();
  while (list.more()) {
    const extension = readDer(list.next(tag.sequence).content, "extension");
    const id = bytesToHex(extension.next(tag.oid).content);
    const critical = readBoolean(extension.optional(tag.boolean), unsupported);
    const value = extension.next(tag.octetString).content;
    extension.end();
    if (found.has(id)) throw unsupported(`extension ${id} twice`);
    found.set(id, { id, critical, value });
  }
  return [...found.values()];
}

/**
 * The one sequence in an explicit tag.
 *
 * @throws `MalformedDerError`
 * @example
 * const extensions = unwrap(body.next(tag.extensions))
 */
export function unwrap(wrapped: Element): Element {
  const outer = readDer(wrapped.content, "explicit tag");
  const sequence = outer.next(tag.sequence);
  outer.end();
  return sequence;
}

/**
 * A boolean; false where there is none, which is the default wherever one stands here.
 *
 * @throws what `unsupported` makes
 * @example
 * const isCa = readBoolean(constraints.optional(tag.boolean), unsupported)
 */
export function readBoolean(element: Element | undefined, unsupported: Unsupported): boolean {
  if (element === undefined) return false;
  const value = bytesToHex(element.content);
  if (value !== "0xff" && value !== "0x00") throw unsupported("boolean form");
  return value === "0xff";
}

/**
 * The common name in a distinguished name, or an empty string.
 *
 * @param name - whole DER, a sequence of sets of one attribute each.
 * @throws `MalformedDerError`
 * @example
 * commonNameOf(leaf.subject) // "Intel SGX PCK Certificate"
 */
export function commonNameOf(name: Uint8Array): string {
  const list = readDer(readDer(name, "name").next(tag.sequence).content, "name");
  while (list.more()) {
    const attribute = readDer(readDer(list.next(tag.set).content, "name").next(tag.sequence).content, "name");
    const isCommonName = bytesToHex(attribute.next(tag.oid).content) === commonNameId;
    const value = attribute.optional(tag.utf8String) ?? attribute.next(tag.printableString);
    if (isCommonName) return new TextDecoder().decode(value.content);
  }
  return "";
}
