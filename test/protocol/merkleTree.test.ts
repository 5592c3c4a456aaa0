import { expect } from "chai";
import { bytesToHex } from "viem";
import { consistencyProof, inclusionProof, leafHash, merkleRoot } from "../../protocol/merkle.ts";
import { DamagedEntriesError, growTree } from "../../protocol/merkleTree.ts";

const hexes = (hashes: readonly Uint8Array[]) => hashes.map((hash) => bytesToHex(hash));
const entries = Array.from({ length: 1300 }, (_, i) => Uint8Array.of(i & 255, i >> 8));
const all = entries.map(leafHash);

/** A tree of so many entries, and the store that it reads them from. */
function treeOf(size: number) {
  const stored = entries.slice(0, size);
  let reads = 0;
  const tree = growTree((from, count) => {
    expect([from % 256, count <= 256]).to.deep.equal([0, true]);
    reads += 1;
    return stored.slice(from, from + count);
  });
  for (const entry of stored) tree.append(entry);
  return { tree, stored, reads: () => reads };
}

describe("growTree", () => {
  it("has the root of the definition at every size up to 530, and reads nothing for it", () => {
    const { tree, reads } = treeOf(0);
    for (let size = 0; size <= 530; size++) {
      expect(tree.size()).to.equal(size);
      if (size < 20 || size % 37 === 0 || [255, 256, 257, 511, 512, 513].includes(size))
        expect(bytesToHex(tree.root()), `size ${size}`).to.equal(bytesToHex(merkleRoot(all.slice(0, size))));
      tree.append(entries[size] ?? new Uint8Array());
    }
    expect(reads()).to.equal(0);
  });

  it("gives the proofs of the definition, and reads two blocks at most for each", () => {
    const { tree, reads } = treeOf(1300);
    const sizes = [1, 100, 255, 256, 257, 512, 513, 1024, 1025, 1300];
    for (const size of sizes) {
      const leaves = all.slice(0, size);
      expect(bytesToHex(tree.rootAt(size))).to.equal(bytesToHex(merkleRoot(leaves)));
      for (const index of [0, 255, 256, 700, size - 1].filter((i) => i < size)) {
        const before = reads();
        expect(hexes(tree.inclusion(index, size))).to.deep.equal(hexes(inclusionProof(leaves, index)));
        expect(reads() - before).to.be.at.most(2);
      }
      for (const from of sizes.filter((one) => one <= size)) {
        const before = reads();
        expect(hexes(tree.consistency(from, size))).to.deep.equal(hexes(consistencyProof(leaves, from)));
        expect(reads() - before).to.be.at.most(2);
      }
    }
    expect(bytesToHex(tree.rootAt(0))).to.equal(bytesToHex(merkleRoot([])));
  });

  it("notices changed, missing and exchanged entries, in whole blocks and in the last one", () => {
    for (const damage of [
      (stored: Uint8Array[]) => stored.splice(300, 1, Uint8Array.of(1)),
      (stored: Uint8Array[]) => stored.splice(300, 2, ...stored.slice(300, 302).reverse()),
    ]) {
      const { tree, stored } = treeOf(600);
      damage(stored);
      expect(() => tree.inclusion(301, 600))
        .to.throw(DamagedEntriesError)
        .with.property("from", 256);
      expect(() => tree.block(1))
        .to.throw(DamagedEntriesError)
        .with.property("from", 256);
      expect(tree.block(0)).to.deep.equal(entries.slice(0, 256));
    }
    const { tree, stored } = treeOf(600);
    stored.pop();
    expect(() => tree.inclusion(0, 600))
      .to.throw(DamagedEntriesError)
      .with.property("from", 512);
    expect(bytesToHex(tree.root())).to.equal(bytesToHex(merkleRoot(all.slice(0, 600))));
  });

  it("refuses what is not there", () => {
    const { tree } = treeOf(300);
    for (const size of [301, -1, 0.5, Number.NaN]) {
      expect(() => tree.rootAt(size)).to.throw(RangeError, `No tree of ${size} leaves.`);
      expect(() => tree.inclusion(0, size)).to.throw(RangeError, `No tree of ${size} leaves.`);
      expect(() => tree.consistency(1, size)).to.throw(RangeError, `No tree of ${size} leaves.`);
    }
    for (const index of [-1, 300, 0.5])
      expect(() => tree.inclusion(index, 300)).to.throw(RangeError, `No leaf ${index}.`);
    for (const from of [0, 301, 0.5]) expect(() => tree.consistency(from, 300)).to.throw(RangeError);
    for (const block of [-1, 2, 0.5]) expect(() => tree.block(block)).to.throw(RangeError, `No block ${block}.`);
  });
});
