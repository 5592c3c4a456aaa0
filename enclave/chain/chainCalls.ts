/**
 * Room: enclave/chain. Reads of contracts by calldata, at the newest block: what the planner of collateral takes.
 */

import { openRpc, type RpcClient } from "../../protocol/chain/rpc.ts";
import type { ChainCalls } from "../../protocol/collateral/chainState.ts";
import { hexUpTo } from "../../protocol/schemas.ts";

/** Most code that an account has, with some to spare. Source: EIP-170. */
const maxCodeBytes = 32 * 1024;
const maxAnswerBytes = 16 * 1024;

/**
 * Opens such reads.
 *
 * @throws from each read: RpcFailedError and InconsistentSourceError, both retryable.
 * @example
 * const state = await readCollateralState(openChainCalls(client), tdxCollateral, subject)
 */
export function openChainCalls(client: RpcClient, timeoutMs = 10_000): ChainCalls {
  const rpc = openRpc(client, timeoutMs);
  return {
    call: (to, data) => rpc("eth_call", [{ to, data }, "latest"], hexUpTo(maxAnswerBytes)),
    code: (of) => rpc("eth_getCode", [of, "latest"], hexUpTo(maxCodeBytes)),
  };
}
