/**
 * Room: sdk/proofs. The verification itself, whoever holds the nodes: `openProofs` those of a file, `collectProofs` those that
 * an RPC gave. Nodes are asked for in an order that the claims alone decide. Pure.
 */
import type { Address, Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import type {
  ChainProofs,
  ProvenAccount,
  ProvenBlock,
  ProvenChain,
  ProvenReceipt,
  ProvenTransaction,
} from "./chainProofs.ts";
import { readHeader } from "./header.ts";
import { historyAddress, historySlot, linkOf } from "./history.ts";
import { readReceipt } from "./receipt.ts";
import { findAccount, findWord } from "./state.ts";
import { readTransaction } from "./transaction.ts";
import { findValue, indexKey, type NodeSource } from "./trie.ts";

/** What is to be proven: the file without its nodes. */
export type Claims = Omit<ChainProofs, "nodes">;

type Words = { account: ProvenAccount; words: Map<Hex, Hex> };

/**
 * Proves all claims.
 *
 * @param claims - of the form of `chainProofsSchema`.
 * @throws {@link WrongAnchorError} | {@link BrokenLinkError} | {@link NotSortedError} | {@link NoSuchTransactionError} |
 * BadRlpError | UnknownTransactionTypeError | what `node` throws.
 * @example
 * const chain = await prove(proofs, nodeStream(proofs.nodes).take)
 */
export async function prove(claims: Claims, node: NodeSource): Promise<ProvenChain> {
  const blocks = await proveHeaders(claims, node);
  const proven = (number: bigint): ProvenBlock => blocks.get(number) ?? notProven(`block ${number}`);
  const { transactions, receipts } = await proveTransactions(claims, proven, node);
  const accounts = await proveAccounts(claims, proven, node);
  const account = (block: bigint, address: Address) =>
    accounts.get(accountKey(block, address)) ?? notProven(`account ${address} at block ${block}`);
  return {
    anchor: { number: BigInt(claims.anchor.number), hash: claims.anchor.hash },
    block: proven,
    blocks: [...blocks.values()],
    transaction: (hash) => transactions.get(lower(hash)) ?? notProven(`transaction ${hash}`),
    receipt: (hash) => receipts.get(lower(hash)) ?? notProven(`the receipt of transaction ${hash}`),
    receipts: [...receipts.values()],
    account: (block, address) => account(block, address).account,
    storage: (block, address, slot) =>
      account(block, address).words.get(lower(slot)) ?? notProven(`slot ${slot} of ${address} at block ${block}`),
  };
}

async function proveHeaders(claims: Claims, node: NodeSource): Promise<Map<bigint, ProvenBlock>> {
  const newer: ProvenBlock[] = [];
  for (const header of claims.headers) {
    const block = readHeader(header);
    const last = newer.at(-1);
    if (last === undefined) {
      const { number, hash } = claims.anchor;
      if (block.hash !== hash || block.number !== BigInt(number)) throw new WrongAnchorError(block, claims.anchor);
    } else {
      if (block.number >= last.number) throw new NotSortedError("headers", newer.length);
      if (block.hash !== (await hashOf(newer, block.number, node))) throw new BrokenLinkError(block.number);
    }
    newer.push(block);
  }
  return new Map(newer.map((block) => [block.number, block]));
}

/** The hash that a proven block has for this older one. */
async function hashOf(newer: readonly ProvenBlock[], number: bigint, node: NodeSource): Promise<Hex | undefined> {
  const link = linkOf(newer, number);
  if (link?.by !== "history") return link?.from.parentHash;
  const { storageRoot } = await findAccount(node, link.from.stateRoot, historyAddress);
  return await findWord(node, storageRoot, historySlot(number));
}

async function proveTransactions(claims: Claims, block: (number: bigint) => ProvenBlock, node: NodeSource) {
  const transactions = new Map<Hex, ProvenTransaction>();
  const receipts = new Map<Hex, ProvenReceipt>();
  requireRising(
    "transactions",
    claims.transactions,
    (a, b) => compare(BigInt(a.block), BigInt(b.block)) || a.index - b.index,
  );
  const count = logCounter(node);
  for (const claim of claims.transactions) {
    const inBlock = block(BigInt(claim.block));
    const { number: blockNumber, transactionsRoot, receiptsRoot } = inBlock;
    const transactionIndex = claim.index;
    const raw = await findValue(node, transactionsRoot, indexKey(transactionIndex));
    const rawReceipt = await findValue(node, receiptsRoot, indexKey(transactionIndex));
    if (raw === undefined || rawReceipt === undefined) throw new NoSuchTransactionError(blockNumber, transactionIndex);
    const transaction = await readTransaction(raw);
    const { status, logs } = readReceipt(rawReceipt);
    const before = claims.logIndexes ? await count(inBlock, transactionIndex) : undefined;
    const numbered = logs.map((log, i) => ({ ...log, logIndex: before === undefined ? undefined : before + i }));
    const position = { blockNumber, transactionIndex };
    transactions.set(transaction.hash, { ...transaction, ...position });
    receipts.set(transaction.hash, { transactionHash: transaction.hash, ...position, status, logs: numbered });
  }
  return { transactions, receipts };
}

/** Counts the logs of all receipts before one; blocks, and transactions of a block, are asked for in rising order. */
function logCounter(node: NodeSource) {
  let counted = { block: -1n, next: 0, logs: 0 };
  return async ({ number: block, receiptsRoot }: ProvenBlock, index: number): Promise<number> => {
    if (counted.block !== block) counted = { block, next: 0, logs: 0 };
    for (; counted.next < index; counted.next++) {
      const raw = await findValue(node, receiptsRoot, indexKey(counted.next));
      if (raw === undefined) throw new NoSuchTransactionError(block, counted.next);
      counted.logs += readReceipt(raw).logs.length;
    }
    return counted.logs;
  };
}

async function proveAccounts(claims: Claims, block: (number: bigint) => ProvenBlock, node: NodeSource) {
  const accounts = new Map<string, Words>();
  requireRising(
    "accounts",
    claims.accounts,
    (a, b) => compare(BigInt(a.block), BigInt(b.block)) || compare(a.address, b.address),
  );
  for (const { block: number, address, slots } of claims.accounts) {
    requireRising("slots", slots, compare);
    const { number: blockNumber, stateRoot } = block(BigInt(number));
    const account = await findAccount(node, stateRoot, address);
    const words = new Map<Hex, Hex>();
    for (const slot of slots) words.set(slot, await findWord(node, account.storageRoot, slot));
    accounts.set(accountKey(blockNumber, address), { account, words });
  }
  return accounts;
}

function accountKey(block: bigint, address: string): string {
  return `${block} ${address.toLowerCase()}`;
}

function lower(hex: Hex): Hex {
  return hex.toLowerCase() as Hex;
}

/**
 * Order of numbers, or of hex of one length.
 *
 * @returns below 0 if `a` comes first, 0 if they are the same.
 * @example
 * slots.toSorted(compare)
 */
export function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function requireRising<T>(list: string, items: readonly T[], order: (a: T, b: T) => number): void {
  for (const [i, item] of items.entries()) {
    if (i > 0 && order(items[i - 1] as T, item) >= 0) throw new NotSortedError(list, i);
  }
}

function notProven(what: string): never {
  throw new NotProvenError(what);
}

/** The first header is not the anchor's. */
export class WrongAnchorError extends BaseError {
  override readonly name = "Proofs.WrongAnchorError";
  readonly found: { number: bigint; hash: Hex };
  constructor({ number, hash }: ProvenBlock, anchor: ChainProofs["anchor"]) {
    super(`The first header is of block ${number}, ${hash}, not of the anchor ${anchor.number}, ${anchor.hash}.`, {
      hint: "The proofs were changed, or the anchor is not theirs.",
    });
    this.found = { number, hash };
  }
}

/** A header is not the block of its number below the anchor. */
export class BrokenLinkError extends BaseError {
  override readonly name = "Proofs.BrokenLinkError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint) {
    super(`No newer block shows the header of block ${blockNumber} to be in the anchor's chain.`, {
      hint: "The proofs were changed, or a reorganisation came between. Collect them anew.",
    });
    this.blockNumber = blockNumber;
  }
}

/** A list of the proofs is not in order, or says something twice. */
export class NotSortedError extends BaseError {
  override readonly name = "Proofs.NotSortedError";
  readonly list: string;
  readonly index: number;
  constructor(list: string, index: number) {
    super(`Item ${index} of ${list} does not come after the one before it.`, {
      hint: "The proofs were changed or put together by hand. Collect them anew.",
    });
    this.list = list;
    this.index = index;
  }
}

/** It is proven that the block has no transaction of that index. */
export class NoSuchTransactionError extends BaseError {
  override readonly name = "Proofs.NoSuchTransactionError";
  readonly blockNumber: bigint;
  readonly index: number;
  constructor(blockNumber: bigint, index: number) {
    super(`Block ${blockNumber} has no transaction ${index}.`, {
      hint: "The proofs were changed. Collect them anew.",
    });
    this.blockNumber = blockNumber;
    this.index = index;
  }
}

/** Something is asked for that the proofs do not show. It may be true or not. */
export class NotProvenError extends BaseError {
  override readonly name = "Proofs.NotProvenError";
  readonly what: string;
  constructor(what: string) {
    super(`The proofs do not show ${what}.`, {
      hint: "Have it collected with the other proofs, or ask a chain that you trust.",
    });
    this.what = what;
  }
}
