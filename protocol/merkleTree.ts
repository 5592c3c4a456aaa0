/**
 * Room: protocol/merkleTree. A growing RFC 9162 tree that does not hold its entries: the roots of its complete subtrees
 * are kept from blocks of 256 entries upwards (a quarter of a byte an entry), what is below is read again where a proof
 * needs it, and compared with what is kept. Pure.
 */
import { BaseError } from "./errors.ts";
import { inclusionProof, leafHash, merkleRoot, nodeHash, splitAt, subproof } from "./merkle.ts";
import { sameBytes } from "./sameBytes.ts";

/** Entries of one block: 2^blockLevel. */
export const blockEntries = 256;
const blockLevel = 8;

/** See {@link growTree}. */
export type MerkleTree = {
  append(entry: Uint8Array): void;
  size(): number;
  /** Of all entries; reads nothing. */
  root(): Uint8Array;
  /** Of the first `size` entries. @throws RangeError | {@link DamagedEntriesError} */
  rootAt(size: number): Uint8Array;
  /** @throws RangeError | {@link DamagedEntriesError} */
  inclusion(index: number, size: number): Uint8Array[];
  /** @throws RangeError | {@link DamagedEntriesError} */
  consistency(from: number, to: number): Uint8Array[];
  /** Entries of one block, just as they were appended; fewer in the last. @throws RangeError | {@link DamagedEntriesError} */
  block(number: number): readonly Uint8Array[];
};

/**
 * An empty tree.
 *
 * @param read - gives back entries that were appended, from a multiple of 256 on; not believed.
 * @example
 * const tree = growTree((from, count) => entries.slice(from, from + count))
 */
export function growTree(read: (from: number, count: number) => readonly Uint8Array[]): MerkleTree {
  /** Roots of the complete subtrees that the size is the sum of, largest first. Source: RFC 9162, 2.1.2. */
  const frontier: Uint8Array[] = [];
  /** By level from `blockLevel` on: roots of all complete subtrees of that level. */
  const kept: Uint8Array[][] = [];
  let size = 0;

  function append(entry: Uint8Array): void {
    let hash = leafHash(entry);
    let level = 0;
    for (let n = size; n % 2 === 1; n = (n - 1) / 2) {
      hash = nodeHash(frontier.pop() ?? hash, hash); // a set bit of the size has its root in the frontier
      level += 1;
      keep(level, hash);
    }
    frontier.push(hash);
    size += 1;
  }

  function keep(level: number, hash: Uint8Array): void {
    if (level < blockLevel) return;
    const row = kept[level - blockLevel] ?? [];
    kept[level - blockLevel] = row;
    row.push(hash);
  }

  function block(number: number): readonly Uint8Array[] {
    return readBlock(number).entries;
  }

  function readBlock(number: number): { entries: readonly Uint8Array[]; leaves: Uint8Array[] } {
    const from = number * blockEntries;
    const count = Math.min(blockEntries, size - from);
    if (!Number.isInteger(number) || number < 0 || count < 1) throw new RangeError(`No block ${number}.`);
    const entries = read(from, count);
    const leaves = entries.map(leafHash);
    const expected = kept[0]?.[number] ?? fold(frontier.slice(-bitsOf(count)));
    if (leaves.length !== count || !sameBytes(merkleRoot(leaves), expected)) throw new DamagedEntriesError(from);
    return { entries, leaves };
  }

  /** Root of the leaves from `start` to before `end`; `start` is a multiple of the power of two at or above the length. */
  function rootOf(start: number, end: number): Uint8Array {
    const length = end - start;
    const level = Math.log2(length);
    if (level >= blockLevel && Number.isInteger(level)) {
      const root = kept[level - blockLevel]?.[start / length];
      if (root !== undefined) return root;
    }
    if (length <= blockEntries) return merkleRoot(slice(start, end));
    const k = splitAt(length);
    return nodeHash(rootOf(start, start + k), rootOf(start + k, end));
  }

  /** Leaves that are all of one block. */
  function slice(start: number, end: number): Uint8Array[] {
    const number = Math.floor(start / blockEntries);
    return readBlock(number).leaves.slice(start - number * blockEntries, end - number * blockEntries);
  }

  function path(index: number, start: number, end: number): Uint8Array[] {
    const length = end - start;
    if (length <= blockEntries) return inclusionProof(slice(start, end), index - start);
    const middle = start + splitAt(length);
    return index < middle
      ? [...path(index, start, middle), rootOf(middle, end)]
      : [...path(index, middle, end), rootOf(start, middle)];
  }

  /** As {@link subproof}, of the leaves from `start` to before `end`. */
  function consistent(from: number, start: number, end: number, known: boolean): Uint8Array[] {
    if (from === end) return known ? [] : [rootOf(start, end)];
    if (end - start <= blockEntries) return subproof(slice(start, end), from - start, known);
    const middle = start + splitAt(end - start);
    return from <= middle
      ? [...consistent(from, start, middle, known), rootOf(middle, end)]
      : [...consistent(from, middle, end, false), rootOf(start, middle)];
  }

  function requireSize(wanted: number, least: number): void {
    if (!Number.isInteger(wanted) || wanted < least || wanted > size)
      throw new RangeError(`No tree of ${wanted} leaves.`);
  }

  return {
    append,
    block,
    size: () => size,
    root: () => (size === 0 ? merkleRoot([]) : fold(frontier)),
    rootAt(wanted) {
      requireSize(wanted, 0);
      return wanted === 0 ? merkleRoot([]) : wanted === size ? fold(frontier) : rootOf(0, wanted);
    },
    inclusion(index, wanted) {
      requireSize(wanted, 1);
      if (!Number.isInteger(index) || index < 0 || index >= wanted) throw new RangeError(`No leaf ${index}.`);
      return path(index, 0, wanted);
    },
    consistency(from, to) {
      requireSize(to, 1);
      if (!Number.isInteger(from) || from < 1 || from > to) throw new RangeError(`No tree of ${from} leaves.`);
      return consistent(from, 0, to, true);
    },
  };
}

/** Root of subtrees that stand side by side, the largest first: they are joined from the right. */
function fold(subtrees: readonly Uint8Array[]): Uint8Array {
  return subtrees.reduceRight((right, left) => nodeHash(left, right));
}

function bitsOf(n: number): number {
  return n.toString(2).replaceAll("0", "").length;
}

/** What is read back is not what was appended. */
export class DamagedEntriesError extends BaseError {
  override readonly name = "Merkle.DamagedEntriesError";
  readonly from: number;
  constructor(from: number) {
    super(`The entries from ${from} on are not those that were appended.`, {
      hint: "The disk failed, or somebody changed it. What receipts commit to is not affected; it cannot be shown here.",
    });
    this.from = from;
  }
}
