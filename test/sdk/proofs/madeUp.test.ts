/** Proofs of chains that never were: long ways back, work without end, roots that a liar chose. */
import { expect } from "chai";
import { bytesToHex, type Hex, keccak256, numberToHex } from "viem";
import { type ChainProofs, limits } from "../../../sdk/proofs/chainProofs.ts";
import { collectProofs, TooFarBackError } from "../../../sdk/proofs/collectProofs.ts";
import { historyAddress, historySlot, linkOf } from "../../../sdk/proofs/history.ts";
import { MalformedProofsError, openProofs } from "../../../sdk/proofs/openProofs.ts";
import { BrokenLinkError, NoSuchTransactionError, prove } from "../../../sdk/proofs/prove.ts";
import { BadRlpError, encodeItem, type Item } from "../../../sdk/proofs/rlp.ts";
import { quantity } from "../../../sdk/proofs/rpcFields.ts";
import { buildTrie, MissingNodeError } from "../../../sdk/proofs/trie.ts";
import { rejection } from "../../support/rejection.ts";

const empty = keccak256("0x80", "bytes");
const none = new Uint8Array();
const address = (byte: number): Hex => `0x${byte.toString(16).padStart(2, "0").repeat(20)}`;

type Roots = { parent?: Hex; state?: Uint8Array; transactions?: Uint8Array; receipts?: Uint8Array };

/** A header with these roots, of a block of this number. */
function header(number: bigint, { parent, state = empty, transactions = empty, receipts = empty }: Roots = {}): Hex {
  const fields: Item[] = Array.from({ length: 21 }, () => none);
  fields[0] = parent === undefined ? new Uint8Array(32) : Uint8Array.from(Buffer.from(parent.slice(2), "hex"));
  [fields[3], fields[4], fields[5]] = [state, transactions, receipts];
  fields[8] = quantity(numberToHex(number));
  return bytesToHex(encodeItem(fields));
}

/** The only node of a trie with one hashed key. */
function single(key: Hex, value: Uint8Array): Hex {
  return bytesToHex(encodeItem([Uint8Array.of(0x20, ...keccak256(key, "bytes")), value]));
}

const proofsOf = (headers: Hex[], rest: Partial<ChainProofs> = {}): ChainProofs => ({
  anchor: { number: String(1_000_000), hash: keccak256(headers[0] as Hex) },
  headers,
  logIndexes: true,
  transactions: [],
  accounts: [],
  nodes: [],
  ...rest,
});

describe("linkOf", () => {
  const block = (number: bigint) => ({ number }) as Parameters<typeof linkOf>[0][number];
  const link = (newer: bigint[], number: bigint) => {
    const found = linkOf(newer.map(block), number);
    return found && [found.from.number, found.by];
  };
  it("takes the child before the history, and the newest block whose state reaches that far", () => {
    expect(link([20_000n], 19_999n)).to.deep.equal([20_000n, "parent"]);
    expect(link([20_000n], 19_998n)).to.deep.equal([20_000n, "history"]);
    expect(link([20_000n], 20_000n - 8191n)).to.deep.equal([20_000n, "history"]);
    expect(link([20_000n], 20_000n - 8192n)).to.equal(undefined);
    expect(link([20_000n, 15_000n, 12_000n], 11_000n)).to.deep.equal([15_000n, "history"]);
    expect(historySlot(8191n * 3n + 5n)).to.equal(numberToHex(5, { size: 32 }));
  });
});

describe("openProofs, of chains that never were", () => {
  /** A block whose state knows the hash of an older one. */
  function knowing(number: bigint, older: bigint, hash: Hex): { header: Hex; nodes: Hex[] } {
    const word = single(historySlot(older), encodeItem(Uint8Array.from(Buffer.from(hash.slice(2), "hex"))));
    const account = encodeItem([quantity("0x1"), none, keccak256(word, "bytes"), keccak256("0x", "bytes")]);
    const node = single(historyAddress, account);
    return { header: header(number, { state: keccak256(node, "bytes") }), nodes: [node, word] };
  }

  it("goes back over the history contract, window by window", async () => {
    const oldest = header(1_000_000n - 2n * 8191n - 7n);
    const middle = knowing(1_000_000n - 8191n - 7n, 1_000_000n - 2n * 8191n - 7n, keccak256(oldest));
    const top = knowing(1_000_000n, 1_000_000n - 8191n, keccak256(middle.header));
    const tooFar = proofsOf([top.header, middle.header], { nodes: top.nodes });
    expect((await rejection(openProofs(tooFar), BrokenLinkError)).blockNumber).to.equal(1_000_000n - 8198n);

    const reachable = knowing(1_000_000n - 8191n, 1_000_000n - 2n * 8191n, keccak256(header(1_000_000n - 2n * 8191n)));
    const first = knowing(1_000_000n, 1_000_000n - 8191n, keccak256(reachable.header));
    const headers = [first.header, reachable.header, header(1_000_000n - 2n * 8191n)];
    const chain = await openProofs(proofsOf(headers, { nodes: [...first.nodes, ...reachable.nodes] }));
    expect(chain.block(1_000_000n - 2n * 8191n).hash).to.equal(keccak256(headers[2] as Hex));
    const skipped = proofsOf([first.header, headers[2] as Hex], { nodes: first.nodes });
    expect((await rejection(openProofs(skipped), BrokenLinkError)).blockNumber).to.equal(1_000_000n - 2n * 8191n);
  });

  it("refuses a header that lies under another number than its own", async () => {
    const parent = header(999_998n); // the anchor's parent by hash, but not by number
    const top = header(1_000_000n, { parent: keccak256(parent) });
    expect((await rejection(openProofs(proofsOf([top, parent])), BrokenLinkError)).blockNumber).to.equal(999_998n);
  });

  it("refuses the proof of absence as one of presence", async () => {
    const nodes = new Map<Hex, Hex>();
    const receipt = bytesToHex(encodeItem([quantity("0x1"), none, none, []]));
    const transactions = Uint8Array.from(Buffer.from((await buildTrie(["0xc0", "0xc0"], nodes)).slice(2), "hex"));
    const receipts = Uint8Array.from(Buffer.from((await buildTrie([receipt, receipt], nodes)).slice(2), "hex"));
    const source = (hash: Hex) => nodes.get(hash) ?? "0x80";
    const claims = (index: number, top: Hex) => ({ ...proofsOf([top]), transactions: [{ block: "1000000", index }] });
    const full = header(1_000_000n, { transactions, receipts });
    const absent = await rejection(prove(claims(2, full), source), NoSuchTransactionError);
    expect([absent.blockNumber, absent.index]).to.deep.equal([1_000_000n, 2]);
    const noReceipt = header(1_000_000n, { transactions });
    await rejection(prove(claims(1, noReceipt), source), NoSuchTransactionError);
    const noTransaction = header(1_000_000n, { receipts });
    await rejection(prove(claims(1, noTransaction), source), NoSuchTransactionError);
  });

  it("refuses work without end", async () => {
    const large = single(address(0xff), new Uint8Array(1024 * 1024).fill(0x55));
    const top = header(1_000_000n, { state: keccak256(large, "bytes") });
    const accounts = Array.from({ length: 200 }, (_, i) => ({ block: "1000000", address: address(i), slots: [] }));
    const error = await rejection(openProofs(proofsOf([top], { accounts, nodes: [large] })), MalformedProofsError);
    expect([error.where, error.message]).to.deep.equal([
      "nodes",
      "The proofs are malformed at nodes: they take too long to verify.",
    ]);
  });

  it("refuses too many bytes, too many slots, and what is no header", async () => {
    const node = `0x${"55".repeat(limits.nodeBytes)}` as Hex;
    const heavy = await rejection(
      openProofs(proofsOf([header(1_000_000n)], { nodes: Array(5).fill(node) })),
      MalformedProofsError,
    );
    expect(heavy.message).to.equal("The proofs are malformed at nodes: over 8388608 bytes in all.");
    const slots = Array.from({ length: 600 }, (_, i) => numberToHex(i, { size: 32 }));
    const accounts = [1, 2].map((byte) => ({ block: "1000000", address: address(byte), slots }));
    const many = await rejection(openProofs(proofsOf([header(1_000_000n)], { accounts })), MalformedProofsError);
    expect(many.message).to.equal("The proofs are malformed at accounts: over 1024 slots in all.");
    const long = await rejection(openProofs(proofsOf([`${header(1n)}${"00".repeat(5_000)}`])), MalformedProofsError);
    expect(long.where).to.equal("headers.0");
    const short = bytesToHex(encodeItem(Array.from({ length: 14 }, () => none)));
    expect((await rejection(openProofs(proofsOf([short])), BadRlpError)).fact).to.equal(
      "it has 14 fields of at least 15",
    );
    const bare = bytesToHex(encodeItem(Array.from({ length: 21 }, () => none)));
    expect((await rejection(openProofs(proofsOf([bare])), BadRlpError)).fact).to.equal(
      "0 bytes are where 32 should be",
    );
  });
});

describe("collectProofs, from an RPC that lies", () => {
  /** Answers by method; what it has no answer for fails. */
  const rpc = (answers: Record<string, (params: readonly string[]) => unknown>) => ({
    request: async ({ method, params }: { method: string; params: readonly string[] }) => {
      const answer = answers[method];
      if (answer === undefined) throw new Error(`no ${method}`);
      return answer(params);
    },
  });
  const zeros = `0x${"00".repeat(32)}` as const;
  const block = (number: bigint, parentHash: Hex) => {
    const data = {
      parentHash,
      sha3Uncles: zeros,
      miner: address(1),
      stateRoot: zeros,
      transactionsRoot: zeros,
      receiptsRoot: zeros,
    };
    const rest = {
      logsBloom: `0x${"00".repeat(256)}`,
      difficulty: "0x0",
      gasLimit: "0x0",
      gasUsed: "0x0",
      timestamp: "0x1",
    };
    const told = {
      ...data,
      ...rest,
      number: numberToHex(number),
      extraData: "0x",
      mixHash: zeros,
      nonce: "0x0000000000000000",
    };
    const order = Object.entries({
      ...data,
      logsBloom: rest.logsBloom,
      difficulty: "",
      number: told.number,
      gasLimit: "",
      gasUsed: "",
      timestamp: "0x1",
      extraData: "0x",
      mixHash: zeros,
      nonce: told.nonce,
    });
    const items = order.map(([name, value]) =>
      name === "number" || name === "timestamp"
        ? quantity(value as Hex)
        : Uint8Array.from(Buffer.from(value.slice(2), "hex")),
    );
    return { ...told, hash: keccak256(encodeItem(items)) };
  };

  it("stops after as many headers as are opened", async () => {
    let asked = 0;
    const client = rpc({
      eth_getBlockByNumber: ([number]) => {
        asked++;
        return block(BigInt(number as string), zeros);
      },
      eth_getStorageAt: () => zeros,
    });
    const error = await rejection(
      collectProofs(client, { blocks: [1n] }, { number: 5_000n, hash: zeros }),
      TooFarBackError,
    );
    expect([error.blockNumber, asked]).to.deep.equal([1n, limits.headers]);
  });

  it("returns nothing that would not be opened", async () => {
    const top = block(9n, zeros);
    const getBlock = { eth_getBlockByNumber: () => top };
    const anchor = { number: 9n, hash: top.hash };
    const accounts = [{ block: 9n, address: address(7), slots: [] }];
    const eth_getProof = () => ({ accountProof: ["0x80", "0xc0"], storageProof: [] });
    const error = await rejection(
      collectProofs(rpc({ ...getBlock, eth_getProof }), { accounts }, anchor),
      MissingNodeError,
    );
    expect(error.hash).to.equal(zeros);
  });
});
