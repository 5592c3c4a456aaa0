/**
 * Room: enclave/store. The form of a row of `jobs`. Pure. The disk is the host's: what does not fit together is refused.
 */
import { bytesToHex, type Hex } from "viem";
import { z } from "zod";
import type { JobOrder } from "../../protocol/eip712.ts";
import { maxParamsBytes, maxProgramUriBytes, maxSignatureBytes } from "../../protocol/limits.ts";
import { orderSchema } from "../../protocol/receiptJson.ts";
import { bytes32, uintString } from "../../protocol/schemas.ts";
import type { JobOrigin } from "../jobs/ports.ts";
import { type ClosedAs, closedAs } from "./jobEnds.ts";
import { blockColumn, bytesColumn, jsonColumn } from "./rows.ts";

/** A job as the chain told of it, or an order as its requester gave it. */
export type Job = {
  jobId: Hex;
  /** Its number in the market's storage; null: an order that was not opened. */
  index: bigint | null;
  order: JobOrder;
  /** Not trusted: not covered by the job id. */
  programUri: string;
  params: Hex;
  origin: JobOrigin;
  openedBlock: bigint | null;
  closedBlock: bigint | null;
  closedAs: ClosedAs | null;
  /** Transaction that settled it. */
  settleTx: Hex | null;
  /** EIP-712 hash of the receipt that settled it: tells which of several outcomes it was. */
  receiptHash: Hex | null;
};

const maxInteger = 2n ** 63n - 1n;

/** One row. */
export const jobRow = z
  .strictObject({
    job_id: bytes32,
    idx: uintString.nullable(),
    order_json: jsonColumn(orderSchema, 16 * 1024),
    workload_id: bytes32,
    deadline: z.bigint(),
    program_uri: z.string().max(maxProgramUriBytes),
    params: bytesColumn(maxParamsBytes),
    requester_signature: bytesColumn(maxSignatureBytes).nullable(),
    payer_signature: bytesColumn(maxSignatureBytes).nullable(),
    opened_block: blockColumn.nullable(),
    opened_hash: bytes32.nullable(),
    closed_block: blockColumn.nullable(),
    closed_as: z.enum(closedAs).nullable(),
    settle_tx: bytes32.nullable(),
    receipt_hash: bytes32.nullable(),
  })
  .refine((row) => (row.closed_block === null) === (row.closed_as === null))
  .refine((row) => (row.settle_tx !== null) === (row.closed_as?.startsWith("Settled") ?? false))
  .refine((row) => (row.settle_tx !== null) === (row.receipt_hash !== null))
  .refine((row) => (row.idx === null) === (row.opened_block === null))
  .refine((row) => (row.idx === null) === (row.opened_hash === null))
  .refine((row) => (row.requester_signature === null) === (row.payer_signature === null))
  .refine((row) => row.idx !== null || row.requester_signature !== null)
  .refine((row) => row.workload_id === row.order_json.workloadId)
  .refine((row) => row.deadline === clamped(row.order_json.deadline));

/**
 * How a job came to this worker.
 *
 * @example
 * originOf(readRow(jobRow, "jobs", key, row))
 */
export function originOf(row: z.output<typeof jobRow>): JobOrigin {
  if (row.idx !== null && row.opened_hash !== null) {
    return { by: "opening", index: row.idx, openedHash: row.opened_hash };
  }
  return {
    by: "signature",
    requesterSignature: bytesToHex(row.requester_signature ?? new Uint8Array()),
    payerSignature: bytesToHex(row.payer_signature ?? new Uint8Array()),
  };
}

/** Deadlines beyond SQLite's integers are all alike: never. */
export function clamped(seconds: bigint): bigint {
  return seconds < maxInteger ? seconds : maxInteger;
}
