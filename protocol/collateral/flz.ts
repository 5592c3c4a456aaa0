/**
 * Room: protocol/collateral. Packs bytes with FastLZ level 1, as `contracts/lib/FastLz.sol` unpacks them. Pure.
 * Of all packings it takes the one that is cheapest to send and unpack on chain, which is not the shortest.
 * Source: ariya/FastLZ, "Block Format", level 1.
 */
import { BaseError } from "../errors.ts";

/** Most bytes that are packed: what `TdxCollateral` takes, unpacked. */
export const maxUnpackedSize = 24_000;

const maxLiterals = 32;
const minMatch = 3;
/** Longest match that a two-byte token can say. */
const maxShortMatch = 8;
const maxMatch = 264;
const maxDistance = 8192;
/** How many earlier places are looked at for a match; far ones are rarely better. */
const maxCandidates = 512;

/**
 * Gas: a byte of calldata that is not zero; what `FastLz.unpack` needs for a token, and for a match that overlaps itself.
 * Measured with Intel's TCB info of August 2026.
 */
const gas = { byte: 16, literalToken: 120, matchToken: 220, overlap: 80 } as const;

/** One step of a packing: so many bytes, literally or from `distance` bytes before. */
type Token = { length: number; distance: number | undefined };

/**
 * Packs bytes.
 *
 * @param bytes - at most {@link maxUnpackedSize}.
 * @throws {@link TooLongToPackError}
 * @example
 * const compressed = flzCompress(collateral.tcbInfo)
 */
export function flzCompress(bytes: Uint8Array): Uint8Array {
  if (bytes.length > maxUnpackedSize) throw new TooLongToPackError(bytes.length);
  const matches = findMatches(bytes);
  const packed: number[] = [];
  let at = 0;
  for (const { length, distance } of cheapestTokens(bytes.length, matches)) {
    if (distance === undefined) packed.push(length - 1, ...bytes.subarray(at, at + length));
    else packed.push(...matchToken(length, distance));
    at += length;
  }
  return Uint8Array.from(packed);
}

function matchToken(length: number, distance: number): number[] {
  const [high, low] = [(distance - 1) >> 8, (distance - 1) & 0xff];
  return length <= maxShortMatch ? [((length - 2) << 5) | high, low] : [(7 << 5) | high, length - 9, low];
}

/** For each place the longest match with what stands before it, if there is one. */
function findMatches(bytes: Uint8Array): (Token | undefined)[] {
  const places = new Map<number, number[]>();
  return Array.from(bytes, (first, at) => {
    const [second, third] = [bytes[at + 1], bytes[at + 2]];
    if (second === undefined || third === undefined) return undefined;
    const key = first | (second << 8) | (third << 16);
    const earlier = places.get(key) ?? [];
    places.set(key, earlier);
    let [longest, distance] = [minMatch - 1, 0];
    const limit = Math.min(maxMatch, bytes.length - at);
    // The farthest of the longest: near ones overlap, which costs more to copy.
    for (const place of earlier.slice(-maxCandidates)) {
      if (at - place > maxDistance || bytes[place + longest] !== bytes[at + longest]) continue;
      let length = minMatch;
      while (length < limit && bytes[place + length] === bytes[at + length]) length++;
      if (length > longest) [longest, distance] = [length, at - place];
      if (longest === limit) break;
    }
    earlier.push(at);
    return longest < minMatch ? undefined : { length: longest, distance };
  });
}

/** The cheapest way from each place to the end, found from the end. A match may be used in part. */
function cheapestTokens(size: number, matches: readonly (Token | undefined)[]): Token[] {
  const costs = new Array<number>(size + 1).fill(0);
  const tokens = new Array<Token>(size);
  for (let at = size - 1; at >= 0; at--) {
    let least = Number.POSITIVE_INFINITY;
    const consider = (cost: number, token: Token) => {
      const total = cost + (costs[at + token.length] ?? 0);
      if (total >= least) return;
      least = total;
      tokens[at] = token;
    };
    for (let length = Math.min(maxLiterals, size - at); length > 0; length--)
      consider(gas.literalToken + gas.byte * (1 + length), { length, distance: undefined });
    const match = matches[at];
    for (let length = match?.length ?? 0; length >= minMatch; length--) {
      const unpacking = gas.matchToken + (length > (match?.distance ?? 0) ? gas.overlap : 0);
      consider(unpacking + gas.byte * (length <= maxShortMatch ? 2 : 3), { length, distance: match?.distance });
    }
    costs[at] = least;
  }
  const path: Token[] = [];
  for (let at = 0; at < size; ) {
    const token = tokens[at];
    if (token === undefined) break; // Never: every place has a literal at least.
    path.push(token);
    at += token.length;
  }
  return path;
}

/** There is more to pack than the contract takes. */
export class TooLongToPackError extends BaseError {
  override readonly name = "Flz.TooLongToPackError";
  constructor(size: number) {
    super(`${size} bytes are to be packed, the contract takes ${maxUnpackedSize}.`, {
      hint: "Intel's TCB info has about 5,500 bytes: this is something else.",
    });
  }
}
