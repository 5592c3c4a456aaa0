/**
 * Room: enclave/store. What this worker's enclaves signed: receipts and sealed results. Written before anything is sent.
 * An outcome read back is proven by its signature; its ciphertext by the receipt's `resultHash`.
 */
import type { DatabaseSync } from "node:sqlite";
import { secp256k1 } from "@noble/curves/secp256k1";
import { type Address, bytesToHex, getAddress, type Hex, hexToBytes, isAddressEqual, sha256, zeroHash } from "viem";
import { publicKeyToAddress } from "viem/accounts";
import { z } from "zod";
import { type Domain, hashReceipt, type Receipt, receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { receiptSchema, receiptToJson } from "../../protocol/receiptJson.ts";
import { address, bytes32 } from "../../protocol/schemas.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** Largest sealed result that is kept. */
export const maxResultBytes = 32 * 1024 * 1024;

/** A signed receipt and what it is about. */
export type Outcome = {
  jobId: Hex;
  signer: Address;
  receipt: Receipt;
  /** 65 bytes r || s || v. */
  signature: Hex;
  /** Null if the receipt is Failed. */
  resultCiphertext: Uint8Array | null;
  /** Unix seconds, by the worker's clock. */
  createdAt: number;
};

/** Access to the outcomes. */
export type OutcomesTable = {
  save(outcome: Outcome): void;
  byJob(jobId: Hex, signer?: Address): Outcome | undefined;
};

const outcomeRow = z.strictObject({
  job_id: bytes32,
  signer: address,
  receipt_json: jsonColumn(receiptSchema, 8 * 1024),
  signature: bytesColumn(65),
  result_ciphertext: bytesColumn(maxResultBytes).nullable(),
  created_at: z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER)).transform(Number),
});

/**
 * @param domain - of the JobMarket: receipts are signed under it.
 * @throws from `save`: {@link BadOutcomeError}, {@link OutcomeExistsError}; from `byJob`: {@link CorruptRowError}.
 * @example
 * const outcomes = outcomesTable(db, domain)
 */
export function outcomesTable(db: DatabaseSync, domain: Domain): OutcomesTable {
  const insert = db.prepare(
    `INSERT INTO outcomes (job_id, signer, receipt_json, signature, result_ciphertext, created_at)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, signer) DO NOTHING`,
  );
  const select = db.prepare(
    "SELECT * FROM outcomes WHERE job_id = ?1 AND (?2 IS NULL OR signer = ?2) ORDER BY created_at DESC, rowid DESC LIMIT 1",
  );

  function byJob(jobId: Hex, signer?: Address): Outcome | undefined {
    const id = jobId.toLowerCase();
    const row = guarded(() => select.get(id, signer?.toLowerCase() ?? null));
    if (row === undefined) return undefined;
    const read = readRow(outcomeRow, "outcomes", id, row);
    const outcome: Outcome = {
      jobId: read.job_id,
      signer: getAddress(read.signer),
      receipt: read.receipt_json,
      signature: bytesToHex(read.signature),
      resultCiphertext: read.result_ciphertext,
      createdAt: read.created_at,
    };
    const fault = faultOf(domain, outcome);
    if (fault !== undefined || outcome.jobId !== id) throw new CorruptRowError("outcomes", id);
    return outcome;
  }

  return {
    byJob,
    save(outcome) {
      const fault = faultOf(domain, outcome);
      if (fault !== undefined) throw new BadOutcomeError(outcome.jobId, fault);
      const { changes } = guarded(() =>
        insert.run(
          outcome.jobId.toLowerCase(),
          outcome.signer.toLowerCase(),
          JSON.stringify(receiptToJson(outcome.receipt)),
          hexToBytes(outcome.signature),
          outcome.resultCiphertext,
          outcome.createdAt,
        ),
      );
      if (changes !== 0n && changes !== 0) return;
      if (byJob(outcome.jobId, outcome.signer)?.signature === outcome.signature.toLowerCase()) return;
      throw new OutcomeExistsError(outcome.jobId, outcome.signer);
    },
  };
}

/** Why an outcome is not one: the signature covers every field of the receipt, the receipt the ciphertext. */
function faultOf(domain: Domain, outcome: Outcome): string | undefined {
  const { receipt, resultCiphertext, jobId } = outcome;
  if (receipt.jobId !== jobId.toLowerCase()) return "the receipt is for another job";
  const isOk = receipt.status === receiptStatus.ok;
  if (isOk !== (resultCiphertext !== null)) return "a result belongs to an Ok receipt, and to no other";
  if (resultCiphertext !== null && resultCiphertext.length > maxResultBytes) return "the result is too large";
  const resultHash = resultCiphertext === null ? zeroHash : sha256(resultCiphertext);
  if (receipt.resultHash !== resultHash) return "the result is not the receipt's";
  const signer = signerOf(hashReceipt(domain, receipt), outcome.signature);
  if (signer === undefined || !isAddressEqual(signer, outcome.signer)) return "the signature is not the signer's";
  return undefined;
}

/** Who signed; undefined if the signature is malformed. viem's own recovery is asynchronous, SQLite's work is not. */
function signerOf(digest: Hex, signature: Hex): Address | undefined {
  try {
    const bytes = hexToBytes(signature);
    const v = bytes[64];
    if (bytes.length !== 65 || (v !== 27 && v !== 28)) return undefined;
    const parsed = secp256k1.Signature.fromCompact(bytes.slice(0, 64)).addRecoveryBit(v - 27);
    if (parsed.hasHighS()) return undefined;
    return publicKeyToAddress(bytesToHex(parsed.recoverPublicKey(hexToBytes(digest)).toBytes(false)));
  } catch {
    return undefined; // noble throws for every malformed point or number
  }
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

/** The same enclave signed another receipt for this job before. Two receipts of one key would contradict each other. */
export class OutcomeExistsError extends BaseError {
  override readonly name = "Store.OutcomeExistsError";
  constructor(jobId: Hex, signer: Address) {
    super(`Enclave ${signer} signed another receipt for job ${jobId} before.`, {
      hint: "Send the receipt that is stored.",
    });
  }
}
