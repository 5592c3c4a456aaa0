import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { duckdbEngine } from "../../../../enclave/sandbox/engines/duckdb/index.ts";
import { unpackFrame } from "../../../../enclave/sandbox/frames.ts";
import { here } from "../../../../enclave/sandbox/place.ts";
import { runJob } from "../../../../enclave/sandbox/runJob.ts";
import { openSandbox, type Sandbox } from "../../../../enclave/sandbox/runProgram.ts";
import { findWall, type Wall } from "../../../../enclave/sandbox/wall.ts";
import type { Program } from "../../../../protocol/program.ts";
import { guarded, input, makeSql, people } from "./sqlWorld.ts";

const vega = (file: string) =>
  readFile(new URL(`../../../../node_modules/vega-datasets/data/${file}`, import.meta.url));
const bytes = (text: string) => new TextEncoder().encode(text);
const airports = input("airports", "csv", "iata:string state:string latitude:number");

describe("sandbox: SQL engine", () => {
  let wall: Wall;
  let sandbox: Sandbox;
  before(async () => {
    wall = await findWall();
    sandbox = await openSandbox({ wall, warm: 0 });
  });
  after(() => sandbox.close());

  const run = (program: Program, inputs: readonly Uint8Array[], params: unknown = {}) =>
    sandbox.run({ program, inputs, params });
  const output = async (...args: Parameters<typeof run>) => {
    const outcome = await run(...args);
    return outcome.status === "ok" ? outcome.output : outcome.failure;
  };

  describe("on real data", () => {
    it("groups three million rows of Parquet to the same bytes each time", async () => {
      const program = makeSql("SELECT origin, count(*) AS n, avg(delay) AS delay FROM flights GROUP BY origin", [
        input("flights", "parquet", "origin:string delay:integer"),
      ]);
      const file = await vega("flights-3m.parquet");
      const [one, two] = [await run(program, [file]), await run(program, [file])];
      if (one.status !== "ok" || two.status !== "ok") return expect.fail("it did not run");
      expect(Buffer.from(one.outputBytes).equals(two.outputBytes)).to.equal(true);
      const { rows } = one.output as { rows: { n: number }[] };
      expect(rows.reduce((sum, { n }) => sum + n, 0)).to.equal(3_000_000);
    });

    it("groups a Parquet file as JavaScript does what it was made of", async () => {
      const source = new URL("../../../../node_modules/vega-datasets/data/flights-20k.json", import.meta.url);
      const folder = await mkdtemp(join(tmpdir(), "parquet-"));
      try {
        const path = join(folder, "flights.parquet");
        const instance = await DuckDBInstance.create();
        const connection = await instance.connect();
        await connection.run(`COPY (FROM read_json('${source.pathname}')) TO '${path}' (FORMAT parquet)`);
        instance.closeSync();
        const sums = new Map<string, number>();
        for (const flight of JSON.parse(await readFile(source, "utf8")) as { origin: string; distance: number }[]) {
          sums.set(flight.origin, (sums.get(flight.origin) ?? 0) + flight.distance);
        }
        const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([origin, miles]) => ({ origin, miles }));
        const flights = input("flights", "parquet", "origin:string distance:integer");
        const sql = "SELECT origin, sum(distance) AS miles FROM flights GROUP BY origin";
        expect(await output(makeSql(sql, [flights]), [await readFile(path)])).to.deep.equal({ rows });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it("groups a CSV file as a reader in JavaScript does", async () => {
      const file = await vega("airports.csv");
      const groups = new Map<string, { n: number; sum: number }>();
      for (const { state, latitude } of parse(file, { columns: true }) as Record<string, string>[]) {
        const group = groups.get(String(state)) ?? { n: 0, sum: 0 };
        groups.set(String(state), { n: group.n + 1, sum: group.sum + Number(latitude) });
      }
      const sql = "SELECT state, count(*) AS n, sum(latitude) AS sum FROM airports GROUP BY state";
      const rows = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([state, group]) => ({ state, ...group }));
      const result = (await output(makeSql(sql, [airports]), [file])) as { rows: typeof rows };
      expect(result.rows.map(({ state, n }) => ({ state, n }))).to.deep.equal(
        rows.map(({ state, n }) => ({ state, n })),
      );
      for (const [i, row] of rows.entries()) {
        expect(Math.abs(Number(result.rows[i]?.sum) - row.sum)).to.be.lessThan(1e-6);
      }
    });

    it("groups a JSON file as a reader in JavaScript does, by parameters", async () => {
      const file = await vega("movies.json");
      type Movie = { "Major Genre": string | null; "US Gross": number | null };
      const wanted = ["Comedy", "Drama"];
      const movies = (JSON.parse(file.toString()) as Movie[]).filter((movie) =>
        wanted.includes(movie["Major Genre"] ?? ""),
      );
      const rows = wanted.map((genre) => {
        const own = movies.filter((movie) => movie["Major Genre"] === genre);
        return { genre, n: own.length, gross: own.reduce((sum, movie) => sum + (movie["US Gross"] ?? 0), 0) };
      });
      const movie = { name: "movies", format: "json" as const };
      const columns = [
        { name: "Major Genre", type: "string" as const },
        { name: "US Gross", type: "integer" as const },
      ];
      const sql = `SELECT "Major Genre" AS genre, count(*) AS n, sum("US Gross") AS gross FROM movies, params WHERE list_contains(genres, "Major Genre") GROUP BY 1`;
      const params = { type: "object", properties: { genres: { type: "array", items: { type: "string" } } } };
      const program = makeSql(sql, [{ ...movie, columns }], { params });
      expect(await output(program, [file], { genres: wanted })).to.deep.equal({ rows });
    });
  });

  describe("under a policy", () => {
    const head = "id,name,salary,bonus,email\n";
    const persons = bytes(
      `${head}1,a,10,1,x\n2,a,20,1,y\n3,a,30,,z\n4,b,40,4,u\n5,b,50,5,v\n4,b,60,6,x\n,a,1000000,1,w\n`,
    );
    const visits = bytes("person,email,place\n7,x,p\n8,y,p\n9,z,q\n9,z,q\n");
    const places = bytes("place\np\n");

    it("leaves small groups out, and values behind which there are too few units, and rows without a unit", async () => {
      const sql = "SELECT name, count(*) AS c, sum(salary) AS s, sum(bonus) AS b FROM people GROUP BY name";
      const program = makeSql(sql, people, { policy: guarded });
      expect(await output(program, [persons, visits, places])).to.deep.equal({
        rows: [{ name: "a", c: 3, s: 60, b: null, n: 3 }],
      });
    });

    it("counts distinct units, however often each is there", async () => {
      const program = makeSql("SELECT place, count(*) AS c FROM visits GROUP BY place", people, { policy: guarded });
      expect(await output(program, [persons, visits, places])).to.deep.equal({ rows: [] });
      const joined = makeSql("SELECT count(*) AS c FROM people JOIN visits USING (email)", people, { policy: guarded });
      expect(await output(joined, [persons, visits, places])).to.deep.equal({ rows: [{ c: 5, n: 3 }] });
    });

    it("computes sums of their totals: no float of one row is rounded over a bound", async () => {
      // Each salary times 4e-326 is less than half of the smallest float, all together are more.
      const sql =
        "SELECT sum(salary * 1e-162 * 4e-164) AS s, sum(2 * salary + 5) AS t, avg(2 * salary + 5) AS u FROM people";
      const program = makeSql(sql, people, { policy: guarded });
      expect(await output(program, [persons, visits, places])).to.deep.equal({
        rows: [{ s: 1e-323, t: 450, u: 75, n: 5 }],
      });
    });

    it("gives out no single rows of bounded inputs beside a subquery or a window", async () => {
      const noise = { epsilonMicros: 1000, budgetMicros: 1000, fields: [{ path: "/rows/*/x", sensitivity: 1 }] };
      const policy = { noise: { ...noise, bounds: { people: { unit: "id", rows: 1 } } } };
      for (const wide of ["(SELECT 1 AS x)", "row_number() OVER ()"]) {
        const program = makeSql(`SELECT name, ${wide} AS x FROM people`, people, { policy });
        expect(await output(program, [persons, visits, places]), wide).to.equal("ProgramTrapped");
      }
    });

    it("does not fail on the one row that a statement makes fail", async () => {
      const fine = `1.${"0".repeat(36)}1`; // as DECIMAL(38,37), which has no room for 12
      const failing = [
        "name::INTEGER > 0",
        "sqrt(length(name) - 2) > 0",
        "9223372036854775807 + length(name) > 0",
        "substring(name, 1, -9223372036854775808) = name",
        "name = 1",
        "name",
        `12 * length(name) > ${fine}`,
        `12 * length(name) IN (${fine}, 2)`,
        `12 * length(name) IN (SELECT ${fine} AS x)`,
        `coalesce(12 * length(name), ${fine}) > 100`,
        `CASE WHEN name = 'b' THEN 12 * length(name) ELSE ${fine} END > 100`,
        `contains(years, ${fine})`,
      ];
      const sql = `SELECT count(*) AS c FROM people, params WHERE name = 'a' OR ${failing.join(" OR ")}`;
      const program = makeSql(sql, people, { policy: guarded });
      const params = { years: [12] };
      expect(await output(program, [persons, visits, places], params)).to.deep.equal({ rows: [{ c: 3, n: 3 }] });
      expect(await output(makeSql(sql, people), [persons, visits, places], params)).to.equal("ProgramTrapped");
    });
  });

  describe("results", () => {
    const one = [input("one", "csv", "a:string")];
    const result = (items: string) => output(makeSql(`SELECT ${items} FROM one`, one), [bytes("a\nx\n")]);

    it("are exact", async () => {
      expect(
        await result(
          "9007199254740991 AS i, 0.1 + 0.2 AS d, 0.1::DOUBLE + 0.2 AS f, 'é\"\n' AS s, TRUE AS b, NULL AS u, DATE '0001-01-01' AS day, TIMESTAMP '2020-02-29 01:02:03.000004' AS t, (-5)::HUGEINT AS h",
        ),
      ).to.deep.equal({
        rows: [
          {
            ...{ i: 9007199254740991, d: 0.3, f: 0.30000000000000004, s: 'é"\n', b: true, u: null },
            ...{ day: "0001-01-01", t: "2020-02-29T01:02:03.000004", h: -5 },
          },
        ],
      });
    });

    it("are refused where JSON would change them", async () => {
      for (const item of [
        "9007199254740993",
        "'infinity'::DOUBLE",
        "1234567890123456.5",
        "to_days(1)",
        "DATE 'infinity'",
      ]) {
        expect(await result(`${item} AS x`), item).to.equal("OutputRefused");
      }
    });
  });

  describe("inputs", () => {
    const csv = [input("data", "csv", "id:integer name:string day:date")];
    const json = [input("data", "json", "id:integer name:string")];
    const parquet = [input("data", "parquet", "delay:integer origin:string")];
    const sql = "SELECT * FROM data";
    const head = "name,extra,id,day\n";

    it("are taken by name and type; empty fields are NULL, columns that are not declared are not seen", async () => {
      const text = `\ufeff${head}"a, ""b""\nc",9,1,2020-02-29\n"",9,,\n`;
      expect(await output(makeSql(sql, csv), [bytes(text)])).to.deep.equal({
        rows: [
          { id: 1, name: 'a, "b"\nc', day: "2020-02-29" },
          { id: null, name: "", day: null },
        ],
      });
      expect(await output(makeSql(sql, json), [bytes('[{"id":1,"name":"x","more":[]},{"id":2}]')])).to.deep.equal({
        rows: [
          { id: 1, name: "x" },
          { id: 2, name: null },
        ],
      });
    });

    const wide = Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join(",");
    const deep = (open: string, close: string) => `[{"id":1,"name":${open.repeat(100_000)}1${close.repeat(100_000)}}]`;
    const bad: readonly [name: string, inputs: typeof csv, content: string | Uint8Array][] = [
      ["an empty file", csv, ""],
      ["a column short", csv, "id,name\n1,a\n"],
      ["a column twice", csv, "id,id,name,day\n1,1,a,2020-01-01\n"],
      ["a row too short", csv, `${head}a,b\n`],
      ["a row too long", csv, `${head}a,b,1,2020-01-01,x\n`],
      ["a quote that does not end", csv, `${head}"a,b,1,2020-01-01\n`],
      ["no whole number", csv, `${head}a,b,1.5,2020-01-01\n`],
      ["a number too large", csv, `${head}a,b,9223372036854775808,2020-01-01\n`],
      ["a date of another form", csv, `${head}a,b,1,2020-1-2\n`],
      ["a time with a zone", [input("data", "csv", "at:timestamp")], "at\n2020-01-02 03:04:05+02\n"],
      ["no date", csv, `${head}a,b,1,2020-02-30\n`],
      ["bytes that are no UTF-8", csv, Uint8Array.of(...bytes(head), 0xff, ...bytes(",b,1,2020-01-01\n"))],
      ["UTF-16", csv, new Uint8Array(Buffer.from(`${head}a,b,1,2020-01-01\n`, "utf16le"))],
      ["a million columns", csv, `${wide}\n`],
      ["no JSON", json, "[{"],
      ["no array", json, '{"id":1,"name":"x"}'],
      ["no object", json, "[1]"],
      ["a key short", json, '[{"id":1}]'],
      ["a key twice", json, '[{"id":1,"id":2,"name":"x"}]'],
      ["no rows", json, "[]"],
      ["1.5 in JSON", json, '[{"id":1.5,"name":"x"}]'],
      ["an object for a number", json, '[{"id":{},"name":"x"}]'],
      ["arrays without end", json, "[".repeat(1_000_000)],
      ["no Parquet", parquet, "PAR1 and then nothing PAR1"],
    ];
    it("are explained in the engine's words where the policy has them kept", async () => {
      const program = makeSql("SELECT sum(n) AS n FROM data", [input("data", "csv", "n:integer")], {
        policy: { prints: "readers" },
      });
      const outcome = await run(program, [bytes("n\n1\nseven\n")]);
      expect(outcome).to.deep.include({ status: "failed", failure: "InputMismatch" });
      expect(new TextDecoder().decode(outcome.prints?.text)).to.match(/^Error: Conversion Error: .* to INT64\n/);
    });

    for (const [name, inputs, content] of bad) {
      it(`are refused with ${name}`, async () => {
        const file = typeof content === "string" ? bytes(content) : content;
        expect(await output(makeSql(sql, inputs), [file])).to.equal("InputMismatch");
      });
    }

    it("may nest deep where it is only text", async () => {
      const program = makeSql("SELECT length(name) AS n FROM data", json);
      expect(await output(program, [bytes(deep("[", "]"))])).to.deep.equal({ rows: [{ n: 200_001 }] });
    });

    it("are refused with a Parquet file of other types, cut short, or changed in a page", async () => {
      const file = await vega("flights-3m.parquet");
      const other = [input("data", "parquet", "delay:string origin:string")];
      expect(await output(makeSql(sql, other), [file])).to.equal("InputMismatch");
      expect(await output(makeSql(sql, parquet), [file.subarray(0, 1_000_000)])).to.equal("InputMismatch");
      const broken = Uint8Array.from(file).fill(0xff, 1_000, 3_000_000);
      expect(await output(makeSql("SELECT sum(delay) AS s FROM data", parquet), [broken])).to.equal("InputMismatch");
    });
  });

  describe("limits", () => {
    const one = [input("one", "csv", "a:integer")];
    const numbers = bytes(`a\n${Array.from({ length: 2000 }, (_, i) => i).join("\n")}\n`);
    const cross = (times: number) =>
      `SELECT count(*) AS n FROM one AS a0${Array.from({ length: times }, (_, i) => `, one AS a${i + 1}`).join("")}`;

    it("end a cross join without end", async () => {
      const program = makeSql(`${cross(5)} WHERE a0.a + a1.a + a2.a = a3.a * a4.a * a5.a`, one, {
        limits: { wallMs: 700 },
      });
      expect(await output(program, [numbers])).to.be.oneOf(["TimeExceeded", "MemoryExceeded"]);
    });

    it("end a text that doubles", async () => {
      const views = Array.from({ length: 40 }, (_, i) => `t${i + 1} AS (SELECT concat(s, s) AS s FROM t${i})`);
      const sql = `WITH t0 AS (SELECT concat('xxxxxxxxxxxxxxxx', a) AS s FROM one), ${views.join(", ")} SELECT length(s) AS n FROM t40`;
      expect(await output(makeSql(sql, one, { limits: { wallMs: 5000 } }), [numbers])).to.be.oneOf([
        "MemoryExceeded",
        "TimeExceeded",
        "ProgramTrapped",
      ]);
    });

    it("end a sort that does not fit", async () => {
      const sql = `SELECT a, b FROM (SELECT a0.a AS a, concat('some text that is not short', a1.a, a2.a) AS b FROM one AS a0, one AS a1, one AS a2) AS t ORDER BY b LIMIT 1 OFFSET 100000000`;
      const outcome = await output(makeSql(sql, one, { limits: { wallMs: 5000, memoryBytes: 64 * 2 ** 20 } }), [
        numbers,
      ]);
      expect(outcome).to.be.oneOf(["MemoryExceeded", "TimeExceeded"]);
    });

    it("end an output too large, and count bytes as fuel", async () => {
      expect(await output(makeSql("SELECT x.a AS a, y.a AS b FROM one AS x, one AS y", one), [numbers])).to.equal(
        "OutputTooLarge",
      );
      expect(await output(makeSql("SELECT a FROM one", one, { limits: { fuel: 100 } }), [numbers])).to.equal(
        "FuelExhausted",
      );
    });
  });

  describe("when the check of a statement is passed by", () => {
    const small = [input("one", "csv", "a:integer")];
    const unchecked = async (sql: string) => {
      const { manifest } = makeSql("", small);
      const file = bytes("a\n1\n");
      const prepared = bytes(JSON.stringify({ sql, params: [] }));
      const head = {
        ...{ paramsBytes: 2, preparedBytes: prepared.length, entry: "main.sql", files: [], policy: null },
        inputs: manifest.inputs.map((each) => ({ ...each, size: file.length })),
      };
      const job = { head, blobs: [bytes("{}"), prepared], inputs: [file], inputBytes: file.length };
      const limits = { ...manifest.limits, wallMs: 1500 };
      const end = await runJob({ place: here(wall) }, duckdbEngine, { ...job, limits, outputBytes: 4096 });
      const frame = end.end === "answered" ? unpackFrame(end.answer) : undefined;
      const { result } = (frame?.head ?? {}) as { result?: string };
      return result === "ok" ? new TextDecoder().decode(frame?.body) : (result ?? end.end);
    };

    for (const sql of [
      "SELECT content FROM read_text('/proc/self/environ')",
      "SELECT count(*) AS n FROM glob('/usr/lib/*')",
      "SELECT * FROM read_csv('/data/../etc/passwd')",
      "COPY (SELECT 1) TO '/data/x'",
      "ATTACH ':memory:' AS m",
      "PRAGMA enable_profiling",
      "CALL enable_logging()",
      "SET memory_limit = '100GB'",
      "LOAD httpfs",
      "SELECT 1; SELECT 2",
    ]) {
      it(`stops ${sql}`, async () => expect(await unchecked(sql)).to.equal("ProgramTrapped"));
    }

    it("stops waiting by the clock", async () => {
      expect(await unchecked("SELECT sleep_ms(60000) AS x")).to.equal("timeout");
    });

    it("leaves the next job unaffected", async () => {
      expect(await unchecked("SELECT a FROM one")).to.equal('{"rows":[{"a":1}]}');
    });
  });
});
