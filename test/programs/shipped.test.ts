import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { runProgram } from "../../enclave/sandbox/runProgram.ts";
import { readProgram } from "../../sdk/node/programDir.ts";

const programs = new URL("../../programs/", import.meta.url);
const data = (name: string) =>
  readFile(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url), "utf8");
const encode = (text: string) => new TextEncoder().encode(text);
const program = (name: string) => readProgram(fileURLToPath(new URL(name, programs)));
const near = (a: unknown, b: number, tolerance: number) => expect(Math.abs(Number(a) - b)).to.be.lessThan(tolerance);

type Row = Record<string, string>;
type Fit = { n: number; intercept: number; coefficients: number[]; fit: number };

/** Another reader than the programs'. */
const rowsOf = (csv: string): Row[] => parse(csv, { columns: true });
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csvOf = (rows: readonly Row[]) =>
  [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]
    .map((fields) => fields.map((field) => quoted(String(field))).join(","))
    .join("\r\n");

async function outputOf<T>(name: string, inputs: readonly string[], params: unknown = {}): Promise<T> {
  const outcome = await runProgram({ program: await program(name), inputs: inputs.map(encode), params });
  if (outcome.status !== "ok") return expect.fail(`${name}: ${outcome.failure}`);
  return outcome.output as T;
}

async function failureOf(name: string, inputs: readonly string[], params: unknown = {}): Promise<string> {
  const outcome = await runProgram({ program: await program(name), inputs: inputs.map(encode), params });
  return outcome.status === "failed" ? outcome.failure : "none";
}

/** Penguins with every measure, as a table of numbers and their species. */
async function penguins(): Promise<Row[]> {
  const all: Record<string, string | number | null>[] = JSON.parse(await data("penguins.json"));
  const columns = ["Beak Length (mm)", "Flipper Length (mm)", "Body Mass (g)"];
  return all
    .filter((one) => columns.every((column) => typeof one[column] === "number"))
    .map((one, id) => ({
      id: `p${id}`,
      species: String(one.Species),
      beak: String(one["Beak Length (mm)"]),
      flipper: String(one["Flipper Length (mm)"]),
      mass: String(Number(one["Body Mass (g)"]) / 1000),
    }));
}

describe("shipped programs", () => {
  it("read tables with the same file, byte by byte", async () => {
    const copies = new Map<string, string>();
    for (const name of await readdir(programs)) {
      const text = await readFile(new URL(`${name}/csv.js`, programs), "utf8").catch(() => undefined);
      if (text !== undefined) copies.set(name, text);
    }
    expect([...copies.keys()]).to.include.members(["data-quality", "regression"]);
    expect(new Set(copies.values()).size).to.equal(1);
  });

  describe("programs/keyword-overlap", () => {
    it("compares real lists of names", async () => {
      const capitals: { state: string }[] = JSON.parse(await data("us-state-capitals.json"));
      const states = rowsOf(await data("population_engineers_hurricanes.csv")).map(({ state }) => String(state));
      const first = capitals.map(({ state }) => ` ${state.toUpperCase()} `).join("\r\n");
      const output = await outputOf("keyword-overlap", [`${first}\n\n`, [...states, ...states].join("\n")]);
      const names = new Set(capitals.map(({ state }) => state));
      const both = states.filter((state) => names.has(state)).length;
      expect(both).to.be.greaterThan(40);
      const jaccard = both / (names.size + states.length - both);
      expect(output).to.deep.equal({ first: names.size, second: states.length, both, jaccard });
    });

    it("counts different encodings of one word once, and refuses short lists", async () => {
      const words = Array.from({ length: 9 }, (_, i) => `word${i}`);
      const [composed, apart] = ["caf\u00e9", "CAFE\u0301"];
      const output = await outputOf("keyword-overlap", [[...words, composed].join("\n"), [...words, apart].join("\n")]);
      expect(output).to.deep.equal({ first: 10, second: 10, both: 10, jaccard: 1 });
      expect(await failureOf("keyword-overlap", [words.join("\n"), words.join("\n")])).to.equal("ProgramTrapped");
    });
  });

  describe("programs/data-quality", () => {
    it("profiles real weather", async () => {
      const output = await outputOf<{ columns: object[] }>("data-quality", [await data("seattle-weather.csv")]);
      expect(output).to.deep.include({ rows: 1461, repeatedRows: 0 });
      expect(output.columns[0]).to.deep.equal({
        ...{ name: "date", type: "date", missing: 0, constant: false },
        ...{ from: "2012-01-01", to: "2015-12-31" },
      });
      expect(output.columns.slice(1)).to.deep.equal(
        ["precipitation", "temp_max", "temp_min", "wind", "weather"].map((name) => {
          return { name, type: name === "weather" ? "text" : "number", missing: 0, constant: false };
        }),
      );
    });

    it("counts what is missing and repeated", async () => {
      const table = 'id,"a, b",c\r\n1,x,\r\n2,NA,\r\n2,NA,\r\n3,"say ""hi""\n",NaN\r\n';
      expect(await outputOf("data-quality", [table])).to.deep.equal({
        rows: 4,
        repeatedRows: 1,
        columns: [
          { name: "id", type: "integer", missing: 0, constant: false },
          { name: "a, b", type: "text", missing: 2, constant: false },
          { name: "c", type: "text", missing: 4, constant: true },
        ],
      });
    });

    it("stops at what is no table", async () => {
      for (const table of ["", "a,a\n1,2\n", "a,b\n1\n", 'a\n"1\n', 'a\n"1"2\n', "a\n1\r2\n", 'a\nx"y\n'])
        expect(await failureOf("data-quality", [table]), JSON.stringify(table)).to.equal("ProgramTrapped");
    });
  });

  describe("programs/pii-scan", () => {
    it("finds each kind, and no look-alikes", async () => {
      const rows: Row[] = [
        { a: "ada@example.org", b: "4111 1111 1111 1111", c: "DE89 3704 0044 0532 0130 00", d: "192.168.0.255" },
        { a: "+49 (30) 901820", b: "4111 1111 1111 1112", c: "DE88 3704 0044 0532 0130 00", d: "192.168.0.256" },
        { a: "078-05-1120", b: "5500005555555559", c: "GB82WEST12345698765432", d: "2001:db8:0:0:0:0:0:1" },
        { a: "000-05-1120", b: "", c: "not an iban", d: "1.2.3" },
      ];
      expect(await outputOf("pii-scan", [csvOf(rows)])).to.deep.equal({
        rows: 4,
        suspicious: 4,
        columns: [
          {
            name: "a",
            found: [
              { kind: "email", values: 1 },
              { kind: "phone", values: 1 },
              { kind: "usSocialSecurity", values: 1 },
            ],
          },
          { name: "b", found: [{ kind: "paymentCard", values: 2 }] },
          { name: "c", found: [{ kind: "iban", values: 2 }] },
          { name: "d", found: [{ kind: "ipAddress", values: 2 }] },
        ],
      });
    });

    it("finds nothing in weather", async () => {
      const output = await outputOf("pii-scan", [await data("seattle-weather.csv")]);
      expect(output).to.deep.include({ rows: 1461, suspicious: 0 });
    });
  });

  describe("programs/model-accuracy", () => {
    const classes = ["Adelie", "Chinstrap", "Gentoo"];
    const model = {
      kind: "tree",
      features: ["flipper", "beak"],
      classes,
      nodes: [
        { feature: 0, at: 206.5, below: 1, above: 2 },
        { feature: 1, at: 43.35, below: 3, above: 4 },
        { class: 2 },
      ],
    };
    const tree = { ...model, nodes: [...model.nodes, { class: 0 }, { class: 1 }] };

    it("scores a tree on real penguins", async () => {
      const table = await penguins();
      const output = await outputOf<{ accuracy: number; classes: object[] }>(
        "model-accuracy",
        [JSON.stringify(tree), csvOf(table)],
        { label: "species" },
      );
      const guess = ({ flipper, beak }: Row) => (Number(flipper) >= 206.5 ? 2 : Number(beak) < 43.35 ? 0 : 1);
      const right = table.filter((row) => classes[guess(row)] === row.species);
      expect(output).to.deep.include({ n: table.length, accuracy: right.length / table.length });
      expect(output.accuracy).to.be.greaterThan(0.93);
      expect(output.classes).to.deep.equal(
        classes.map((name, i) => ({
          name,
          actual: table.filter((row) => row.species === name).length,
          predicted: table.filter((row) => guess(row) === i).length,
          right: right.filter((row) => row.species === name).length,
        })),
      );
    });

    it("scores a linear model", async () => {
      const table = (await penguins()).filter(({ species }) => species !== "Chinstrap");
      const linear = {
        ...{ kind: "linear", features: ["flipper", "mass"], classes: ["Adelie", "Gentoo"] },
        ...{ weights: [[0, 0], [0.1, 1]], bias: [0, -25] }, // biome-ignore format: a matrix
      };
      const output = await outputOf("model-accuracy", [JSON.stringify(linear), csvOf(table)], { label: "species" });
      const right = table.filter(
        ({ flipper, mass, species }) => -25 + 0.1 * Number(flipper) + Number(mass) > 0 === (species === "Gentoo"),
      ).length;
      expect(right / table.length).to.be.greaterThan(0.9);
      expect(output).to.deep.include({ n: table.length, accuracy: right / table.length });
    });

    it("refuses models that do not fit, or would not end", async () => {
      const table = csvOf(await penguins());
      const refused: object[] = [
        { ...tree, kind: "forest" },
        { ...tree, kind: "constructor" },
        { ...tree, features: ["flipper", "height"] },
        { ...tree, features: ["flipper", "species"] },
        { ...tree, classes: ["Adelie", "Gentoo", "Gentoo"] },
        { ...tree, classes: ["Adelie", "Chinstrap", "Emperor"] },
        { ...tree, nodes: [{ feature: 0, at: 1, below: 0, above: 0 }] },
        { ...tree, nodes: [{ class: 3 }] },
        { ...tree, nodes: [] },
      ];
      for (const one of refused) {
        const failure = await failureOf("model-accuracy", [JSON.stringify(one), table], { label: "species" });
        expect(failure, JSON.stringify(one)).to.equal("ProgramTrapped");
      }
      const params = { label: "species", features: [] };
      expect(await failureOf("model-accuracy", [JSON.stringify(tree), table], params)).to.equal("ParamsRefused");
    });
  });

  describe("programs/regression", () => {
    it("fits a line to two real tables, as the closed form does", async () => {
      const rows = rowsOf(await data("gapminder-health-income.csv"));
      const left = rows.map(({ country, income }) => ({
        country: String(country),
        wealth: String(Math.log(Number(income))),
      }));
      const right = rows.slice(7).map(({ country, health }) => ({ country: String(country), health: String(health) }));
      const params = { key: "country", target: "health", features: ["wealth"], model: "linear" };
      const output = await outputOf<Fit>("regression", [csvOf(left), csvOf(right.toReversed())], params);
      const pairs = left.slice(7).map(({ wealth }, i) => [Number(wealth), Number(right[i]?.health)] as const);
      const mean = (of: (x: number, y: number) => number) =>
        pairs.reduce((sum, [x, y]) => sum + of(x, y), 0) / pairs.length;
      const [mx, my] = [mean((x) => x), mean((_, y) => y)];
      const [sxy, sxx, syy] = [
        mean((x, y) => (x - mx) * (y - my)),
        mean((x) => (x - mx) ** 2),
        mean((_, y) => (y - my) ** 2),
      ];
      expect(output.n).to.equal(pairs.length);
      near(output.coefficients[0], sxy / sxx, 1e-9);
      near(output.intercept, my - (sxy / sxx) * mx, 1e-9);
      near(output.fit, sxy ** 2 / (sxx * syy), 1e-9);
      expect(output.fit).to.be.greaterThan(0.5);
    });

    it("finds the most likely logistic model: the gradient is zero there", async () => {
      const table = (await penguins()).filter(({ species }) => species !== "Gentoo");
      const left = table.map(({ id = "", species }) => ({ id, chinstrap: species === "Chinstrap" ? "1" : "0" }));
      const right = table.map(({ id = "", flipper = "", mass = "" }) => ({ id, flipper, mass }));
      const params = { key: "id", target: "chinstrap", features: ["flipper", "mass"], model: "logistic" };
      const { n, intercept, coefficients, fit } = await outputOf<Fit>(
        "regression",
        [csvOf(left), csvOf(right)],
        params,
      );
      const errors = right.map(({ flipper, mass }, i) => {
        const z = intercept + Number(coefficients[0]) * Number(flipper) + Number(coefficients[1]) * Number(mass);
        return { x: [1, Number(flipper), Number(mass)], y: Number(left[i]?.chinstrap), p: 1 / (1 + Math.exp(-z)) };
      });
      for (const at of [0, 1, 2])
        near(
          errors.reduce((sum, { x, y, p }) => sum + (y - p) * Number(x[at]), 0),
          0,
          1e-6,
        );
      expect(n).to.equal(table.length);
      expect(fit).to.equal(errors.filter(({ y, p }) => p > 0.5 === (y === 1)).length / n);
    });

    it("refuses what it cannot answer", async () => {
      const line = (i: number) => ({ id: `r${i}`, x: String(i), y: String(2 * i + (i % 3)), z: String(3 * i) });
      const rows = Array.from({ length: 40 }, (_, i) => line(i));
      const left = csvOf(rows.map(({ id, x, z }) => ({ id, x, z })));
      const right = csvOf(rows.map(({ id, y }) => ({ id, y })));
      const params = { key: "id", target: "y", features: ["x"], model: "linear" };
      expect(await failureOf("regression", [left, right], params)).to.equal("none");
      const wrong: [string, string, object][] = [
        [left, right, { features: ["x", "z"] }],
        [left, right, { features: ["x", "x"] }],
        [left, right, { features: ["y"] }],
        [left, right, { features: ["q"] }],
        [left, right, { model: "logistic" }],
        [left, csvOf([{ id: "r1", y: "1" }, ...rows.map(({ id, y }) => ({ id, y }))]), {}],
        [left, csvOf(rows.slice(21).map(({ id, y }) => ({ id, y }))), {}],
        [left, csvOf(rows.map(({ id, y, x }) => ({ id, y, x }))), {}],
        [left, csvOf(rows.map(({ id }) => ({ id, y: "5" }))), {}],
        [left, right.replace(/"6"/, '"two"'), {}],
      ];
      for (const [a, b, change] of wrong) {
        expect(await failureOf("regression", [a, b], { ...params, ...change }), JSON.stringify(change)).to.equal(
          "ProgramTrapped",
        );
      }
    });
  });

  describe("programs/top-values", () => {
    it("ranks real values by how many units have them", async () => {
      const strikes = rowsOf(await data("birdstrikes.csv")).map((row) => ({
        value: String(row["Wildlife Species"]).slice(0, 64),
        unit: String(row["Airport Name"]),
      }));
      const output = await outputOf("top-values", [csvOf(strikes)], { top: 20 });
      const units = new Map<string, Set<string>>();
      for (const { value, unit } of strikes) units.set(value, (units.get(value) ?? new Set()).add(unit));
      const ranked = [...units].map(([value, those]) => ({ value, units: those.size }));
      ranked.sort((a, b) => b.units - a.units || (a.value < b.value ? -1 : 1));
      expect(ranked[0]?.units).to.be.greaterThan(40);
      expect(output).to.deep.equal({ rows: ranked.slice(0, 20) });
    });
  });
});
