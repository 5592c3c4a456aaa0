/**
 * Room: enclave/jobs/ports. What carrying out a job needs of the other rooms; worker.ts connects them.
 */
import type { Address, Hex } from "viem";
import type { Domain, JobOrder, Receipt, SignedGrant } from "../../protocol/eip712.ts";
import type { Program } from "../../protocol/program.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { EnclaveLog } from "../receipts/enclaveLog.ts";
import type { RunOutcome } from "../sandbox/outcome.ts";
import type { GrantBook } from "../vault/grantBook.ts";

/** The block whose state consent is checked against. */
export type Anchor = { number: bigint; hash: Hex; timestamp: bigint };

/** A data set as the chain has it at the anchor. */
export type DatasetAtAnchor = { owner: Address; sizeBytes: bigint; epoch: number; contentHash: Hex; uri: string };

/** What a job asks the chain. */
export type JobChain = {
  anchor(): Promise<Anchor>;
  /** Whether the anchor is still on the chain. */
  isCanonical(anchor: Anchor): Promise<boolean>;
  /** Whether the requester's own signature over the order is seen: the node's word that it was opened is not enough. */
  isOrderProven(job: OpenedJob): Promise<boolean>;
  /** Whether the job is open: no data are opened for a job that has ended. */
  isOpen(job: RunnableJob): Promise<boolean>;
  /** undefined: not registered. Throws if the chain's answer contradicts the id. */
  dataset(datasetId: Hex, anchor: Anchor): Promise<DatasetAtAnchor | undefined>;
  isGrantNonceRevoked(owner: Address, nonce: bigint, anchor: Anchor): Promise<boolean>;
  grantUses(grantHash: Hex, anchor: Anchor): Promise<bigint>;
  /** Whether `signature` of an EIP-712 hash is the owner's. */
  isSignedBy(owner: Address, digest: Hex, signature: Hex): Promise<boolean>;
};

/** What fetching can come to. `final`: trying again will not help. `fact` names hosts and hashes only. */
export type Fetched =
  | { status: "ok"; bytes: Uint8Array }
  | { status: "unavailable"; fact: string; final: boolean }
  | { status: "mismatch"; fact: string };

/** Everything a job needs. */
export type JobPorts = {
  domain: Domain;
  workloadId: Hex;
  operator: Address;
  identity: EnclaveIdentity;
  log: EnclaveLog;
  grants: Pick<GrantBook, "find">;
  chain: JobChain;
  /** Fetches by URI with a size cap and, where the hash is known, checks it. */
  fetch(uri: string, limits: { maxBytes: number; sha256?: Hex }): Promise<Fetched>;
  run(request: { program: Program; inputs: readonly Uint8Array[]; params: unknown }): Promise<RunOutcome>;
  /** Does one piece of work after the other: the plaintexts of one job at most are in memory. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Told of each step when it has happened: for the operator's log, and for tests that end the process there. */
  observe(step: JobStep, jobId: Hex): void;
};

/** The steps of a job, in order. */
export type JobStep =
  | "seen"
  | "programChecked"
  | "grantsChecked"
  | "inputsFetched"
  | "inputsDecrypted"
  | "ran"
  | "sealed"
  | "signed"
  | "saved"
  | "sending"
  | "settled";

/** A job as the chain opened it, in the block of hash `openedHash`. */
export type OpenedJob = { jobId: Hex; order: JobOrder; programUri: string; params: Uint8Array; openedHash: Hex };

/** A job with its place in the market's storage. */
export type RunnableJob = OpenedJob & { index: bigint };

/** What a job came to: a signed receipt, and if it is Ok the sealed result and the grants that the market asks for. */
export type Outcome = {
  receipt: Receipt;
  signature: Hex;
  grants: readonly SignedGrant[];
  resultCiphertext: Uint8Array | null;
};
