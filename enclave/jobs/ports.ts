/**
 * Room: enclave/jobs/ports. What carrying out a job needs of the other rooms; worker.ts connects them.
 */
import type { Address, Hex } from "viem";
import type { Domain, JobOrder, Receipt, SignedGrant } from "../../protocol/eip712.ts";
import type { SealedPrints } from "../../protocol/prints.ts";
import type { Program } from "../../protocol/program.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { Ciphertext } from "../fetch/fetchBlob.ts";
import type { EnclaveLog } from "../receipts/enclaveLog.ts";
import type { RunOutcome } from "../sandbox/outcome.ts";
import type { RunRequest } from "../sandbox/runProgram.ts";
import type { GrantBook } from "../vault/grantBook.ts";
import type { Turns } from "./turns.ts";

/** The block whose state consent is checked against. */
export type Anchor = { number: bigint; hash: Hex; timestamp: bigint };

/** A data set as the chain has it at the anchor. */
export type DatasetAtAnchor = { owner: Address; sizeBytes: number; contentHash: Hex; uri: string };

/** Consent as the chain has it at the anchor; see `ConsentState` in IDatasetRegistry.sol. */
export type ConsentAtAnchor = { owner: Address; epoch: number; ownerEpoch: number; revoked: boolean };

/**
 * How it is known that the requester wants the job. `signed`: its own key says so. `told`: a contract does (ERC-1271),
 * which is the node's word: enough where the grants allow anyone, not where they name a requester.
 */
export type OrderProof = "signed" | "told" | "none";

/**
 * Where a job stands on chain. `open`: any enclave may settle it. `unaccepted`: one must accept it first. `accepted`: only
 * that key may settle it. `counted`: this platform has said its word. `unpaid`: a signed order, and its payer lacks credit.
 */
export type Standing = { is: "ended" | "open" | "unaccepted" | "counted" | "unpaid" } | { is: "accepted"; by: Address };

/** What a job asks the chain. */
export type JobChain = {
  anchor(): Promise<Anchor>;
  /** Whether the anchor is still on the chain. */
  isCanonical(anchor: Anchor): Promise<boolean>;
  proofOf(job: RunnableJob): Promise<OrderProof>;
  /** No data are opened for a job that has ended, or that is another enclave's. */
  standing(job: RunnableJob): Promise<Standing>;
  /** undefined: not registered. Throws if the chain's answer contradicts the id. */
  dataset(datasetId: Hex, anchor: Anchor): Promise<DatasetAtAnchor | undefined>;
  /** Of a registered data set. */
  consent(datasetId: Hex, nonce: bigint, anchor: Anchor): Promise<ConsentAtAnchor>;
  grantUses(grantHash: Hex, anchor: Anchor): Promise<bigint>;
  /** Whether `signature` of an EIP-712 hash is the owner's. */
  isSignedBy(owner: Address, digest: Hex, signature: Hex): Promise<boolean>;
};

/** What fetching can come to. `final`: trying again will not help. `fact` names hosts and hashes only. */
export type Fetched<T> =
  | { status: "ok"; fetched: T }
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
  /** Fetches a program bundle; something else has to identify it. */
  fetch(uri: string, limits: { maxBytes: number }): Promise<Fetched<Uint8Array>>;
  /** Fetches a ciphertext to where it can be read as a stream, and checks its hash. */
  fetchCiphertext(uri: string, limits: { maxBytes: number; sha256: Hex }): Promise<Fetched<Ciphertext>>;
  /** Whether the program's engine is one that no wall of this machine holds, so that {@link JobPorts.run} would throw. */
  lacksWallFor(program: Pick<Program, "manifest">): boolean;
  /** Throws what reading an input throws. */
  run(request: RunRequest): Promise<RunOutcome>;
  /** Monotonic milliseconds: the host may turn its wall clock as it likes. */
  now(): number;
  /** Does work when its share of the machine is free; see `createTurns`. */
  inTurn: Turns;
  /** Told of each step when it has happened: for the operator's log, and for tests that end the process there. */
  observe(step: JobStep, jobId: Hex): void;
};

/** The steps of a job, in order. */
export type JobStep =
  | "accepting"
  | "accepted"
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

/**
 * How a job came: opened on chain in the block of hash `openedHash`, or as a signed order that will be settled as one, or
 * that is a session's and will be claimed with it.
 */
export type JobOrigin =
  | { by: "opening"; index: bigint; openedHash: Hex }
  | { by: "signature" | "session"; requesterSignature: Hex; payerSignature: Hex };

/** A job that may be carried out. `programUri` is not covered by the job id. */
export type RunnableJob = {
  jobId: Hex;
  order: JobOrder;
  programUri: string;
  params: Uint8Array;
  origin: JobOrigin;
  /** Unix seconds: from then on it waits for nothing any more; not given: from shortly before its deadline. */
  neededBy?: bigint;
};

/** What a job came to: a signed receipt, and if it is Ok the sealed result and the grants that the market is shown. */
export type Outcome = {
  receipt: Receipt;
  signature: Hex;
  grants: readonly SignedGrant[];
  resultCiphertext: Uint8Array | null;
  /** What the program printed, sealed, where its policy and the grants have readers for it. */
  prints?: SealedPrints;
};

/** What the market is told of an outcome: all but the result, which may be large and is on disk by then. */
export type Settleable = Omit<Outcome, "resultCiphertext">;
