/**
 * Room: sdk/proofs. Transactions as they lie in a block's trie: made of a node's answer, and read. The sender is recovered
 * from the signature. Pure. Source: Ethereum Yellow Paper, 4.3; EIP-155, 2718, 2930, 1559, 4844, 7702.
 */
import {
  type Address,
  bytesToHex,
  concatHex,
  getAddress,
  type Hex,
  hexToBytes,
  keccak256,
  numberToHex,
  recoverAddress,
  size,
} from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { address, bytes32 } from "../../protocol/schemas.ts";
import type { ProvenTransaction } from "./chainProofs.ts";
import { BadRlpError, decodeList, encodeItem, hexItem, type Item, numberItem } from "./rlp.ts";
import { quantity, rpcBytes, rpcQuantity, rpcType } from "./rpcFields.ts";

const accessList = z.array(z.object({ address, storageKeys: z.array(bytes32) }));
const authorizationList = z.array(
  z.object({ chainId: rpcQuantity, address, nonce: rpcQuantity, yParity: rpcQuantity, r: rpcQuantity, s: rpcQuantity }),
);

/** A transaction in a node's answer. */
export const rpcTransaction = z.object({
  hash: bytes32,
  type: rpcType,
  chainId: rpcQuantity.optional(),
  nonce: rpcQuantity,
  gasPrice: rpcQuantity.optional(),
  maxPriorityFeePerGas: rpcQuantity.optional(),
  maxFeePerGas: rpcQuantity.optional(),
  gas: rpcQuantity,
  to: address.nullish(),
  value: rpcQuantity,
  input: rpcBytes,
  accessList: accessList.default([]),
  maxFeePerBlobGas: rpcQuantity.optional(),
  blobVersionedHashes: z.array(bytes32).default([]),
  authorizationList: authorizationList.default([]),
  v: rpcQuantity.optional(),
  yParity: rpcQuantity.optional(),
  r: rpcQuantity,
  s: rpcQuantity,
});

/** See {@link rpcTransaction}. */
export type RpcTransaction = z.output<typeof rpcTransaction>;

/** Where the fields after the gas price stand, how many there are with the signature, by type. */
const forms = [
  { chainId: false, nonce: 0, to: 3, fields: 9 },
  { chainId: true, nonce: 1, to: 4, fields: 11 },
  { chainId: true, nonce: 1, to: 5, fields: 12 },
  { chainId: true, nonce: 1, to: 5, fields: 14 },
  { chainId: true, nonce: 1, to: 5, fields: 13 },
] as const;

/**
 * The bytes of a transaction that a node told.
 *
 * @throws {@link TransactionNotEncodableError} if its hash is another one, or its type unknown.
 * @example
 * const raw = encodeTransaction(block.transactions[0])
 */
export function encodeTransaction(told: RpcTransaction): Hex {
  const { type } = told;
  const fee = type < 2 ? [told.gasPrice] : [told.maxPriorityFeePerGas, told.maxFeePerGas];
  const call: Item[] = [
    ...[told.nonce, ...fee, told.gas].map(optional),
    hexToBytes(told.to ?? "0x"),
    quantity(told.value),
    hexToBytes(told.input),
  ];
  const parity = type === 0 ? told.v : (told.yParity ?? told.v);
  const signature = [parity, told.r, told.s].map(optional);
  const access = told.accessList.map((entry) => [
    hexToBytes(entry.address),
    entry.storageKeys.map((key) => hexToBytes(key)),
  ]);
  const blobs = [optional(told.maxFeePerBlobGas), told.blobVersionedHashes.map((hash) => hexToBytes(hash))];
  const delegations = told.authorizationList.map((a) => [
    quantity(a.chainId),
    hexToBytes(a.address),
    ...[a.nonce, a.yParity, a.r, a.s].map(quantity),
  ]);
  const extra = type === 3 ? blobs : type === 4 ? [delegations] : [];
  const typed = [optional(told.chainId), ...call, access, ...extra, ...signature];
  const body = bytesToHex(encodeItem(type === 0 ? [...call, ...signature] : typed));
  const raw = type === 0 ? body : concatHex([numberToHex(type, { size: 1 }), body]);
  if (forms[type] === undefined || keccak256(raw) !== told.hash)
    throw new TransactionNotEncodableError(told.hash, type);
  return raw;
}

function optional(value: Hex | undefined): Uint8Array {
  return quantity(value ?? "0x0"); // if it should not be missing, the hash will not fit
}

/**
 * Reads a transaction and recovers its sender.
 *
 * @param raw - as in the trie, known to be in a block: what the chain checks is not checked again.
 * @throws {@link BadRlpError} | {@link UnknownTransactionTypeError}
 * @example
 * const { from, to, input } = await readTransaction(raw)
 */
export async function readTransaction(raw: Uint8Array) {
  const what = "a transaction";
  const first = raw[0] ?? 0;
  const type = first >= 0xc0 ? 0 : first;
  const form = forms[type];
  if (form === undefined || first === 0) throw new UnknownTransactionTypeError(first);
  const fields = decodeList(type === 0 ? raw : raw.subarray(1), what);
  if (fields.length !== form.fields) throw new BadRlpError(what, `it has ${fields.length} fields of ${form.fields}`);
  const to = hexItem(fields[form.to], what);
  if (size(to) !== 0 && size(to) !== 20) throw new BadRlpError(what, "its target is no address");
  const [v, r, s] = fields.slice(-3).map((field) => numberItem(field, what)) as [bigint, bigint, bigint];
  const chainId = form.chainId ? numberItem(fields[0], what) : chainIdIn(v);
  const transaction: Omit<ProvenTransaction, "blockNumber" | "transactionIndex"> = {
    hash: keccak256(raw),
    type,
    chainId,
    from: await senderOf(signedHash(type, fields, chainId), { r, s, yParity: parityIn(type, v) }),
    to: to === "0x" ? undefined : getAddress(to),
    nonce: numberItem(fields[form.nonce], what, 8),
    value: numberItem(fields[form.to + 1], what),
    input: hexItem(fields[form.to + 2], what),
  };
  return transaction;
}

function chainIdIn(v: bigint): bigint | undefined {
  return v >= 35n ? (v - 35n) / 2n : undefined;
}

/** Of the point that was signed with: 0 or 1. */
function parityIn(type: number, v: bigint): number {
  const parity = type !== 0 ? v : v >= 35n ? (v - 35n) % 2n : v - 27n;
  if (parity !== 0n && parity !== 1n) throw new BadRlpError("a transaction", "its signature has no parity");
  return Number(parity);
}

function signedHash(type: number, fields: readonly Item[], chainId: bigint | undefined): Hex {
  const unsigned = fields.slice(0, -3);
  if (type !== 0) return keccak256(concatHex([numberToHex(type, { size: 1 }), bytesToHex(encodeItem(unsigned))]));
  const bound = chainId === undefined ? [] : [quantity(numberToHex(chainId)), new Uint8Array(), new Uint8Array()];
  return keccak256(encodeItem([...unsigned, ...bound]));
}

async function senderOf(hash: Hex, signature: { r: bigint; s: bigint; yParity: number }): Promise<Address> {
  const { yParity } = signature;
  const [r, s] = [numberToHex(signature.r, { size: 32 }), numberToHex(signature.s, { size: 32 })];
  try {
    return await recoverAddress({ hash, signature: { r, s, yParity } });
  } catch (cause) {
    throw new BadRlpError("a transaction", "its signature is none of any key", cause);
  }
}

/** The bytes of a transaction could not be made of what the RPC told. */
export class TransactionNotEncodableError extends BaseError {
  override readonly name = "Proofs.TransactionNotEncodableError";
  readonly hash: Hex;
  readonly type: number;
  constructor(hash: Hex, type: number) {
    super(`What the RPC told of transaction ${hash}, of type ${type}, does not make its hash.`, {
      hint: "Its type is not known here (0 to 4 are), or the RPC is faulty. Try another RPC.",
    });
    this.hash = hash;
    this.type = type;
  }
}

/** A transaction in a proof is of a type that cannot be read here. */
export class UnknownTransactionTypeError extends BaseError {
  override readonly name = "Proofs.UnknownTransactionTypeError";
  readonly type: number;
  constructor(type: number) {
    super(`A transaction is of type ${type}; 0 to 4 are known.`, {
      hint: "Read it with a newer version of this program, or do without this transaction.",
    });
    this.type = type;
  }
}
