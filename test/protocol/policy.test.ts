import { expect } from "chai";
import { isWithinBudget, mostUses, policySchema } from "../../protocol/policy.ts";

const group = { k: 10, rows: "/rows", count: "n", units: { people: "id" }, otherwise: "omit" };
const noise = { epsilonMicros: 1_000, budgetMicros: 1_000, fields: [{ path: "/n", sensitivity: 1 }] };

describe("policySchema", () => {
  it("takes every part, and none", () => {
    const bounds = { people: { unit: "id", rows: 3, clamp: { age: [0, 120] } } };
    const full = {
      group,
      columns: { people: { id: "join", age: "aggregate", name: "hidden" } },
      round: [{ path: "/rows/*/mean", decimals: 2 }],
      pad: [256, 1024],
      maxUses: 10,
      noise: { ...noise, bounds },
    };
    expect(policySchema.parse(full)).to.deep.equal(full);
    expect(policySchema.parse({})).to.deep.equal({});
  });

  const wrong: Record<string, object> = {
    "an unknown part": { more: 1 },
    "groups of one": { group: { ...group, k: 1 } },
    "groups without units": { group: { ...group, units: {} } },
    "a path without a slash": { group: { ...group, rows: "rows" } },
    "a path that ends in a slash": { group: { ...group, rows: "/rows/" } },
    "prints for somebody else": { prints: "requester" as "readers" },
    "a path with an index": { round: [{ path: "/rows/0", decimals: 2 }] },
    "more places than a number has": { round: [{ path: "/r", decimals: 16 }] },
    "a place rounded twice": {
      round: [
        { path: "/r", decimals: 2 },
        { path: "/r", decimals: 3 },
      ],
    },
    "a size class that no envelope fits": { pad: [255] },
    "size classes that do not ascend": { pad: [512, 512] },
    "no uses": { maxUses: 0 },
    "noise without loss": { noise: { ...noise, epsilonMicros: 0 } },
    "a budget below one use": { noise: { ...noise, epsilonMicros: 1_001 } },
    "noise on nothing": { noise: { ...noise, fields: [] } },
    "noise on a field twice": { noise: { ...noise, fields: [...noise.fields, ...noise.fields] } },
    "values that nothing changes": { noise: { ...noise, fields: [{ path: "/n", sensitivity: 0 }] } },
    "a range that ends before it starts": {
      noise: { ...noise, bounds: { people: { unit: "id", rows: 1, clamp: { age: [1, 0] } } } },
    },
    "a role that is none": { columns: { people: { id: "public" } } },
  };
  for (const [what, policy] of Object.entries(wrong))
    it(`refuses ${what}`, () => expect(policySchema.safeParse(policy).success).to.equal(false));
});

describe("mostUses", () => {
  it("is the smaller of the uses that are allowed and those that the budget pays, rounded down", () => {
    const of = (epsilonMicros: number, budgetMicros: number) => ({ ...noise, epsilonMicros, budgetMicros });
    expect(mostUses(undefined)).to.equal(undefined);
    expect(mostUses({})).to.equal(undefined);
    expect(mostUses({ maxUses: 7 })).to.equal(7);
    expect(mostUses({ noise: of(300_000, 1_000_000) })).to.equal(3);
    expect(mostUses({ noise: of(100_000, 1_000_000), maxUses: 20 })).to.equal(10);
    expect(mostUses({ noise: of(100_000, 1_000_000), maxUses: 2 })).to.equal(2);
    expect(mostUses({ noise: of(10_000_000, 10_000_000) })).to.equal(1);
  });

  it("is what a grant must be within", () => {
    expect(isWithinBudget({ maxUses: 7 }, 7n)).to.equal(true);
    expect(isWithinBudget({ maxUses: 7 }, 8n)).to.equal(false);
    expect(isWithinBudget({ maxUses: 7 }, 0n)).to.equal(false);
    expect(isWithinBudget({}, 0n)).to.equal(true);
  });
});
