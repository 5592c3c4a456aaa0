/** Data that are not what a program's manifest says of them, engine by engine, and the failure that each must end with. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "viem";
import type { FailureCode } from "../../protocol/eip712.ts";
import { duckdb, pyodide, quickjs } from "../../protocol/engines.ts";
import { checkProgram, type Manifest, type Program } from "../../protocol/program.ts";
import { readProgram } from "../../sdk/node/programDir.ts";
import { deepParquet, wideParquet } from "./badParquet.ts";

/** One data set, given to every input of a program. */
export type BadData = { what: string; program: Program; bytes: Uint8Array; failure: FailureCode; params?: object };

const mebibyte = 2 ** 20;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string): Uint8Array => Buffer.from(text, "utf16le");
const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const wide = Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join();

/**
 * A program of one file and one input `data`.
 *
 * @example
 * const program = oneFile(duckdb, "main.sql", "SELECT count(*) AS n FROM data", { format: "csv", columns })
 */
export function oneFile(
  runtime: Manifest["runtime"],
  entry: string,
  source: string,
  input: Omit<Manifest["inputs"][number], "name">,
  changes: Partial<Manifest> = {},
): Program {
  const bytes = utf8(source);
  const manifest: Manifest = {
    ...{ v: 1, name: "bad input", runtime, entry, params: {}, inputs: [{ name: "data", ...input }] },
    files: [{ path: entry, sha256: bytesToHex(sha256(bytes)), size: bytes.length }],
    output: { format: "json", schema: {}, maxBytes: 1024 },
    limits: { fuel: 1_000_000_000, memoryBytes: 128 * mebibyte, wallMs: 600_000 },
    ...changes,
  };
  return checkProgram(manifest, new Map([[entry, bytes]]));
}

const columns = [
  { name: "id", type: "integer" },
  { name: "name", type: "string" },
  { name: "day", type: "date" },
] as const;
const statement = "SELECT count(*) AS n, sum(id) AS s, max(length(name)) AS l, max(day) AS d FROM data";
const head = "id,name,day\n";
const row = "1,a,2020-01-01\n";

function csvCases(): BadData[] {
  const program = oneFile(duckdb, "main.sql", statement, { format: "csv", columns: [...columns] });
  const cases: Record<string, Uint8Array> = {
    "a row too short": utf8(`${head}1,a\n`),
    "a quote that does not end": utf8(`${head}1,"a,2020-01-01\n${"x,y\n".repeat(100_000)}`),
    "a line of 2 MiB": utf8(`${head}1,${"x".repeat(2 * mebibyte)},2020-01-01\n`),
    "UTF-16": utf16(`\ufeff${head}${row}`),
    "UTF-16 without a mark": utf16(head + row),
    "Latin-1": latin1(`${head}1,é,2020-01-01\n`),
    "UTF-8 that ends in the middle of a character": Buffer.concat([utf8(`${head}1,`), Buffer.of(0xe2, 0x82)]),
    "a million columns beside the right ones": utf8(`${head.trim()},${wide}\n`),
    "gzip, small for what is in it": gzipSync(Buffer.alloc(32 * mebibyte, head + row)),
    "drift: a column has another name": utf8((head + row).replace("day", "date")),
    "drift: text where numbers were": utf8(`${head}one,a,2020-01-01\n`),
    "drift: semicolons": utf8((head + row).replaceAll(",", ";")),
  };
  return all("SQL on CSV", program, cases);
}

function jsonCases(): BadData[] {
  const program = oneFile(duckdb, "main.sql", statement, { format: "json", columns: [...columns] });
  const object = '{"id":1,"name":"x","day":"2020-01-01"}';
  const deep = "[".repeat(400_000) + "]".repeat(400_000);
  const cases: Record<string, Uint8Array> = {
    "an array cut off": utf8(`[${object}`),
    "objects one after the other": utf8(`${object}\n${object}\n`),
    "UTF-16": utf16(`\ufeff[${object}]`),
    "a million arrays in each other": utf8("[".repeat(1_000_000)),
    "arrays in each other for a number": utf8(`[{"id":${deep},"name":"x","day":null}]`),
    "drift: a key is gone": utf8('[{"id":1,"name":"x"}]'),
  };
  return all("SQL on JSON", program, cases);
}

async function parquetCases(): Promise<BadData[]> {
  const input = { format: "parquet", columns: [{ name: "c0", type: "number" }] } as const;
  const source = "SELECT count(*) AS n, sum(c0) AS s FROM data";
  const program = oneFile(duckdb, "main.sql", source, { ...input, columns: [...input.columns] });
  const text = { name: "t", type: "string" } as const;
  const grouped = "SELECT max(concat(t, c0)) AS t FROM data";
  const unpacks = oneFile(duckdb, "main.sql", grouped, { format: "parquet", columns: [...input.columns, text] });
  const numbers = await parquetOf("SELECT i::DOUBLE AS c0 FROM range(20000) AS r(i)");
  const cases: Record<string, Uint8Array> = {
    CSV: utf8(head + row),
    "its last bytes gone": numbers.subarray(0, -6),
    "a page overwritten": Uint8Array.from(numbers).fill(0xff, 100, 2000),
    "a million columns": wideParquet(1_000_000),
    "a hundred thousand groups in each other": deepParquet(100_000),
    "drift: text where numbers were": await parquetOf("SELECT i::VARCHAR AS c0 FROM range(20) AS r(i)"),
  };
  // A few kB of file, 2 GB of rows. The engine reads them one by one; what the program makes of them does not fit.
  const bomb = await parquetOf("SELECT 1.5::DOUBLE AS c0, repeat('x', 1000000) AS t FROM range(2000)");
  return [
    ...all("SQL on Parquet", program, cases),
    { what: "SQL on Parquet: gigabytes in a page", program: unpacks, bytes: bomb, failure: "MemoryExceeded" },
  ];
}

function quickjsCases(): BadData[] {
  const source = `export default ({ data }) => {
    const names = data.slice(0, data.indexOf("\\n")).split(",");
    for (const name of ["id", "name", "day"]) if (!names.includes(name)) throw new Error("a column is missing");
    if (names.length > 1024) throw new Error("too many columns");
    return data.length;
  }`;
  const csv = oneFile(quickjs, "main.js", source, { format: "csv" });
  const json = oneFile(quickjs, "main.js", "export default ({ data }) => data.length;", { format: "json" });
  const bytes: Record<string, Uint8Array> = {
    "UTF-16": utf16(`\ufeff${head}${row}`),
    "surrogates in UTF-8": Uint8Array.of(0xed, 0xa0, 0x80),
    "a character in too many bytes": Uint8Array.of(0xc0, 0x80),
  };
  const text: Record<string, Uint8Array> = {
    "an array cut off": utf8("[1"),
    nothing: utf8("\n"),
    "UTF-16 without a mark": utf16("[1]"),
    "a million arrays in each other": utf8("[".repeat(1_000_000) + "]".repeat(1_000_000)),
    "a million objects in each other": utf8('{"a":'.repeat(1_000_000)),
  };
  const trapped: Record<string, Uint8Array> = {
    "UTF-16 without a mark": utf16(head + row),
    "a million columns": utf8(`${head.trim()},${wide}\n`),
    "drift: a column has another name": utf8((head + row).replace("day", "date")),
  };
  const limits = { ...json.manifest.limits, memoryBytes: 32 * mebibyte };
  const poor = oneFile(quickjs, "main.js", "export default ({ data }) => data.length;", { format: "json" }, { limits });
  const full = { "a million arrays": utf8(`[${"[],".repeat(1_000_000)}1]`) };
  return [
    ...all("JavaScript on CSV", csv, bytes),
    ...all("JavaScript on CSV", csv, trapped, "ProgramTrapped"),
    ...all("JavaScript on JSON", json, text),
    ...all("JavaScript on JSON", poor, full, "MemoryExceeded"),
  ];
}

async function wasmCases(): Promise<BadData[]> {
  const program = await readProgram(fileURLToPath(new URL("../../programs/set-intersection", import.meta.url)));
  const params = { left: "id", right: "id" };
  const rows = Array.from({ length: 30 }, (_, i) => `${i},x\n`).join("");
  const cases: Record<string, Uint8Array> = {
    "UTF-16": utf16(`\ufeffid,name\n${rows}`),
    "Latin-1": latin1(`id,name\n${rows}é,x\n`),
    "a quote that does not end": utf8(`id,name\n${rows}"1,x\n`),
    "a million columns without the right one": utf8(`${wide}\n`),
    "drift: a column has another name": utf8(`key,name\n${rows}`),
  };
  return all("WebAssembly on CSV", program, cases).map((one) => ({ ...one, params }));
}

/** One, for it takes seconds to start; more in `test/enclave/sandbox/pyodide.test.ts`. */
function pyodideCases(): BadData[] {
  const source = "def main(inputs, params):\n    return len(inputs['data'])\n";
  const json = oneFile(pyodide, "main.py", source, { format: "json" });
  return all("Python on JSON", json, {
    "arrays in each other": utf8("[".repeat(100_000) + "]".repeat(100_000)),
  });
}

/** All of it. */
export async function badData(): Promise<BadData[]> {
  const parquet = await parquetCases();
  return [...csvCases(), ...jsonCases(), ...parquet, ...quickjsCases(), ...(await wasmCases()), ...pyodideCases()];
}

function all(
  where: string,
  program: Program,
  cases: Readonly<Record<string, Uint8Array>>,
  failure: FailureCode = "InputMismatch",
): BadData[] {
  return Object.entries(cases).map(([what, bytes]) => ({ what: `${where}: ${what}`, program, bytes, failure }));
}

async function parquetOf(select: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "dcm-parquet-"));
  try {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    await connection.run(`COPY (${select}) TO '${join(folder, "file")}' (FORMAT parquet)`);
    instance.closeSync();
    return await readFile(join(folder, "file"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
