/**
 * Room: enclave/sandbox/engines/duckdb. DuckDB inside the sandbox process: one connection, locked. Runs on that side
 * only. The addon is loaded as it is, without the packages around it, which would look for it on the disk.
 */
import type * as Addon from "@duckdb/node-bindings";
import { Stop } from "../../guest.ts";

/** The functions of duckdb.node. */
export type Duckdb = typeof Addon;
/** A loaded addon and its one connection. */
export type Session = { duckdb: Duckdb; connection: Addon.Connection };

/**
 * Set once, for good: one thread, since sums of floats depend on their order; nothing from outside; no clock's zone.
 */
const settings = [
  "SET threads = 1",
  "SET TimeZone = 'UTC'",
  "SET temp_directory = ''",
  "SET max_temp_directory_size = '0B'",
  "SET autoload_known_extensions = false",
  "SET autoinstall_known_extensions = false",
  "SET allow_community_extensions = false",
  "SET allow_persistent_secrets = false",
  "SET max_expression_depth = 500",
];

/**
 * Loads the addon and opens a database in memory.
 *
 * @param path - of duckdb.node; libduckdb.so lies beside it.
 * @example
 * const session = await openSession("/opt/duckdb.node")
 */
export async function openSession(path: string): Promise<Session> {
  const module = { exports: {} as Duckdb };
  process.dlopen(module, path);
  const duckdb = module.exports;
  const connection = await duckdb.connect(await duckdb.open(":memory:"));
  return { duckdb, connection };
}

/**
 * Locks a session: from here on it reads below one folder only, and no setting changes.
 *
 * @param memoryBytes - what the engine may allocate.
 * @param folder - ends with a slash; none without data.
 * @example
 * await lock(session, 2 ** 28, "/data/")
 */
export async function lock(session: Session, memoryBytes: number, folder: string | undefined): Promise<void> {
  const own = [
    `SET memory_limit = '${Math.ceil(memoryBytes / 1024)}KiB'`,
    `SET allowed_directories = [${folder === undefined ? "" : text(folder)}]`,
    "SET enable_external_access = false",
    "SET lock_configuration = true",
  ];
  for (const sql of [...settings, ...own]) await execute(session, sql);
}

/**
 * Runs a statement of ours, with a string for each `?`.
 *
 * @returns its rows, when all its columns are VARCHAR; NULL is null.
 * @example
 * const [[version]] = await execute(session, "SELECT version()")
 */
export async function execute({ duckdb, connection }: Session, sql: string, ...values: string[]) {
  const statement = await duckdb.prepare(connection, sql);
  for (const [i, value] of values.entries()) duckdb.bind_varchar(statement, i + 1, value);
  const result = await duckdb.execute_prepared(statement);
  const rows: (string | null)[][] = [];
  if (duckdb.column_type(result, 0) !== varchar) return rows;
  const columns = duckdb.column_count(result);
  for (let chunk = await duckdb.fetch_chunk(result); chunk !== null; chunk = await duckdb.fetch_chunk(result)) {
    const size = duckdb.data_chunk_get_size(chunk);
    if (size === 0) break;
    const vectors = Array.from({ length: columns }, (_, i) => duckdb.data_chunk_get_vector(chunk, i));
    const readers = vectors.map((vector) => readText(duckdb, vector, size));
    for (let row = 0; row < size; row++) rows.push(readers.map((read) => read(row)));
  }
  return rows;
}

/** Type number of VARCHAR in duckdb.h. */
export const varchar = 17;

/**
 * Reads strings of a vector: 16 bytes each, its length and the text or a pointer to it. Source: duckdb_string_t in
 * duckdb.h.
 */
export function readText(duckdb: Duckdb, vector: Addon.Vector, size: number): (row: number) => string | null {
  const isNull = readNulls(duckdb, vector, size);
  const data = duckdb.vector_get_data(vector, size * 16);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (row) => {
    if (isNull(row)) return null;
    const length = view.getUint32(row * 16, true);
    const at = row * 16 + (length <= 12 ? 4 : 8);
    if (length <= 12) return decoder.decode(data.subarray(at, at + length));
    return decoder.decode(duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, data.byteOffset + at, length));
  };
}

/** Which rows of a vector are NULL. */
export function readNulls(duckdb: Duckdb, vector: Addon.Vector, size: number): (row: number) => boolean {
  const validity: Uint8Array | null = duckdb.vector_get_validity(vector, 8 * Math.ceil(size / 64));
  return (row) => validity !== null && !duckdb.validity_row_is_valid(validity, row);
}

/** A quoted string of ours. */
export function text(content: string): string {
  return `'${content.replaceAll("'", "''")}'`;
}

/** A quoted identifier of ours. */
export function name(content: string): string {
  return `"${content.replaceAll('"', '""')}"`;
}

/** An error of the engine as a failure without words. */
export function toStop(error: unknown, failure: Stop["failure"]): Stop {
  if (error instanceof Stop) return error;
  const message = error instanceof Error ? error.message : "";
  const outOfMemory = /^Out of Memory Error|bad_alloc|Array buffer allocation failed|Invalid string length/.test(
    message,
  );
  return new Stop(outOfMemory ? "MemoryExceeded" : failure);
}
