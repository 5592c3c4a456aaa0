/**
 * Room: enclave/chain. Connects to the RPC provider, and makes sure that it serves the chain that is meant.
 */
import { createPublicClient, http, type PublicClient } from "viem";
import { openRpc, rpcCount } from "../../protocol/chain/rpc.ts";
import { BaseError } from "../../protocol/errors.ts";

/** How to reach the chain. */
export type ConnectOptions = {
  /** http: or https:. May hold an API key: it is never logged. */
  rpcUrl: string;
  /** Of the deployment. */
  chainId: number;
  /** Longest wait for one answer; 10,000 unless told. */
  timeoutMs?: number;
};

/** Largest answer that is read, in bytes. */
const maxAnswerBytes = 32 * 1024 * 1024;

/**
 * A client for the deployment's chain: no retries of its own, no redirects, no CCIP-Read.
 *
 * @throws {@link BadRpcUrlError}, {@link WrongChainError}, or RpcFailedError (retryable) if the provider fails.
 * @example
 * const client = await connectChain({ rpcUrl, chainId: deployment.chainId })
 */
export async function connectChain({ rpcUrl, chainId, timeoutMs = 10_000 }: ConnectOptions): Promise<PublicClient> {
  const url = URL.parse(rpcUrl);
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw new BadRpcUrlError();
  const transport = http(rpcUrl, {
    retryCount: 0,
    timeout: timeoutMs,
    maxResponseBodySize: maxAnswerBytes,
    fetchOptions: { redirect: "error" },
  });
  const client = createPublicClient({ transport, ccipRead: false, cacheTime: 0 });
  const actual = await openRpc(client, timeoutMs)("eth_chainId", [], rpcCount);
  if (actual !== BigInt(chainId)) throw new WrongChainError(actual, chainId);
  return client;
}

/** The RPC provider serves another chain than the deployment is on. */
export class WrongChainError extends BaseError {
  override readonly name = "Chain.WrongChainError";
  readonly actual: bigint;
  readonly expected: number;
  constructor(actual: bigint, expected: number) {
    super(`The RPC provider serves chain ${actual}, the deployment is on chain ${expected}.`, {
      hint: "Give the RPC URL of the deployment's chain, or the deployment file of that chain.",
    });
    this.actual = actual;
    this.expected = expected;
  }
}

/** The RPC URL is no http(s) URL. It is not repeated: it may hold an API key. */
export class BadRpcUrlError extends BaseError {
  override readonly name = "Chain.BadRpcUrlError";
  constructor() {
    super("The RPC URL is not an http: or https: URL.", { hint: "Give it as https://host/path." });
  }
}
