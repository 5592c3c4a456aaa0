import { expect } from "chai";
import { applyPolicy, maxNoisedValues } from "../../../enclave/policy/applyPolicy.ts";
import type { JsonSchema, JsonValue } from "../../../protocol/jsonSchema.ts";
import type { Policy } from "../../../protocol/policy.ts";
import { encodeResult, resultSize } from "../../../protocol/result.ts";
import { manifestOf, numbers, release, secrets, shown } from "./policyCase.ts";

const group = { k: 10, rows: "/rows", count: "n", units: { people: "id" }, otherwise: "omit" } as const;
const noise = { epsilonMicros: 1_000_000, budgetMicros: 1_000_000, fields: [{ path: "/n", sensitivity: 1 }] };
const rowsOf = (...counts: JsonValue[]) => ({ rows: counts.map((n, i) => ({ g: `g${i}`, n })) });

describe("applyPolicy", () => {
  describe("schema and size", () => {
    const schema: JsonSchema = { type: "object", additionalProperties: false, properties: { n: { type: "integer" } } };

    it("lets through what meets both, canonically, and is not changed by it", () => {
      const output = { n: 2 };
      expect(release(undefined, output, { schema })).to.deep.equal({ n: 2 });
      expect(release({}, { b: 1, a: -0 })).to.deep.equal({ a: 0, b: 1 });
      const given = {
        rows: [
          { n: 1, g: 1.25 },
          { n: 10, g: 1.25 },
        ],
      };
      const kept = { rows: [{ n: 10, g: 1.2 }] };
      expect(release({ group, round: [{ path: "/rows/*/g", decimals: 1 }] }, given)).to.deep.equal(kept);
      expect(given).to.deep.equal({
        rows: [
          { n: 1, g: 1.25 },
          { n: 10, g: 1.25 },
        ],
      });
    });

    it("refuses the rest, before and after changes", () => {
      expect(release(undefined, { n: 1.5 }, { schema })).to.equal("OutputRefused");
      expect(release(undefined, { m: 1 }, { schema })).to.equal("OutputRefused");
      const large = manifestOf({}, { maxBytes: 7 });
      expect(shown(applyPolicy(large, { n: 1 }, secrets))).to.deep.equal({ n: 1 });
      expect(shown(applyPolicy(large, { n: 10 }, secrets))).to.equal("OutputTooLarge");
      // Rounded away from what the schema allows.
      const positive = { properties: { r: { type: "number", minimum: 0.001 } } };
      expect(release({ round: [{ path: "/r", decimals: 2 }] }, { r: 0.004 }, { schema: positive })).to.equal(
        "OutputRefused",
      );
      // Rows left out of an array that must not be empty.
      const nonEmpty = { properties: { rows: { type: "array", minItems: 1 } } };
      expect(release({ group }, rowsOf(9), { schema: nonEmpty })).to.equal("OutputRefused");
    });

    it("refuses what JSON cannot say or what is not plain", () => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined, "\ud800", 1n] as JsonValue[])
        expect(release({}, value), String(value)).to.equal("OutputRefused");
      expect(release({}, JSON.parse('{"__proto__":{"n":1}}'))).to.equal("OutputRefused");
      let deep: JsonValue = 1;
      for (let i = 0; i < 33; i++) deep = [deep];
      expect(release({}, deep)).to.equal("OutputRefused");
    });
  });

  describe("groups", () => {
    it("leaves rows of fewer units out, and nothing of them in", () => {
      expect(release({ group }, rowsOf(10, 9, 11, 0))).to.deep.equal({
        rows: [
          { g: "g0", n: 10 },
          { g: "g2", n: 11 },
        ],
      });
      expect(release({ group }, rowsOf())).to.deep.equal({ rows: [] });
      expect(release({ group }, rowsOf(1, 2))).to.deep.equal({ rows: [] });
      expect(release({ group: { ...group, rows: "" } }, rowsOf(9, 10).rows)).to.deep.equal([{ g: "g1", n: 10 }]);
    });

    it("fails the run instead where the policy says so", () => {
      const strict = { group: { ...group, otherwise: "fail" } } as const;
      expect(release(strict, rowsOf(10, 11))).to.deep.equal(rowsOf(10, 11));
      expect(release(strict, rowsOf(10, 9))).to.equal("GroupTooSmall");
    });

    it("looks into every array that the path leads to", () => {
      const several = { group: { ...group, rows: "/*/rows" } };
      expect(release(several, [rowsOf(9, 10), rowsOf(3)])).to.deep.equal([
        { rows: [{ g: "g1", n: 10 }] },
        { rows: [] },
      ]);
      expect(release(several, [rowsOf(10), { rows: {} }])).to.equal("GroupTooSmall");
    });

    it("fails the run over a row that does not say in a whole number how many there are, also one that would be left out", () => {
      const malformed: JsonValue[] = [
        "12",
        "",
        12.5,
        -12,
        2 ** 53,
        1e21,
        1e308,
        null,
        true,
        [12],
        { n: 12 },
        [],
        "1e3",
      ];
      for (const count of malformed)
        expect(release({ group }, rowsOf(12, count)), JSON.stringify(count)).to.equal("GroupTooSmall");
      expect(release({ group }, { rows: [{ n: 12 }, { N: 12 }] })).to.equal("GroupTooSmall");
      expect(release({ group }, { rows: [{ n: 12 }, 12] })).to.equal("GroupTooSmall");
      expect(release({ group }, { rows: [{ n: 12 }, [12]] })).to.equal("GroupTooSmall");
      expect(release({ group }, { rows: [{ n: 12 }, null] })).to.equal("GroupTooSmall");
      expect(release({ group: { ...group, count: "length" } }, { rows: [[1, 2], "x".repeat(20)] })).to.equal(
        "GroupTooSmall",
      );
    });

    it("judges what it releases, also if a value answers otherwise when it is asked again", () => {
      let asked = 0;
      const shifty = {
        get n() {
          asked++;
          return asked === 1 ? 9 : 10;
        },
      };
      expect(release({ group }, { rows: [shifty] })).to.deep.equal({ rows: [] });
      expect(asked).to.equal(1);
    });

    it("fails the run if the rows are not where they should be", () => {
      const elsewhere: JsonValue[] = [
        {},
        [],
        null,
        1,
        { rows: null },
        { rows: {} },
        { rows: "rows" },
        { rows: { length: 0 } },
      ];
      for (const output of elsewhere)
        expect(release({ group }, output), JSON.stringify(output)).to.equal("GroupTooSmall");
    });
  });

  describe("noise", () => {
    const sized = (path: string, sensitivity: number, epsilonMicros: number, more: string[] = []): Policy => ({
      noise: {
        epsilonMicros,
        budgetMicros: 10_000_000,
        fields: [path, ...more].map((each) => ({ path: each, sensitivity })),
      },
    });
    const noised = (policy: Policy, output: JsonValue, jobId = secrets.jobId) =>
      shown(applyPolicy(manifestOf(policy, { maxBytes: 1024 * 1024 }), output, { ...secrets, jobId }));

    it("is the same for the same job and keys, in whatever order fields were written, and another for others", () => {
      const one = noised(sized("/n", 1000, 100_000), { n: 5000 });
      expect(one).to.deep.equal(noised(sized("/n", 1000, 100_000), { n: 5000 }));
      expect(one).to.not.deep.equal({ n: 5000 });
      expect(one).to.not.deep.equal(noised(sized("/n", 1000, 100_000), { n: 5000 }, `0x${"cd".repeat(32)}`));
      const manifest = manifestOf(sized("/n", 1000, 100_000));
      for (const datasetKeys of [[], [new Uint8Array(74)], [...secrets.datasetKeys, new Uint8Array(74)]])
        expect(shown(applyPolicy(manifest, { n: 5000 }, { ...secrets, datasetKeys }))).to.not.deep.equal(one);
    });

    it("has the size that sensitivity and loss ask for, times the number of fields", () => {
      const zeros = { a: Array(4000).fill(0), b: 0, c: 0 };
      const sizeOf = (policy: Policy) => {
        const { a } = noised(policy, zeros) as { a: number[] };
        return a.reduce((sum, x) => sum + Math.abs(x), 0) / a.length;
      };
      expect(sizeOf(sized("/a/*", 100, 1_000_000)) / 100).to.be.within(0.95, 1.05);
      expect(sizeOf(sized("/a/*", 100, 500_000)) / 200).to.be.within(0.95, 1.05);
      expect(sizeOf(sized("/a/*", 100, 500_000, ["/b", "/c"])) / 600).to.be.within(0.95, 1.05);
    });

    it("is drawn for each value anew", () => {
      const { a } = noised(sized("/a/*", 1_000_000, 1_000), { a: Array(1000).fill(0) }) as { a: number[] };
      expect(new Set(a).size).to.be.above(990);
    });

    it("goes on whole numbers only, and to what JSON can say exactly", () => {
      for (const n of [1.5, "1", null, true, [1], {}, 2 ** 53, -(2 ** 53), 1e21] as JsonValue[])
        expect(release({ noise }, { n }), JSON.stringify(n)).to.equal("OutputRefused");
      expect(release({ noise }, {})).to.equal("OutputRefused");
      // Off the end on one side, for one job or the other: never a number that stands for two.
      const ends = Array.from({ length: 40 }, (_, i) =>
        noised(
          sized("/n", 1000, 1_000_000),
          { n: Number.MAX_SAFE_INTEGER - 10 },
          `0x${i.toString(16).padStart(64, "0")}`,
        ),
      );
      const refused = ends.filter((end) => end === "OutputRefused").length;
      expect(refused).to.be.within(5, 35);
      for (const end of ends)
        if (end !== "OutputRefused") expect((end as { n: number }).n).to.satisfy(Number.isSafeInteger);
    });

    it("is not added to more values than it can be in bounded time", () => {
      const policy = sized("/*", 1, 1_000_000);
      const manifest = manifestOf(policy, { maxBytes: 64 * 1024 * 1024 });
      const output = Array(maxNoisedValues + 1).fill(0);
      expect(shown(applyPolicy(manifest, output, secrets))).to.equal("OutputTooLarge");
    });

    it("comes after groups are judged by what they are", () => {
      const wide = { epsilonMicros: 1_000, budgetMicros: 1_000, fields: [{ path: "/rows/*/n", sensitivity: 1000 }] };
      const { rows } = release({ group, noise: wide }, rowsOf(...Array(30).fill(10), ...Array(30).fill(9))) as {
        rows: { g: string }[];
      };
      expect(rows.map(({ g }) => g)).to.deep.equal(Array.from({ length: 30 }, (_, i) => `g${i}`));
    });
  });

  describe("rounding", () => {
    it("is done at each place, of numbers; null stays", () => {
      const round = [
        { path: "/rows/*/mean", decimals: 1 },
        { path: "/r", decimals: 3 },
      ];
      const output = {
        rows: [{ mean: 1.25 }, { mean: null }, { mean: 3 }],
        r: 0.9601902642499779,
        n: 0.9601902642499779,
      };
      const rounded = { rows: [{ mean: 1.2 }, { mean: null }, { mean: 3 }], r: 0.96, n: 0.9601902642499779 };
      expect(release({ round }, output)).to.deep.equal(rounded);
    });

    it("is refused where there is no number", () => {
      const round = [{ path: "/r", decimals: 2 }];
      for (const output of [
        {},
        { r: "1.234" },
        { r: [1.234] },
        { r: { r: 1.234 } },
        { r: true },
        [],
        null,
      ] as JsonValue[])
        expect(release({ round }, output), JSON.stringify(output)).to.equal("OutputRefused");
      expect(release({ round: [{ path: "/*/r", decimals: 2 }] }, [{ r: 1 }, {}])).to.equal("OutputRefused");
    });
  });

  describe("size classes", () => {
    it("hold the result with what stands around it, or it is refused", () => {
      const pad = [256, 1024];
      const around = (resultSize(0) ?? 0) + 2; // quotation marks
      expect(release({ pad }, "x".repeat(1024 - around)))
        .to.be.a("string")
        .of.length(1024 - around);
      expect(release({ pad }, "x".repeat(1024 - around + 1))).to.equal("OutputTooLarge");
    });
  });

  it("releases nothing that breaks a rule, whatever the output (property, 3,000 outputs)", () => {
    const next = numbers(99);
    const pick = <T>(...values: T[]) => values[Math.floor(next() * values.length)] as T;
    const policy: Policy = {
      group: { ...group, k: 5 },
      round: [
        { path: "/rows/*/mean", decimals: 2 },
        { path: "/total", decimals: 0 },
      ],
      noise: { ...noise, fields: [{ path: "/rows/*/sum", sensitivity: 20 }] },
      pad: [512, 700],
    };
    const schema: JsonSchema = {
      type: "object",
      additionalProperties: false,
      required: ["rows", "total"],
      properties: {
        total: { type: "number", maximum: 1e6 },
        rows: {
          type: "array",
          items: {
            type: "object",
            additionalProperties: false,
            required: ["n", "sum", "mean"],
            properties: { n: {}, sum: { type: "integer" }, mean: { type: ["number", "null", "string"] } },
          },
        },
      },
    };
    const number = () => pick(-0, 0, 4, 5, 6, 1e21, 2 ** 53, -5, next() * 10, (next() - 0.5) * 1e-3, next() * 1e7);
    const rare = <T>(usual: T, odd: () => T) => (next() < 0.03 ? odd() : usual);
    const row = (): JsonValue => ({
      n: rare(Math.floor(next() * 10), () => pick<JsonValue>("7", 7.5, -7, 2 ** 53, null, [7])),
      sum: rare(Math.floor(next() * 1000), () => pick<JsonValue>(1.5, "1", 2 ** 53, null)),
      mean: rare<JsonValue>(next() * 100, () => pick<JsonValue>(null, "1.234", 1e21, 5e-324, -1e-9)),
    });
    const maxBytes = 400;
    const manifest = manifestOf(policy, { schema, maxBytes });
    const ends: Record<string, number> = {};
    for (let i = 0; i < 3000; i++) {
      const rows = Array.from({ length: Math.floor(next() * 14) }, row);
      const output = rare<JsonValue>({ rows, total: number() }, () =>
        pick<JsonValue>(rows, { rows: {}, total: 1 }, null, { rows }),
      );
      const released = applyPolicy(manifest, output, { ...secrets, jobId: `0x${i.toString(16).padStart(64, "0")}` });
      const end = released.ok ? "released" : released.failure;
      ends[end] = (ends[end] ?? 0) + 1;
      if (!released.ok) continue;
      const { rows: kept, total } = released.output as {
        rows: { n: number; sum: number; mean: number | null }[];
        total: number;
      };
      for (const { n, sum, mean } of kept) {
        expect(n).to.satisfy(Number.isSafeInteger).and.at.least(5);
        expect(sum).to.satisfy(Number.isSafeInteger);
        if (mean !== null)
          expect(mean === 1e21 || /^-?\d+(\.\d{1,2})?$/.test(String(mean)), String(mean)).to.equal(true);
      }
      expect(Number.isInteger(total) && total <= 1e6).to.equal(true);
      const bytes = JSON.stringify(released.output).length;
      expect(bytes).to.be.at.most(maxBytes);
      const sealed = encodeResult(
        { v: 1, jobId: secrets.jobId, salt: secrets.jobId, output: released.output },
        policy.pad,
      );
      expect([512, 700]).to.include(sealed.length);
    }
    // Each way out was taken, so that none of the above is about nothing.
    expect(Object.keys(ends).sort()).to.deep.equal(["GroupTooSmall", "OutputRefused", "OutputTooLarge", "released"]);
    expect(Math.min(...Object.values(ends))).to.be.above(100);
  });

  it("takes time in proportion to the output, whatever the paths: 400,000 values in seconds", () => {
    const output = Array.from({ length: 400 }, () => Array(1000).fill(1.5));
    const manifest = manifestOf({ round: [{ path: "/*/*", decimals: 0 }] }, { maxBytes: 64 * 1024 * 1024 });
    const startedAt = performance.now();
    expect((shown(applyPolicy(manifest, output, secrets)) as number[][])[399]?.[999]).to.equal(2);
    expect(performance.now() - startedAt).to.be.below(10_000);
  }).timeout(20_000);
});
