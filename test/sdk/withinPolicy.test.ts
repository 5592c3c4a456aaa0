import { expect } from "chai";
import { quickjs } from "../../protocol/engines.ts";
import type { Policy } from "../../protocol/policy.ts";
import { type Manifest, programIdOf } from "../../protocol/program.ts";
import { requireWithinPolicy } from "../../sdk/grants.ts";
import { expectError } from "../protocol/quote/vectors.ts";

const manifestOf = (policy?: Policy) =>
  ({
    v: 1,
    name: "n",
    runtime: quickjs,
    output: { format: "json", schema: {}, maxBytes: 1, ...(policy && { policy }) },
  }) as Manifest;

describe("requireWithinPolicy", () => {
  it("takes a grant within the program's budget", () => {
    const noise = { epsilonMicros: 250_000, budgetMicros: 1_000_000, fields: [{ path: "/n", sensitivity: 1 }] };
    for (const [policy, maxUses] of [
      [undefined, 0n],
      [{ pad: [256] }, undefined],
      [{ maxUses: 3 }, 3n],
      [{ noise }, 4n],
    ] as const) {
      const manifest = manifestOf(policy as Policy);
      requireWithinPolicy(
        { programId: programIdOf(manifest), ...(maxUses === undefined ? {} : { maxUses }) },
        manifest,
      );
    }
  });

  it("refuses one beyond it, also one that says nothing of uses", () => {
    const manifest = manifestOf({ maxUses: 3 });
    const programId = programIdOf(manifest);
    const cases = [
      [{ programId }, "any number of"],
      [{ programId, maxUses: 0n }, "any number of"],
      [{ programId, maxUses: 4n }, "4"],
    ] as const;
    for (const [terms, uses] of cases)
      expectError(
        () => requireWithinPolicy(terms, manifest),
        "Grants.OverBudgetError",
        `The grant is for ${uses} uses; the program's policy allows 3.`,
      );
  });

  it("refuses another program's manifest", () => {
    const manifest = manifestOf();
    const other = programIdOf(manifestOf({}));
    expect(other).to.not.equal(programIdOf(manifest));
    expectError(
      () => requireWithinPolicy({ programId: other }, manifest),
      "Grants.OtherProgramError",
      `The grant is for program ${other}, the manifest is of ${programIdOf(manifest)}.`,
    );
  });
});
