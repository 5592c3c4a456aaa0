/**
 * Room: enclave/jobs/jobChain. What a job asks the chain, answered through the worker's RPC client. Every read of one job
 * is made at one block, its anchor, by hash.
 */
import { type Address, type Hex, isAddressEqual, type PublicClient, type Transaction } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { openerOf, openingOf } from "../../protocol/chain/openingTransaction.ts";
import { answered } from "../../protocol/chain/rpc.ts";
import type { HeadPolicy } from "../../protocol/chain/viemSource.ts";
import { costOf } from "../../protocol/charges.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashOrder } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { At } from "../chain/call.ts";
import { type Reader, UnknownDatasetError } from "../chain/reader.ts";
import { isSignedByKey, isSignedByOwner } from "../vault/ownerSignature.ts";
import type { Anchor, JobChain, OrderProof, RunnableJob, Standing } from "./ports.ts";

/**
 * Connects jobs to the chain.
 *
 * @param signingKey - of this enclave: its platform has one voice in a quorum.
 * @param head - asks for the newest block that counts; see {@link headBlock}.
 * @param hashAt - asks for the hash of the block of a number, as the chain is now; see {@link hashOfBlock}.
 * @example
 * const head = () => headBlock(client, "finalized")
 * const hashAt = (number) => hashOfBlock(client, number)
 * const chain = createJobChain({ client, reader, deployment, signingKey, head, hashAt })
 */
export function createJobChain(parts: {
  client: PublicClient;
  reader: Reader;
  deployment: Deployment;
  signingKey: Address;
  head(): Promise<Head>;
  hashAt(number: bigint): Promise<Hex | null>;
}): JobChain {
  const { client, reader, deployment, signingKey, head, hashAt } = parts;
  const { jobMarket } = deployment.contracts;
  const isSignedBy = (account: Address, digest: Hex, signature: Hex) =>
    isSignedByOwner(client, account, digest, signature);

  /** The transaction that opened a job, by its event in the block that the job came with. */
  async function openingTransaction(jobId: Hex, openedHash: Hex): Promise<Transaction | undefined> {
    const filter = { address: jobMarket, abi: jobMarketAbi, eventName: "JobOpened", args: { jobId } } as const;
    const openings = client.getContractEvents({ ...filter, blockHash: openedHash });
    const [opening] = await answered("eth_getLogs", openings);
    if (opening?.transactionHash == null) return undefined;
    return answered("eth_getTransactionByHash", client.getTransaction({ hash: opening.transactionHash }));
  }

  async function proofOf({ jobId, order, origin }: RunnableJob): Promise<OrderProof> {
    // Nobody on chain asks for the payer's signature until a leaf is disputed.
    if (origin.by === "session" && !isAddressEqual(order.payer, order.requester)) {
      if (!(await isSignedBy(order.payer, jobId, origin.payerSignature))) return "none";
    }
    if (origin.by !== "opening") {
      if (isSignedByKey(order.requester, jobId, origin.requesterSignature)) return "signed";
      return (await isSignedBy(order.requester, jobId, origin.requesterSignature)) ? "told" : "none";
    }
    const transaction = await openingTransaction(jobId, origin.openedHash);
    if (transaction === undefined) return "none";
    const opener = await openerOf(transaction, deployment, jobId);
    if (opener === undefined) return "none";
    if (isAddressEqual(opener, order.requester)) return "signed";
    const domain = domainOf(deployment.chainId, jobMarket);
    const opening = openingOf(transaction.input, (opened) => hashOrder(domain, opened) === jobId);
    if (opening === undefined) return "none";
    return (await isSignedBy(order.requester, jobId, opening.requesterSignature)) ? "told" : "none";
  }

  /** A signed order takes effect when it settles: until then its nonce must be free, and its payer able to pay. */
  async function standingOfSigned({ order }: RunnableJob, at: At): Promise<Standing> {
    const { requester, payer, nonce, token } = order;
    if (await reader.isNonceUsed(requester, nonce, at)) return { is: "ended" };
    return { is: (await reader.creditOf(payer, token, at)) < costOf(order) ? "unpaid" : "open" };
  }

  /** Its money is in escrow as long as its session is open; nothing else ends it. */
  async function standingOfSession({ order }: RunnableJob, at: At): Promise<Standing> {
    return { is: (await reader.session(order.session, at)).state === "Open" ? "open" : "ended" };
  }

  async function standingOfOpened({ jobId, order }: RunnableJob, index: bigint, at: At): Promise<Standing> {
    const state = await reader.jobState(index, jobId, at);
    if (state === "Accepted") return { is: "accepted", by: await reader.acceptedBy(jobId, at) };
    if (state !== "Open") return { is: "ended" };
    if (order.acceptBy !== 0n) return { is: "unaccepted" };
    if (order.quorum === 1) return { is: "open" };
    const platforms = await reader.ballotPlatforms(jobId, at);
    const { platformId } = await reader.enclave(signingKey, at);
    return { is: platforms.includes(platformId) ? "counted" : "open" };
  }

  let lastAnchor: Anchor | undefined;
  return {
    proofOf,
    async anchor() {
      const { number, parentHash } = await head();
      if (lastAnchor?.hash !== parentHash) lastAnchor = await blockBefore(client, { number, parentHash });
      return lastAnchor;
    },
    isCanonical: async (anchor) => (await hashAt(anchor.number)) === anchor.hash,
    async standing(job) {
      const at = { blockHash: (await head()).hash };
      const { origin } = job;
      if (origin.by === "session") return standingOfSession(job, at);
      return origin.by === "opening" ? standingOfOpened(job, origin.index, at) : standingOfSigned(job, at);
    },
    async dataset(datasetId, anchor) {
      try {
        return await reader.dataset(datasetId, { blockHash: anchor.hash });
      } catch (error) {
        if (error instanceof UnknownDatasetError) return undefined;
        throw error;
      }
    },
    consent: (datasetId, nonce, anchor) => reader.consentOf(datasetId, nonce, { blockHash: anchor.hash }),
    grantUses: (grantHash, anchor) => reader.grantUses(grantHash, { blockHash: anchor.hash }),
    isSignedBy,
  };
}

/** A block, and the one before it. */
export type Head = Anchor & { parentHash: Hex };

/**
 * The newest block that counts.
 *
 * @throws {@link NoHeadError} while the chain has no such block yet, RpcFailedError; both retryable.
 * @example
 * const { number, hash } = await headBlock(client, { confirmations: 2 })
 */
export async function headBlock(client: PublicClient, head: HeadPolicy): Promise<Head> {
  const at = typeof head === "string" ? { blockTag: head } : { blockNumber: await heightBelow(client, head) };
  const block = await answered("eth_getBlockByNumber", client.getBlock(at));
  if (block.hash === null || block.number === null) throw new NoHeadError();
  return { number: block.number, hash: block.hash, timestamp: block.timestamp, parentHash: block.parentHash };
}

/**
 * The hash of the block that has a number now.
 *
 * @throws RpcFailedError
 * @example
 * const isStillThere = (await hashOfBlock(client, anchor.number)) === anchor.hash
 */
export async function hashOfBlock(client: PublicClient, blockNumber: bigint): Promise<Hex | null> {
  return (await answered("eth_getBlockByNumber", client.getBlock({ blockNumber }))).hash;
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
  return blockBefore(client, await headBlock(client, head));
}

async function blockBefore(client: PublicClient, { number, parentHash }: Pick<Head, "number" | "parentHash">) {
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
