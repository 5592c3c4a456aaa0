/**
 * Room: sdk/proofs. RLP of hostile origin: @ethereumjs/rlp decodes recursively and copies at every level, so that depth and
 * number of items are bounded before it sees a byte. Pure. Source: Ethereum Yellow Paper, appendix B.
 */
import { RLP } from "@ethereumjs/rlp";
import { bytesToBigInt, bytesToHex, type Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";

/** A decoded item: bytes, or a list. */
export type Item = Uint8Array | readonly Item[];

/** Deepest lists of anything that Ethereum hashes: topics in a log in the logs of a receipt, with room to spare. */
const maxDepth = 8;
/** More than a receipt's logs could come to under EIP-7825's limit of 2^24 gas. */
const maxItems = 300_000;

/**
 * Decodes one item that fills `bytes`.
 *
 * @param what - for the error: what should be there.
 * @throws {@link BadRlpError}
 * @example
 * const word = numberItem(decodeItem(value, what), what)
 */
export function decodeItem(bytes: Uint8Array, what: string): Item {
  requireBounded(bytes, what);
  try {
    return RLP.decode(bytes) as Item;
  } catch (cause) {
    throw new BadRlpError(what, "it cannot be decoded", cause);
  }
}

/**
 * Decodes one list that fills `bytes`.
 *
 * @throws {@link BadRlpError}
 * @example
 * const [nonce, balance] = decodeList(value, "an account")
 */
export function decodeList(bytes: Uint8Array, what: string): readonly Item[] {
  return listItem(decodeItem(bytes, what), what);
}

/**
 * RLP of nested items.
 *
 * @throws {@link BadRlpError} if one list has more items than the library can take: about 100,000.
 * @example
 * const key = encodeItem(Uint8Array.of(7))
 */
export function encodeItem(item: Item): Uint8Array {
  try {
    return RLP.encode(item as never); // the library's type is the same, but for readonly
  } catch (cause) {
    throw new BadRlpError("what is to be encoded", "it has too many items", cause);
  }
}

/**
 * Whether an item is a list.
 *
 * @example
 * if (isList(item)) item.length
 */
export function isList(item: Item | undefined): item is readonly Item[] {
  return Array.isArray(item);
}

/**
 * An item that is bytes.
 *
 * @param size - exact, in bytes; default: any.
 * @throws {@link BadRlpError}
 * @example
 * const root = hexItem(items[3], what, 32)
 */
export function hexItem(item: Item | undefined, what: string, size?: number): Hex {
  if (item === undefined || isList(item)) throw new BadRlpError(what, "a list is where bytes should be, or nothing");
  const bytes = item as Uint8Array;
  if (size !== undefined && bytes.length !== size)
    throw new BadRlpError(what, `${bytes.length} bytes are where ${size} should be`);
  return bytesToHex(bytes);
}

/**
 * An item that is a number, big-endian, without zeros in front.
 *
 * @param maxBytes - of its encoding.
 * @throws {@link BadRlpError}
 * @example
 * const nonce = numberItem(items[0], what, 8)
 */
export function numberItem(item: Item | undefined, what: string, maxBytes = 32): bigint {
  if (item === undefined || isList(item)) throw new BadRlpError(what, "a list is where a number should be, or nothing");
  const bytes = item as Uint8Array;
  if (bytes.length > maxBytes || bytes[0] === 0) throw new BadRlpError(what, "a number is too long or begins with 0");
  return bytes.length === 0 ? 0n : bytesToBigInt(bytes);
}

/**
 * An item that is a list.
 *
 * @throws {@link BadRlpError}
 * @example
 * for (const log of listItem(items[3], what)) ...
 */
export function listItem(item: Item | undefined, what: string): readonly Item[] {
  if (!isList(item)) throw new BadRlpError(what, "bytes are where a list should be, or nothing");
  return item;
}

/** Walks over the prefixes alone, without recursion. Whether each is canonical is the decoder's to say. */
function requireBounded(bytes: Uint8Array, what: string): void {
  const ends: number[] = [];
  let items = 0;
  let at = 0;
  while (at < bytes.length) {
    while (at === ends.at(-1)) ends.pop();
    const { head, size, list } = prefixAt(bytes, at);
    const end = at + head + size;
    if (end > (ends.at(-1) ?? bytes.length)) throw new BadRlpError(what, "an item ends behind what it is in");
    if (++items > maxItems) throw new BadRlpError(what, `it has over ${maxItems} items`);
    if (list && size > 0) {
      if (ends.push(end) > maxDepth) throw new BadRlpError(what, `its lists are nested over ${maxDepth} deep`);
      at += head;
    } else {
      at = end;
    }
  }
}

function prefixAt(bytes: Uint8Array, at: number): { head: number; size: number; list: boolean } {
  const first = bytes[at] as number; // the caller is inside of `bytes`
  if (first < 0x80) return { head: 0, size: 1, list: false };
  const list = first >= 0xc0;
  const short = first - (list ? 0xc0 : 0x80);
  if (short <= 55) return { head: 1, size: short, list };
  let size = 0;
  for (let i = 1; i <= short - 55; i++) size = size * 256 + (bytes[at + i] ?? 255); // behind the end: too long, anyway
  return { head: 1 + short - 55, size, list };
}

/** Bytes are not the RLP of what should be there. */
export class BadRlpError extends BaseError {
  override readonly name = "Proofs.BadRlpError";
  readonly what: string;
  readonly fact: string;
  constructor(what: string, fact: string, cause?: unknown) {
    super(`The bytes of ${what} are malformed: ${fact}.`, {
      hint: "No chain has such a block: whoever made the proofs or gave the anchor is wrong or lies.",
      cause,
    });
    this.what = what;
    this.fact = fact;
  }
}
