/**
 * Room: enclave/http. What the HTTP face asks of the worker; the composition root implements it.
 * All shapes are JSON as clients see it: bigints are decimal strings, bytes are 0x hex.
 */
import type { Address, Hex } from "viem";
import type { z } from "zod";
import type { Runtime } from "../../protocol/engines.ts";
import type { GrantPackage } from "../../protocol/grantPackage.ts";
import type { LogSummary, logViewSchema } from "../../protocol/logJson.ts";
import type { signedOfferToJson } from "../../protocol/offerJson.ts";
import type { SealedPrints } from "../../protocol/prints.ts";
import type { receiptToJson } from "../../protocol/receiptJson.ts";
import type { leavesSchema, sessionViewSchema } from "../../protocol/sessionJson.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import type { BlobStore } from "../blobs/blobStore.ts";

/** Answer of GET /attestation: all that a verifier needs, none of it to be believed unverified. */
export type Attestation = {
  quote: Hex;
  /** The guest agent's event log, as it gave it (JSON text). */
  eventLog: string;
  /** Raw app-compose.json: its SHA-256 is the compose hash. */
  appCompose: string;
  /** The guest agent's Info. */
  info: Readonly<Record<string, unknown>>;
  binding: { chainId: number; registry: Address; operator: Address; signingKey: Address; vaultKey: Hex };
  /** Image references in the measured compose file. */
  images: readonly string[];
  /** SHA-256 of the image's build manifest; null where the worker runs from no image. */
  buildManifest: Hex | null;
  /** What the report data binds: see protocol/attestationBinding. */
  reportDataKind: "registration" | "challenge";
  /** The transaction that registered the enclave: block number and hash of the binding are in its calldata. */
  registrationTx?: Hex;
  /** What the registry keeps of it; times in Unix seconds, decimal. null: it is not registered yet. */
  registration: { registry: Address; platformId: Hex; tcbStatus: string; expiresAt: string } | null;
  simulated: boolean;
};

/** Answer of GET /enclave. */
export type EnclaveView = {
  signingKey: Address;
  vaultKey: Hex;
  operator: Address;
  /** Pays for the worker's transactions; the operator keeps it funded. */
  gasWallet: Address;
  workloadId: Hex;
  /** What it can run on this machine: native engines need a wall. */
  engines: readonly Runtime[];
  endpoint: string;
  chainId: number;
  registry: Address;
  registered: boolean;
  /** Unix seconds, decimal. */
  expiresAt?: string;
  /** Of the platform when a quote was last verified; see `TcbStatus` in TcbTypes.sol. */
  tcbStatus?: string;
  platformId?: Hex;
  /** Unix seconds, decimal: until when the chain's collateral judges this platform. */
  collateralExpiresAt?: string;
  registrationTx?: Hex;
  simulated: boolean;
};

/** Answer of GET /readyz. Reasons are read by strangers: no URLs, no messages of libraries. */
export type Readiness = { ready: boolean; checks: { name: string; ok: boolean; reason?: string }[] };

/** Answer of GET /jobs/:id: where this worker stands with a job. The chain has the last word. */
export type JobView = {
  jobId: Hex;
  phase: "open" | "finished" | "claimed" | "settled" | "failed" | "cancelled" | "expired" | "disagreed";
  /** Block of its opening, decimal; missing: a signed order that was not opened. */
  openedBlock?: string;
  /** The session that it is of, and its leaf in that session's claim, if it is in there. */
  session?: Hex;
  leaf?: number;
  /** `FailureCode` of a failed run. */
  failureCode?: number;
  /** Of an open job: what the last try came to, for instance the grant that is missing. Ids only. */
  waiting?: string;
  settleTx?: Hex;
};

/** Answer of GET /receipts/:id; `protocol/receiptJson.signedReceiptSchema` reads it. */
export type SignedReceiptJson = { receipt: ReturnType<typeof receiptToJson>; signature: Hex; signer: Address };

/** Answer of GET /sessions/:id; `protocol/sessionJson.sessionViewSchema` reads it. */
export type SessionView = z.input<typeof sessionViewSchema>;

/** Answer of GET /sessions/:id/leaves/:from; `protocol/sessionJson.leavesSchema` reads it. */
export type LeavesView = z.input<typeof leavesSchema>;

/** Answer of GET /logs/:logId. */
export type LogAnswer = z.input<typeof logViewSchema>;

/** What anyone may see of a log; sizes and indices are checked by the caller. All throw `DamagedEntriesError`. */
export type PublicLog = {
  size(): number;
  /** Of the first `size` entries. */
  rootAt(size: number): Hex;
  entries(from: number, count: number): string[];
  inclusion(index: number, size: number): Hex[];
  consistency(from: number, to: number): Hex[];
};

/** A result's ciphertext, which is read and proven when it is asked for, or that it is still held back. */
export type ResultRelease = { released: true; sizeBytes: number; read(): Uint8Array } | { released: false };

/** What a program printed, sealed, or that it is still held back. */
export type PrintsRelease = { released: true; sealed: SealedPrints } | { released: false };

/** What the HTTP face needs. Functions may throw errors derived from `BaseError`; their text reaches the client. */
export type WorkerApi = {
  /**
   * The registration's quote, or with a nonce a fresh one over it. Slow and costly with a nonce.
   *
   * @param nonce - 32 bytes.
   */
  attestation(nonce?: Hex): Promise<Attestation>;
  enclave(): Promise<EnclaveView>;
  ready(): Promise<Readiness>;
  job(jobId: Hex): Promise<JobView | undefined>;
  receipt(jobId: Hex): Promise<SignedReceiptJson | undefined>;
  /**
   * Released only once the job is settled on chain: nobody has a result that was not paid for. Of a session's job: once
   * its leaf is paid for whatever happens, or at once if no data set is paid for it.
   */
  resultCiphertext(jobId: Hex): Promise<ResultRelease | undefined>;
  /** Released as results are; of a job that failed, once its FAILED receipt is settled. */
  sealedPrints(jobId: Hex): Promise<PrintsRelease | undefined>;
  /** Checks a signed order and keeps it: it is carried out like an opened job, and settled in one transaction. */
  takeOrder(signed: SignedOrder): Promise<{ jobId: Hex }>;
  /** A session that has jobs here. */
  session(sessionId: Hex): SessionView | undefined;
  /** Leaves of its claim from a number on, each with all that it takes to show it. */
  leaves(sessionId: Hex, from: number): LeavesView | undefined;
  /** Checks the requester's word that no more jobs come, and has the session claimed. */
  requestClaim(
    sessionId: Hex,
    request: { jobs: number; validUntil: bigint; signature: Hex },
  ): Promise<SessionView | undefined>;
  /** The operator's prices; undefined: it has made no offer. */
  offer(): ReturnType<typeof signedOfferToJson> | undefined;
  /** Checks the owner's signature and keeps the sealed key. */
  acceptGrant(grant: GrantPackage): Promise<{ grantHash: Hex }>;
  /** The enclaves' logs: the living one, and those of earlier boots. */
  logs: {
    /** Newest first. */
    list(): LogSummary[];
    view(logId: Address): Promise<LogAnswer | undefined>;
    find(logId: Address): PublicLog | undefined;
  };
  blobs: Pick<BlobStore, "put" | "open" | "size">;
};
