/**
 * Room: enclave/jobs/jobChain. What a job asks the chain, answered through the worker's RPC client. Every read of one job
 * is made at one block, its anchor, by hash.
 */
import { type Hex, isAddressEqual, type PublicClient } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { openerOf } from "../../protocol/chain/openingTransaction.ts";
import { answered } from "../../protocol/chain/rpc.ts";
import type { HeadPolicy } from "../../protocol/chain/viemSource.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type Reader, UnknownDatasetError } from "../chain/reader.ts";
import { isSignedByOwner } from "../vault/ownerSignature.ts";
import type { Anchor, JobChain } from "./ports.ts";

/**
 * Connects jobs to the chain.
 *
 * @param head - which block is the newest that counts.
 * @example
 * const chain = createJobChain(client, reader, deployment, "finalized")
 */
export function createJobChain(
  client: PublicClient,
  reader: Reader,
  deployment: Deployment,
  head: HeadPolicy,
): JobChain {
  return {
    async isOrderProven({ jobId, order, openedHash }) {
      const openings = client.getContractEvents({
        address: deployment.contracts.jobMarket,
        abi: jobMarketAbi,
        eventName: "JobOpened",
        args: { jobId },
        blockHash: openedHash,
      });
      const [opening] = await answered("eth_getLogs", openings);
      if (opening?.transactionHash == null) return false;
      const opened = client.getTransaction({ hash: opening.transactionHash });
      const transaction = await answered("eth_getTransactionByHash", opened);
      const opener = await openerOf(transaction, deployment, jobId);
      return opener !== undefined && isAddressEqual(opener, order.requester);
    },
    anchor: () => anchorOf(client, head),
    async isCanonical(anchor) {
      const block = await answered("eth_getBlockByNumber", client.getBlock({ blockNumber: anchor.number }));
      return block.hash === anchor.hash;
    },
    async isOpen(job) {
      const { hash } = await headBlock(client, head);
      return (await reader.jobState(job.index, job.jobId, { blockHash: hash })) === "Open";
    },
    async dataset(datasetId, anchor) {
      try {
        return await reader.dataset(datasetId, { blockHash: anchor.hash });
      } catch (error) {
        if (error instanceof UnknownDatasetError) return undefined;
        throw error;
      }
    },
    isGrantNonceRevoked: (owner, nonce, anchor) => reader.isGrantNonceRevoked(owner, nonce, { blockHash: anchor.hash }),
    grantUses: (grantHash, anchor) => reader.grantUses(grantHash, { blockHash: anchor.hash }),
    isSignedBy: (owner, digest, signature) => isSignedByOwner(client, owner, digest, signature),
  };
}

/**
 * The newest block that counts.
 *
 * @throws {@link NoHeadError} while the chain has no such block yet, RpcFailedError; both retryable.
 * @example
 * const { number, hash } = await headBlock(client, { confirmations: 2 })
 */
export async function headBlock(client: PublicClient, head: HeadPolicy): Promise<Anchor & { parentHash: Hex }> {
  const at = typeof head === "string" ? { blockTag: head } : { blockNumber: await heightBelow(client, head) };
  const block = await answered("eth_getBlockByNumber", client.getBlock(at));
  if (block.hash === null || block.number === null) throw new NoHeadError();
  return { number: block.number, hash: block.hash, timestamp: block.timestamp, parentHash: block.parentHash };
}

async function heightBelow(client: PublicClient, { confirmations }: { confirmations: number }): Promise<bigint> {
  const number = (await answered("eth_blockNumber", client.getBlockNumber())) - BigInt(confirmations);
  if (number < 0n) throw new NoHeadError();
  return number;
}

/**
 * The block to bind signatures to: the head's parent. Contracts know its hash also when a node simulates a transaction
 * in the newest block itself, and simulating anywhere else would believe what strangers left in its pool.
 *
 * @throws {@link NoHeadError}
 * @example
 * const anchor = await anchorOf(client, "finalized")
 */
export async function anchorOf(client: PublicClient, head: HeadPolicy): Promise<Anchor> {
  const { number, parentHash } = await headBlock(client, head);
  if (number === 0n) throw new NoHeadError();
  const parent = await answered("eth_getBlockByHash", client.getBlock({ blockHash: parentHash }));
  return { number: number - 1n, hash: parentHash, timestamp: parent.timestamp };
}

/**
 * Makes sure that the deployment's contracts belong together: a market of other registries would settle nothing here.
 *
 * @throws {@link ForeignContractsError}
 * @example
 * await requireOneDeployment(client, deployment)
 */
export async function requireOneDeployment(
  read: (name: "enclaves" | "datasets") => Promise<`0x${string}`>,
  contracts: { enclaveRegistry: `0x${string}`; datasetRegistry: `0x${string}` },
): Promise<void> {
  if (!isAddressEqual(await read("enclaves"), contracts.enclaveRegistry)) throw new ForeignContractsError("enclaves");
  if (!isAddressEqual(await read("datasets"), contracts.datasetRegistry)) throw new ForeignContractsError("datasets");
}

/** The chain has no block of the wanted finality yet. */
export class NoHeadError extends BaseError {
  override readonly name = "Jobs.NoHeadError";
  constructor() {
    super("The chain has no block of the wanted finality.", { hint: "Wait, or set HEAD_POLICY.", retryable: true });
  }
}

/** The market of the deployment file uses other registries than the file names. */
export class ForeignContractsError extends BaseError {
  override readonly name = "Jobs.ForeignContractsError";
  constructor(which: string) {
    super(`The market's registry of ${which} is not the one in the deployment file.`, {
      hint: "Use the deployment file that was written when these contracts were deployed.",
    });
  }
}
