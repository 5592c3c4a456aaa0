import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { runProgram } from "../../enclave/sandbox/runProgram.ts";
import { duckdb } from "../../protocol/engines.ts";
import type { Program } from "../../protocol/program.ts";
import { readProgram } from "../../sdk/node/programDir.ts";

type Row = {
  phase: string;
  size: string;
  strikes: number;
  cost: number | null;
  speed: number | null;
  airports: number;
};

describe("programs/grouped-aggregates", () => {
  let program: Program;
  let strikes: Buffer;
  before(async () => {
    program = await readProgram(fileURLToPath(new URL("../../programs/grouped-aggregates", import.meta.url)));
    strikes = await readFile(new URL("../../node_modules/vega-datasets/data/birdstrikes.csv", import.meta.url));
  });
  const run = (input: Uint8Array, since: string) => runProgram({ program, inputs: [input], params: { since } });

  /** By hand: groups of at least 20 airports, and means over at least 20 airports that have a value. */
  function independently(since: string): Row[] {
    const groups = new Map<string, Record<string, string>[]>();
    for (const strike of parse(strikes, { columns: true }) as Record<string, string>[]) {
      if (!strike["Phase of flight"] || !strike["Airport Name"] || String(strike["Flight Date"]) < since) continue;
      const key = JSON.stringify([strike["Phase of flight"], strike["Wildlife Size"]]);
      groups.set(key, [...(groups.get(key) ?? []), strike]);
    }
    const airportsOf = (rows: Record<string, string>[]) => new Set(rows.map((row) => row["Airport Name"])).size;
    const mean = (rows: Record<string, string>[], column: string) => {
      const present = rows.filter((row) => row[column] !== "");
      const sum = present.reduce((total, row) => total + Number(row[column]), 0);
      return airportsOf(present) < 20 ? null : Math.round(sum / present.length);
    };
    return [...groups]
      .filter(([, rows]) => airportsOf(rows) >= 20)
      .map(([key, rows]) => ({
        phase: JSON.parse(key)[0],
        size: JSON.parse(key)[1],
        strikes: rows.length,
        cost: mean(rows, "Cost Total $"),
        speed: mean(rows, "Speed IAS in knots"),
        airports: airportsOf(rows),
      }))
      .sort((a, b) => b.strikes - a.strikes || (a.phase < b.phase ? -1 : 1) || (a.size < b.size ? -1 : 1));
  }

  it("is for the pinned engine", () => expect(program.manifest.runtime).to.deep.equal(duckdb));

  it("computes what is computed by hand", async () => {
    for (const since of ["1990-01-01", "2001-06-01"]) {
      const outcome = await run(strikes, since);
      expect(outcome.status === "ok" ? outcome.output : outcome).to.deep.equal({ rows: independently(since) });
    }
    expect(independently("1990-01-01").length).to.be.greaterThan(5);
  });

  it("releases nothing about fewer than 20 airports", async () => {
    const few = strikes.toString().split("\n").slice(0, 15).join("\n");
    const outcome = await run(Buffer.from(`${few}\n`), "1990-01-01");
    expect(outcome.status === "ok" && outcome.output).to.deep.equal({ rows: [] });
  });

  it("refuses other tables and parameters", async () => {
    expect(await run(Buffer.from("a,b\n1,2\n"), "1990-01-01")).to.include({ failure: "InputMismatch" });
    expect(await run(strikes, "1990")).to.include({ failure: "ParamsRefused" });
    const none = await run(strikes, "1990-99-99");
    expect(none.status === "ok" && none.output).to.deep.equal({ rows: [] });
  });
});
