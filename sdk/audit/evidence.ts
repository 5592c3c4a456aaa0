/**
 * Room: sdk/audit/evidence. What an audit looks at: raw answers of the chain and of the worker. Nothing here is believed;
 * `judge` computes every line from it, so that a bundle of evidence can be judged anywhere, again. Types only.
 */
import type { Address, Hex } from "viem";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import type {
  JobOrder,
  JobState,
  Receipt,
  SessionClaim,
  SessionState,
  SessionTerms,
  SignedGrant,
  SignedOffer,
} from "../../protocol/eip712.ts";
import type { LogEvidence } from "../../protocol/logJson.ts";
import type { TcbEvidence } from "../../protocol/quote/platformRecord.ts";
import type { RegistrationProof } from "../registration/proof.ts";

/** Why a piece of evidence could not be had; a sentence without a full stop. */
export type Missing = { missing: string };

/**
 * Whether a piece of evidence is missing.
 *
 * @example
 * if (isMissing(evidence.program)) return unknown(evidence.program.missing)
 */
export function isMissing(value: unknown): value is Missing {
  return typeof value === "object" && value !== null && "missing" in value;
}

/** A block; `timestamp` in Unix seconds. */
export type BlockRef = { number: bigint; hash: Hex; timestamp: bigint };

/** Where an event stands: later events have a later block, or the same and a higher index. */
export type Position = { block: BlockRef; logIndex: number };

/** A payment or refund that the market credited; `amount` in units of `token`. */
export type Credit = { account: Address; token: Address; amount: bigint; transactionHash: Hex };

/** How the job was opened; or how a signed order was settled, which never was. */
export type Opening = Position & {
  /** undefined: the order was not opened, but settled in one transaction. */
  index: bigint | undefined;
  order: JobOrder;
  programUri: string | Missing;
  params: Hex | Missing;
  /** What the payer's credit in the order's token went through in the block that took the money. */
  payerCredit: PayerCredit | Missing;
};

/** An account's credit before and after a block, and what that block's events say of it; in units of one token. */
export type PayerCredit = {
  before: bigint;
  after: bigint;
  /** Of Deposited and Credited. */
  added: bigint;
  /** Of Debited, Withdrawn, and what was opened or settled at the account's cost. */
  taken: bigint;
  /** Of Deposited, in the transaction that took the money. */
  paidIn: bigint;
  /** What arrived at the market in that transaction: ERC-20 transfers, or native coin sent along. */
  arrived: bigint | Missing;
};

/** How the job ended. `receipt` and what follows only if it was settled. */
export type Ending = Position & {
  how: "settled" | "cancelled" | "expired" | "disagreed";
  index: bigint | undefined;
  transactionHash: Hex;
};

/** The receipt a job was settled with. */
export type Settlement = {
  receipt: Receipt;
  signature: Hex;
  signer: Address;
  /** As the market's event has it. */
  receiptHash: Hex;
  /** By data set; undefined: it is not counted, so that it was not shown. */
  grants: (SignedGrant | undefined)[] | Missing;
  offer: SignedOffer | undefined | Missing;
  /** All that were paid for together with it, it too; the first one's id is what their credits are booked under. */
  together: readonly Receipt[];
};

/** An enclave's word that was counted before the last one. */
export type CountedReceipt = Position & {
  signer: Address;
  platformId: Hex;
  receiptHash: Hex;
  outputCommitment: Hex;
  record: EnclaveRecord | Missing;
};

/** What became of a registration later: renewed with a new end, or ended for good. Expiry alone is not told here. */
export type RegistrationChange = Position &
  (
    | { how: "renewed"; tcbStatus: number; expiresAt: bigint; tcb: TcbEvidence }
    | { how: "retired" }
    | { how: "demoted"; tcbStatus: number }
  );

/** How the receipt's signer was registered: the event, and the calldata it came with. */
export type Registration = Position & {
  signingKey: Address;
  operator: Address;
  workloadId: Hex;
  composeHash: Hex;
  platformId: Hex;
  /** Index into `TcbStatus` of TcbTypes.sol. */
  tcbStatus: number;
  /** Unix seconds. */
  expiresAt: bigint;
  vaultKey: Hex;
  tcb: TcbEvidence;
  /** Up to the anchor, in order. */
  changes: RegistrationChange[];
  call: RegistrationCall | Missing;
  /** What the chain judged it by, as it was sent to the chain; the root's certificate is not. */
  collateral: Omit<Collateral, "rootCa"> | Missing;
};

/** The calldata of a registration, and the block that the quote claims to know. */
export type RegistrationCall = RegistrationProof["request"] &
  Pick<RegistrationProof, "quote" | "sender" | "authorization" | "signature" | "pckLeafIn" | "qeReportIn"> & {
    /** The registration's own. */
    transactionHash: Hex;
    boundBlock: BlockRef | Missing;
    /** Whether the operator, a contract, accepts the authorization's signature now (ERC-1271); false if it is none. */
    contractAccepts: boolean | Missing;
  };

/** What the registry's storage says of the signer now. */
export type EnclaveRecord = { operator: Address; workloadId: Hex; platformId: Hex; state: number; evidenceHash: Hex };

/** One who shares a data set's payments. */
export type Payee = { account: Address; shareBps: number };

/** One data set of the order, in the order's order. */
export type DatasetEvidence = {
  registration: { owner: Address; contentHash: Hex; salt: Hex; sizeBytes: number; payees: readonly Payee[] } | Missing;
  /** Every change of its epoch: since that position only grants of `newEpoch` count. */
  epochs: (Position & { newEpoch: number })[];
  /** Every change of its owner. */
  transfers: (Position & { to: Address })[];
  /** Where it was retired. */
  retirements: Position[];
  /** Every change of the epoch of whoever owned it when the job ended. */
  ownerEpochs: (Position & { newOwnerEpoch: number })[];
  /** Where that owner revoked the grant's nonce. */
  nonceRevocations: Position[];
  /** Whether the owner's contract accepts the grant's signature (ERC-1271); false if it is no contract. */
  contractAccepts: boolean | Missing;
};

/** What an auditor said of the order's workload; `endorsedAt`, `withdrawnAt` in Unix seconds, 0: never. */
export type Endorsement = { auditor: Address; sourceHash: Hex; endorsedAt: number; withdrawnAt: number };

/** What the worker answered. */
export type WorkerEvidence = {
  attestation:
    | {
        eventLog: string;
        appCompose: string;
        signingKey: string;
        /** DER: what its quote ends with. Believed for its key only. */
        rootCa: Uint8Array | Missing;
      }
    | Missing;
  result: Uint8Array | Missing;
  /** Of the log that the receipt commits to. */
  log: LogEvidence | Missing;
};

/** Where a session's job stands in its session. Leaves are numbers from 0. */
export type SessionEvidence = {
  sessionId: Hex;
  /** The template, with its terms, as the session was opened. */
  order: JobOrder;
  terms: SessionTerms;
  /** As the worker shows it. */
  leaf: number;
  proof: readonly Hex[];
  /** Signatures of the job's order; `accepts`: it is a contract's that takes it now (ERC-1271). */
  requester: { signature: Hex; accepts: boolean | Missing };
  payer: { signature: Hex; accepts: boolean | Missing };
  /** As the market's event has it. */
  claim: Omit<SessionClaim, "anchorBlock" | "anchorHash"> & { signer: Address };
  /** As it was sent. */
  signed: { claim: SessionClaim; signature: Hex } | Missing;
  /** Leaves of the whole session that were disputed, and that were shown. */
  disputed: readonly number[];
  shown: readonly { leaf: number; jobId: Hex; receiptHash: Hex }[];
  closed: Position | undefined;
  /** What the market has in storage of the session, and of the leaf. */
  stored: { state: SessionState; root: Hex; disputed: boolean; settled: boolean };
};

/** Everything an audit looks at. */
export type Evidence = {
  deployment: Deployment;
  jobId: Hex;
  /** The block at which the chain was looked at. */
  anchor: BlockRef;
  /** Which contracts the market relies on, which root key is pinned, which statuses may register, by their own word. */
  wiring: {
    enclaves: Address;
    datasets: Address;
    verifier: Address;
    collateral: Address;
    rootKey: Hex;
    allowedTcb: number;
  };
  opening: Opening;
  /** As stored; undefined for an order that was never opened. */
  state: JobState | undefined;
  ending: Ending | undefined;
  settlement: Settlement | undefined;
  /** Of a session's job. Its ending is its session's claim. */
  session?: SessionEvidence | undefined;
  registration: Registration | Missing;
  enclaveRecord: EnclaveRecord | Missing;
  /** The chain's block at the receipt's `anchorBlock`. */
  receiptAnchor: BlockRef | Missing;
  datasets: DatasetEvidence[];
  credits: Credit[];
  /** Where the job had to be accepted. */
  acceptance: { signer: Address; bonder: Address } | undefined;
  /** Where the order asks for several enclaves. */
  counted: CountedReceipt[];
  program: Uint8Array | Missing;
  /** Of the order's workload, by those whom the auditor named. */
  endorsements: readonly Endorsement[];
  worker: WorkerEvidence;
  /** Commitment to the opened result, computed where a reader opened it: the result itself is no evidence. */
  opened: { commitment: Hex } | { problem: string } | Missing;
};
