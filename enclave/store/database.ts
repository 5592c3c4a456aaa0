/**
 * Room: enclave/store. Opens `worker.db`: one process, owner-only, durable, of our schema and nothing else.
 * Touches: the data directory. The file is the host's to change: what is read from it is checked row by row (rows.ts).
 */
import { chmodSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BaseError } from "../../protocol/errors.ts";
import { applicationId, schemaVersion, tables } from "./schema.ts";

/** SQLite's primary result codes that have errors of their own. Source: sqlite.org/rescode.html */
const sqlite = { busy: 5, corrupt: 11, notADatabase: 26 } as const;

/**
 * Opens the database in a directory, making both if need be, and locks it until it is closed or the process ends.
 *
 * @throws {@link StoreLockedError}, {@link StoreSchemaError}, {@link StoreFailedError}.
 * @example
 * const db = openDatabase("/var/lib/dcm")
 */
export function openDatabase(dir: string): DatabaseSync {
  const path = join(dir, "worker.db");
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Made by us, so that it is never readable by others; SQLite gives its journal the same mode.
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    chmodSync(path, 0o600);
    db = new DatabaseSync(path, { enableForeignKeyConstraints: true, readBigInts: true, defensive: true, timeout: 0 });
    // Exclusive mode keeps SQLite's own lock for the life of the connection: a dead process holds none.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec("BEGIN EXCLUSIVE; COMMIT");
    prepareSchema(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof BaseError ? error : toStoreError(path, error);
  }
}

/** Makes the tables in an empty file; otherwise they must be ours, to the letter: no trigger or view of another's. */
function prepareSchema(db: DatabaseSync, path: string): void {
  const found = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").all();
  const { application_id } = db.prepare("PRAGMA application_id").get() as { application_id: bigint };
  const { user_version } = db.prepare("PRAGMA user_version").get() as { user_version: bigint };
  if (found.length === 0 && application_id === 0n && user_version === 0n) {
    const stamp = `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`;
    db.exec(`BEGIN; ${tables.join(";")}; ${stamp}; COMMIT`);
    return;
  }
  if (application_id !== BigInt(applicationId)) throw new StoreSchemaError(path, "it is not a worker's store");
  if (user_version !== BigInt(schemaVersion)) {
    throw new StoreSchemaError(path, `its version is ${user_version}, this worker's is ${schemaVersion}`);
  }
  if (found.length !== tables.length || found.some(({ sql }, i) => sql !== tables[i])) {
    throw new StoreSchemaError(path, "its tables were altered");
  }
}

/**
 * Runs work on the database as one transaction: all of it is on disk when this returns, or none is.
 *
 * @throws what the work throws; {@link StoreFailedError} if SQLite fails.
 * @example
 * inTransaction(db, () => insertJob.run(...))
 */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  return guarded(() => {
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  });
}

/**
 * Runs one access to the database, with SQLite's failures as typed errors.
 *
 * @throws what the work throws on purpose; {@link StoreFailedError} otherwise.
 * @example
 * const row = guarded(() => selectJob.get(jobId))
 */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof BaseError ? error : toStoreError("worker.db", error);
  }
}

function toStoreError(path: string, error: unknown): BaseError {
  const code = ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff; // primary code of an extended one
  if (code === sqlite.busy) return new StoreLockedError(path);
  if (code === sqlite.corrupt || code === sqlite.notADatabase) {
    return new StoreFailedError(path, "the file is damaged or no database", error);
  }
  return new StoreFailedError(path, "SQLite or the file system refused", error);
}

/** Another process has the store open. */
export class StoreLockedError extends BaseError {
  override readonly name = "Store.StoreLockedError";
  constructor(path: string) {
    super(`${path} is in use by another process.`, {
      hint: "Run one worker per data directory: stop the other one, or give this one a directory of its own.",
    });
  }
}

/** The file is not a store of this version. */
export class StoreSchemaError extends BaseError {
  override readonly name = "Store.StoreSchemaError";
  readonly fact: string;
  constructor(path: string, fact: string) {
    super(`${path} cannot be used: ${fact}.`, {
      hint: "Move it away; the worker reads the chain again. Signed receipts and results in it are lost with it.",
    });
    this.fact = fact;
  }
}

/** The database could not be read or written. */
export class StoreFailedError extends BaseError {
  override readonly name = "Store.StoreFailedError";
  readonly fact: string;
  constructor(path: string, fact: string, cause: unknown) {
    super(`${path}: ${fact}.`, { hint: "Check disk space, permissions and the disk itself, then start again.", cause });
    this.fact = fact;
  }
}
