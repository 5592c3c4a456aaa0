/**
 * Room: protocol/logHead. The enclave's signed word on how far its log has grown. Pure. No contract reads it.
 */
import { type Hex, hashTypedData } from "viem";
import type { Domain } from "./eip712.ts";

/** Root and size of a log, and a block that the enclave had seen by then. */
export type LogHead = { root: Hex; size: bigint; anchorBlock: bigint; anchorHash: Hex };

/** EIP-712 types; primary type `LogHead`. */
export const logHeadTypes = {
  LogHead: [
    { name: "root", type: "bytes32" },
    { name: "size", type: "uint64" },
    { name: "anchorBlock", type: "uint64" },
    { name: "anchorHash", type: "bytes32" },
  ],
} as const;

/**
 * EIP-712 hash of a head: what the enclave's key signs.
 *
 * @param domain - of the JobMarket, as receipts have.
 * @example
 * const digest = hashLogHead(domainOf(chainId, market), head)
 */
export function hashLogHead(domain: Domain, head: LogHead): Hex {
  return hashTypedData({ domain, types: logHeadTypes, primaryType: "LogHead", message: head });
}
