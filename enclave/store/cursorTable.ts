/**
 * Room: enclave/store. How far the chain has been read.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Cursor, cursorToJson, readCursor } from "../../protocol/chain/cursor.ts";
import { guarded } from "./database.ts";
import { CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** A cursor with the most blocks it may remember takes about 700,000 characters. */
const cursorRow = z.strictObject({ json: jsonColumn(z.unknown(), 1024 * 1024) });

/** Access to the cursor. `save` is meant to run within a transaction. */
export type CursorTable = {
  load(): Cursor | undefined;
  save(cursor: Cursor): void;
};

/**
 * @throws from `load`: {@link CorruptRowError}.
 * @example
 * const cursor = cursorTable(db).load() ?? startCursor(0n)
 */
export function cursorTable(db: DatabaseSync): CursorTable {
  const select = db.prepare("SELECT json FROM cursor WHERE id = 1");
  const upsert = db.prepare(
    "INSERT INTO cursor (id, json) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
  );
  return {
    load() {
      const row = guarded(() => select.get());
      if (row === undefined) return undefined;
      const { json } = readRow(cursorRow, "cursor", "1", row);
      try {
        return readCursor(json);
      } catch (cause) {
        throw new CorruptRowError("cursor", "1", cause);
      }
    },
    save(cursor) {
      upsert.run(JSON.stringify(cursorToJson(cursor)));
    },
  };
}
