import { expect } from "chai";
import { quickjs } from "../../protocol/engines.ts";
import type { Policy } from "../../protocol/policy.ts";
import type { Manifest } from "../../protocol/program.ts";
import { describePolicy } from "../../sdk/describePolicy.ts";

const linesOf = (policy: Policy | undefined, engine: Manifest["runtime"]["engine"] = "quickjs") => {
  const output = { format: "json", schema: {}, maxBytes: 4096, ...(policy === undefined ? {} : { policy }) };
  return describePolicy({ output, runtime: { ...quickjs, engine } } as Manifest); // all that is read
};

const nobody = "nobody sees what the program prints or throws";

describe("describePolicy", () => {
  it("says that nothing is held back where nothing is", () => {
    const nothing = [
      "the output is JSON of its schema, at most 4,096 bytes",
      "whatever meets the schema leaves: nothing is left out, rounded or given noise",
      nobody,
      "a grant may be without a limit of uses",
    ];
    expect(linesOf(undefined)).to.deep.equal(nothing);
    expect(linesOf({})).to.deep.equal(nothing);
  });

  it("says each rule in words, and what it rests on", () => {
    const policy: Policy = {
      group: { k: 10, rows: "/rows", count: "n", units: { visits: "person" }, otherwise: "omit" },
      columns: { visits: { person: "join", cost: "aggregate", name: "hidden", diagnosis: "hidden" } },
      noise: {
        epsilonMicros: 500_000,
        budgetMicros: 2_000_000,
        fields: [
          { path: "/rows/*/n", sensitivity: 3 },
          { path: "/sum", sensitivity: 1_000 },
        ],
        bounds: { visits: { unit: "person", rows: 3, clamp: { cost: [0, 500] } } },
      },
      round: [{ path: "/rows/*/mean", decimals: 2 }],
      pad: [1024, 65_536],
      maxUses: 20,
    };
    expect(linesOf(policy, "duckdb")).to.deep.equal([
      "the output is JSON of its schema, at most 4,096 bytes",
      'rows of /rows with fewer than 10 distinct "person" of visits are left out',
      'of visits, "cost": used only inside aggregates',
      'of visits, "person": used only to join and to count distinct values',
      'of visits, "name", "diagnosis": used not at all',
      "noise is added: epsilon 0.5 a use, at most 2 by all uses of a grant",
      "/rows/*/n is off by about 12: enough if one unit changes all of it by 3 at most",
      "/sum is off by about 4,000: enough if one unit changes all of it by 1,000 at most",
      "what has no noise is exact, such as which rows there are and their order",
      'of visits, at most 3 rows of each "person" are used',
      '"cost" of visits is moved into 0 to 500',
      "/rows/*/mean is rounded to 2 decimal places",
      "the result is padded to 1,024 or 65,536 bytes",
      nobody,
      "a grant must be limited to at most 4 uses",
    ]);
  });

  it("says who reads what the program prints", () => {
    expect(linesOf({ prints: "readers" }).slice(2)).to.deep.equal([
      "what it prints and throws passes by all of that, to the keys that every grant of a job names as readers (--reader): " +
        "if all its data are of one owner, also when it fails; so name there your own keys only",
      "a grant may be without a limit of uses",
    ]);
  });

  it("says where the program's own count is believed", () => {
    const group = { k: 5, rows: "", count: "n", units: { a: "x", b: "y" }, otherwise: "fail" } as const;
    expect(linesOf({ group, maxUses: 1 })).to.deep.equal([
      "the output is JSON of its schema, at most 4,096 bytes",
      'a row of the output with fewer than 5 distinct "x" of a, "y" of b fails the run',
      'the program itself counts them, as "n": that it counts well is for you to read',
      nobody,
      "a grant must be limited to at most 1 use",
    ]);
  });
});
