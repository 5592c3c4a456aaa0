/** Room: sdk/replay. Data sets and revocations, rebuilt from the registry's events. Pure. */
import { type Address, type Hex, keccak256, stringToBytes, zeroAddress } from "viem";
import type { MarketEvent } from "../../protocol/chain/marketEvents.ts";

/** A data set as its registry stores it. Field by field: `Dataset` in IDatasetRegistry.sol. */
export type DatasetRecord = {
  owner: Address;
  /** Of the ciphertext, in bytes. */
  sizeBytes: number;
  epoch: number;
  payees: readonly { account: Address; shareBps: number }[];
  retired: boolean;
  contentHash: Hex;
  metadataHash: Hex;
  salt: Hex;
  uri: string;
  /** Whom it is offered to; zero: nobody. */
  pendingOwner: Address;
};

/** What an owner took back. `small`: nonces below 224, of this epoch; `past`: those of epochs before, which hold again. */
export type OwnerRecord = { epoch: number; small: Set<bigint>; large: Set<bigint>; past: Set<bigint> };

/** All data sets and owners; owners by lowercase address. */
export type DatasetState = { datasets: Map<Hex, DatasetRecord>; owners: Map<string, OwnerRecord> };

/** Nonces below this are fresh again in the owner's next epoch. Source: DatasetRegistry.sol, SMALL_NONCES. */
const smallNonces = 224n;

/**
 * Whether an owner's grants with a nonce are void.
 *
 * @example
 * isRevoked(state, owner, 7n)
 */
export function isRevoked({ owners }: DatasetState, owner: Address, nonce: bigint): boolean {
  const record = owners.get(owner.toLowerCase());
  return (nonce < smallNonces ? record?.small : record?.large)?.has(nonce) ?? false;
}

/**
 * Applies an event of the registry of data sets to a state.
 *
 * @returns what contradicts the events before it; undefined if nothing does, or if the event is of another contract.
 * @example
 * const contradiction = applyDatasetEvent(state, event)
 */
export function applyDatasetEvent(state: DatasetState, event: MarketEvent): string | undefined {
  switch (event.eventName) {
    case "DatasetRegistered": {
      const { datasetId, owner, contentHash, salt, sizeBytes, uri, metadata, payees } = event.args;
      if (state.datasets.has(datasetId)) return `data set ${datasetId} was registered before`;
      const [epoch, metadataHash] = [0, keccak256(stringToBytes(metadata))];
      const fixed = { contentHash, salt, sizeBytes, payees, uri, metadataHash };
      state.datasets.set(datasetId, { ...fixed, owner, epoch, retired: false, pendingOwner: zeroAddress });
      return undefined;
    }
    case "DatasetUpdated": {
      const { uri, metadata } = event.args;
      return change(state, event.args.datasetId, { uri, metadataHash: keccak256(stringToBytes(metadata)) });
    }
    case "DatasetOffered":
      return change(state, event.args.datasetId, { pendingOwner: event.args.to });
    case "DatasetTransferred": {
      const { datasetId, to, newEpoch } = event.args;
      return change(state, datasetId, { owner: to, epoch: newEpoch, pendingOwner: zeroAddress });
    }
    case "DatasetRetired":
      return change(state, event.args.datasetId, { retired: true, pendingOwner: zeroAddress });
    case "GrantsRevoked":
      return change(state, event.args.datasetId, { epoch: event.args.newEpoch });
    case "OwnerGrantsRevoked": {
      const record = ownerOf(state, event.args.owner);
      record.epoch = event.args.newOwnerEpoch;
      for (const nonce of record.small) record.past.add(nonce);
      record.small.clear();
      return undefined;
    }
    case "GrantNonceRevoked": {
      const { owner, nonce } = event.args;
      if (isRevoked(state, owner, nonce)) return `${owner} revoked nonce ${nonce} before`;
      const record = ownerOf(state, owner);
      (nonce < smallNonces ? record.small : record.large).add(nonce);
      return undefined;
    }
    default:
      return undefined;
  }
}

function change(state: DatasetState, datasetId: Hex, changes: Partial<DatasetRecord>): string | undefined {
  const record = state.datasets.get(datasetId);
  if (record === undefined) return `data set ${datasetId} was never registered`;
  state.datasets.set(datasetId, { ...record, ...changes });
  return undefined;
}

function ownerOf({ owners }: DatasetState, owner: Address): OwnerRecord {
  const fresh: OwnerRecord = { epoch: 0, small: new Set(), large: new Set(), past: new Set() };
  const record = owners.get(owner.toLowerCase()) ?? fresh;
  owners.set(owner.toLowerCase(), record);
  return record;
}
