/**
 * What tests of SQL programs share: inputs, a policy, programs, and the parser without a process around it.
 */
import { createRequire } from "node:module";
import { toTree } from "../../../../enclave/sandbox/engines/duckdb/guest.ts";
import { lock, openSession, type Session } from "../../../../enclave/sandbox/engines/duckdb/native.ts";
import { duckdb } from "../../../../protocol/engines.ts";
import type { JsonSchema } from "../../../../protocol/jsonSchema.ts";
import type { Policy } from "../../../../protocol/policy.ts";
import type { Manifest, Program } from "../../../../protocol/program.ts";
import { makeProgram } from "../makeProgram.ts";

/** An input of a manifest. */
export type Input = Manifest["inputs"][number];

/** Path of the addon. */
export const addon = createRequire(import.meta.url).resolve("@duckdb/node-bindings-linux-x64/duckdb.node");

/**
 * An input with columns written as `name:type`, separated by spaces.
 *
 * @example
 * input("people", "csv", "id:integer name:string")
 */
export function input(name: string, format: Input["format"], columns: string): Input {
  const list = columns.split(" ").map((column) => column.split(":"));
  return { name, format, columns: list.map(([own = "", type]) => ({ name: own, type: type as "string" })) };
}

/** See attempts.ts. */
export const people = [
  input("people", "csv", "id:integer name:string salary:integer bonus:integer email:string"),
  input("visits", "csv", "person:integer email:string place:string"),
  input("places", "csv", "place:string"),
];

/** See attempts.ts. */
export const guarded: Policy = {
  group: { k: 3, rows: "/rows", count: "n", units: { people: "id", visits: "person" }, otherwise: "omit" },
  columns: {
    people: { id: "hidden", salary: "aggregate", bonus: "aggregate", email: "join" },
    visits: { person: "hidden", email: "join" },
  },
};

/** Parameters `who` and `years`. */
export const whoAndYears: JsonSchema = {
  type: "object",
  properties: { who: { type: "string" }, years: { type: "array", items: { type: "integer" } } },
};

/**
 * A program of one statement.
 *
 * @example
 * const program = makeSql("SELECT count(*) AS n FROM places", people)
 */
export function makeSql(
  statement: string,
  inputs: Manifest["inputs"],
  {
    policy,
    params = whoAndYears,
    limits = {},
  }: { policy?: Policy; params?: JsonSchema; limits?: Partial<Manifest["limits"]> } = {},
): Program {
  return makeProgram(
    { "main.sql": statement },
    {
      runtime: duckdb,
      entry: "main.sql",
      inputs,
      params,
      output: { format: "json", schema: {}, maxBytes: 64 * 1024, ...(policy && { policy }) },
      limits: { fuel: 10 ** 9, memoryBytes: 256 * 1024 * 1024, ...limits },
    },
  );
}

let session: Promise<Session> | undefined;

/** As the worker has it parsed, without a process of its own: for tests of what is checked afterwards. */
export async function parseHere(request: Uint8Array): Promise<Uint8Array> {
  session ??= openSession(addon).then(async (opened) => {
    await lock(opened, 64 * 1024 * 1024, undefined);
    return opened;
  });
  return new TextEncoder().encode(await toTree(await session, new TextDecoder().decode(request)));
}
