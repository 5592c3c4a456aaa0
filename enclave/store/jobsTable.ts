/**
 * Room: enclave/store. The jobs that the chain knows, as its events tell of them, and the signed orders that requesters
 * have given to this worker, which the chain knows once they are settled.
 * A job read back is proven by its own id: the order hashes to it, the parameters to the order's `paramsHash`.
 */
import type { DatabaseSync } from "node:sqlite";
import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { z } from "zod";
import type { MarketEvent, MarketEventOf } from "../../protocol/chain/marketEvents.ts";
import { type Domain, hashOrder, type JobOrder } from "../../protocol/eip712.ts";
import { orderToJson } from "../../protocol/receiptJson.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import { guarded } from "./database.ts";
import { type ClosedAs, endOf, type Lapse } from "./jobEnds.ts";
import { clamped, type Job, jobRow, originOf } from "./jobRow.ts";
import { CorruptRowError, readRow } from "./rows.ts";

/** Which open jobs are wanted. */
export type JobFilter = {
  workloadId?: Hex;
  /** Unix seconds: only jobs whose deadline is this or later. */
  deadlineFrom?: bigint;
};

/** Access to the jobs. `apply` and `rewind` are meant to run within a transaction. */
export type JobsTable = {
  apply(event: MarketEvent): void;
  rewind(ancestor: bigint): void;
  open(filter: JobFilter): Job[];
  /** How many signed orders wait. */
  countOrders(): number;
  /** Those of either party, in the order in which they came. */
  openOrdersOf(parties: Pick<JobOrder, "requester" | "payer">): JobOrder[];
  byId(jobId: Hex): Job | undefined;
  /** Hashes of the receipts that a job which settled Ok has paid for: the last, and of a quorum those that were counted. */
  paidReceipts(job: Job): readonly Hex[];
  addOrder(jobId: Hex, signed: SignedOrder): void;
  lapse(jobId: Hex, as: Lapse): void;
};

const countRow = z.strictObject({ count: z.bigint().min(0n).transform(Number) });
const countedRow = z.strictObject({ receipt_hash: bytes32 });

type Row = Record<string, unknown>;

/** Rows that are remembered as proven: as many as signed orders may wait. */
const maxProven = 256;

/** Block of what ended without the chain: before any, so that no reorganisation brings it back. */
const noBlock = 0n;

/**
 * @param domain - of the JobMarket: job ids are hashes under it.
 * @throws from the reads: {@link CorruptRowError}.
 * @example
 * const jobs = jobsTable(db, domain)
 */
export function jobsTable(db: DatabaseSync, domain: Domain): JobsTable {
  // An order that was given here may be opened on chain after all: then it is a job like others.
  const insertOpened = db.prepare(
    `INSERT INTO jobs (job_id, idx, order_json, workload_id, deadline, program_uri, params, opened_block, opened_hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (job_id) DO UPDATE SET idx = excluded.idx, program_uri = excluded.program_uri,
       opened_block = excluded.opened_block, opened_hash = excluded.opened_hash
     WHERE idx IS NULL`,
  );
  const insertOrder = db.prepare(
    `INSERT INTO jobs (job_id, order_json, workload_id, deadline, program_uri, params, requester_signature,
       payer_signature)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO NOTHING`,
  );
  // The chain has the last word also on an order that was given up here.
  const close = db.prepare(
    `UPDATE jobs SET closed_block = ?, closed_as = ?, settle_tx = ?, receipt_hash = ?
     WHERE job_id = ? AND idx IS ? AND (closed_block IS NULL OR closed_block = ${noBlock})`,
  );
  // What an account has taken back is worthless: the market takes no order with that nonce any more.
  const cancel = db.prepare(
    `UPDATE jobs SET closed_block = ?, closed_as = 'Cancelled'
     WHERE idx IS NULL AND closed_block IS NULL AND order_json ->> '$.nonce' = ?
       AND lower(order_json ->> '$.requester') = ?`,
  );
  const lapse = db.prepare(
    `UPDATE jobs SET closed_block = ${noBlock}, closed_as = ?
     WHERE job_id = ? AND idx IS NULL AND closed_block IS NULL`,
  );
  const remove = db.prepare("DELETE FROM jobs WHERE opened_block > ? AND requester_signature IS NULL");
  const unopen = db.prepare(
    "UPDATE jobs SET idx = NULL, opened_block = NULL, opened_hash = NULL WHERE opened_block > ?",
  );
  const reopen = db.prepare(
    `UPDATE jobs SET closed_block = NULL, closed_as = NULL, settle_tx = NULL, receipt_hash = NULL
     WHERE closed_block > ?`,
  );
  const count = db.prepare("INSERT INTO counted VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const uncount = db.prepare("DELETE FROM counted WHERE block > ?");
  const selectCounted = db.prepare("SELECT receipt_hash FROM counted WHERE job_id = ?");
  const selectOne = db.prepare("SELECT * FROM jobs WHERE job_id = ?");
  const countOrders = db.prepare("SELECT count(*) AS count FROM jobs WHERE idx IS NULL AND closed_block IS NULL");
  const selectOrders = db.prepare(
    `SELECT * FROM jobs WHERE idx IS NULL AND closed_block IS NULL
       AND (lower(order_json ->> '$.requester') IN (?1, ?2) OR lower(order_json ->> '$.payer') IN (?1, ?2))
     ORDER BY rowid`,
  );
  const selectOpen = db.prepare(
    `SELECT * FROM jobs WHERE closed_block IS NULL AND (?1 IS NULL OR workload_id = ?1) AND deadline >= ?2
     ORDER BY idx IS NULL, length(idx), idx, rowid`,
  );

  function opened({ args, blockNumber, blockHash }: MarketEventOf<"JobOpened">): void {
    const { jobId, index, order, programUri, params } = args;
    const json = JSON.stringify(orderToJson(order));
    const { workloadId, deadline } = order;
    const place = [blockNumber, blockHash] as const;
    const what = [json, workloadId, clamped(deadline), programUri, hexToBytes(params)] as const;
    insertOpened.run(jobId, index.toString(), ...what, ...place);
  }

  const proven = new Map<string, { row: Row; job: Job }>();

  /** A row that is to the byte the one that was proven needs no other proof: those that wait are read again and again. */
  function toJob(row: Row): Job {
    const key = String(row.job_id);
    const last = proven.get(key);
    if (last !== undefined && isSame(last.row, row)) return last.job;
    const job = prove(key, row);
    proven.delete(key);
    proven.set(key, { row, job });
    const [oldest] = proven.keys();
    if (proven.size > maxProven && oldest !== undefined) proven.delete(oldest);
    return job;
  }

  function prove(key: string, row: Row): Job {
    const read = readRow(jobRow, "jobs", key, row);
    const params = bytesToHex(read.params);
    const order = read.order_json;
    if (hashOrder(domain, order) !== read.job_id || keccak256(params) !== order.paramsHash) {
      throw new CorruptRowError("jobs", key);
    }
    return {
      jobId: read.job_id,
      index: read.idx,
      order,
      programUri: read.program_uri,
      params,
      origin: originOf(read),
      openedBlock: read.opened_block,
      closedBlock: read.closed_block,
      closedAs: read.closed_as,
      settleTx: read.settle_tx,
      receiptHash: read.receipt_hash,
    };
  }

  return {
    apply(event) {
      if (event.eventName === "JobOpened") return opened(event);
      if (event.eventName === "NonceCancelled") {
        const { account, nonce } = event.args;
        cancel.run(event.blockNumber, nonce.toString(), account.toLowerCase());
        return;
      }
      if (event.eventName === "ReceiptCounted") {
        count.run(event.args.jobId, event.args.receiptHash, event.blockNumber);
        return;
      }
      const end = endOf(event);
      if (end === undefined) return;
      const { as, settleTx, receiptHash, jobId, index } = end;
      const place = index === null ? null : index.toString();
      close.run(event.blockNumber, as, settleTx, receiptHash, jobId, place);
    },
    rewind(ancestor) {
      remove.run(ancestor);
      unopen.run(ancestor);
      reopen.run(ancestor);
      uncount.run(ancestor);
    },
    open({ workloadId, deadlineFrom = 0n }) {
      return guarded(() => selectOpen.all(workloadId ?? null, clamped(deadlineFrom))).map(toJob);
    },
    countOrders: () => guarded(() => readRow(countRow, "jobs", "count", countOrders.get()).count),
    openOrdersOf: ({ requester, payer }) =>
      guarded(() => selectOrders.all(requester.toLowerCase(), payer.toLowerCase())).map((row) => toJob(row).order),
    paidReceipts({ jobId, closedAs, receiptHash }) {
      if (closedAs !== "SettledOk" || receiptHash === null) return [];
      const counted = guarded(() => selectCounted.all(jobId)).map((row) => readRow(countedRow, "counted", jobId, row));
      return [receiptHash, ...counted.map(({ receipt_hash }) => receipt_hash)];
    },
    byId(jobId) {
      const row = guarded(() => selectOne.get(jobId.toLowerCase()));
      if (row === undefined) return undefined;
      const job = toJob(row);
      if (job.jobId !== jobId.toLowerCase()) throw new CorruptRowError("jobs", jobId);
      return job;
    },
    addOrder(jobId, { order, programUri, params, requesterSignature, payerSignature }) {
      const json = JSON.stringify(orderToJson(order));
      const what = [json, order.workloadId, clamped(order.deadline), programUri, hexToBytes(params)] as const;
      const signatures = [hexToBytes(requesterSignature), hexToBytes(payerSignature)] as const;
      guarded(() => insertOrder.run(jobId.toLowerCase(), ...what, ...signatures));
    },
    lapse(jobId, as) {
      guarded(() => lapse.run(as satisfies ClosedAs, jobId.toLowerCase()));
    },
  };
}

function isSame(one: Row, other: Row): boolean {
  const columns = Object.keys(one);
  return columns.length === Object.keys(other).length && columns.every((name) => isEqual(one[name], other[name]));
}

function isEqual(one: unknown, other: unknown): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array ? Buffer.compare(one, other) === 0 : one === other;
}
