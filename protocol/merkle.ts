/**
 * Room: protocol/merkle. RFC 9162 Merkle trees over SHA-256: roots and inclusion proofs. Pure.
 * Own code because @openzeppelin/merkle-tree sorts its leaves: it cannot be appended to.
 */
import { sha256 } from "@noble/hashes/sha2.js";

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

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(nodePrefix).update(left).update(right).digest();
}

/** Largest power of two smaller than `n`, for n >= 2. */
function split(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
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
  const k = split(leaves.length);
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
  const k = split(leaves.length);
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
  return sn === 0n && hash.length === root.length && hash.every((byte, i) => byte === root[i]);
}
