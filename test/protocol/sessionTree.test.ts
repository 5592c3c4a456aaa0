import { expect } from "chai";
import { concatHex, encodeAbiParameters, type Hex, keccak256, toHex } from "viem";
import {
  BadLeafCountError,
  NoSuchLeafError,
  sessionLeaf,
  sessionProof,
  sessionRoot,
  verifySessionProof,
} from "../../protocol/sessionTree.ts";

/** Receipt hashes, the same on every run. */
const hashes = (count: number, seed = "receipt") =>
  Array.from({ length: count }, (_, i) => keccak256(toHex(`${seed}/${i}`)));

/** As ISessions says it, written another way: recursion over the tree's shape, from the top. */
function rootByDefinition(leaves: readonly Hex[]): Hex {
  if (leaves.length === 1) return leaves[0] as Hex;
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  const pair = [rootByDefinition(leaves.slice(0, half)), rootByDefinition(leaves.slice(half))];
  return keccak256(concatHex(pair.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))));
}

const sizes = [...Array.from({ length: 18 }, (_, i) => i + 1), 31, 33, 63, 65, 100, 129];

describe("session tree", () => {
  it("hashes a leaf twice, with its index", () => {
    const [hash] = hashes(1) as [Hex];
    const encoded = encodeAbiParameters([{ type: "uint256" }, { type: "bytes32" }], [5n, hash]);
    expect(sessionLeaf(5, hash)).to.equal(keccak256(keccak256(encoded)));
  });

  it("has the root that the definition gives, for every shape", () => {
    for (const size of sizes) {
      const receipts = hashes(size);
      expect(sessionRoot(receipts), `${size} leaves`).to.equal(
        rootByDefinition(receipts.map((h, i) => sessionLeaf(i, h))),
      );
    }
  });

  it("proves every leaf of every shape, whatever the case of the hex", () => {
    for (const size of sizes) {
      const receipts = hashes(size);
      const root = sessionRoot(receipts);
      const all = [...receipts.keys()];
      for (const i of size <= 16 ? all : [0, 1, Math.floor(size / 2), size - 2, size - 1]) {
        const hash = receipts[i] as Hex;
        const proof = sessionProof(receipts, i);
        expect(proof.length).to.be.at.most(Math.ceil(Math.log2(size)));
        expect(verifySessionProof(root, i, hash, proof), `${i} of ${size}`).to.equal(true);
      }
      const upper = receipts.map((hash) => `0x${hash.slice(2).toUpperCase()}` as Hex);
      expect(sessionRoot(upper)).to.equal(root);
      expect(
        verifySessionProof(`0x${root.slice(2).toUpperCase()}`, 0, upper[0] as Hex, sessionProof(upper, 0)),
      ).to.equal(true);
    }
  });

  it("proves no receipt at another index, of another tree, or with any part of the proof changed", () => {
    for (const size of [2, 3, 7, 8, 33]) {
      const receipts = hashes(size);
      const root = sessionRoot(receipts);
      const other = hashes(size, "other");
      for (const [i, hash] of receipts.entries()) {
        const proof = sessionProof(receipts, i);
        for (let at = 0; at <= size; at++)
          if (at !== i) expect(verifySessionProof(root, at, hash, proof), `${i} at ${at}`).to.equal(false);
        expect(verifySessionProof(root, i, other[i] as Hex, proof)).to.equal(false);
        expect(verifySessionProof(sessionRoot(other), i, hash, proof)).to.equal(false);
        expect(verifySessionProof(root, i, hash, proof.slice(1))).to.equal(false);
        expect(verifySessionProof(root, i, hash, [...proof, root])).to.equal(false);
        for (const [k, node] of proof.entries()) {
          const flipped = toHex(BigInt(node) ^ 1n, { size: 32 });
          expect(verifySessionProof(root, i, hash, proof.with(k, flipped))).to.equal(false);
        }
      }
    }
  });

  it("takes no node for a leaf", () => {
    const receipts = hashes(4);
    const leaves = receipts.map((hash, i) => sessionLeaf(i, hash));
    const root = sessionRoot(receipts);
    const [, , third, fourth] = leaves as [Hex, Hex, Hex, Hex];
    const right = keccak256(concatHex(third < fourth ? [third, fourth] : [fourth, third]));
    for (const index of [0, 1, 2, 3]) {
      expect(verifySessionProof(root, index, right, [])).to.equal(false);
      expect(verifySessionProof(root, index, root, [])).to.equal(false);
    }
  });

  it("throws BadLeafCountError for no leaves and for more than 4,096, NoSuchLeafError for others' indices", () => {
    const tooMany = Array<Hex>(4097).fill(keccak256("0x"));
    for (const receipts of [[], tooMany]) {
      expect(() => sessionRoot(receipts)).to.throw(BadLeafCountError, `${receipts.length} leaves`);
    }
    for (const index of [-1, 3, 0.5, Number.NaN])
      expect(() => sessionProof(hashes(3), index)).to.throw(NoSuchLeafError, `no leaf ${index} among 3`);
    expect(verifySessionProof(sessionRoot(hashes(1)), -1, hashes(1)[0] as Hex, [])).to.equal(false);
    expect(
      verifySessionProof(sessionRoot(hashes(1)), 0, hashes(1)[0] as Hex, Array(13).fill(keccak256("0x"))),
    ).to.equal(false);
  });

  it("has a root for the largest session", () => {
    const receipts = hashes(4096);
    expect(
      verifySessionProof(sessionRoot(receipts), 4095, receipts[4095] as Hex, sessionProof(receipts, 4095)),
    ).to.equal(true);
  });
});
