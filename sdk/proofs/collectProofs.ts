/**
 * Room: sdk/proofs. Collects proofs from an RPC: headers, a block's transactions and receipts, `eth_getProof`. Nothing it says is
 * believed: what is returned has been verified as `openProofs` does. Old states (accounts, and every 8191st block on the way to an
 * older one) are what only archive nodes have.
 */
import { type Hex, keccak256, numberToHex } from "viem";
import { z } from "zod";
import { openRpc, type Rpc, type RpcClient, rpcCount } from "../../protocol/chain/rpc.ts";
import { BaseError } from "../../protocol/errors.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { type Anchor, type ChainProofs, limits, type ProofWants } from "./chainProofs.ts";
import { encodeHeader, rpcHeader } from "./header.ts";
import { historyAddress, historySlot, historyWindow } from "./history.ts";
import { compare, prove } from "./prove.ts";
import { encodeReceipt, rpcReceipt } from "./receipt.ts";
import { rpcBytes } from "./rpcFields.ts";
import { encodeTransaction, rpcTransaction } from "./transaction.ts";
import { buildTrie, MissingNodeError } from "./trie.ts";

/** Longest wait for one answer: of a node that has to look for old states. */
const timeoutMs = 60_000;
/** Slots asked for at once. */
const slotsAtOnce = 64;

const rpcNodes = z.array(rpcBytes).max(256);
const rpcProof = z.object({
  accountProof: rpcNodes,
  storageProof: z.array(z.object({ proof: rpcNodes })).max(slotsAtOnce),
});
const rpcMined = z.object({ hash: bytes32, blockNumber: rpcCount, transactionIndex: rpcCount.transform(Number) });
const rpcFullBlock = z.object({ transactions: z.array(rpcTransaction).max(0xffff) });

type Collection = { rpc: Rpc; nodes: Map<Hex, Hex> };

/**
 * Collects proofs of everything wanted, under one block.
 *
 * @param client - retries are its own business.
 * @param anchor - a block not below any that is wanted, with the hash that it has to have.
 * @throws {@link AboveAnchorError} | {@link TooFarBackError} | {@link TransactionNotMinedError} | HeaderNotEncodableError |
 * TransactionNotEncodableError | RpcFailedError | InconsistentSourceError | what `prove` throws, if the RPC contradicts itself.
 * @example
 * const { number, hash } = await client.getBlock({ blockTag: "finalized" })
 * const proofs = await collectProofs(client, { transactions: [settlement] }, { number, hash })
 * await writeFile("proofs.json", JSON.stringify(proofs))
 */
export async function collectProofs(client: RpcClient, wants: ProofWants, anchor: Anchor): Promise<ChainProofs> {
  const c: Collection = { rpc: openRpc(client, timeoutMs), nodes: new Map() };
  const mined = await Promise.all([...new Set(wants.transactions)].map((hash) => findMined(c, hash)));
  const accounts = mergeAccounts(wants.accounts ?? []);
  const wanted = [...(wants.blocks ?? []), ...mined.map(({ block }) => block), ...accounts.map(({ block }) => block)];
  const headers = await collectHeaders(c, anchor, [...new Set(wanted)].sort(compare).reverse());
  for (const block of new Set(mined.map((one) => one.block))) await collectBlock(c, block);
  for (const account of accounts) await collectAccount(c, account.block, account.address, account.slots);
  const claims = {
    anchor: { number: String(anchor.number), hash: anchor.hash },
    headers,
    logIndexes: wants.logIndexes ?? true,
    transactions: mined
      .sort((a, b) => compare(a.block, b.block) || a.index - b.index)
      .map(({ block, index }) => ({ block: String(block), index })),
    accounts: accounts.map((account) => ({ ...account, block: String(account.block) })),
  };
  const used = new Map<Hex, Hex>();
  await prove(claims, (hash) => {
    const node = c.nodes.get(hash);
    if (node === undefined) throw new MissingNodeError(hash);
    used.set(hash, node);
    return node;
  });
  return { ...claims, nodes: [...used.values()] };
}

async function findMined({ rpc }: Collection, hash: Hex): Promise<{ block: bigint; index: number }> {
  const found = await rpc("eth_getTransactionByHash", [hash], rpcMined.nullable().catch(null));
  if (found === null || found.hash !== hash.toLowerCase()) throw new TransactionNotMinedError(hash);
  return { block: found.blockNumber, index: found.transactionIndex };
}

/** One entry for each account at each block, in order, with each slot once, in order. */
function mergeAccounts(wants: NonNullable<ProofWants["accounts"]>) {
  const merged = new Map<string, { block: bigint; address: Hex; slots: Set<Hex> }>();
  for (const want of wants) {
    const address = want.address.toLowerCase() as Hex;
    const entry = merged.get(`${want.block} ${address}`) ?? { block: want.block, address, slots: new Set() };
    for (const slot of want.slots) entry.slots.add(slot.toLowerCase() as Hex);
    merged.set(`${want.block} ${address}`, entry);
  }
  return [...merged.values()]
    .map((entry) => ({ ...entry, slots: [...entry.slots].sort(compare) }))
    .sort((a, b) => compare(a.block, b.block) || compare(a.address, b.address));
}

/** Headers from the anchor to the oldest block wanted, with those in between that lead there. */
async function collectHeaders(c: Collection, anchor: Anchor, wanted: readonly bigint[]): Promise<Hex[]> {
  const headers = [await fetchHeader(c, anchor.number)];
  const numbers = [anchor.number];
  const push = async (number: bigint) => {
    if (headers.length === limits.headers) throw new TooFarBackError(wanted.at(-1) ?? 0n, anchor.number);
    headers.push(await fetchHeader(c, number));
    numbers.push(number);
  };
  for (const number of wanted) {
    if (number > anchor.number) throw new AboveAnchorError(number, anchor.number);
    for (let last = numbers.at(-1) as bigint; last > number; last = numbers.at(-1) as bigint) {
      const next = last - number > historyWindow ? last - historyWindow : number;
      const from = numbers.find((newer) => newer - next <= historyWindow) as bigint; // `last` is one
      if (last - next > 1n && (await isInHistory(c, from, next))) await push(next);
      else for (let parent = last - 1n; parent >= next; parent--) await push(parent);
    }
  }
  return headers;
}

async function fetchHeader({ rpc }: Collection, number: bigint): Promise<Hex> {
  return encodeHeader(await rpc("eth_getBlockByNumber", [numberToHex(number), false], rpcHeader));
}

/** Whether the history contract has an entry for a block; collects its proof. */
async function isInHistory(c: Collection, from: bigint, number: bigint): Promise<boolean> {
  const slot = historySlot(number);
  const word = await c.rpc("eth_getStorageAt", [historyAddress, slot, numberToHex(from)], bytes32);
  if (BigInt(word) === 0n) return false;
  await collectAccount(c, from, historyAddress, [slot]);
  return true;
}

async function collectAccount(c: Collection, block: bigint, address: Hex, slots: readonly Hex[]): Promise<void> {
  for (let i = 0; i === 0 || i < slots.length; i += slotsAtOnce) {
    const some = slots.slice(i, i + slotsAtOnce);
    const { accountProof, storageProof } = await c.rpc("eth_getProof", [address, some, numberToHex(block)], rpcProof);
    for (const node of [accountProof, ...storageProof.map(({ proof }) => proof)].flat())
      c.nodes.set(keccak256(node), node);
  }
}

async function collectBlock(c: Collection, block: bigint): Promise<void> {
  const number = numberToHex(block);
  const { transactions } = await c.rpc("eth_getBlockByNumber", [number, true], rpcFullBlock);
  const all = await c.rpc("eth_getBlockReceipts", [number], z.array(rpcReceipt)).catch((cause: unknown) => {
    if (!(cause instanceof BaseError)) throw cause;
    return undefined; // not every node has it
  });
  const receipts = all ?? [];
  if (all === undefined)
    for (const { hash } of transactions) receipts.push(await c.rpc("eth_getTransactionReceipt", [hash], rpcReceipt));
  await buildTrie(transactions.map(encodeTransaction), c.nodes);
  await buildTrie(receipts.map(encodeReceipt), c.nodes);
}

/** A block that is wanted is newer than the anchor. */
export class AboveAnchorError extends BaseError {
  override readonly name = "Proofs.AboveAnchorError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint, anchor: bigint) {
    super(`Block ${blockNumber} is newer than the anchor, block ${anchor}.`, {
      hint: "Choose a newer anchor; wait until it is final.",
    });
    this.blockNumber = blockNumber;
  }
}

/** So many headers lie between the anchor and a block that is wanted that nobody would open them. */
export class TooFarBackError extends BaseError {
  override readonly name = "Proofs.TooFarBackError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint, anchor: bigint) {
    super(`From block ${anchor} back to ${blockNumber} it takes over ${limits.headers} headers.`, {
      hint: "Choose an anchor nearer to it: this chain has no history contract (EIP-2935), or has it since later.",
    });
    this.blockNumber = blockNumber;
  }
}

/** A transaction that is wanted is in no block. */
export class TransactionNotMinedError extends BaseError {
  override readonly name = "Proofs.TransactionNotMinedError";
  readonly hash: Hex;
  constructor(hash: Hex) {
    super(`The RPC knows no mined transaction ${hash}.`, {
      hint: "Wait until it is mined; or the RPC has forgotten it: use another one.",
      retryable: true,
    });
    this.hash = hash;
  }
}
