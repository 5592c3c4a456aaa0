/** `dcm program`: writing and trying programs, without a chain. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { dcm } from "./support/dcm.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const correlation = file("programs/yearly-correlation");
const co2 = file("node_modules/vega-datasets/data/co2-concentration.csv");
const temperature = file("node_modules/vega-datasets/data/global-temp.csv");

describe("dcm program", () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-program-"));
  });

  after(() => rm(directory, { recursive: true }));

  it("starts a program that runs as it is, and overwrites nothing", async () => {
    const mine = join(directory, "by-value");
    const made = await dcm(["program", "new", mine, "--json"], {});
    const { programId } = JSON.parse(made.stdout);
    expect(JSON.parse((await dcm(["program", "id", mine, "--json"], {})).stdout)).to.include({
      programId,
      name: "by value",
    });

    const data = join(directory, "rows.csv");
    const rows = ["Oslo", "Rome", "Bonn"].flatMap((city, c) =>
      Array.from({ length: [12, 10, 9][c] ?? 0 }, (_, i) => `${city},${i}`),
    );
    await writeFile(data, `city,id\n${rows.join("\n")}\n${"Bonn,1\n".repeat(9)}`);
    const run = ["program", "run", mine, "--input", `data=${data}`, "--json", "--params"];
    const ran = await dcm([...run, '{"column":"city"}'], {});
    expect(JSON.parse(ran.stdout)).to.deep.include({
      ...{ programId, status: "ok" },
      output: { rows: [{ value: "Oslo", units: 12 }, { value: "Rome", units: 10 }] }, // biome-ignore format: one line
    });
    const refused = await dcm([...run, '{"columns":"city"}'], {});
    expect(refused.code).to.equal(1);
    expect(JSON.parse(refused.stdout)).to.include({ programId, status: "failed", failure: "ParamsRefused" });

    const again = await dcm(["program", "new", mine, "--json"], {});
    expect([again.code, JSON.parse(again.stderr).error.name]).to.deep.equal([1, "ProgramDir.ProgramExistsError"]);
  });

  it("runs a shipped program on local files, and writes the output where it is told", async () => {
    const out = join(directory, "result.json");
    const inputs = ["--input", `temperature=${temperature}`, "--input", `co2=${co2}`, "--out", out];
    const ran = await dcm(["program", "run", correlation, ...inputs], {});
    expect(ran.code).to.equal(0);
    const output = JSON.parse(await readFile(out, "utf8"));
    expect(JSON.parse(ran.stdout)).to.deep.equal(output);
    expect(output).to.include({ n: 63, firstYear: 1958, lastYear: 2020 });
  });

  it("checks a program as a worker does, and says why it would be refused", async () => {
    const [shipped, changed] = [file("programs/grouped-aggregates"), join(directory, "changed")];
    const good = await dcm(["program", "check", shipped, "--json"], {});
    expect([good.code, JSON.parse(good.stdout).runnable]).to.deep.equal([0, true]);
    await cp(shipped, changed, { recursive: true });
    const statement = await readFile(join(changed, "main.sql"), "utf8");
    await writeFile(join(changed, "main.sql"), statement.replace("SELECT", "SELECT random(),"));
    await dcm(["program", "id", changed, "--write"], {});
    const refused = await dcm(["program", "check", changed, "--json"], {});
    expect(refused.code).to.equal(1);
    expect(JSON.parse(refused.stdout)).to.deep.include({
      ...{ runnable: false, failure: "StatementRefused" },
      reason: "The statement calls random, which is not on the list of functions.",
    });
  });

  it("says which input is wrong", async () => {
    const [good, bad] = [`co2=${co2}`, `co2=${temperature}`];
    const cases: [string[], string][] = [
      [["--input", good], "Input temperature is missing."],
      [["--input", good, "--input", bad], "An input is given twice, or is none of the program's."],
      [["--input", `other=${co2}`], "An input is given twice, or is none of the program's."],
      [["--input", co2], "An input is not NAME=FILE."],
    ];
    for (const [inputs, message] of cases) {
      const ran = await dcm(["program", "run", correlation, ...inputs, "--json"], {});
      expect([ran.code, JSON.parse(ran.stderr.trim().split("\n").at(-1) ?? "").error.message]).to.deep.equal([
        2,
        message,
      ]);
    }
  });
});
