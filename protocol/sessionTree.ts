/**
 * Room: protocol/sessionTree. The Merkle tree over a session's receipts: root and proofs, as ISessions says. Pure.
 * Own code because the tree is not that of protocol/merkle: keccak256, sorted pairs, which is cheaper to check on chain.
 * Pairs may be sorted because a leaf names its index: a proof cannot put a receipt in another place.
 */
import { concatHex, encodeAbiParameters, type Hex, keccak256 } from "viem";
import { BaseError } from "./errors.ts";
import { maxSessionJobs } from "./limits.ts";

/** Longest proof: one sibling for each level of the largest tree. */
const maxProofLength = Math.ceil(Math.log2(maxSessionJobs));

/**
 * Leaf of one receipt. Hashed twice, so that no node can pass for a leaf.
 *
 * @param index - of the leaf, from 0.
 * @param receiptHash - EIP-712 hash of the receipt.
 * @example
 * const leaf = sessionLeaf(0, hashReceipt(domain, receipt))
 */
export function sessionLeaf(index: number, receiptHash: Hex): Hex {
  const encoded = encodeAbiParameters([{ type: "uint256" }, { type: "bytes32" }], [BigInt(index), receiptHash]);
  return keccak256(keccak256(encoded));
}

/** The tree over a session's receipts. */
export type SessionTree = {
  root: Hex;
  /** Siblings of a leaf from below: what JobMarket.settleLeaf takes. @throws {@link NoSuchLeafError} */
  proof(index: number): Hex[];
};

/**
 * The tree, hashed once for its root and any number of proofs.
 *
 * @param receiptHashes - in the order of the leaves: those of Ok jobs first. 1 to 4,096.
 * @throws {@link BadLeafCountError}
 * @example
 * const { root, proof } = sessionTree(receipts.map((receipt) => hashReceipt(domain, receipt)))
 */
export function sessionTree(receiptHashes: readonly Hex[]): SessionTree {
  const count = receiptHashes.length;
  const levels = levelsOf(receiptHashes);
  const root = levels.at(-1)?.[0];
  if (root === undefined) throw new BadLeafCountError(count);
  return {
    root,
    proof(index) {
      if (!Number.isInteger(index) || index < 0 || index >= count) throw new NoSuchLeafError(index, count);
      const proof: Hex[] = [];
      let at = index;
      for (const level of levels) {
        const sibling = level[at ^ 1];
        if (sibling !== undefined) proof.push(sibling); // none beside the odd one, and none beside the root
        at >>= 1;
      }
      return proof;
    },
  };
}

/**
 * Root of the tree; see {@link sessionTree}.
 *
 * @throws {@link BadLeafCountError}
 * @example
 * const root = sessionRoot(receipts.map((receipt) => hashReceipt(domain, receipt)))
 */
export function sessionRoot(receiptHashes: readonly Hex[]): Hex {
  return sessionTree(receiptHashes).root;
}

/**
 * Siblings of one leaf; see {@link sessionTree}.
 *
 * @throws {@link BadLeafCountError} | {@link NoSuchLeafError}
 * @example
 * const proof = sessionProof(receiptHashes, 3)
 */
export function sessionProof(receiptHashes: readonly Hex[], index: number): Hex[] {
  const count = receiptHashes.length;
  if (!Number.isInteger(index) || index < 0 || index >= count) throw new NoSuchLeafError(index, count);
  return sessionTree(receiptHashes).proof(index);
}

/**
 * Whether a receipt is at an index of the tree.
 *
 * @param proof - as a stranger gave it; of any length.
 * @example
 * if (!verifySessionProof(root, 3, receiptHash, proof)) throw new NotInClaimError()
 */
export function verifySessionProof(root: Hex, index: number, receiptHash: Hex, proof: readonly Hex[]): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || proof.length > maxProofLength) return false;
  return proof.reduce(nodeOf, sessionLeaf(index, receiptHash)) === root.toLowerCase();
}

/** From the leaves to the root; an odd node goes up as it is. */
function levelsOf(receiptHashes: readonly Hex[]): Hex[][] {
  const count = receiptHashes.length;
  if (count === 0 || count > maxSessionJobs) throw new BadLeafCountError(count);
  let level = receiptHashes.map((hash, index) => sessionLeaf(index, hash));
  const levels = [level];
  while (level.length > 1) {
    const below = level;
    level = [];
    for (let i = 0; i < below.length; i += 2) {
      const [left, right] = [below[i], below[i + 1]] as [Hex, Hex | undefined]; // i is below the length
      level.push(right === undefined ? left : nodeOf(left, right));
    }
    levels.push(level);
  }
  return levels;
}

function nodeOf(a: Hex, b: Hex): Hex {
  const [x, y] = [a.toLowerCase() as Hex, b.toLowerCase() as Hex]; // hex in lower case sorts as its bytes do
  return keccak256(concatHex(x < y ? [x, y] : [y, x]));
}

/** A session has no such number of jobs. */
export class BadLeafCountError extends BaseError {
  override readonly name = "SessionTree.BadLeafCountError";
  constructor(count: number) {
    super(`A session's tree cannot have ${count} leaves.`, { hint: `It has 1 to ${maxSessionJobs}.` });
  }
}

/** The tree has no such leaf. */
export class NoSuchLeafError extends BaseError {
  override readonly name = "SessionTree.NoSuchLeafError";
  constructor(index: number, count: number) {
    super(`There is no leaf ${index} among ${count}.`, { hint: "Leaves are numbered from 0." });
  }
}
