/**
 * Room: sdk/proofs. Where the contracts keep what an audit has to know, and what the words there say. Pure. Mirrors the storage
 * of JobMarket, EnclaveRegistry and DatasetRegistry, `snapshots/storage/*.json`; a test compares slots with those files, and
 * every reading with the contracts' own views. Source: Solidity documentation, "Layout of State Variables in Storage".
 */
import { type Address, encodeAbiParameters, getAddress, type Hex, keccak256, numberToHex, slice } from "viem";
import { type JobState, jobStates, type SessionState, sessionStates } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { ProofWants, ProvenChain } from "./chainProofs.ts";

/** Something stored: the slots it lies in, and what their words say, in the same order. */
export type Stored<T> = { slots: readonly Hex[]; read: (words: readonly Hex[]) => T };

/** First slots of the contracts' variables. */
export const storageSlots = {
  JobMarket: {
    _jobCount: 0,
    _jobs: 1,
    _usedNonces: 2,
    _acceptances: 3,
    _grants: 6,
    _credits: 7,
    _owed: 8,
    _ballots: 9,
    _sessions: 10,
    _roots: 11,
    _leaves: 13,
  },
  DatasetRegistry: { _datasets: 0, _payees: 1, _pendingOwners: 2, _owners: 3, _revokedLargeNonces: 4 },
  EnclaveRegistry: { _enclaves: 2 },
} as const;

const market = storageSlots.JobMarket;
const datasets = storageSlots.DatasetRegistry;

/**
 * What to have proven so that stored things can be read.
 *
 * @example
 * const proofs = await collectProofs(client, { accounts: [wantOf(block, market, jobCount(), jobState(7n, jobId))] }, anchor)
 */
export function wantOf(
  block: bigint,
  address: Address,
  ...stored: readonly Stored<unknown>[]
): NonNullable<ProofWants["accounts"]>[number] {
  return { block, address, slots: stored.flatMap(({ slots }) => slots) };
}

/**
 * Reads something out of proven storage, as it was after a block.
 *
 * @throws {@link BadStorageError}, NotProvenError.
 * @example
 * const state = readStored(chain, block, market, jobState(7n, jobId))
 */
export function readStored<T>(chain: ProvenChain, block: bigint, address: Address, { slots, read }: Stored<T>): T {
  return read(slots.map((slot) => chain.storage(block, address, slot)));
}

/* JobMarket */

/** How many jobs were ever opened. */
export function jobCount(): Stored<bigint> {
  return one(numberToHex(market._jobCount, { size: 32 }), BigInt);
}

/** State of the job at an index: "None" if another job is there, or none. */
export function jobState(index: bigint, jobId: Hex): Stored<JobState> {
  return one(at(market._jobs, number(index)), (word) =>
    slice(word, 0, 31) === slice(lower(jobId), 0, 31) && BigInt(word) !== 0n
      ? nameIn(jobStates, byteAt(word, 0))
      : "None",
  );
}

/** Whether an account used up a nonce for orders. */
export function nonceUsed(account: Address, nonce: bigint): Stored<boolean> {
  return one(at(market._usedNonces, account, number(nonce >> 8n)), (word) => bitAt(word, nonce & 0xffn));
}

/** Who accepted a job, and whose bond it was; zeros: nobody did. */
export function acceptance(jobId: Hex): Stored<{ signer: Address; bonder: Address }> {
  const [first, second] = from(at(market._acceptances, jobId), 2) as [Hex, Hex];
  return {
    slots: [first, second],
    read: ([a = "0x", b = "0x"]) => ({ signer: addressIn(a, 0), bonder: addressIn(b, 0) }),
  };
}

/** How often a grant of limited uses was used, and whose key signed it; zero: nobody's, or not yet. */
export function grantRecord(grantHash: Hex): Stored<{ signer: Address; uses: bigint }> {
  return one(at(market._grants, grantHash), (word) => ({ signer: addressIn(word, 0), uses: field(word, 20, 8) }));
}

/** Credit of an account, in units of the token; the zero address is the chain's coin. */
export function credit(account: Address, token: Address): Stored<bigint> {
  return one(at(market._credits, account, token), BigInt);
}

/** What the market owes to all accounts and escrows together, in units of the token. */
export function owed(token: Address): Stored<bigint> {
  return one(at(market._owed, token), BigInt);
}

/** How many enclaves' words were counted for a job with a quorum, and what the first of them said. */
export function ballot(jobId: Hex): Stored<{ outputCommitment: Hex; votes: bigint }> {
  return {
    slots: from(at(market._ballots, jobId), 2),
    read: ([outputCommitment = "0x", votes = "0x"]) => ({ outputCommitment, votes: BigInt(votes) }),
  };
}

/** A session, and the root that it was claimed with. `claimedAt` in Unix seconds. */
export function session(sessionId: Hex): Stored<{
  state: SessionState;
  claimedAt: bigint;
  okCount: number;
  failedCount: number;
  touched: boolean;
  operator: Address;
  root: Hex;
}> {
  return {
    slots: [at(market._sessions, sessionId), at(market._roots, sessionId)],
    read: ([word = "0x", root = "0x"]) => ({
      state: nameIn(sessionStates, byteAt(word, 0)),
      claimedAt: field(word, 1, 5),
      okCount: Number(field(word, 6, 2)),
      failedCount: Number(field(word, 8, 2)),
      touched: byteAt(word, 10) !== 0,
      operator: addressIn(word, 11),
      root,
    }),
  };
}

/** Whether a leaf of a session's claim was disputed, and whether it was shown and paid. */
export function sessionLeaf(sessionId: Hex, leaf: number): Stored<{ disputed: boolean; settled: boolean }> {
  const bit = BigInt(leaf & 0x7f) * 2n;
  return one(at(market._leaves, sessionId, number(BigInt(leaf >> 7))), (word) => ({
    disputed: bitAt(word, bit),
    settled: bitAt(word, bit + 1n),
  }));
}

/* EnclaveRegistry */

/** An enclave's record; zeros: it is not registered. Numbers are those of `enclaveStates` and `recordedStatuses`. */
export function enclaveRecord(signingKey: Address): Stored<{
  operator: Address;
  expiresAt: bigint;
  registeredAtBlock: bigint;
  tcbStatus: number;
  state: number;
  workloadId: Hex;
  platformId: Hex;
  evidenceHash: Hex;
}> {
  return {
    slots: from(at(storageSlots.EnclaveRegistry._enclaves, signingKey), 3),
    read: ([head = "0x", workloadId = "0x", last = "0x"]) => ({
      operator: addressIn(head, 0),
      expiresAt: field(head, 20, 5),
      registeredAtBlock: field(head, 25, 5),
      tcbStatus: byteAt(head, 30),
      state: byteAt(head, 31),
      workloadId,
      platformId: slice(last, 16, 32),
      evidenceHash: slice(last, 0, 16),
    }),
  };
}

/* DatasetRegistry */

/** A data set's record, but for its URI; zeros: it is not registered. */
export function dataset(datasetId: Hex): Stored<{
  owner: Address;
  sizeBytes: number;
  epoch: number;
  payeeCount: number;
  retired: boolean;
  contentHash: Hex;
  metadataHash: Hex;
  salt: Hex;
}> {
  return {
    slots: from(at(datasets._datasets, datasetId), 4),
    read: ([head = "0x", contentHash = "0x", metadataHash = "0x", salt = "0x"]) => ({
      owner: addressIn(head, 0),
      sizeBytes: Number(field(head, 20, 6)), // below 2^48
      epoch: Number(field(head, 26, 4)),
      payeeCount: byteAt(head, 30),
      retired: byteAt(head, 31) !== 0,
      contentHash,
      metadataHash,
      salt,
    }),
  };
}

/**
 * Who shares a data set's payments.
 *
 * @param count - as its record has it, at most 16.
 */
export function payees(datasetId: Hex, count: number): Stored<{ account: Address; shareBps: number }[]> {
  return {
    slots: from(at(datasets._payees, datasetId), count),
    read: (words) => words.map((word) => ({ account: addressIn(word, 0), shareBps: Number(field(word, 20, 2)) })),
  };
}

/** Whom a data set's owner offers it to; zero: nobody. */
export function pendingOwner(datasetId: Hex): Stored<Address> {
  return one(at(datasets._pendingOwners, datasetId), (word) => addressIn(word, 0));
}

/** Consent epoch of an owner. */
export function ownerEpoch(owner: Address): Stored<number> {
  return one(at(datasets._owners, owner), (word) => Number(field(word, 0, 4)));
}

/** Whether an owner revoked its grants of a nonce. Nonces below 224 share a slot with the owner's epoch. */
export function grantNonceRevoked(owner: Address, nonce: bigint): Stored<boolean> {
  if (nonce < 224n) return one(at(datasets._owners, owner), (word) => bitAt(word, 32n + nonce));
  return one(at(datasets._revokedLargeNonces, owner, number(nonce >> 8n)), (word) => bitAt(word, nonce & 0xffn));
}

/* Words */

function one<T>(slot: Hex, read: (word: Hex) => T): Stored<T> {
  return { slots: [slot], read: ([word = "0x"]) => read(word) };
}

/** Slot of an entry of a mapping, or of a mapping in a mapping. Keys are words, or addresses. */
function at(variable: number, ...keys: readonly Hex[]): Hex {
  return keys.reduce<Hex>(
    (slot, key) => keccak256(encodeAbiParameters([{ type: "uint256" }, { type: "bytes32" }], [BigInt(key), slot])),
    numberToHex(variable, { size: 32 }),
  );
}

/** Consecutive slots. */
function from(slot: Hex, count: number): Hex[] {
  return Array.from({ length: count }, (_, i) => numberToHex((BigInt(slot) + BigInt(i)) % 2n ** 256n, { size: 32 }));
}

function number(value: bigint): Hex {
  return numberToHex(value, { size: 32 });
}

function lower(hex: Hex): Hex {
  return hex.toLowerCase() as Hex;
}

/** A number in a word: `offset` and `bytes` count from the lowest byte, as the compiler does. */
function field(word: Hex, offset: number, bytes: number): bigint {
  return (BigInt(word) >> BigInt(offset * 8)) & (2n ** BigInt(bytes * 8) - 1n);
}

function byteAt(word: Hex, offset: number): number {
  return Number(field(word, offset, 1));
}

function addressIn(word: Hex, offset: number): Address {
  return getAddress(numberToHex(field(word, offset, 20), { size: 20 }));
}

function bitAt(word: Hex, bit: bigint): boolean {
  return ((BigInt(word) >> bit) & 1n) === 1n;
}

function nameIn<T extends string>(names: readonly T[], value: number): T {
  const name = names[value];
  if (name === undefined) throw new BadStorageError(value);
  return name;
}

/** A word holds a state that the contract has no name for. */
export class BadStorageError extends BaseError {
  override readonly name = "Proofs.BadStorageError";
  readonly value: number;
  constructor(value: number) {
    super(`Proven storage has state ${value}, which these contracts never write.`, {
      hint: "The address is of another contract, or of another version: check the deployment.",
    });
    this.value = value;
  }
}
