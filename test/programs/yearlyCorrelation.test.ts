import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { runProgram } from "../../enclave/sandbox/runProgram.ts";
import { quickjs } from "../../protocol/engines.ts";
import { checkProgram, type Program } from "../../protocol/program.ts";

const folder = new URL("../../programs/yearly-correlation/", import.meta.url);
const data = (name: string) => readFile(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url));
const encode = (text: string) => new TextEncoder().encode(text);

/** Pearson's r another way: another CSV reader, and the formula over raw sums instead of deviations, in exact integers. */
function independently(co2: Uint8Array, temperature: Uint8Array) {
  const temps = new Map(rows(temperature).map((row) => [row.year, row.temp]));
  const years = [...new Set(rows(co2).map((row) => String(row.Date).slice(0, 4)))]
    .filter((year) => temps.has(year))
    .sort();
  // Months and means share denominators only within a year: scale every mean by lcm(1..12) = 27720, values by 100.
  const pairs = years.map((year) => {
    const months = rows(co2).filter((row) => row.Date?.startsWith(`${year}-`));
    const sum = months.reduce((total, row) => total + hundredths(row.CO2), 0n);
    return [(sum * 27_720n) / BigInt(months.length), hundredths(temps.get(year))] as const;
  });
  const n = BigInt(pairs.length);
  const total = (of: (x: bigint, y: bigint) => bigint) => pairs.reduce((sum, [x, y]) => sum + of(x, y), 0n);
  const [x, y] = [total((a) => a), total((_, b) => b)];
  const covariance = n * total((a, b) => a * b) - x * y;
  const variances = [n * total((a) => a * a) - x * x, n * total((_, b) => b * b) - y * y].map(Number);
  const r = Number(covariance) / Math.sqrt(Number(variances[0])) / Math.sqrt(Number(variances[1]));
  return { n: pairs.length, r, firstYear: Number(years[0]), lastYear: Number(years.at(-1)) };
}

function rows(csv: Uint8Array): Record<string, string>[] {
  return parse(Buffer.from(csv), { columns: true });
}

function hundredths(text: string | undefined): bigint {
  const value = Math.round(Number(text) * 100);
  expect(value / 100, "the data have two decimals").to.equal(Number(text));
  return BigInt(value);
}

// Not chai's closeTo: Hardhat's matchers, loaded by other suites, take it over for whole numbers only.
const difference = (a: unknown, b: number) => Math.abs(Number(a) - b);

describe("programs/yearly-correlation", () => {
  let program: Program;
  let co2: Uint8Array;
  let temperature: Uint8Array;

  before(async () => {
    const manifest = JSON.parse(await readFile(new URL("manifest.json", folder), "utf8"));
    program = checkProgram(manifest, new Map([["main.js", await readFile(new URL("main.js", folder))]]));
    [co2, temperature] = await Promise.all([data("co2-concentration.csv"), data("global-temp.csv")]);
  });

  const run = (first: Uint8Array, second: Uint8Array, params: unknown = {}) =>
    runProgram({ program, inputs: [first, second], params });

  it("is for the pinned engine", () => expect(program.manifest.runtime).to.deep.equal(quickjs));

  it("finds what an independent computation finds in the real data", async () => {
    const outcome = await run(co2, temperature);
    if (outcome.status !== "ok") return expect.fail(outcome.failure);
    const expected = independently(co2, temperature);
    const { r, ...years } = outcome.output as typeof expected;
    expect(years).to.deep.equal({ n: 63, firstYear: 1958, lastYear: 2020 });
    expect(expected).to.deep.include(years);
    expect(difference(r, expected.r)).to.be.lessThan(1e-12);
    expect(difference(r, 0.960190264249978)).to.be.lessThan(1e-12);
  });

  it("returns the same bytes on every run", async () => {
    const [first, second] = [await run(co2, temperature), await run(co2, temperature)];
    expect(first.status).to.equal("ok");
    expect(second).to.deep.equal(first);
  });

  it("joins on the years in both, whatever the order and the line ends", async () => {
    const months =
      "id,CO2,Date\r\n1,2,2001-01-01\r\n2,4,2001-12-31\r\n3,9,2003-05-05\r\n4,0,1999-01-01\r\n5,5,2002-01-01\r\n";
    const temps = "year,temp\n2003,-1\n2001,1.0\n2002,0.5\n1990,7\n";
    const outcome = await run(encode(months), encode(temps));
    expect(outcome).to.deep.include({ status: "ok" });
    if (outcome.status === "ok") {
      // Yearly means 3, 5, 9 against 1, 0.5, -1: deviations from the means 17/3 and 1/6.
      const { r } = outcome.output as { r: number };
      const [dx, dy] = [
        [3 - 17 / 3, 5 - 17 / 3, 9 - 17 / 3],
        [1 - 1 / 6, 0.5 - 1 / 6, -1 - 1 / 6],
      ] as const;
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * Number(b[i]), 0);
      expect(difference(r, dot(dx, dy) / Math.sqrt(dot(dx, dx) * dot(dy, dy)))).to.be.lessThan(1e-12);
      expect(outcome.output).to.deep.include({ n: 3, firstYear: 2001, lastYear: 2003 });
    }
  });

  it("stops at anything it cannot read", async () => {
    const months = ["Date,CO2", "2001-01-01,1", "2002-01-01,2", "2003-01-01,4", ""].join("\n");
    const temps = ["year,temp", "2001,1", "2002,3", "2003,2", ""].join("\n");
    expect((await run(encode(months), encode(temps))).status).to.equal("ok");
    const bad: [string, string][] = [
      ["", temps],
      [months.replace("CO2", "CO3"), temps],
      [months.replace("2001-01-01", "2001-1-1"), temps],
      [months.replace(",4", ","), temps],
      [months.replace(",4", ",4,4"), temps],
      [months.replace(",4", ",NaN"), temps],
      [months.replace(",4", ",1e3"), temps],
      [months.replace("2003-01-01,4", '"2003-01-01",4'), temps],
      [months.replace("\n2002", "\n\n2002"), temps],
      [months.replace(",2", ",1").replace(",4", ",1"), temps],
      [months, temps.replace("2003,2", "2001,2")],
      [months, temps.replace("2003", "20030")],
      [months, temps.replace("2003", "1903")],
    ];
    for (const [first, second] of bad) {
      const outcome = await run(encode(first), encode(second));
      expect(outcome, `${first}|${second}`).to.deep.equal({
        status: "failed",
        failure: "ProgramTrapped",
        fuelUsed: 16_384,
      });
    }
  });

  it("takes no parameters", async () => {
    const refused = { status: "failed", failure: "ParamsRefused", fuelUsed: 0 };
    expect(await run(co2, temperature, { year: 2000 })).to.deep.equal(refused);
    expect(await run(co2, temperature, [])).to.deep.equal(refused);
  });
});
