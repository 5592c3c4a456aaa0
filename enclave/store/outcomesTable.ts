/**
 * Room: enclave/store. What this worker's enclaves signed: receipts and sealed results. Written before anything is sent.
 * An outcome read back is proven by its signature; its ciphertext by the receipt's `resultHash`.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Address, bytesToHex, getAddress, type Hex, hexToBytes, isAddressEqual, sha256, zeroHash } from "viem";
import { z } from "zod";
import { type Domain, hashReceipt, type Receipt, receiptStatus, type SignedGrant } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { grantToJson, signedGrantSchema } from "../../protocol/grantPackage.ts";
import { maxDatasets, maxSealedResultBytes } from "../../protocol/limits.ts";
import { receiptSchema, receiptToJson } from "../../protocol/receiptJson.ts";
import { address, bytes32 } from "../../protocol/schemas.ts";
import { recoverSigner } from "../../protocol/signature.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** A signed receipt and what it is about. */
export type Outcome = {
  jobId: Hex;
  signer: Address;
  receipt: Receipt;
  /** 65 bytes r || s || v. */
  signature: Hex;
  /** What the market asks for besides an Ok receipt; empty if it is Failed. Public statements, no secrets. */
  grants: readonly SignedGrant[];
  /** Null if the receipt is Failed. */
  resultCiphertext: Uint8Array | null;
  /** Unix seconds, by the worker's clock. */
  createdAt: number;
};

/** Access to the outcomes. */
export type OutcomesTable = {
  /** @param receiptHash - of its receipt. */
  save(outcome: Outcome, receiptHash: Hex): void;
  /** The newest, or the one of a given receipt's EIP-712 hash. */
  byJob(jobId: Hex, receiptHash?: Hex): Outcome | undefined;
  /** The same without its result, which may be large. */
  signed(jobId: Hex, receiptHash?: Hex): SignedOutcome | undefined;
  /** Bytes of the result of one: as the disk says, unproven. */
  resultBytes(jobId: Hex, receiptHash: Hex): number | undefined;
  /** The receipt of one signer that commits to most of its log. Looks at every outcome. */
  lastReceipt(signer: Address): Pick<Outcome, "receipt" | "signature" | "signer"> | undefined;
};

/** An outcome but for its result. */
export type SignedOutcome = Omit<Outcome, "resultCiphertext" | "createdAt">;

const outcomeRow = z.strictObject({
  job_id: bytes32,
  receipt_hash: bytes32,
  signer: address,
  receipt_json: jsonColumn(receiptSchema, 8 * 1024),
  signature: bytesColumn(65),
  grants_json: jsonColumn(z.array(signedGrantSchema).max(maxDatasets), 128 * 1024),
  result_ciphertext: bytesColumn(maxSealedResultBytes).nullable(),
  created_at: z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER)).transform(Number),
});

const sizeRow = z.strictObject({ bytes: z.bigint().min(0n).max(BigInt(maxSealedResultBytes)).transform(Number) });

const receiptRow = outcomeRow.pick({ receipt_json: true, signature: true });
const signedRow = outcomeRow.omit({ result_ciphertext: true, created_at: true });

/**
 * @param domain - of the JobMarket: receipts are signed under it.
 * @throws from `save`: {@link BadOutcomeError}; else: {@link CorruptRowError}.
 * @example
 * const outcomes = outcomesTable(db, domain)
 */
export function outcomesTable(db: DatabaseSync, domain: Domain): OutcomesTable {
  const insert = db.prepare(
    `INSERT INTO outcomes (job_id, receipt_hash, signer, receipt_json, signature, grants_json, result_ciphertext,
       created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, signature) DO NOTHING`,
  );
  const select = db.prepare(
    "SELECT * FROM outcomes WHERE job_id = ?1 AND (?2 IS NULL OR receipt_hash = ?2) ORDER BY rowid DESC LIMIT 1",
  );

  const selectSigned = db.prepare(
    `SELECT job_id, receipt_hash, signer, receipt_json, signature, grants_json FROM outcomes
     WHERE job_id = ?1 AND (?2 IS NULL OR receipt_hash = ?2) ORDER BY rowid DESC LIMIT 1`,
  );
  const selectSize = db.prepare(
    `SELECT length(result_ciphertext) AS bytes FROM outcomes
     WHERE job_id = ? AND receipt_hash = ? AND result_ciphertext IS NOT NULL ORDER BY rowid DESC LIMIT 1`,
  );

  const selectLast = db.prepare(
    `SELECT receipt_json, signature FROM outcomes WHERE signer = ?
     ORDER BY CASE WHEN json_valid(receipt_json) THEN CAST(receipt_json ->> '$.logSize' AS INTEGER) END DESC LIMIT 1`,
  );

  function lastReceipt(signer: Address) {
    const row = guarded(() => selectLast.get(signer.toLowerCase()));
    if (row === undefined) return undefined;
    const { receipt_json: receipt, signature: bytes } = readRow(receiptRow, "outcomes", signer, row);
    const signature = bytesToHex(bytes);
    if (!isSigned(hashReceipt(domain, receipt), signature, signer)) throw new CorruptRowError("outcomes", signer);
    return { receipt, signature, signer };
  }

  function signed(jobId: Hex, receiptHash?: Hex): SignedOutcome | undefined {
    const id = jobId.toLowerCase();
    const row = guarded(() => selectSigned.get(id, receiptHash?.toLowerCase() ?? null));
    if (row === undefined) return undefined;
    const read = readRow(signedRow, "outcomes", id, row);
    const signer = getAddress(read.signer);
    const signature = bytesToHex(read.signature);
    const hash = hashReceipt(domain, read.receipt_json);
    const isHash = hash === read.receipt_hash && (receiptHash === undefined || hash === receiptHash.toLowerCase());
    const isMeant = read.job_id === id && read.receipt_json.jobId === id && isHash;
    if (!isMeant || !isSigned(hash, signature, signer)) throw new CorruptRowError("outcomes", id);
    return { jobId: read.job_id, signer, receipt: read.receipt_json, signature, grants: read.grants_json };
  }

  function byJob(jobId: Hex, receiptHash?: Hex): Outcome | undefined {
    const id = jobId.toLowerCase();
    const row = guarded(() => select.get(id, receiptHash?.toLowerCase() ?? null));
    if (row === undefined) return undefined;
    const read = readRow(outcomeRow, "outcomes", id, row);
    const outcome: Outcome = {
      jobId: read.job_id,
      signer: getAddress(read.signer),
      receipt: read.receipt_json,
      signature: bytesToHex(read.signature),
      grants: read.grants_json,
      resultCiphertext: read.result_ciphertext,
      createdAt: read.created_at,
    };
    const hash = hashReceipt(domain, outcome.receipt);
    const fault = faultOf(outcome, hash);
    const isMeant = outcome.jobId === id && read.receipt_hash === hash;
    if (fault !== undefined || !isMeant) throw new CorruptRowError("outcomes", id);
    return outcome;
  }

  return {
    byJob,
    signed,
    resultBytes(jobId, receiptHash) {
      const id = jobId.toLowerCase();
      const row = guarded(() => selectSize.get(id, receiptHash.toLowerCase()));
      return row === undefined ? undefined : readRow(sizeRow, "outcomes", id, row).bytes;
    },
    lastReceipt,
    save(outcome, receiptHash) {
      const fault = faultOf(outcome, receiptHash);
      if (fault !== undefined) throw new BadOutcomeError(outcome.jobId, fault);
      guarded(() =>
        insert.run(
          outcome.jobId.toLowerCase(),
          receiptHash,
          outcome.signer.toLowerCase(),
          JSON.stringify(receiptToJson(outcome.receipt)),
          hexToBytes(outcome.signature),
          JSON.stringify(outcome.grants.map(({ grant, signature }) => ({ grant: grantToJson(grant), signature }))),
          outcome.resultCiphertext,
          outcome.createdAt,
        ),
      );
    },
  };
}

/** Why an outcome is not one: the signature covers every field of the receipt, the receipt the ciphertext. */
function faultOf(outcome: Outcome, receiptHash: Hex): string | undefined {
  const { receipt, resultCiphertext, jobId } = outcome;
  if (receipt.jobId !== jobId.toLowerCase()) return "the receipt is for another job";
  const isOk = receipt.status === receiptStatus.ok;
  if (isOk !== (resultCiphertext !== null)) return "a result belongs to an Ok receipt, and to no other";
  if (resultCiphertext !== null && resultCiphertext.length > maxSealedResultBytes) return "the result is too large";
  const resultHash = resultCiphertext === null ? zeroHash : sha256(resultCiphertext);
  if (receipt.resultHash !== resultHash) return "the result is not the receipt's";
  return isSigned(receiptHash, outcome.signature, outcome.signer) ? undefined : "the signature is not the signer's";
}

function isSigned(receiptHash: Hex, signature: Hex, signer: Address): boolean {
  const actual = recoverSigner(receiptHash, signature);
  return actual !== undefined && isAddressEqual(actual, signer);
}

/** What was to be saved is not a signed receipt with its result. */
export class BadOutcomeError extends BaseError {
  override readonly name = "Store.BadOutcomeError";
  readonly fact: string;
  constructor(jobId: Hex, fact: string) {
    super(`The outcome of job ${jobId} was not saved: ${fact}.`, { hint: "This is a fault in the worker: report it." });
    this.fact = fact;
  }
}
