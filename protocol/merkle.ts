/**
 * Room: protocol/merkle. RFC 9162 Merkle trees over SHA-256: roots, inclusion and consistency proofs. Pure.
 * Own code because @openzeppelin/merkle-tree sorts its leaves: it cannot be appended to.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { sameBytes } from "./sameBytes.ts";

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/**
 * Hash of one leaf: SHA-256(0x00 || data). Source: RFC 9162, 2.1.1.
 *
 * @example
 * leafHash(new TextEncoder().encode("boot"))
 */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256.create().update(leafPrefix).update(data).digest();
}

/**
 * Hash of an inner node: SHA-256(0x01 || left || right). Source: RFC 9162, 2.1.1.
 *
 * @example
 * nodeHash(leafHash(a), leafHash(b))
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(nodePrefix).update(left).update(right).digest();
}

/**
 * Where a tree of `n` leaves is split: the largest power of two smaller than `n`. Source: RFC 9162, 2.1.1.
 *
 * @param n - a whole number from 2 to 2^53 - 1.
 * @example
 * splitAt(5) // 4
 */
export function splitAt(n: number): number {
  let k = 2 ** Math.floor(Math.log2(n - 1)); // rounded: it may be off by one power for large n
  if (k >= n) k /= 2;
  return k * 2 < n ? k * 2 : k;
}

/**
 * Root of a tree. Source: RFC 9162, 2.1.1.
 *
 * @param leaves - leaf hashes, in order (see {@link leafHash}).
 * @returns 32 bytes; SHA-256 of nothing for no leaves.
 * @example
 * merkleRoot([leafHash(a), leafHash(b)])
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array());
  if (leaves.length === 1) return first;
  const k = splitAt(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, k)), merkleRoot(leaves.slice(k)));
}

/**
 * Inclusion proof of the leaf at `index`. Source: RFC 9162, 2.1.3.1.
 *
 * @returns sibling hashes from the leaf upwards.
 * @throws RangeError if there is no such leaf.
 * @example
 * const proof = inclusionProof(leaves, 3)
 */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError(`No leaf ${index}.`);
  if (leaves.length === 1) return [];
  const k = splitAt(leaves.length);
  return index < k
    ? [...inclusionProof(leaves.slice(0, k), index), merkleRoot(leaves.slice(k))]
    : [...inclusionProof(leaves.slice(k), index - k), merkleRoot(leaves.slice(0, k))];
}

/**
 * Whether `proof` shows that `leaf` stands at `index` in the tree of `size` leaves under `root`.
 * Source: RFC 9162, 2.1.3.2.
 *
 * @example
 * verifyInclusion(leafHash(entry), 3, 8, proof, root)
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let fn = BigInt(index);
  let sn = BigInt(size - 1);
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      hash = nodeHash(sibling, hash);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && sameBytes(hash, root);
}

/**
 * Consistency proof: that the tree of the first `from` leaves is a prefix of the tree of all. Source: RFC 9162, 2.1.4.1.
 *
 * @returns node hashes; none if `from` is the size of the tree.
 * @throws RangeError unless 0 < from <= leaves.length.
 * @example
 * const proof = consistencyProof(leaves, 3)
 */
export function consistencyProof(leaves: readonly Uint8Array[], from: number): Uint8Array[] {
  if (!Number.isInteger(from) || from < 1 || from > leaves.length) throw new RangeError(`No tree of ${from} leaves.`);
  return subproof(leaves, from, true);
}

/**
 * SUBPROOF of RFC 9162, 2.1.4.1: a part of a consistency proof.
 *
 * @param known - whether the verifier has the root of just these first leaves.
 * @example
 * subproof(leaves, from, true) // consistencyProof(leaves, from)
 */
export function subproof(leaves: readonly Uint8Array[], from: number, known: boolean): Uint8Array[] {
  if (from === leaves.length) return known ? [] : [merkleRoot(leaves)];
  const k = splitAt(leaves.length);
  return from <= k
    ? [...subproof(leaves.slice(0, k), from, known), merkleRoot(leaves.slice(k))]
    : [...subproof(leaves.slice(k), from - k, false), merkleRoot(leaves.slice(0, k))];
}

/**
 * Whether `proof` shows that the tree of `from` leaves under `fromRoot` is a prefix of that of `to` leaves under `toRoot`.
 * Source: RFC 9162, 2.1.4.2.
 *
 * @example
 * verifyConsistency(3, fromRoot, 8, toRoot, proof)
 */
export function verifyConsistency(
  from: number,
  fromRoot: Uint8Array,
  to: number,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1 || from > to) return false;
  if (from === to) return proof.length === 0 && sameBytes(fromRoot, toRoot);
  let fn = BigInt(from - 1);
  let sn = BigInt(to - 1);
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  // A tree of 2^n leaves is itself a node of the larger one: the proof does not repeat its root.
  const [first, ...rest] = fn === 0n ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let fr = first;
  let sr = first;
  for (const node of rest) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      fr = nodeHash(node, fr);
      sr = nodeHash(node, sr);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      sr = nodeHash(sr, node);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && sameBytes(fr, fromRoot) && sameBytes(sr, toRoot);
}
