import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { runProgram } from "../../enclave/sandbox/runProgram.ts";
import { wasm } from "../../protocol/engines.ts";
import { checkProgram, type Program } from "../../protocol/program.ts";

const folder = new URL("../../programs/set-intersection/", import.meta.url);
const data = (name: string) => readFile(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url));
const encode = (text: string) => new TextEncoder().encode(text);

/** The same counts with another CSV reader and JavaScript's sets. */
function independently(first: Uint8Array, second: Uint8Array, [one, other]: readonly [string, string]) {
  const valuesOf = (csv: Uint8Array, column: string) => {
    const rows: Record<string, string>[] = parse(Buffer.from(csv), { columns: true });
    return new Set(rows.map((row) => row[column]).filter((value) => value !== ""));
  };
  const left = valuesOf(first, one);
  const right = valuesOf(second, other);
  return { both: left.intersection(right).size, left: left.size, right: right.size };
}

describe("programs/set-intersection", () => {
  let program: Program;
  let airports: Uint8Array;
  let flights: Uint8Array;

  before(async () => {
    const manifest = JSON.parse(await readFile(new URL("manifest.json", folder), "utf8"));
    const paths = ["main.wasm", "main.ts", "dcm.ts"];
    const files = await Promise.all(paths.map(async (path) => [path, await readFile(new URL(path, folder))] as const));
    program = checkProgram(manifest, new Map(files));
    [airports, flights] = await Promise.all([data("airports.csv"), data("flights-airport.csv")]);
  });

  const run = (first: Uint8Array, second: Uint8Array, left: string, right: string) =>
    runProgram({ program, inputs: [first, second], params: { left, right } });
  const failureOf = async (first: Uint8Array, second: Uint8Array) => {
    const outcome = await run(first, second, "a", "b");
    return outcome.status === "failed" ? outcome.failure : outcome.output;
  };
  const column = (name: string, values: readonly string[]) => encode(`${[name, ...values].join("\n")}\n`);
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

  it("is for the pinned engine", () => expect(program.manifest.runtime).to.deep.equal(wasm));

  it("counts the airports that flights leave from and go to", async () => {
    const outcome = await run(airports, flights, "iata", "origin");
    expect(outcome).to.deep.include({ status: "ok", output: { both: 303, left: 3376, right: 303 } });
    const again = await run(airports, flights, "iata", "origin");
    expect(again).to.deep.equal(outcome);
    const swapped = await run(flights, airports, "destination", "iata");
    expect(swapped).to.deep.include({ output: independently(flights, airports, ["destination", "iata"]) });
    expect(independently(airports, flights, ["iata", "origin"])).to.deep.equal({ both: 303, left: 3376, right: 303 });
  });

  it("reads quoted fields, line feeds of both kinds, and repeated and empty values", async () => {
    const tricky = ["x,y", 'say "no"', "two\nlines", "é", ...numbers(20)];
    const quoted = tricky.map((value) => `1,"${value.replaceAll('"', '""')}"`);
    const first = encode(["n,a", ...quoted, ...quoted, '2,""'].join("\r\n"));
    const second = encode(
      ["b,n", '"x,y",1', '"say ""no""",1', '"two\nlines",1', "é,1", ",1", ...numbers(30).map((n) => `${n},`)].join(
        "\n",
      ),
    );
    expect(await run(first, second, "a", "b")).to.deep.include({ output: independently(first, second, ["a", "b"]) });
    expect(independently(first, second, ["a", "b"])).to.deep.equal({ both: 24, left: 24, right: 34 });
  });

  it("refuses tables that it cannot read, and does not answer about few values", async () => {
    const good = column("b", numbers(20));
    expect(await failureOf(column("a", numbers(20)), good)).to.deep.equal({ both: 20, left: 20, right: 20 });
    expect(await failureOf(column("a", numbers(19)), good)).to.equal("ProgramTrapped");
    const bad = ["", "c\n1\n", "a,a\n1,2\n", "a,c\n1\n", "a\n1,2\n", 'a\n"1', 'a\n"1"2\n', 'a\n1"2\n', "a\n1\r2\n"];
    const seen: unknown[] = [];
    for (const text of bad) seen.push(await failureOf(encode(text), good));
    expect(seen).to.deep.equal(bad.map(() => "InputMismatch"));
    expect(await failureOf(Uint8Array.of(0x61, 0x0a, 0xff), good)).to.equal("InputMismatch");
  });

  it("has no result for names of columns that JSON would escape", async () => {
    const table = encode(`"a""b"\n${numbers(20).join("\n")}\n`);
    const outcome = await run(table, table, 'a"b', "a\\b");
    expect(outcome).to.include({ status: "failed", failure: "ProgramTrapped" });
  });
});
