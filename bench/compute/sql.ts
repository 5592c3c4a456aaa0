/** SQL in the sandbox, against the same DuckDB alone on the same files: a join and group-by of three million rows. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { openSandbox } from "../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../enclave/sandbox/wall.ts";
import { input, makeSql } from "../../test/enclave/sandbox/duckdb/sqlWorld.ts";
import { type Figure, rounds } from "./rounds.ts";
import { statement, vegaFile } from "./sqlQuery.ts";

/**
 * Time alone over time in the sandbox, each from the start of its process to the output: processes of native engines are
 * started for the job. Alone it reads its files from the disk; in the sandbox they come as bytes, and the output is checked.
 *
 * @example
 * const { value } = await measure()
 */
export async function measure(): Promise<Figure> {
  const program = makeSql(statement, [
    input("flights", "parquet", "date:timestamp delay:integer distance:integer origin:string destination:string"),
    input("airports", "csv", "iata:string state:string"),
  ]);
  const inputs = await Promise.all(["flights-3m.parquet", "airports.csv"].map((name) => readFile(vegaFile(name))));
  const script = new URL("bareDuckdb.ts", import.meta.url).pathname;
  const sandbox = await openSandbox({ wall: await findWall(), warm: 0 });
  try {
    return await rounds(7, async () => {
      const bareAt = performance.now();
      const { stdout } = spawnSync(process.execPath, [script], { encoding: "utf8" });
      const bareMs = performance.now() - bareAt;
      const bare: { rows: number } = JSON.parse(stdout);
      const startedAt = performance.now();
      const outcome = await sandbox.run({ program, inputs, params: {} });
      const sandboxMs = performance.now() - startedAt;
      const { rows } = (outcome.status === "ok" ? outcome.output : {}) as { rows?: unknown[] };
      if (rows?.length !== bare.rows) throw new TypeError(`they differ: ${JSON.stringify(outcome).slice(0, 100)}`);
      if (process.env.SHOW) console.log(stdout.trim(), bareMs, sandboxMs);
      return bareMs / sandboxMs;
    });
  } finally {
    await sandbox.close();
  }
}
