/**
 * Room: sdk/proofs. What proves to somebody without a network, who trusts the hash of one block, what the chain said at or
 * before it. Format only; `openProofs` verifies it. Pure. Mirrors nothing.
 */
import type { Address, Hex } from "viem";
import { z } from "zod";

/** Bounds of what is opened at all. The largest nodes hold a transaction or a receipt whole. */
export const limits = {
  headers: 1024,
  headerBytes: 4096,
  transactions: 1024,
  accounts: 256,
  /** Of all accounts together. */
  slots: 1024,
  nodes: 16_384,
  nodeBytes: 2 * 1024 * 1024,
  /** Of headers and nodes together. */
  totalBytes: 8 * 1024 * 1024,
  /** Of nodes, as often as they are read, each counted with what reading any takes. */
  readBytes: 64 * 1024 * 1024,
  leastReadBytes: 512,
} as const;

/** A number of 64 bits in decimal: one spelling, unlike in most other formats here. */
const number = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,19})$/, "must be decimal digits")
  .refine((value) => BigInt(value) < 2n ** 64n, "must be below 2^64");

/** Lowercase only: one spelling. */
const fixedHex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `must be 0x and ${bytes} bytes of lowercase hex`)
    .transform((value) => value as Hex);

const rlp = (maxBytes: number) =>
  z
    .string()
    .max(2 + maxBytes * 2)
    .refine((value) => value.length % 2 === 0 && /^0x[0-9a-f]+$/.test(value), "must be whole bytes of lowercase hex")
    .transform((value) => value as Hex);

/**
 * Proofs under one block, the anchor. One spelling and one order is allowed for everything, and nothing that is not needed: a
 * file with any change proves something else, or nothing.
 */
export const chainProofsSchema = z.strictObject({
  /** Whoever opens the proofs compares it with a source of its own. */
  anchor: z.strictObject({ number, hash: fixedHex(32) }),
  /** RLP; the anchor's first, then older ones in falling order. */
  headers: z.array(rlp(limits.headerBytes)).min(1).max(limits.headers),
  /** Whether all receipts before a transaction's are proven too, so that its logs have an index in the block. */
  logIndexes: z.boolean(),
  /** Transactions with their receipts, by block and index; rising. */
  transactions: z.array(z.strictObject({ block: number, index: z.int().min(0).max(0xffff) })).max(limits.transactions),
  /** Accounts, and words of their storage, by block and address; rising, as are the slots. */
  accounts: z
    .array(z.strictObject({ block: number, address: fixedHex(20), slots: z.array(fixedHex(32)).max(limits.slots) }))
    .max(limits.accounts),
  /** RLP of the tries' nodes, each once, in the order in which they are first needed. */
  nodes: z.array(rlp(limits.nodeBytes)).max(limits.nodes),
});

/** See {@link chainProofsSchema}. */
export type ChainProofs = z.output<typeof chainProofsSchema>;

/** The block that everything rests on. */
export type Anchor = { number: bigint; hash: Hex };

/** What {@link collectProofs} is to prove. Repetitions are allowed. */
export type ProofWants = {
  /** Numbers. Blocks of everything below come by themselves. */
  blocks?: readonly bigint[];
  /** Hashes. Each is proven together with its receipt. */
  transactions?: readonly Hex[];
  /** State after a block. */
  accounts?: readonly { block: bigint; address: Address; slots: readonly Hex[] }[];
  /**
   * Whether logs get their index in the block: proves all receipts before theirs too, about 0.7 KB each. Default: true.
   */
  logIndexes?: boolean;
};

/** A proven header. Times in Unix seconds. */
export type ProvenBlock = {
  number: bigint;
  hash: Hex;
  parentHash: Hex;
  timestamp: bigint;
  stateRoot: Hex;
  transactionsRoot: Hex;
  receiptsRoot: Hex;
};

/** A proven transaction. */
export type ProvenTransaction = {
  hash: Hex;
  blockNumber: bigint;
  transactionIndex: number;
  /** 0 to 4, as EIP-2718 numbers them. */
  type: number;
  /** undefined: signed for any chain, before EIP-155. */
  chainId: bigint | undefined;
  /** Recovered from the signature. */
  from: Address;
  /** undefined: creates a contract. */
  to: Address | undefined;
  nonce: bigint;
  /** Wei. */
  value: bigint;
  input: Hex;
};

/** A log of a proven receipt. Later ones have a later block, transactionIndex, indexInTransaction. */
export type ProvenLog = {
  address: Address;
  topics: readonly Hex[];
  data: Hex;
  indexInTransaction: number;
  /** Index in the block; undefined where not all receipts before this one are proven. */
  logIndex: number | undefined;
};

/** A proven receipt. */
export type ProvenReceipt = {
  transactionHash: Hex;
  blockNumber: bigint;
  transactionIndex: number;
  status: "success" | "reverted";
  logs: readonly ProvenLog[];
};

/** A proven account; one that does not exist has nonce and balance 0, no code and no storage. */
export type ProvenAccount = {
  exists: boolean;
  nonce: bigint;
  /** Wei. */
  balance: bigint;
  codeHash: Hex;
  storageRoot: Hex;
};

/** What was proven. Each function throws `Proofs.NotProvenError` for what was not. */
export type ProvenChain = {
  /** Compare it with a source that you trust: everything rests on it. */
  anchor: Anchor;
  block(number: bigint): ProvenBlock;
  /** All proven blocks, the newest first. */
  blocks: readonly ProvenBlock[];
  transaction(hash: Hex): ProvenTransaction;
  receipt(transactionHash: Hex): ProvenReceipt;
  /** All proven receipts, in the order of the chain. */
  receipts: readonly ProvenReceipt[];
  /** State after the block. */
  account(block: bigint, address: Address): ProvenAccount;
  /** A word of storage after the block; zero if it is proven that nothing is there. */
  storage(block: bigint, address: Address, slot: Hex): Hex;
};
