/**
 * Room: enclave/store. The jobs that the chain knows, as its events tell of them.
 * A job read back is proven by its own id: the order hashes to it, the parameters to the order's `paramsHash`.
 */
import type { DatabaseSync } from "node:sqlite";
import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { z } from "zod";
import type { MarketEvent, MarketEventOf } from "../../protocol/chain/marketEvents.ts";
import { type Domain, hashOrder, type JobOrder, type JobState, receiptStatus } from "../../protocol/eip712.ts";
import { orderSchema, orderToJson } from "../../protocol/receiptJson.ts";
import { bytes32, uintString } from "../../protocol/schemas.ts";
import { guarded } from "./database.ts";
import { blockColumn, bytesColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** How a job can end. */
export type ClosedAs = Exclude<JobState, "None" | "Open">;

/** A job as the chain told of it. */
export type Job = {
  jobId: Hex;
  /** Its number in the market's storage. */
  index: bigint;
  order: JobOrder;
  /** Not trusted: not covered by the job id. */
  programUri: string;
  params: Hex;
  openedBlock: bigint;
  openedHash: Hex;
  closedBlock: bigint | null;
  closedAs: ClosedAs | null;
  /** Transaction that settled it. */
  settleTx: Hex | null;
  /** The enclave's signature of the receipt that settled it: tells which of several outcomes it was. */
  settleSignature: Hex | null;
};

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
  byId(jobId: Hex): Job | undefined;
};

const maxInteger = 2n ** 63n - 1n;

const jobRow = z
  .strictObject({
    job_id: bytes32,
    idx: uintString,
    order_json: jsonColumn(orderSchema, 16 * 1024),
    workload_id: bytes32,
    deadline: z.bigint(),
    program_uri: z.string().max(1024),
    params: bytesColumn(8192),
    opened_block: blockColumn,
    opened_hash: bytes32,
    closed_block: blockColumn.nullable(),
    closed_as: z.enum(["SettledOk", "SettledFailed", "Cancelled", "Expired"]).nullable(),
    settle_tx: bytes32.nullable(),
    settle_signature: bytesColumn(65).nullable(),
  })
  .refine((row) => (row.closed_block === null) === (row.closed_as === null))
  .refine((row) => (row.settle_tx !== null) === (row.closed_as?.startsWith("Settled") ?? false))
  .refine((row) => (row.settle_tx !== null) === (row.settle_signature !== null))
  .refine((row) => row.workload_id === row.order_json.workloadId)
  .refine((row) => row.deadline === clamped(row.order_json.deadline));

/**
 * @param domain - of the JobMarket: job ids are hashes under it.
 * @throws from the reads: {@link CorruptRowError}.
 * @example
 * const jobs = jobsTable(db, domain)
 */
export function jobsTable(db: DatabaseSync, domain: Domain): JobsTable {
  const insert = db.prepare(
    `INSERT INTO jobs (job_id, idx, order_json, workload_id, deadline, program_uri, params, opened_block, opened_hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO NOTHING`,
  );
  const close = db.prepare(
    `UPDATE jobs SET closed_block = ?, closed_as = ?, settle_tx = ?, settle_signature = ?
     WHERE job_id = ? AND idx = ? AND closed_block IS NULL`,
  );
  const remove = db.prepare("DELETE FROM jobs WHERE opened_block > ?");
  const reopen = db.prepare(
    `UPDATE jobs SET closed_block = NULL, closed_as = NULL, settle_tx = NULL, settle_signature = NULL
     WHERE closed_block > ?`,
  );
  const selectOne = db.prepare("SELECT * FROM jobs WHERE job_id = ?");
  const selectOpen = db.prepare(
    `SELECT * FROM jobs WHERE closed_block IS NULL AND (?1 IS NULL OR workload_id = ?1) AND deadline >= ?2
     ORDER BY length(idx), idx`,
  );

  function opened({ args, blockNumber, blockHash }: MarketEventOf<"JobOpened">): void {
    const { jobId, index, order, programUri, params } = args;
    const json = JSON.stringify(orderToJson(order));
    insert.run(
      jobId,
      index.toString(),
      json,
      order.workloadId,
      clamped(order.deadline),
      programUri,
      hexToBytes(params),
      blockNumber,
      blockHash,
    );
  }

  function toJob(row: { job_id?: unknown }): Job {
    const key = String(row.job_id);
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
      openedBlock: read.opened_block,
      openedHash: read.opened_hash,
      closedBlock: read.closed_block,
      closedAs: read.closed_as,
      settleTx: read.settle_tx,
      settleSignature: read.settle_signature === null ? null : bytesToHex(read.settle_signature),
    };
  }

  return {
    apply(event) {
      if (event.eventName === "JobOpened") return opened(event);
      const end = endOf(event);
      if (end === undefined) return;
      const { as, settleTx, settleSignature, jobId, index } = end;
      const signature = settleSignature === null ? null : hexToBytes(settleSignature);
      close.run(event.blockNumber, as, settleTx, signature, jobId, index.toString());
    },
    rewind(ancestor) {
      remove.run(ancestor);
      reopen.run(ancestor);
    },
    open({ workloadId, deadlineFrom = 0n }) {
      return guarded(() => selectOpen.all(workloadId ?? null, clamped(deadlineFrom))).map(toJob);
    },
    byId(jobId) {
      const row = guarded(() => selectOne.get(jobId.toLowerCase()));
      if (row === undefined) return undefined;
      const job = toJob(row);
      if (job.jobId !== jobId.toLowerCase()) throw new CorruptRowError("jobs", jobId);
      return job;
    },
  };
}

type End = { as: ClosedAs; settleTx: Hex | null; settleSignature: Hex | null; jobId: Hex; index: bigint };

function endOf(event: MarketEvent): End | undefined {
  switch (event.eventName) {
    case "JobSettled": {
      const { receipt, signature: settleSignature, jobId, index } = event.args;
      const as = receipt.status === receiptStatus.ok ? "SettledOk" : "SettledFailed";
      return { as, settleTx: event.transactionHash, settleSignature, jobId, index };
    }
    case "JobCancelled":
      return { as: "Cancelled", settleTx: null, settleSignature: null, ...event.args };
    case "JobExpired":
      return { as: "Expired", settleTx: null, settleSignature: null, ...event.args };
    default:
      return undefined;
  }
}

/** Deadlines beyond SQLite's integers are all alike: never. */
function clamped(seconds: bigint): bigint {
  return seconds < maxInteger ? seconds : maxInteger;
}
