import { sha256 } from "@noble/hashes/sha2.js";
import { expect } from "chai";
import { bytesToHex, concatBytes, hexToBytes } from "viem";
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  merkleRoot,
  splitAt,
  verifyConsistency,
  verifyInclusion,
} from "../../protocol/merkle.ts";

/** Source: the reference tests of Certificate Transparency (RFC 6962 and 9162 define the same tree). */
const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const roots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const known = inputs.map((input) => leafHash(hexToBytes(`0x${input}`)));

/** The same tree built from below: pairs are joined, an odd last node moves up as it is. */
function rootFromBelow(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (left !== undefined)
        next.push(right === undefined ? left : sha256(concatBytes([Uint8Array.of(1), left, right])));
    }
    level = next;
  }
  return level[0] ?? sha256(new Uint8Array());
}

const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(i, size)));

describe("merkleRoot", () => {
  it("gives the known roots", () => {
    for (const [size, root] of roots.entries())
      expect(bytesToHex(merkleRoot(known.slice(0, size))), `size ${size}`).to.equal(`0x${root}`);
  });

  it("equals a tree built from below, for sizes 0 to 130", () => {
    for (let size = 0; size <= 130; size++)
      expect(merkleRoot(leavesOf(size))).to.deep.equal(rootFromBelow(leavesOf(size)));
  });

  it("tells leaves from nodes and one order from another", () => {
    const [a, b] = leavesOf(2);
    if (a === undefined || b === undefined) throw new Error("two leaves");
    expect(leafHash(concatBytes([a, b]))).to.not.deep.equal(merkleRoot([a, b]));
    expect(merkleRoot([b, a])).to.not.deep.equal(merkleRoot([a, b]));
  });
});

describe("inclusionProof and verifyInclusion", () => {
  it("prove every leaf of trees of sizes 1 to 40, under its index, size and root only", () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size);
      const root = merkleRoot(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const proof = inclusionProof(leaves, index);
        expect(verifyInclusion(leaf, index, size, proof, root)).to.equal(true);
        if (index + 1 < size) expect(verifyInclusion(leaf, index + 1, size, proof, root)).to.equal(false);
        expect(verifyInclusion(leafHash(Uint8Array.of(99)), index, size, proof, root)).to.equal(false);
        expect(verifyInclusion(leaf, index, size, proof, leafHash(root))).to.equal(false);
        expect(verifyInclusion(leaf, index, size, [...proof, root], root)).to.equal(false);
        if (proof.length > 0) expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).to.equal(false);
      }
    }
  });

  it("refuse indices and sizes that are none", () => {
    const [leaf] = known;
    if (leaf === undefined) throw new Error("a leaf");
    for (const [index, size] of [
      [-1, 1],
      [1, 1],
      [0, 0],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, 2 ** 53],
    ] as const)
      expect(verifyInclusion(leaf, index, size, [], leaf), `${index} of ${size}`).to.equal(false);
    for (const index of [-1, 8, 0.5, Number.NaN])
      expect(() => inclusionProof(known, index)).to.throw(RangeError, `No leaf ${index}.`);
  });

  it("refuse a root of another length", () => {
    const [leaf] = known;
    if (leaf === undefined) throw new Error("a leaf");
    expect(verifyInclusion(leaf, 0, 1, [], leaf)).to.equal(true);
    expect(verifyInclusion(leaf, 0, 1, [], leaf.subarray(1))).to.equal(false);
    expect(verifyInclusion(leaf, 0, 1, [], new Uint8Array())).to.equal(false);
  });
});

describe("splitAt", () => {
  it("is the largest power of two below a size, up to the largest", () => {
    for (let k = 1; k < 2 ** 53; k *= 2) {
      if (k > 1) expect(splitAt(k), `${k}`).to.equal(k / 2);
      expect(splitAt(k + 1), `${k} + 1`).to.equal(k);
      if (k > 1) expect(splitAt(2 * k - 1), `2 * ${k} - 1`).to.equal(k);
    }
  });
});

/** Whether two sizes fit, by the definition: the first leaves of the larger tree have the root of the smaller. */
const isPrefix = (all: readonly Uint8Array[], from: number, root: Uint8Array) =>
  bytesToHex(merkleRoot(all.slice(0, from))) === bytesToHex(root);

describe("consistencyProof and verifyConsistency", () => {
  it("prove every pair of sizes up to 34, and nothing that the definition denies", () => {
    const all = leavesOf(34);
    const rootOf = (size: number) => merkleRoot(all.slice(0, size));
    for (let to = 1; to <= all.length; to++) {
      for (let from = 1; from <= to; from++) {
        const proof = consistencyProof(all.slice(0, to), from);
        const [old, now] = [rootOf(from), rootOf(to)];
        expect(isPrefix(all.slice(0, to), from, old)).to.equal(true);
        expect(verifyConsistency(from, old, to, now, proof), `${from} to ${to}`).to.equal(true);
        const forked = leafHash(old);
        expect(isPrefix(all, from, forked)).to.equal(false);
        expect(verifyConsistency(from, forked, to, now, proof), `${from} to ${to}, forked`).to.equal(false);
        expect(verifyConsistency(from, old, to, leafHash(now), proof), `${from} to ${to}, other`).to.equal(false);
        expect(verifyConsistency(from, old, to, now, [...proof, old]), `${from} to ${to}, longer`).to.equal(false);
        if (from < to) expect(verifyConsistency(to, now, from, old, proof)).to.equal(false);
        if (from + 1 < to) expect(verifyConsistency(from + 1, old, to, now, proof)).to.equal(false);
      }
    }
  });

  it("notice every changed, dropped, doubled and exchanged node of a proof", () => {
    const all = leavesOf(29);
    for (const from of [1, 2, 3, 7, 8, 13, 16, 21, 28]) {
      const proof = consistencyProof(all, from);
      const [old, now] = [merkleRoot(all.slice(0, from)), merkleRoot(all)];
      const mutants: Uint8Array[][] = [];
      for (const [i, node] of proof.entries()) {
        for (const byte of [0, 15, 31]) mutants.push(proof.with(i, node.with(byte, (node[byte] ?? 0) ^ 1)));
        mutants.push(proof.toSpliced(i, 1), proof.toSpliced(i, 0, node));
        const next = proof[i + 1];
        if (next !== undefined) mutants.push(proof.with(i, next).with(i + 1, node));
      }
      for (const mutant of mutants) expect(verifyConsistency(from, old, 29, now, mutant), `${from}`).to.equal(false);
    }
  });

  it("know the proofs of RFC 9162, 2.1.5", () => {
    const seven = leavesOf(7);
    const at = (i: number, j: number) => bytesToHex(merkleRoot(seven.slice(i, j)));
    const proof = (from: number) => consistencyProof(seven, from).map((node) => bytesToHex(node));
    expect(proof(3)).to.deep.equal([at(2, 3), at(3, 4), at(0, 2), at(4, 7)]);
    expect(proof(4)).to.deep.equal([at(4, 7)]);
    expect(proof(6)).to.deep.equal([at(4, 6), at(6, 7), at(0, 4)]);
  });

  it("refuse sizes that are none", () => {
    const [leaf] = known;
    if (leaf === undefined) throw new Error("a leaf");
    for (const [from, to] of [
      [0, 1],
      [-1, 1],
      [2, 1],
      [0.5, 1],
      [1, 1.5],
      [Number.NaN, 1],
      [1, 2 ** 53],
    ] as const)
      expect(verifyConsistency(from, leaf, to, leaf, []), `${from} to ${to}`).to.equal(false);
    for (const from of [0, -1, 9, 0.5, Number.NaN])
      expect(() => consistencyProof(known, from)).to.throw(RangeError, `No tree of ${from} leaves.`);
  });
});
