/**
 * Programs that touch whatever could differ between runs and machines, one or more for each engine, with real data.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { duckdb, pyodide, quickjs, wasm } from "../../protocol/engines.ts";
import { checkProgram, type Manifest, type Program } from "../../protocol/program.ts";
import { f64Hash } from "./f64Hash.ts";

/** A program with what it is run on. */
export type Case = { name: string; program: Program; inputs: readonly Uint8Array[]; params: unknown };

const vega = (file: string) => readFile(new URL(`../../node_modules/vega-datasets/data/${file}`, import.meta.url));

/** Order, floating point, time, text, chance, and how deep calls go. */
const javascript = `export default ({ data }) => {
  const rows = data.trim().split(/\\r?\\n/).slice(1).map((line) => line.split(","));
  const groups = new Map();
  for (const [day, rain, max, min, wind, kind] of rows) {
    const group = groups.get(kind) ?? { n: 0, rain: 0, swing: 0, last: "" };
    group.n += 1;
    group.rain += Number(rain);
    group.swing += Math.sqrt(Math.abs(Number(max) - Number(min))) * Math.sin(Number(wind)) ** 3;
    group.last = new Date(day).toISOString();
    groups.set(kind, group);
  }
  const functions = ["acosh", "asinh", "atan", "cbrt", "cos", "cosh", "exp", "expm1", "log", "log10", "log1p", "log2", "sinh", "tan", "tanh"];
  let depth = 0;
  const fall = () => { depth++; fall(); };
  try { fall(); } catch {}
  console.log(rows.length, [...groups.keys()].join());
  return {
    groups: [...groups].sort(([, a], [, b]) => a.n % 2 - b.n % 2),
    numbers: functions.map((name) => Math[name](1.2345678)),
    powers: [1e21, 5e-324, 2 ** 0.5, 10 ** -7, 0.1 + 0.2, (123.456).toFixed(1), (1e-10).toPrecision(3), (255.5).toString(7)],
    chance: Array.from({ length: 5 }, () => Math.random()),
    time: [Date.now(), String(new Date(2024, 6, 1, 12)), new Date(0).toLocaleString(), new Date().getTimezoneOffset()],
    text: ["\\u00c5".normalize("NFD").length, "\\u0130I\\u00df".toLowerCase(), "stra\\u00dfe".toUpperCase(), ["z", "\\u00e4", "a", "\\u00e9"].sort((a, b) => a.localeCompare(b))],
    pattern: /\\p{Lu}+(?<=.)/u.exec("ab\\u00c9\\u0394c")[0],
    nan: [...new Uint8Array(new Float64Array([0 / 0, -(0 / 0), Math.sqrt(-1)]).buffer)],
    keys: Object.keys({ b: 1, 2: 1, a: 1, 1: 1 }),
    depth,
  };
};`;

/** Sums of floating point whose order shows, windows over ties, text, dates. */
const sql = `WITH daily AS (
  SELECT weather, date, temp_max * wind / (1 + precipitation) AS x,
    rank() OVER (PARTITION BY weather ORDER BY wind) AS place
  FROM data
)
SELECT weather, count(*) AS n, sum(x) AS total, avg(x) AS mean, stddev(x) AS spread, corr(x, place) AS r,
  max(upper(weather)) AS shouted, min(date) AS first, max(place) AS places
FROM daily GROUP BY weather`;

const python = `import hashlib, json, math, random, re, statistics, sys, time, unicodedata

def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n

def main(inputs, params):
    rows = [line.split(",") for line in inputs["data"].split()[1:]]
    rain = [float(row[1]) for row in rows]
    print(len(rows))
    print("x" * 70000)
    print("no end", end="")
    return {
        "kinds": list({row[5] for row in rows}),
        "mean": statistics.fmean(rain),
        "spread": statistics.pstdev(rain),
        "sum": math.fsum(math.sin(x) for x in rain),
        "hash": [hash("text"), hash(1.5), hash((1, "a"))],
        "chance": [random.random(), random.sample(range(1000), 5)],
        "time": [time.time(), time.strftime("%c", time.gmtime(0))],
        "digest": hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest(),
        "text": [unicodedata.normalize("NFD", "\\u00c5"), re.findall(r"\\w+", "a\\u00e9 b"), "stra\\u00dfe".upper()],
        "float": [0.1 + 0.2, 1e22, 2 ** 0.5, repr(5e-324), round(2.675, 2)],
        "depth": depth(0),
        "version": sys.version,
    }
`;

const endless = "const kept = []; export default () => { for (;;) kept.push('x'.repeat(1000) + kept.length); };";

/** All of them. */
export async function cases(): Promise<Case[]> {
  const weather = await vega("seattle-weather.csv");
  const inputs = [weather];
  const params = {};
  const columns = "date:date precipitation:number temp_max:number wind:number weather:string";
  const table = columns.split(" ").map((column) => {
    const [name = "", type] = column.split(":");
    return { name, type: type as "string" };
  });
  const rich = { fuel: 100_000_000, memoryBytes: 64 * 2 ** 20, wallMs: 60_000 };
  const ofTable: Partial<Manifest> = { inputs: [{ name: "data", format: "csv", columns: table }] };
  return [
    { name: "quickjs", program: programOf(quickjs, "main.js", javascript, rich), inputs, params },
    {
      name: "quickjs out of fuel",
      program: programOf(quickjs, "main.js", endless, { ...rich, fuel: 50_000 }),
      inputs,
      params,
    },
    {
      name: "quickjs out of memory",
      program: programOf(quickjs, "main.js", endless, { ...rich, memoryBytes: 2 ** 22 }),
      inputs,
      params,
    },
    {
      name: "duckdb",
      program: programOf(duckdb, "main.sql", sql, { ...rich, fuel: 10 ** 9 }, ofTable),
      inputs,
      params,
    },
    { name: "wasm", program: programOf(wasm, "main.wasm", f64Hash(), rich), inputs, params },
    {
      name: "wasm out of fuel",
      program: programOf(wasm, "main.wasm", f64Hash(), { ...rich, fuel: 10_000 }),
      inputs,
      params,
    },
    { name: "pyodide", program: programOf(pyodide, "main.py", python, rich), inputs, params },
  ];
}

function programOf(
  runtime: Manifest["runtime"],
  entry: string,
  source: string | Uint8Array,
  limits: Manifest["limits"],
  changes: Partial<Manifest> = {},
): Program {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  const sha256 = `0x${createHash("sha256").update(bytes).digest("hex")}` as const;
  const manifest: Manifest = {
    ...{ v: 1, name: "determinism", runtime, entry, files: [{ path: entry, sha256, size: bytes.length }] },
    ...{ params: {}, inputs: [{ name: "data", format: "csv" }], limits },
    output: { format: "json", schema: {}, maxBytes: 65_536 },
    ...changes,
  };
  return checkProgram(manifest, new Map([[entry, bytes]]));
}
