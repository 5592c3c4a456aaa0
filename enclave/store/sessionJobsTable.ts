/**
 * Room: enclave/store. The signed orders of sessions that requesters have given to this worker, and which of them have a
 * receipt. The chain hears of them by their session's claim only: no event of theirs ends one.
 * An order read back is proven by its id: with its session's template it hashes to it.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Address, bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { z } from "zod";
import { type Domain, hashOrder, type JobOrder } from "../../protocol/eip712.ts";
import { maxParamsBytes, maxProgramUriBytes, maxSignatureBytes } from "../../protocol/limits.ts";
import { address, bytes32, uint64String, uintString } from "../../protocol/schemas.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, readRow } from "./rows.ts";
import type { KeptSession } from "./sessionsTable.ts";

/** One job of a session. */
export type SessionJob = SignedOrder & {
  jobId: Hex;
  sessionId: Hex;
  /** The last receipt that was signed of it, and by which key. */
  ran: { signer: Address; receiptHash: Hex; ok: boolean } | undefined;
};

/** How many jobs of a session there are here. */
export type JobCounts = { taken: number; ran: number; ok: number };

/** Access to the jobs of sessions. */
export type SessionJobsTable = {
  add(jobId: Hex, signed: SignedOrder): void;
  isNonceTaken(sessionId: Hex, nonce: bigint): boolean;
  /** Remembers a receipt; of a job that belongs to no session nothing is. */
  recordRun(jobId: Hex, run: { signer: Address; receiptHash: Hex; ok: boolean }): void;
  sessionOf(jobId: Hex): Hex | undefined;
  byId(jobId: Hex, session: KeptSession): SessionJob | undefined;
  /** In the order in which they came. */
  ofSession(session: KeptSession): SessionJob[];
  /** Jobs without a receipt of this key, oldest first. */
  toRun(session: KeptSession, signer: Address, limit: number): SessionJob[];
  /** `ran` and `ok` count receipts of this key. */
  counts(sessionId: Hex, signer: Address): JobCounts;
};

const jobRow = z
  .strictObject({
    job_id: bytes32,
    session_id: bytes32,
    nonce: uintString,
    deadline: uint64String,
    program_uri: z.string().max(maxProgramUriBytes),
    params: bytesColumn(maxParamsBytes),
    requester_signature: bytesColumn(maxSignatureBytes),
    payer_signature: bytesColumn(maxSignatureBytes),
    signer: address.nullable(),
    receipt_hash: bytes32.nullable(),
    ok: z.bigint().min(0n).max(1n).nullable(),
  })
  .refine((row) => (row.signer === null) === (row.receipt_hash === null))
  .refine((row) => (row.signer === null) === (row.ok === null));

const countsRow = z.strictObject({ taken: z.bigint(), ran: z.bigint(), ok: z.bigint() });
const sessionIdRow = z.strictObject({ session_id: bytes32 });

/**
 * @param domain - of the JobMarket: job ids are hashes under it.
 * @throws from the reads: {@link CorruptRowError}.
 * @example
 * const jobs = sessionJobsTable(db, domain)
 */
export function sessionJobsTable(db: DatabaseSync, domain: Domain): SessionJobsTable {
  const insert = db.prepare(
    `INSERT INTO session_jobs (job_id, session_id, nonce, deadline, program_uri, params, requester_signature,
       payer_signature)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO NOTHING`,
  );
  const update = db.prepare("UPDATE session_jobs SET signer = ?, receipt_hash = ?, ok = ? WHERE job_id = ?");
  const selectNonce = db.prepare("SELECT 1 FROM session_jobs WHERE session_id = ? AND nonce = ?");
  const selectSession = db.prepare("SELECT session_id FROM session_jobs WHERE job_id = ?");
  const selectOne = db.prepare("SELECT * FROM session_jobs WHERE job_id = ? AND session_id = ?");
  const selectAll = db.prepare("SELECT * FROM session_jobs WHERE session_id = ? ORDER BY rowid");
  const selectToRun = db.prepare(
    `SELECT * FROM session_jobs WHERE session_id = ?1 AND (signer IS NULL OR signer <> ?2) ORDER BY rowid LIMIT ?3`,
  );
  const selectCounts = db.prepare(
    `SELECT count(*) AS taken, count(CASE WHEN signer = ?2 THEN 1 END) AS ran,
       count(CASE WHEN signer = ?2 AND ok = 1 THEN 1 END) AS ok
     FROM session_jobs WHERE session_id = ?1`,
  );

  function toJob({ order: template, sessionId }: KeptSession, row: { job_id?: unknown }): SessionJob {
    const key = String(row.job_id);
    const read = readRow(jobRow, "session_jobs", key, row);
    const params = bytesToHex(read.params);
    const { deadline, nonce, signer, receipt_hash: receiptHash } = read;
    const own = { paramsHash: keccak256(params), deadline, nonce, session: read.session_id };
    const order: JobOrder = { ...template, ...own };
    if (read.session_id !== sessionId || hashOrder(domain, order) !== read.job_id) {
      throw new CorruptRowError("session_jobs", key);
    }
    return {
      jobId: read.job_id,
      sessionId,
      order,
      programUri: read.program_uri,
      params,
      requesterSignature: bytesToHex(read.requester_signature),
      payerSignature: bytesToHex(read.payer_signature),
      ran: signer === null || receiptHash === null ? undefined : { signer, receiptHash, ok: read.ok === 1n },
    };
  }

  return {
    add(jobId, { order, programUri, params, requesterSignature, payerSignature }) {
      const what = [
        order.session.toLowerCase(),
        order.nonce.toString(),
        order.deadline.toString(),
        programUri,
      ] as const;
      const bytes = [params, requesterSignature, payerSignature].map((hex) => hexToBytes(hex));
      guarded(() => insert.run(jobId.toLowerCase(), ...what, ...bytes));
    },
    isNonceTaken: (sessionId, nonce) => guarded(() => selectNonce.get(sessionId, nonce.toString())) !== undefined,
    recordRun(jobId, { signer, receiptHash, ok }) {
      guarded(() => update.run(signer.toLowerCase(), receiptHash, ok ? 1 : 0, jobId.toLowerCase()));
    },
    sessionOf(jobId) {
      const row = guarded(() => selectSession.get(jobId.toLowerCase()));
      return row === undefined ? undefined : readRow(sessionIdRow, "session_jobs", jobId, row).session_id;
    },
    byId(jobId, session) {
      const row = guarded(() => selectOne.get(jobId.toLowerCase(), session.sessionId));
      return row === undefined ? undefined : toJob(session, row);
    },
    ofSession: (session) => guarded(() => selectAll.all(session.sessionId)).map((row) => toJob(session, row)),
    toRun: (session, signer, limit) =>
      guarded(() => selectToRun.all(session.sessionId, signer.toLowerCase(), limit)).map((row) => toJob(session, row)),
    counts(sessionId, signer) {
      const row = guarded(() => selectCounts.get(sessionId, signer.toLowerCase()));
      const { taken, ran, ok } = readRow(countsRow, "session_jobs", sessionId, row);
      return { taken: Number(taken), ran: Number(ran), ok: Number(ok) };
    },
  };
}
