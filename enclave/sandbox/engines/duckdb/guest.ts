/**
 * Room: enclave/sandbox/engines/duckdb. Drives DuckDB inside the sandbox process. It does one of two things: without
 * data, it turns a statement into its syntax tree; with data, it runs SQL that the worker has written itself
 * (statement.ts).
 */
import { statSync } from "node:fs";
import type * as Addon from "@duckdb/node-bindings";
import { type GuestJob, type LoadGuest, type Meter, Stop } from "../../guest.ts";
import { execute, lock, name, openSession, type Session, text, toStop } from "./native.ts";
import { writeRows } from "./rows.ts";
import { readWhole, showInput } from "./tables.ts";

/** What the worker prepares: SQL, and the columns of the table `params`. */
export type Prepared = { sql: string; params: readonly { name: string; type: string }[] };

/** Statement type of SELECT in duckdb.h. */
const selectType = 1;

/**
 * Entry point, see ../../guest.ts.
 *
 * @param artifacts - one: the path of duckdb.node.
 * @example
 * const run = await load([new TextEncoder().encode("/opt/duckdb.node")])
 */
export const load: LoadGuest = async ([path]) => {
  const session = await openSession(new TextDecoder().decode(path));
  return (job, meter) => (job.inputs.length === 0 ? parse(session, job) : run(session, job, meter));
};

/** Answers the worker's request: the statement in `job.prepared`. */
async function parse(session: Session, job: GuestJob): Promise<Uint8Array> {
  try {
    await lock(session, job.limits.memoryBytes, undefined);
    return new TextEncoder().encode(await toTree(session, decode(job.prepared)));
  } catch (error) {
    throw toStop(error, "ProgramTrapped");
  }
}

/**
 * The syntax tree of a statement, or DuckDB's word that there is none, as JSON.
 *
 * @example
 * const json = await toTree(session, "SELECT 1")
 */
export async function toTree(session: Session, statement: string): Promise<string> {
  const call = "json_serialize_sql(?::VARCHAR, skip_default := true, skip_null := true)";
  const [row] = await execute(session, `SELECT CAST(${call} AS VARCHAR)`, statement);
  return row?.[0] ?? "";
}

async function run(session: Session, job: GuestJob, meter: Meter): Promise<Uint8Array> {
  const prepared: Prepared = JSON.parse(decode(job.prepared));
  // The engine counts no steps. What a run costs is bounded by time and memory; fuel is the bytes that go in and out.
  const spend = (bytes: number) => {
    meter.fuel += bytes;
    if (meter.fuel > job.limits.fuel) throw new Stop("FuelExhausted");
  };
  spend(job.inputs.reduce((sum, { path }) => sum + (path === undefined ? 0 : statSync(path).size), 0));
  const [first] = job.inputs;
  const folder = first?.path?.slice(0, first.path.lastIndexOf("/") + 1);
  await lock(session, job.limits.memoryBytes, folder);
  const explain = (error: unknown) => {
    if (job.limits.printsBytes > 0 && !(error instanceof Stop)) meter.print(String(error));
  };
  try {
    for (const input of job.inputs) await showInput(session, input);
  } catch (error) {
    explain(error);
    throw toStop(error, "InputMismatch");
  }
  try {
    await makeParams(session, prepared.params, decode(job.params));
    const result = await query(session, prepared.sql);
    const json = await writeRows(session.duckdb, result, job.limits.outputBytes);
    spend(json.length);
    return new TextEncoder().encode(json);
  } catch (error) {
    explain(error);
    const stop = toStop(error, "ProgramTrapped");
    throw stop.failure === "ProgramTrapped" ? await blame(session, job) : stop;
  }
}

/** Values are read as a statement needs them, so that a bad one shows late: as an error of the statement. */
async function blame(session: Session, job: GuestJob): Promise<Stop> {
  try {
    for (const input of job.inputs) await readWhole(session, input);
    return new Stop("ProgramTrapped");
  } catch (error) {
    return toStop(error, "InputMismatch");
  }
}

/** One row. Values are bound as one string of JSON: none is ever part of SQL text. */
async function makeParams(session: Session, columns: Prepared["params"], params: string): Promise<void> {
  if (columns.length === 0) return;
  const shape = columns.map((column) => [
    column.name,
    column.type.endsWith("[]") ? [column.type.slice(0, -2)] : column.type,
  ]);
  await execute(
    session,
    `CREATE TABLE params (${columns.map((column) => `${name(column.name)} ${column.type}`).join(", ")})`,
  );
  const struct = `from_json_strict(CAST(? AS JSON), ${text(JSON.stringify(Object.fromEntries(shape)))})`;
  const given = JSON.parse(params) as Readonly<Record<string, unknown>>;
  const row = Object.fromEntries(columns.map(({ name: key }) => [key, Object.hasOwn(given, key) ? given[key] : null])); // absent is NULL
  await execute(session, `INSERT INTO params SELECT unnest(${struct})`, JSON.stringify(row));
}

async function query({ duckdb, connection }: Session, sql: string): Promise<Addon.Result> {
  const statement = await duckdb.prepare(connection, sql);
  if (duckdb.prepared_statement_type(statement) !== selectType) throw new Stop("ProgramTrapped");
  return duckdb.execute_prepared_streaming(statement);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
