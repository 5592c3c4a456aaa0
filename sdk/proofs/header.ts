/**
 * Room: sdk/proofs. Block headers: their RLP, whose keccak256 is the block's hash, made of a node's answer and read. Pure.
 * Source: Ethereum Yellow Paper, 4.4; EIP-1559, 4895, 4844, 4788, 7685 for the fields since.
 */
import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { hexUpTo } from "../../protocol/schemas.ts";
import type { ProvenBlock } from "./chainProofs.ts";
import { BadRlpError, decodeList, encodeItem, hexItem, numberItem } from "./rlp.ts";
import { quantity, rpcQuantity } from "./rpcFields.ts";

const data = hexUpTo(1024);

/** A header's fields in a node's answer, in the order of the RLP. */
const required = {
  parentHash: data,
  sha3Uncles: data,
  miner: data,
  stateRoot: data,
  transactionsRoot: data,
  receiptsRoot: data,
  logsBloom: data,
  difficulty: rpcQuantity,
  number: rpcQuantity,
  gasLimit: rpcQuantity,
  gasUsed: rpcQuantity,
  timestamp: rpcQuantity,
  extraData: data,
  mixHash: data,
  nonce: data,
} as const;

/** Those that later forks brought, each only with all before it. */
const later = {
  baseFeePerGas: rpcQuantity.optional(),
  withdrawalsRoot: data.optional(),
  blobGasUsed: rpcQuantity.optional(),
  excessBlobGas: rpcQuantity.optional(),
  parentBeaconBlockRoot: data.optional(),
  requestsHash: data.optional(),
} as const;

const quantities = new Set(
  "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas".split(" "),
);

/** The answer to `eth_getBlockByNumber`, as far as the header goes. */
export const rpcHeader = z.object({ hash: data, ...required, ...later });

/** See {@link rpcHeader}. */
export type RpcHeader = z.output<typeof rpcHeader>;

/** Where fields stand in the RLP. */
const at = { parentHash: 0, stateRoot: 3, transactionsRoot: 4, receiptsRoot: 5, number: 8, timestamp: 11 } as const;
/** Fields of the first block there was. */
const minFields = Object.keys(required).length;

/**
 * The RLP of a header that a node told.
 *
 * @throws {@link HeaderNotEncodableError} if its hash is another one.
 * @example
 * const header = encodeHeader(await rpc("eth_getBlockByNumber", ["0x1", false], rpcHeader))
 */
export function encodeHeader(told: RpcHeader): Hex {
  const fields: Uint8Array[] = [];
  for (const name of [...Object.keys(required), ...Object.keys(later)] as (keyof RpcHeader)[]) {
    const value = told[name];
    if (value === undefined) break;
    fields.push(quantities.has(name) ? quantity(value) : hexToBytes(value));
  }
  const header = bytesToHex(encodeItem(fields));
  if (keccak256(header) !== told.hash) throw new HeaderNotEncodableError(BigInt(told.number));
  return header;
}

/**
 * Reads a header. Fields behind those known here are no error: the hash covers them.
 *
 * @throws {@link BadRlpError}
 * @example
 * const { number, stateRoot } = readHeader(header)
 */
export function readHeader(header: Hex): ProvenBlock {
  const what = "a header";
  const fields = decodeList(hexToBytes(header), what);
  if (fields.length < minFields) throw new BadRlpError(what, `it has ${fields.length} fields of at least ${minFields}`);
  return {
    number: numberItem(fields[at.number], what, 8),
    hash: keccak256(header),
    parentHash: hexItem(fields[at.parentHash], what, 32),
    timestamp: numberItem(fields[at.timestamp], what, 8),
    stateRoot: hexItem(fields[at.stateRoot], what, 32),
    transactionsRoot: hexItem(fields[at.transactionsRoot], what, 32),
    receiptsRoot: hexItem(fields[at.receiptsRoot], what, 32),
  };
}

/** A header's hash does not come of the fields that the RPC told. */
export class HeaderNotEncodableError extends BaseError {
  override readonly name = "Proofs.HeaderNotEncodableError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint) {
    super(`The fields that the RPC told of block ${blockNumber} do not make its hash.`, {
      hint: "The chain's headers have fields that are not known here, or the RPC is faulty. Try another RPC.",
    });
    this.blockNumber = blockNumber;
  }
}
