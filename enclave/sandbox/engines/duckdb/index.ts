/**
 * Room: enclave/sandbox/engines/duckdb. SQL on DuckDB, as the worker sees it: the statement is parsed in a process
 * without data, checked and written anew here, and only that text runs on data.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { duckdb } from "../../../../protocol/engines.ts";
import type { Manifest, Program } from "../../../../protocol/program.ts";
import { readGuestCode, requirePinned } from "../../guestCode.ts";
import type { Engine, EngineParts, RunWithoutData } from "../engine.ts";
import type { Prepared } from "./guest.ts";
import { paramColumns } from "./scope.ts";
import { rewrite } from "./statement.ts";
import { ColumnRefusedError, maxStatementBytes, refuse, StatementRefusedError } from "./tree.ts";

const mebibyte = 1024 * 1024;

/**
 * The SQL engine.
 *
 * @example
 * const outcome = await duckdbEngine.prepare?.(program, run)
 */
export const duckdbEngine: Engine = {
  runtime: duckdb,
  native: true,
  formats: ["csv", "json", "parquet"],
  load,
  memory: ({ memoryBytes }) => ({
    wasmBytes: 0,
    heapBytes: 256 * mebibyte,
    // The engine's own limit does not count everything; its code and tables take about 150 MiB before the first row.
    nativeBytes: 256 * mebibyte + 2 * memoryBytes,
  }),
  prepare: async (program, run) => {
    try {
      return { prepared: new TextEncoder().encode(JSON.stringify(await checkStatement(program, run))) };
    } catch (error) {
      if (error instanceof StatementRefusedError || error instanceof ColumnRefusedError)
        return { failure: error.failure, reason: error.message };
      throw error;
    }
  },
};

/**
 * Checks the statement of a program.
 *
 * @param run - parses it in a process without data.
 * @returns the SQL that is run in its place, to read and to run.
 * @throws `StatementRefusedError` | `ColumnRefusedError`, which say why.
 * @example
 * const { sql } = await checkStatement(program, run)
 */
export async function checkStatement(program: Program, run: RunWithoutData): Promise<Prepared> {
  const { manifest, files } = program;
  const statement = files.get(manifest.entry) ?? new Uint8Array();
  if (manifest.files.length !== 1) refuse("is not the only file of the program");
  if (statement.length > maxStatementBytes) refuse(`has ${statement.length} bytes, limit ${maxStatementBytes}`);
  if (statement.includes(0)) refuse("has a zero byte");
  const limits: Manifest["limits"] = { fuel: 1, memoryBytes: 64 * mebibyte, wallMs: 30_000 };
  const tree = (await run(statement, limits)) ?? refuse("cannot be parsed");
  return { sql: rewrite(manifest, tree), params: paramColumns(manifest.params) };
}

async function load(): Promise<EngineParts> {
  const bindings = createRequire(import.meta.url).resolve("@duckdb/node-bindings-linux-x64/duckdb.node");
  const nativeFiles = [bindings, join(bindings, "..", "libduckdb.so")];
  const hashes = await Promise.all(nativeFiles.map(sha256));
  requirePinned(duckdb, Buffer.concat(hashes));
  const here = (file: string) => new URL(file, import.meta.url);
  const code = await readGuestCode({
    guest: here("guest.ts"),
    "./native.ts": here("native.ts"),
    "./parquetSchema.ts": here("parquetSchema.ts"),
    "./rows.ts": here("rows.ts"),
    "./tables.ts": here("tables.ts"),
  });
  return { code, artifacts: [new TextEncoder().encode(bindings)], pinnedWasm: false, nativeFiles };
}

async function sha256(path: string): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest();
}
