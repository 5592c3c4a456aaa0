/**
 * Room: enclave/store. What programs printed, sealed to readers. A row is proven by the receipt that it belongs to: the log
 * that the receipt commits to has its hash.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "viem";
import { z } from "zod";
import type { Receipt } from "../../protocol/eip712.ts";
import { BadPrintsError, maxSealedPrintsBytes, provePrints, type SealedPrints } from "../../protocol/prints.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { guarded } from "./database.ts";
import { BadOutcomeError } from "./outcomesTable.ts";
import { blockColumn, bytesColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** Access to the prints. */
export type PrintsTable = {
  /** @param receiptHash - its EIP-712 hash. */
  save(receipt: Receipt, receiptHash: Hex, sealed: SealedPrints): void;
  /** @param receipt - whose signature has been checked. */
  of(receipt: Receipt, receiptHash: Hex): SealedPrints | undefined;
};

const printsRow = z.strictObject({
  ciphertext: bytesColumn(maxSealedPrintsBytes),
  entry: bytesColumn(1024),
  idx: blockColumn.transform(Number),
  proof_json: jsonColumn(z.array(bytes32).max(53), 4096),
});

/**
 * @throws from `save`: {@link BadOutcomeError}; from `of`: {@link CorruptRowError}.
 * @example
 * const prints = printsTable(db)
 */
export function printsTable(db: DatabaseSync): PrintsTable {
  const insert = db.prepare(
    `INSERT INTO prints (job_id, receipt_hash, ciphertext, entry, idx, proof_json) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (job_id, receipt_hash) DO NOTHING`,
  );
  const select = db.prepare(
    "SELECT ciphertext, entry, idx, proof_json FROM prints WHERE job_id = ? AND receipt_hash = ?",
  );
  return {
    save(receipt, receiptHash, sealed) {
      if (!isProven(sealed, receipt)) throw new BadOutcomeError(receipt.jobId, "the prints are not the receipt's");
      const { ciphertext, entry, index, proof } = sealed;
      guarded(() => insert.run(receipt.jobId, receiptHash, ciphertext, entry, index, JSON.stringify(proof)));
    },
    of(receipt, receiptHash) {
      const row = guarded(() => select.get(receipt.jobId, receiptHash.toLowerCase()));
      if (row === undefined) return undefined;
      const { ciphertext, entry, idx: index, proof_json: proof } = readRow(printsRow, "prints", receipt.jobId, row);
      const sealed = { ciphertext, entry, index, proof };
      if (!isProven(sealed, receipt)) throw new CorruptRowError("prints", receipt.jobId);
      return sealed;
    },
  };
}

function isProven(sealed: SealedPrints, receipt: Receipt): boolean {
  try {
    provePrints(sealed, receipt);
    return sealed.ciphertext.length <= maxSealedPrintsBytes;
  } catch (error) {
    if (error instanceof BadPrintsError) return false;
    throw error;
  }
}
