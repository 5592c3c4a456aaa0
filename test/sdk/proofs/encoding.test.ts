/**
 * Headers, transactions and receipts as bytes: against public chains (publicBlocks.json: what their nodes answered in 2026,
 * quoted in public repositories; each proves itself by its hash) and against viem's own encoders.
 */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { type Hex, hexToBytes, keccak256, parseTransaction, type TransactionSerializable, toHex } from "viem";
import { encodeHeader, HeaderNotEncodableError, readHeader, rpcHeader } from "../../../sdk/proofs/header.ts";
import { encodeReceipt, readReceipt, rpcReceipt } from "../../../sdk/proofs/receipt.ts";
import { BadRlpError, decodeItem, decodeList, encodeItem, hexItem, numberItem } from "../../../sdk/proofs/rlp.ts";
import { quantity } from "../../../sdk/proofs/rpcFields.ts";
import {
  encodeTransaction,
  readTransaction,
  rpcTransaction,
  TransactionNotEncodableError,
  UnknownTransactionTypeError,
} from "../../../sdk/proofs/transaction.ts";
import { testAccount } from "../../support/chain.ts";
import { rejection } from "../../support/rejection.ts";

type Block = Record<string, Hex>;
const blocks: Record<string, Block> = JSON.parse(readFileSync(new URL("publicBlocks.json", import.meta.url), "utf8"));
const to = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const word = `0x${"ab".repeat(32)}` as const;

describe("encodeHeader", () => {
  for (const name of ["mainnetGenesis", "mainnet24630100", "sepolia11319411"])
    it(`makes the hash of ${name}, and reads it back`, () => {
      const told = blocks[name] as Block;
      const header = encodeHeader(rpcHeader.parse(told));
      expect(keccak256(header)).to.equal(told.hash);
      expect(readHeader(header)).to.deep.equal({
        number: BigInt(told.number as Hex),
        hash: told.hash,
        parentHash: told.parentHash,
        timestamp: BigInt(told.timestamp as Hex),
        stateRoot: told.stateRoot,
        transactionsRoot: told.transactionsRoot,
        receiptsRoot: told.receiptsRoot,
      });
    });

  it("throws HeaderNotEncodableError for each field that is changed", async () => {
    const told = blocks.mainnet24630100 as Block;
    for (const field of Object.keys(told).filter((name) => name !== "hash")) {
      const value = told[field] as Hex;
      const changed = { ...told, [field]: `${value.slice(0, -1)}${value.endsWith("7") ? "8" : "7"}` };
      const error = await rejection(() => encodeHeader(rpcHeader.parse(changed)), HeaderNotEncodableError);
      expect(error.blockNumber, field).to.equal(BigInt(changed.number as Hex));
    }
  });

  it("reads a header with more fields than are known", () => {
    const fields = decodeList(hexToBytes(encodeHeader(rpcHeader.parse(blocks.mainnet24630100))), "a header");
    const later = toHex(encodeItem([...fields, hexToBytes(word), quantity("0x7")]));
    expect(readHeader(later).number).to.equal(24_630_100n);
    expect(readHeader(later).hash).to.equal(keccak256(later));
  });
});

describe("encodeTransaction", () => {
  const common = {
    chainId: 1,
    nonce: 300,
    gas: 50_000n,
    to,
    value: 10n ** 18n,
    data: "0x00ff",
    maxFeePerGas: 9n,
  } as const;
  const accessList = [{ address: to, storageKeys: [word, `0x${"00".repeat(32)}`] }] as const;
  const delegation = { chainId: 1, address: to, nonce: 0, r: word, s: `0x${"00".repeat(31)}01`, yParity: 1 } as const;
  const { maxFeePerGas: _, ...priced } = { ...common, gasPrice: 2n ** 40n };
  const { chainId: __, ...anyChain } = priced;
  const kinds: [string, TransactionSerializable, number | undefined][] = [
    ["legacy, for any chain", { ...anyChain, type: "legacy" }, undefined],
    ["legacy, for one chain", { ...priced, type: "legacy" }, 1],
    ["legacy, for a chain with a large id", { ...priced, chainId: 2 ** 40, type: "legacy" }, 2 ** 40],
    ["legacy, creating a contract", { ...priced, to: undefined, value: 0n, nonce: 0, type: "legacy" }, 1],
    ["EIP-2930", { ...priced, accessList: [...accessList], type: "eip2930" } as TransactionSerializable, 1],
    ["EIP-1559", { ...common, maxPriorityFeePerGas: 0n, type: "eip1559" }, 1],
    [
      "EIP-4844",
      {
        ...common,
        maxFeePerBlobGas: 77n,
        blobVersionedHashes: [`0x01${"cd".repeat(31)}`],
        sidecars: false,
        type: "eip4844",
      },
      1,
    ],
    [
      "EIP-7702",
      {
        ...common,
        accessList: [...accessList],
        authorizationList: [delegation],
        type: "eip7702",
      } as TransactionSerializable,
      1,
    ],
  ];
  for (const [name, transaction, chainId] of kinds)
    it(`agrees with viem on ${name}, and finds the sender`, async () => {
      const account = testAccount(3);
      const raw = (await account.signTransaction(transaction)) as Hex;
      const told = rpcTransaction.parse(asTold(raw));
      expect(encodeTransaction(told)).to.equal(raw);
      const read = await readTransaction(hexToBytes(raw));
      expect(read).to.deep.equal({
        hash: keccak256(raw),
        type: Number(told.type),
        chainId: chainId === undefined ? undefined : BigInt(chainId),
        from: account.address,
        to: transaction.to === undefined ? undefined : "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        nonce: BigInt(transaction.nonce ?? 0),
        value: transaction.value,
        input: "0x00ff",
      });
      const error = await rejection(() => encodeTransaction({ ...told, nonce: "0x1" }), TransactionNotEncodableError);
      expect(error.hash).to.equal(told.hash);
    });

  it("makes the hash of a transaction on Sepolia, and finds its sender", async () => {
    const told = blocks.sepoliaTransaction as Block;
    const read = await readTransaction(hexToBytes(encodeTransaction(rpcTransaction.parse(told))));
    expect(read.hash).to.equal(told.hash);
    expect(read.from.toLowerCase()).to.equal(told.from);
  });

  it("refuses types that are not known", async () => {
    for (const type of [0x00, 0x05, 0x7e, 0xbf]) {
      const error = await rejection(readTransaction(Uint8Array.of(type, 0xc0)), UnknownTransactionTypeError);
      expect(error.type).to.equal(type);
    }
    const told = rpcTransaction.parse({ ...blocks.sepoliaTransaction, type: "0x7e" });
    const error = await rejection(() => encodeTransaction(told), TransactionNotEncodableError);
    expect([error.hash, error.type]).to.deep.equal([told.hash, 0x7e]);
  });

  it("refuses what has too few fields, a bad target, or no possible signature", async () => {
    const bad = async (items: Parameters<typeof encodeItem>[0]) =>
      (await rejection(readTransaction(encodeItem(items)), BadRlpError)).fact;
    const empty = new Uint8Array();
    const fields = (target: Uint8Array, v: number, r: Uint8Array) => [
      empty,
      empty,
      empty,
      target,
      empty,
      empty,
      Uint8Array.of(v),
      r,
      r,
    ];
    expect(await bad([empty])).to.equal("it has 1 fields of 9");
    expect(await bad(fields(Uint8Array.of(1, 2), 27, hexToBytes(word)))).to.equal("its target is no address");
    expect(await bad(fields(empty, 29, hexToBytes(word)))).to.equal("its signature has no parity");
    expect(await bad(fields(empty, 27, empty))).to.equal("its signature is none of any key");
  });
});

describe("encodeReceipt", () => {
  const told = {
    transactionHash: word,
    type: "0x2",
    status: "0x1",
    cumulativeGasUsed: "0x5208",
    logsBloom: `0x${"00".repeat(256)}`,
    logs: [
      { address: to, topics: [word, word], data: `0x${"11".repeat(300)}` },
      { address: to, topics: [], data: "0x" },
    ],
  };

  it("is read back", () => {
    for (const [type, status] of [
      ["0x0", "0x1"],
      ["0x1", "0x0"],
      ["0x4", "0x1"],
    ]) {
      const read = readReceipt(hexToBytes(encodeReceipt(rpcReceipt.parse({ ...told, type, status }))));
      expect(read.status).to.equal(status === "0x1" ? "success" : "reverted");
      expect(read.logs.map(({ topics, data, indexInTransaction }) => [topics, data, indexInTransaction])).to.deep.equal(
        [
          [[word, word], `0x${"11".repeat(300)}`, 0],
          [[], "0x", 1],
        ],
      );
    }
  });

  it("refuses those of before Byzantium, which say no status", async () => {
    const old = encodeReceipt(rpcReceipt.parse({ ...told, type: "0x0", status: undefined, root: word }));
    const error = await rejection(() => readReceipt(hexToBytes(old)), BadRlpError);
    expect(error.fact).to.equal("a number is too long or begins with 0");
  });
});

describe("decodeItem", () => {
  const facts: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(), "bytes are where a list should be, or nothing"],
    ["a string", Uint8Array.of(0x82, 1, 2), "bytes are where a list should be, or nothing"],
    ["two items", Uint8Array.of(0xc0, 0xc0), "it cannot be decoded"],
    ["a byte that needs no prefix", Uint8Array.of(0xc2, 0x81, 0x05), "it cannot be decoded"],
    ["a long form for a short list", Uint8Array.of(0xf8, 1, 1), "it cannot be decoded"],
    ["a length with zeros in front", Uint8Array.of(0xf9, 0, 56, ...new Uint8Array(56)), "it cannot be decoded"],
    ["an item behind the end of its list", Uint8Array.of(0xc2, 0x82, 1, 1), "an item ends behind what it is in"],
    ["a list behind the end", Uint8Array.of(0xc5, 1), "an item ends behind what it is in"],
    ["a length of 2^64 - 1", Uint8Array.of(0xff, ...new Uint8Array(8).fill(255)), "an item ends behind what it is in"],
    ["half a length", Uint8Array.of(0xfb, 1), "an item ends behind what it is in"],
  ];
  for (const [name, bytes, fact] of facts)
    it(`refuses ${name}`, async () => {
      const error = await rejection(() => decodeList(bytes, "a test"), BadRlpError);
      expect([error.what, error.fact]).to.deep.equal(["a test", fact]);
    });

  it("refuses lists a million deep, and a million items", async () => {
    const fact = async (bytes: Uint8Array) => (await rejection(() => decodeList(bytes, "a test"), BadRlpError)).fact;
    expect(await fact(nested(9))).to.equal("its lists are nested over 8 deep");
    expect(await fact(nested(1_000_000))).to.equal("its lists are nested over 8 deep");
    expect(await fact(hexToBytes(`0xfa0f4240${"01".repeat(1_000_000)}`))).to.equal("it has over 300000 items");
    // The library decodes this one, but cannot encode it again, which the signed hash needs.
    const wide = hexToBytes(`0x01fa030d4e01010101800101fa030d40${"01".repeat(200_000)}010101`);
    const { what } = await rejection(readTransaction(wide), BadRlpError);
    expect(what).to.equal("what is to be encoded");
  });

  it("decodes 8 lists in each other, and what they hold", () => {
    expect(decodeItem(nested(8), "a test")).to.deep.equal([[[[[[[[Uint8Array.of(1)]]]]]]]]);
    expect(numberItem(Uint8Array.of(1, 0), "a test")).to.equal(256n);
    expect(hexItem(Uint8Array.of(1, 0), "a test", 2)).to.equal("0x0100");
  });
});

/** Lists in each other, the innermost holding 1. Encoded from the inside: encoding recursively would run out of stack. */
function nested(depth: number): Uint8Array {
  const prefixes: Uint8Array[] = [];
  let size = 1;
  for (let i = 0; i < depth; i++) {
    const digits = quantity(`0x${size.toString(16)}`);
    const prefix = size <= 55 ? Uint8Array.of(0xc0 + size) : Uint8Array.of(0xf7 + digits.length, ...digits);
    prefixes.push(prefix);
    size += prefix.length;
  }
  const bytes = new Uint8Array(size).fill(1);
  let at = 0;
  for (const prefix of prefixes.reverse()) {
    bytes.set(prefix, at);
    at += prefix.length;
  }
  return bytes;
}

/** A signed transaction as a node tells it. */
function asTold(raw: Hex) {
  const parsed = parseTransaction(raw) as Record<string, unknown>;
  const hex = (value: unknown) => (value === undefined ? undefined : toHex(value as bigint));
  const numbers = "chainId nonce gasPrice maxFeePerGas maxPriorityFeePerGas maxFeePerBlobGas gas value v yParity".split(
    " ",
  );
  const types = ["legacy", "eip2930", "eip1559", "eip4844", "eip7702"];
  const told: Record<string, unknown> = {
    ...parsed,
    input: parsed.data,
    hash: keccak256(raw),
    type: toHex(types.indexOf(parsed.type as string)),
  };
  for (const name of numbers) told[name] = hex(parsed[name]);
  for (const name of ["nonce", "value"]) told[name] ??= "0x0";
  const delegations = parsed.authorizationList as Record<string, unknown>[] | undefined;
  told.authorizationList = delegations?.map((one) => ({
    ...one,
    chainId: hex(one.chainId),
    nonce: hex(one.nonce ?? 0),
    yParity: hex(one.yParity),
  }));
  return told;
}
