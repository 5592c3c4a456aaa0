/**
 * Room: enclave/store. The entries of the enclaves' append-only logs. Receipts commit to their order and number.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, readRow } from "./rows.ts";

/** Largest entry of a log. */
export const maxEntryBytes = 64 * 1024;

/** Access to the logs. */
export type LogTable = {
  append(logId: string, index: number, entry: Uint8Array): void;
  entries(logId: string): Uint8Array[];
};

const entryRow = z.strictObject({ idx: z.bigint(), entry: bytesColumn(maxEntryBytes) });

/**
 * @throws from `append`: {@link NotAppendableError}; from `entries`: {@link CorruptRowError}.
 * @example
 * const logs = logTable(db)
 */
export function logTable(db: DatabaseSync): LogTable {
  // One statement, so that nothing comes between the count and the insertion.
  const insert = db.prepare(
    `INSERT INTO log_entries (log_id, idx, entry) SELECT ?1, ?2, ?3
     WHERE ?2 = (SELECT coalesce(max(idx) + 1, 0) FROM log_entries WHERE log_id = ?1)`,
  );
  const selectOne = db.prepare("SELECT idx, entry FROM log_entries WHERE log_id = ? AND idx = ?");
  const selectAll = db.prepare("SELECT idx, entry FROM log_entries WHERE log_id = ? ORDER BY idx");

  return {
    append(logId, index, entry) {
      if (entry.length > maxEntryBytes || logId.length > 128) throw new NotAppendableError(logId, index);
      const { changes } = guarded(() => insert.run(logId, index, entry));
      if (changes !== 0n && changes !== 0) return;
      const row = guarded(() => selectOne.get(logId, index));
      const present = row && readRow(entryRow, "log_entries", `${logId}/${index}`, row).entry;
      if (present === undefined || Buffer.compare(present, entry) !== 0) throw new NotAppendableError(logId, index);
    },
    entries(logId) {
      return guarded(() => selectAll.all(logId)).map((row, i) => {
        const { idx, entry } = readRow(entryRow, "log_entries", `${logId}/${i}`, row);
        if (idx !== BigInt(i)) throw new CorruptRowError("log_entries", `${logId}/${i}`);
        return entry;
      });
    },
  };
}

/** An entry is too large, or not the next one of its log, or differs from the one that is there. */
export class NotAppendableError extends BaseError {
  override readonly name = "Store.NotAppendableError";
  readonly index: number;
  constructor(logId: string, index: number) {
    super(`Entry ${index} cannot be appended to log ${logId.slice(0, 128)}.`, {
      hint: `Entries are appended one by one, at most ${maxEntryBytes} bytes each, and never changed.`,
    });
    this.index = index;
  }
}
