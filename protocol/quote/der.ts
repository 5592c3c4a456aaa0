/**
 * Room: protocol/quote. A strict reader of DER: definite, minimal lengths, nothing beyond the end. Pure.
 * Reads only what X.509 certificates and revocation lists of Intel's PCK chain are made of. Source: ITU-T X.690, clause 10.
 */
import { BaseError } from "../errors.ts";

/** Tags that occur in PCK certificates and revocation lists. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context tag 0: the version of a certificate, the extensions of a revocation list. */
  version: 0xa0,
  crlExtensions: 0xa0,
  extensions: 0xa3,
} as const;

/** One element: its tag, its content, and the whole of it with tag and length. Views, not copies. */
export type Element = { tag: number; content: Uint8Array; whole: Uint8Array };

/** Elements of a constructed value, read one after the other. */
export type DerReader = {
  /** The next element, of this tag. */
  next(expected: number): Element;
  /** The next element if it has this tag. */
  optional(expected: number): Element | undefined;
  more(): boolean;
  /** Refuses anything left over. */
  end(): void;
};

/**
 * Reads elements from bytes.
 *
 * @param what - names the place in errors.
 * @throws {@link MalformedDerError} from every function of the reader.
 * @example
 * const reader = readDer(der, "certificate");
 * const certificate = reader.next(tag.sequence);
 * reader.end();
 */
export function readDer(bytes: Uint8Array, what: string): DerReader {
  let offset = 0;
  const reader: DerReader = {
    next(expected) {
      const element = readElement(bytes, offset, what);
      if (element.tag !== expected)
        throw new MalformedDerError(
          what,
          offset,
          `tag 0x${element.tag.toString(16)}, expected 0x${expected.toString(16)}`,
        );
      offset += element.whole.length;
      return element;
    },
    optional(expected) {
      return offset < bytes.length && bytes[offset] === expected ? reader.next(expected) : undefined;
    },
    more: () => offset < bytes.length,
    end() {
      if (offset !== bytes.length) throw new MalformedDerError(what, offset, "trailing bytes");
    },
  };
  return reader;
}

function readElement(bytes: Uint8Array, offset: number, what: string): Element {
  const tagByte = bytes[offset];
  const first = bytes[offset + 1];
  if (tagByte === undefined || first === undefined) throw new MalformedDerError(what, offset, "cut short");
  if ((tagByte & 0x1f) === 0x1f) throw new MalformedDerError(what, offset, "multi-byte tag");
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    // Two length bytes reach 65,535: more than anything that gets here.
    if (count < 1 || count > 2) throw new MalformedDerError(what, offset, "indefinite or huge length");
    const high = bytes[start];
    const low = count === 2 ? bytes[start + 1] : high;
    if (high === undefined || low === undefined) throw new MalformedDerError(what, offset, "cut short");
    length = count === 2 ? high * 256 + low : low;
    if (length < (count === 2 ? 256 : 128)) throw new MalformedDerError(what, offset, "length is not minimal");
    start += count;
  }
  if (start + length > bytes.length) throw new MalformedDerError(what, offset, "cut short");
  return {
    tag: tagByte,
    content: bytes.subarray(start, start + length),
    whole: bytes.subarray(offset, start + length),
  };
}

/**
 * A non-negative integer as big-endian bytes of a fixed size.
 *
 * @param size - in bytes.
 * @throws {@link MalformedDerError} if it is negative, not minimal, or larger.
 * @example
 * const r = fixedInteger(reader.next(tag.integer), 32, "signature")
 */
export function fixedInteger(element: Element, size: number, what: string): Uint8Array {
  const [first, second] = element.content;
  if (first === undefined) throw new MalformedDerError(what, 0, "empty integer");
  if (first >= 0x80) throw new MalformedDerError(what, 0, "negative integer");
  if (first === 0 && second !== undefined && second < 0x80)
    throw new MalformedDerError(what, 0, "integer is not minimal");
  const magnitude = first === 0 ? element.content.subarray(1) : element.content;
  if (magnitude.length > size) throw new MalformedDerError(what, 0, `integer of more than ${size} bytes`);
  const fixed = new Uint8Array(size);
  fixed.set(magnitude, size - magnitude.length);
  return fixed;
}

/** The bytes are not the DER that is expected. */
export class MalformedDerError extends BaseError {
  override readonly name = "Quote.MalformedDerError";
  constructor(what: string, offset: number, fact: string) {
    super(`Malformed DER in ${what} at byte ${offset}: ${fact}.`, {
      hint: "The certificate or list was altered, or is none of Intel's PCK chain.",
    });
  }
}
