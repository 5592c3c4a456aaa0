/**
 * Room: protocol/chain. A {@link ChainSource} over JSON-RPC. No filters and no subscriptions: nodes lose them.
 */
import { type Address, getAddress } from "viem";
import { z } from "zod";
import { address, bytes32, hexOf, hexUpTo } from "../schemas.ts";
import { bloomSizeBytes, mayContain } from "./bloom.ts";
import { type ChainLog, type ChainSource, type Header, InconsistentSourceError } from "./chainSource.ts";
import { openRpc, type RpcClient, rpcCount } from "./rpc.ts";

/** Which block is the newest that counts: what the node calls so, or the one below this many others. */
export type HeadPolicy = "latest" | "safe" | "finalized" | { confirmations: number };

/** What to follow. */
export type ViemSourceOptions = {
  client: RpcClient;
  /** Contracts whose logs are delivered. */
  addresses: readonly Address[];
  head: HeadPolicy;
  /** Longest wait for one answer; 10,000 unless told. */
  timeoutMs?: number;
};

/** More logs than this in one answer are refused. */
const maxLogs = 100_000;
/** Our largest event (an opened job with its parameters) is well below this. */
const maxDataBytes = 64 * 1024;

const rpcBlock = z.object({
  number: rpcCount,
  hash: bytes32,
  parentHash: bytes32,
  logsBloom: hexOf(bloomSizeBytes),
});

const rpcLogs = z
  .array(
    z.object({
      address,
      topics: z.array(bytes32).max(4),
      data: hexUpTo(maxDataBytes),
      blockNumber: rpcCount,
      blockHash: bytes32,
      transactionHash: bytes32,
      logIndex: rpcCount.transform(Number),
      removed: z.literal(false).optional(),
    }),
  )
  .max(maxLogs);

/**
 * Reads a chain through a viem client (or anything with its `request`).
 *
 * @throws from its methods: {@link RpcFailedError} and {@link InconsistentSourceError}, both retryable.
 * @example
 * const source = viemSource({ client, addresses: [jobMarket], head: "finalized" })
 */
export function viemSource(options: ViemSourceOptions): ChainSource {
  const rpc = openRpc(options.client, options.timeoutMs ?? 10_000);
  const addresses = options.addresses.map((one) => getAddress(one));
  const wanted = new Set<string>(addresses);

  async function readBlock(at: string): Promise<Header | undefined> {
    const block = await rpc("eth_getBlockByNumber", [at, false], rpcBlock.nullable());
    if (block === null) return undefined;
    const { logsBloom, ...ref } = block;
    return { ...ref, mayHoldLogs: addresses.some((one) => mayContain(logsBloom, one)) };
  }

  async function readLogs(where: object): Promise<ChainLog[]> {
    const logs = await rpc("eth_getLogs", [{ ...where, address: addresses }], rpcLogs);
    return logs.map(({ removed: _, ...log }) => {
      const from = getAddress(log.address);
      if (!wanted.has(from)) throw new InconsistentSourceError("it answers with logs of contracts not asked for");
      return { ...log, address: from };
    });
  }

  return {
    async head() {
      if (typeof options.head === "string") return readBlock(options.head);
      const latest = await rpc("eth_blockNumber", [], rpcCount);
      const number = latest - BigInt(options.head.confirmations);
      return number < 0n ? undefined : readBlock(toQuantity(number));
    },
    block: (number) => readBlock(toQuantity(number)),
    logs: (from, to) => readLogs({ fromBlock: toQuantity(from), toBlock: toQuantity(to) }),
    logsOf: (blockHash) => readLogs({ blockHash }),
  };
}

function toQuantity(number: bigint): string {
  return `0x${number.toString(16)}`;
}
