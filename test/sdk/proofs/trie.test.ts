/** Tries among nodes of hostile origin: what @ethereumjs/mpt would let pass or take for absence is refused before it. */
import { createMPT } from "@ethereumjs/mpt";
import { expect } from "chai";
import { bytesToHex, type Hex, keccak256 } from "viem";
import { BadRlpError, encodeItem, type Item } from "../../../sdk/proofs/rlp.ts";
import { findAccount, findWord } from "../../../sdk/proofs/state.ts";
import { buildTrie, findValue, indexKey, MissingNodeError } from "../../../sdk/proofs/trie.ts";
import { rejection } from "../../support/rejection.ts";

const none = new Uint8Array();
const long = new Uint8Array(40).fill(0x55);

describe("findValue", () => {
  /** A trie made by hand: the first node is the root. */
  function handmade(...nodes: Item[]) {
    const byHash = new Map(
      nodes.map((node) => bytesToHex(encodeItem(node))).map((rlp) => [keccak256(rlp), rlp] as const),
    );
    const [root] = byHash.keys();
    return { root: root as Hex, source: sourceOf(byHash) };
  }
  const hashOf = (node: Item) => keccak256(encodeItem(node), "bytes");
  const branch = (children: Record<number, Item>, value: Item = none): Item => [
    ...Array.from({ length: 16 }, (_, i) => children[i] ?? none),
    value,
  ];
  const leaf = (path: number[], value: Item): Item => [Uint8Array.from(path), value];

  it("finds all values of a block's trie, of any size, and proves that there is no other", async () => {
    for (const count of [1, 2, 16, 17, 127, 128, 129, 300]) {
      const values = Array.from({ length: count }, (_, i) =>
        bytesToHex(new Uint8Array(1 + ((i * 37) % 70)).fill(1 + (i % 250))),
      );
      const nodes = new Map<Hex, Hex>();
      const root = await buildTrie(values, nodes);
      for (const index of new Set([0, 1, 15, 16, 126, 127, 128, 255, 256, count - 1].filter((i) => i < count)))
        expect(bytesToHex((await findValue(sourceOf(nodes), root, indexKey(index))) ?? none)).to.equal(values[index]);
      for (const index of [count, count + 1, 65_535])
        expect(await findValue(sourceOf(nodes), root, indexKey(index)), `${index} of ${count}`).to.equal(undefined);
    }
  });

  it("finds nothing in an empty trie, and asks for no node", async () => {
    const root = bytesToHex((await createMPT()).root());
    const source = () => {
      throw new Error("asked");
    };
    expect(await findValue(source, root, indexKey(0))).to.equal(undefined);
    expect(await buildTrie([], new Map())).to.equal(root);
    expect(await findWord(source, root, `0x${"11".repeat(32)}`)).to.equal(`0x${"00".repeat(32)}`);
    expect((await findAccount(source, root, `0x${"11".repeat(20)}`)).exists).to.equal(false);
  });

  it("reads values in branches, nodes in nodes, and paths that end early or late", async () => {
    const inner = leaf([0x20], Uint8Array.of(7)); // path ends here
    const { root, source } = handmade(
      branch({ 1: branch({ 2: inner }, Uint8Array.of(9)), 3: leaf([0x34], Uint8Array.of(8)) }),
    );
    const find = async (key: number[]) => await findValue(source, root, Uint8Array.from(key));
    expect(await find([0x12])).to.deep.equal(Uint8Array.of(7));
    expect(await find([0x34])).to.deep.equal(Uint8Array.of(8));
    for (const absent of [[], [0x13], [0x12, 0x00], [0x35], [0x34, 0x44], [0x44]])
      expect(await find(absent)).to.equal(undefined);
    const last = branch({}, long);
    const middle = branch({ 1: hashOf(last) });
    const valued = handmade(branch({ 1: hashOf(middle) }), middle, last);
    expect(await findValue(valued.source, valued.root, Uint8Array.of(0x11))).to.deep.equal(long);
    expect(await findValue(valued.source, valued.root, Uint8Array.of(0x11, 0x11))).to.equal(undefined);
  });

  it("asks for each node on the way, and for no other", async () => {
    const nodes = new Map<Hex, Hex>();
    const root = await buildTrie(
      Array.from({ length: 300 }, (_, i) => bytesToHex(long.map(() => i % 256))),
      nodes,
    );
    const asked: Hex[] = [];
    const source = sourceOf(nodes);
    const listening = (hash: Hex) => {
      asked.push(hash);
      return source(hash);
    };
    await findValue(listening, root, indexKey(200));
    expect(asked[0]).to.equal(root);
    for (const gone of asked) {
      const without = new Map(nodes);
      without.delete(gone);
      const error = await rejection(findValue(sourceOf(without), root, indexKey(200)), MissingNodeError);
      expect(error.hash).to.equal(gone);
    }
    const only = new Map(asked.map((hash) => [hash, nodes.get(hash) as Hex]));
    expect(await findValue(sourceOf(only), root, indexKey(200))).to.deep.equal(long.map(() => 200));
  });

  const child = new Uint8Array(32).fill(1);
  const bad: [string, Item, string][] = [
    ["neither 2 nor 17 items", [none, none, none], "it is no branch, extension or leaf"],
    ["no item", [], "it is no branch, extension or leaf"],
    ["a path that is a list", [[none], long], "it is no branch, extension or leaf"],
    ["an empty path", [none, long], "its path has a bad flag"],
    ["a flag of no meaning", [Uint8Array.of(0x40), long], "its path has a bad flag"],
    ["a nibble of padding", [Uint8Array.of(0x21), long], "its path has a bad flag"],
    ["an extension by nothing", [Uint8Array.of(0x00), child], "an extension has no path"],
    ["an extension to nothing", [Uint8Array.of(0x11), none], "a child is neither hash nor node"],
    ["an extension to 31 bytes", [Uint8Array.of(0x11), child.subarray(1)], "a child is neither hash nor node"],
    ["a leaf without a value", [Uint8Array.of(0x31), none], "a leaf has no value"],
    ["a leaf with a list", [Uint8Array.of(0x31), [long]], "a leaf has no value"],
    ["a branch with a value that is a list", branch({}, [none]), "a branch's value is a list"],
    ["a branch with a child of 33 bytes", branch({ 1: new Uint8Array(33) }), "a child is neither hash nor node"],
    ["a long node in a node", branch({ 1: leaf([0x31], long) }), "a node lies in another and is too long"],
    ["a bad node in a node", branch({ 1: [none, none] }), "its path has a bad flag"],
  ];
  for (const [name, node, fact] of bad)
    it(`refuses a node with ${name}`, async () => {
      const { root, source } = handmade(node);
      const error = await rejection(findValue(source, root, Uint8Array.of(0x11)), BadRlpError);
      expect([error.what, error.fact]).to.deep.equal(["a trie's node", fact]);
    });
});

describe("findAccount, findWord", () => {
  const address = `0x${"22".repeat(20)}` as const;
  /** The one value of a trie with hashed keys. */
  async function single(key: Hex, value: Uint8Array) {
    const node = bytesToHex(encodeItem([Uint8Array.of(0x20, ...keccak256(key, "bytes")), value]));
    return { root: keccak256(node), source: sourceOf(new Map([[keccak256(node), node]])) };
  }
  const accountOf = async (...fields: Item[]) => {
    const { root, source } = await single(address, encodeItem(fields));
    return await findAccount(source, root, address);
  };
  const hash = new Uint8Array(32).fill(3);

  it("reads an account", async () => {
    expect(await accountOf(Uint8Array.of(5), Uint8Array.of(1, 0), hash, hash)).to.deep.equal({
      exists: true,
      nonce: 5n,
      balance: 256n,
      storageRoot: bytesToHex(hash),
      codeHash: bytesToHex(hash),
    });
  });

  it("refuses an account with other fields", async () => {
    const facts: [Item[], string][] = [
      [[none, none, hash], "it has 3 fields of 4"],
      [[none, none, hash, hash, none], "it has 5 fields of 4"],
      [[Uint8Array.of(0, 1), none, hash, hash], "a number is too long or begins with 0"],
      [[new Uint8Array(9).fill(1), none, hash, hash], "a number is too long or begins with 0"],
      [[none, [none], hash, hash], "a list is where a number should be, or nothing"],
      [[none, none, hash.subarray(1), hash], "31 bytes are where 32 should be"],
      [[none, none, hash, [hash]], "a list is where bytes should be, or nothing"],
    ];
    for (const [fields, fact] of facts)
      expect((await rejection(accountOf(...fields), BadRlpError)).fact).to.equal(fact);
  });

  it("refuses words of storage that no chain stores", async () => {
    const slot = `0x${"00".repeat(32)}` as const;
    const facts: [Uint8Array, string][] = [
      [encodeItem(none), "zero is stored"],
      [encodeItem(Uint8Array.of(0, 1)), "a number is too long or begins with 0"],
      [encodeItem(new Uint8Array(33).fill(1)), "a number is too long or begins with 0"],
      [encodeItem([Uint8Array.of(1)]), "a list is where a number should be, or nothing"],
      [Uint8Array.of(1, 1), "it cannot be decoded"],
    ];
    for (const [value, fact] of facts) {
      const { root, source } = await single(slot, value);
      expect((await rejection(findWord(source, root, slot), BadRlpError)).fact).to.equal(fact);
    }
  });
});

function sourceOf(nodes: ReadonlyMap<Hex, Hex>) {
  return (hash: Hex): Hex => {
    const node = nodes.get(hash);
    if (node === undefined) throw new MissingNodeError(hash);
    return node;
  };
}
