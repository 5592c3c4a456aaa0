/**
 * Room: enclave/chain. Typed reads of the contracts at a given block. The node may lie: what an id can prove, is checked.
 * What no id proves (epochs, nonces, uses, the owner after a transfer) is the node's word until storage proofs are asked for.
 */
import type { Address, Hex } from "viem";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../../protocol/abi.ts";
import { datasetIdOf } from "../../protocol/attestationBinding.ts";
import { InconsistentSourceError } from "../../protocol/chain/chainSource.ts";
import { openRpc, type RpcClient } from "../../protocol/chain/rpc.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { type JobState, jobStates, type SessionState, sessionStates } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type At, readContract, refusalOf } from "./call.ts";
import { registrantsOf } from "./registrants.ts";

/** A registered data set. Field by field: `Dataset` in IDatasetRegistry.sol. */
export type Dataset = {
  owner: Address;
  sizeBytes: number;
  epoch: number;
  payeeCount: number;
  retired: boolean;
  contentHash: Hex;
  metadataHash: Hex;
  salt: Hex;
  uri: string;
};

/** What consent rests on. Field by field: `ConsentState` in IDatasetRegistry.sol. */
export type ConsentRecord = {
  owner: Address;
  sizeBytes: number;
  epoch: number;
  ownerEpoch: number;
  payeeCount: number;
  /** The grant's nonce, or the whole data set by its retirement. */
  revoked: boolean;
};

/** A registered enclave. Field by field: `Enclave` in IEnclaveRegistry.sol. */
export type Enclave = {
  operator: Address;
  /** Unix seconds. */
  expiresAt: bigint;
  registeredAtBlock: bigint;
  tcbStatus: number;
  state: number;
  workloadId: Hex;
  platformId: Hex;
  evidenceHash: Hex;
};

/** A session as stored. Field by field: `Session` in MarketTypes.sol, with its claim's root. */
export type SessionRecord = {
  state: SessionState;
  /** Unix seconds. */
  claimedAt: bigint;
  okCount: number;
  failedCount: number;
  touched: boolean;
  operator: Address;
  root: Hex;
};

/** What happened to leaves one by one. Field by field: `LeafCounts` in MarketTypes.sol. */
export type LeafCounts = { settledOk: number; settledFailed: number; disputedOk: number; disputedFailed: number };

/** See {@link openReader}. Every read may also fail with RpcFailedError or InconsistentSourceError, both retryable. */
export type Reader = {
  /** @throws UnknownDatasetError, DatasetMismatchError */
  dataset(datasetId: Hex, at: At): Promise<Dataset>;
  /** @throws UnknownDatasetError */
  consentOf(datasetId: Hex, nonce: bigint, at: At): Promise<ConsentRecord>;
  grantUses(grantHash: Hex, at: At): Promise<bigint>;
  jobState(index: bigint, jobId: Hex, at: At): Promise<JobState>;
  /** The key that accepted a job; zero if none has. */
  acceptedBy(jobId: Hex, at: At): Promise<Address>;
  /** The platforms that have said their word for a job with a quorum; 16 bytes each. */
  ballotPlatforms(jobId: Hex, at: At): Promise<readonly Hex[]>;
  isNonceUsed(account: Address, nonce: bigint, at: At): Promise<boolean>;
  /** @throws UnknownEnclaveError */
  enclave(signingKey: Address, at: At): Promise<Enclave>;
  /** Whether the market would take this enclave's receipts. */
  isLive(signingKey: Address, at: At): Promise<boolean>;
  creditOf(account: Address, token: Address, at: At): Promise<bigint>;
  session(sessionId: Hex, at: At): Promise<SessionRecord>;
  leafCounts(sessionId: Hex, at: At): Promise<LeafCounts>;
  leafState(sessionId: Hex, leaf: number, at: At): Promise<{ disputed: boolean; settled: boolean }>;
};

/**
 * Opens a reader of a deployment.
 *
 * @param client - see `connectChain`, which has verified the chain id.
 * @param timeoutMs - longest wait for one answer; 10,000 unless told.
 * @example
 * const reader = openReader(client, deployment)
 * const { owner, epoch } = await reader.dataset(datasetId, { blockHash: anchor.hash })
 */
export function openReader(client: RpcClient, { contracts, fromBlock }: Deployment, timeoutMs = 10_000): Reader {
  const rpc = openRpc(client, timeoutMs);
  const { jobMarket, datasetRegistry, enclaveRegistry } = contracts;

  function known(datasetId: Hex, error: unknown): unknown {
    const unknown = refusalOf(error)?.errorName === "DatasetRegistry_UnknownDataset";
    return unknown ? new UnknownDatasetError(datasetId) : error;
  }

  /**
   * Whether the content is the one that was registered under the id, by its owner or by an owner before: then it has been
   * handed over, which ended its first epoch. Who owns it now is the node's word, as its epoch is; what the data are is not.
   */
  async function isOfId(datasetId: Hex, { owner, epoch, contentHash, salt }: Dataset): Promise<boolean> {
    const provenBy = (account: Address) => datasetIdOf(account, contentHash, salt) === datasetId.toLowerCase();
    if (provenBy(owner)) return true;
    return epoch > 0 && (await registrantsOf(rpc, datasetRegistry, fromBlock, datasetId)).some(provenBy);
  }

  return {
    async dataset(datasetId, at) {
      const read = readContract(rpc, datasetRegistry, datasetRegistryAbi, "dataset", [datasetId], at);
      const found = await read.catch((error) => {
        throw known(datasetId, error);
      });
      if (!(await isOfId(datasetId, found))) throw new DatasetMismatchError(datasetId);
      return found;
    },
    consentOf: (datasetId, nonce, at) =>
      readContract(rpc, datasetRegistry, datasetRegistryAbi, "consentOf", [datasetId, nonce], at).catch((error) => {
        throw known(datasetId, error);
      }),
    grantUses: (grantHash, at) => readContract(rpc, jobMarket, jobMarketAbi, "grantUses", [grantHash], at),
    async jobState(index, jobId, at) {
      const state = jobStates[await readContract(rpc, jobMarket, jobMarketAbi, "jobState", [index, jobId], at)];
      if (state === undefined) throw new InconsistentSourceError("it tells of a job state that does not exist");
      return state;
    },
    acceptedBy: async (jobId, at) => (await readContract(rpc, jobMarket, jobMarketAbi, "acceptance", [jobId], at))[0],
    ballotPlatforms: async (jobId, at) => (await readContract(rpc, jobMarket, jobMarketAbi, "ballot", [jobId], at))[1],
    isNonceUsed: (account, nonce, at) =>
      readContract(rpc, jobMarket, jobMarketAbi, "isNonceUsed", [account, nonce], at),
    async enclave(signingKey, at) {
      try {
        const found = await readContract(rpc, enclaveRegistry, enclaveRegistryAbi, "enclave", [signingKey], at);
        return {
          ...found,
          expiresAt: BigInt(found.expiresAt),
          registeredAtBlock: BigInt(found.registeredAtBlock),
        };
      } catch (error) {
        throw refusalOf(error)?.errorName === "EnclaveRegistry_UnknownEnclave"
          ? new UnknownEnclaveError(signingKey)
          : error;
      }
    },
    isLive: (signingKey, at) => readContract(rpc, enclaveRegistry, enclaveRegistryAbi, "isLive", [signingKey], at),
    async session(sessionId, at) {
      const [stored, root] = await readContract(rpc, jobMarket, jobMarketAbi, "session", [sessionId], at);
      const state = sessionStates[stored.state];
      if (state === undefined) throw new InconsistentSourceError("it tells of a session state that does not exist");
      return { ...stored, state, claimedAt: BigInt(stored.claimedAt), root };
    },
    leafCounts: (sessionId, at) => readContract(rpc, jobMarket, jobMarketAbi, "leafCounts", [sessionId], at),
    async leafState(sessionId, leaf, at) {
      const args = [sessionId, BigInt(leaf)] as const;
      const [disputed, settled] = await readContract(rpc, jobMarket, jobMarketAbi, "leafState", args, at);
      return { disputed, settled };
    },
    creditOf: (account, token, at) => readContract(rpc, jobMarket, jobMarketAbi, "creditOf", [account, token], at),
  };
}

/** No data set of this id is registered. */
export class UnknownDatasetError extends BaseError {
  override readonly name = "Chain.UnknownDatasetError";
  readonly datasetId: Hex;
  constructor(datasetId: Hex) {
    super(`No data set ${datasetId} is registered.`, { hint: "Check the id and the deployment." });
    this.datasetId = datasetId;
  }
}

/** The provider answered with a data set that is not the one of this id: it lies. */
export class DatasetMismatchError extends BaseError {
  override readonly name = "Chain.DatasetMismatchError";
  readonly datasetId: Hex;
  constructor(datasetId: Hex) {
    super(`The RPC provider's owner, content and salt do not hash to data set ${datasetId}.`, {
      hint: "The provider is faulty or lies: use another one.",
    });
    this.datasetId = datasetId;
  }
}

/** No enclave of this key is registered. */
export class UnknownEnclaveError extends BaseError {
  override readonly name = "Chain.UnknownEnclaveError";
  readonly signingKey: Address;
  constructor(signingKey: Address) {
    super(`No enclave with key ${signingKey} is registered.`, { hint: "Register it first, or check the deployment." });
    this.signingKey = signingKey;
  }
}
