/**
 * Room: sdk/proofs. Receipts as they lie in a block's trie: made of a node's answer, and read. Pure.
 * Source: Ethereum Yellow Paper, 4.3.1; EIP-658 (status), EIP-2718 (types).
 */
import { bytesToHex, concatHex, getAddress, type Hex, hexToBytes, numberToHex } from "viem";
import { z } from "zod";
import { address, bytes32, hexUpTo } from "../../protocol/schemas.ts";
import type { ProvenLog, ProvenReceipt } from "./chainProofs.ts";
import { BadRlpError, decodeList, encodeItem, hexItem, listItem, numberItem } from "./rlp.ts";
import { quantity, rpcBytes, rpcQuantity, rpcType } from "./rpcFields.ts";

/** A receipt in a node's answer. */
export const rpcReceipt = z.object({
  transactionHash: bytes32,
  type: rpcType,
  status: rpcQuantity.optional(),
  root: bytes32.optional(),
  cumulativeGasUsed: rpcQuantity,
  logsBloom: hexUpTo(256),
  logs: z.array(z.object({ address, topics: z.array(bytes32).max(4), data: rpcBytes })),
});

/** See {@link rpcReceipt}. */
export type RpcReceipt = z.output<typeof rpcReceipt>;

/** What a receipt says itself. */
export type ReadReceipt = Pick<ProvenReceipt, "status"> & { logs: Omit<ProvenLog, "logIndex">[] };

/**
 * The bytes of a receipt that a node told. Whether they are right shows in the root of the block's receipts.
 *
 * @example
 * const root = await buildTrie(receipts.map(encodeReceipt), nodes)
 */
export function encodeReceipt(told: RpcReceipt): Hex {
  const body = encodeItem([
    told.status === undefined ? hexToBytes(told.root ?? "0x") : quantity(told.status),
    quantity(told.cumulativeGasUsed),
    hexToBytes(told.logsBloom),
    told.logs.map((log) => [
      hexToBytes(log.address),
      log.topics.map((topic) => hexToBytes(topic)),
      hexToBytes(log.data),
    ]),
  ]);
  const { type } = told;
  return type === 0 ? bytesToHex(body) : concatHex([numberToHex(type, { size: 1 }), bytesToHex(body)]);
}

/**
 * Reads a receipt. Those of before Byzantium (2017) say no status and are refused.
 *
 * @param raw - as in the trie, known to be in a block.
 * @throws {@link BadRlpError}
 * @example
 * const { status, logs } = readReceipt(raw)
 */
export function readReceipt(raw: Uint8Array): ReadReceipt {
  const what = "a receipt";
  const isTyped = (raw[0] ?? 0) < 0xc0;
  const fields = decodeList(isTyped ? raw.subarray(1) : raw, what);
  if (fields.length !== 4) throw new BadRlpError(what, `it has ${fields.length} fields of 4`);
  const status = numberItem(fields[0], what, 1);
  if (status > 1n) throw new BadRlpError(what, "its status is neither 0 nor 1");
  const logs = listItem(fields[3], what).map((item, indexInTransaction) => {
    const log = listItem(item, what);
    if (log.length !== 3) throw new BadRlpError(what, `a log has ${log.length} fields of 3`);
    return {
      address: getAddress(hexItem(log[0], what, 20)),
      topics: listItem(log[1], what).map((topic) => hexItem(topic, what, 32)),
      data: hexItem(log[2], what),
      indexInTransaction,
    };
  });
  return { status: status === 1n ? "success" : "reverted", logs };
}
