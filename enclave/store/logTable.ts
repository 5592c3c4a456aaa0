/**
 * Room: enclave/store. The entries of the enclaves' append-only logs. Receipts commit to their order and number.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { maxEntryBytes } from "../../protocol/logEntry.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, readRow } from "./rows.ts";

/** Access to the logs. */
export type LogTable = {
  /** What it stores outlives this process at once, and a power cut from the next transaction or `sync` on. */
  append(logId: string, index: number, entry: Uint8Array): void;
  /** All that was appended is on disk when this returns. */
  sync(): void;
  /** Entries from an index on, at most so many. */
  entries(logId: string, from: number, count: number): Uint8Array[];
  /** Ids of the logs that were appended to last, newest first. Looks at every entry. */
  ids(most: number): string[];
};

const idRow = z.strictObject({ log_id: z.string().max(128) });
const entryRow = z.strictObject({ idx: z.bigint(), entry: bytesColumn(maxEntryBytes) });

/**
 * @throws from `append`: {@link NotAppendableError}; from `entries` and `ids`: {@link CorruptRowError}.
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
  const selectRange = db.prepare(
    "SELECT idx, entry FROM log_entries WHERE log_id = ? AND idx >= ? ORDER BY idx LIMIT ?",
  );
  const touch = db.prepare("UPDATE deployment SET id = id");
  let isSynced = true;

  /** As `guarded`, without waiting for the disk: with a write-ahead log, what is committed later takes this along. */
  function unsynced<T>(work: () => T): T {
    return guarded(() => {
      db.exec("PRAGMA synchronous = NORMAL");
      try {
        return work();
      } finally {
        db.exec("PRAGMA synchronous = FULL");
      }
    });
  }

  const selectIds = db.prepare("SELECT log_id FROM log_entries GROUP BY log_id ORDER BY max(rowid) DESC LIMIT ?");

  return {
    append(logId, index, entry) {
      if (entry.length > maxEntryBytes || logId.length > 128) throw new NotAppendableError(logId, index);
      const { changes } = unsynced(() => insert.run(logId, index, entry));
      isSynced = false;
      if (changes !== 0n && changes !== 0) return;
      const row = guarded(() => selectOne.get(logId, index));
      const present = row && readRow(entryRow, "log_entries", `${logId}/${index}`, row).entry;
      if (present === undefined || Buffer.compare(present, entry) !== 0) throw new NotAppendableError(logId, index);
    },
    sync() {
      if (isSynced) return;
      guarded(() => touch.run());
      isSynced = true;
    },
    entries(logId, from, count) {
      return guarded(() => selectRange.all(logId, from, count)).map((row, i) => {
        const key = `${logId}/${from + i}`;
        const { idx, entry } = readRow(entryRow, "log_entries", key, row);
        if (idx !== BigInt(from + i)) throw new CorruptRowError("log_entries", key);
        return entry;
      });
    },
    ids(most) {
      return guarded(() => selectIds.all(most)).map((row) => readRow(idRow, "log_entries", "log_id", row).log_id);
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
