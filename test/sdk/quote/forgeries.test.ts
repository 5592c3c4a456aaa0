/** The simulator's forgeries: each refused for its reason, or beyond what one quote and its collateral can show. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { compareWithDcapQvl } from "../../../sdk/quote/compareWithDcapQvl.ts";
import { controls, forgeries } from "../../../simulator/forgeries/forgeries.ts";
import { platform } from "../../protocol/quote/vectors.ts";

/** Accepted, since neither quote nor collateral is wrong. */
const beyond = [
  // For who trusts the workload to judge: XFAM and MRCONFIGID are part of its id.
  /^xfam-/,
  /^mr-config-id-/,
  // Genuine collateral, though older than what a chain may have seen before.
  /-rolled-back$/,
  /-below-minimum-evaluation$/,
  // The same content in other words: only the chain's cheap reader asks for Intel's order and case.
  /-json-field-order(-in-level)?$/,
  /-json-lower-case-fmspc$/,
];

describe("judgements of the simulator's forgeries", () => {
  const { root } = platform.certificates;

  it("accept every genuine pair", () => {
    for (const { name, quote, collateral, at } of controls(platform)) {
      const { own, dcapQvl, differences } = compareWithDcapQvl(quote, collateral, at, root);
      expect(own.accepted, name).to.equal(true);
      // The one that dcap-qvl mistakes.
      const mistaken = name === "genuine-serials-of-other-issuers-revoked";
      expect(dcapQvl.accepted, name).to.equal(!mistaken);
      expect(differences, name).to.deep.equal(
        mistaken
          ? [
              "dcap-qvl refuses (Certificate is revoked) what is evaluated here: it looks for a serial number in every revocation list, whoever issued it.",
            ]
          : [],
      );
    }
  });

  it("refuse every forgery, by the check that it is about, and never accept what dcap-qvl refuses", function () {
    this.timeout(60_000);
    const found = [...forgeries(platform)].map(({ name, quote, collateral, at }) => {
      const { own, dcapQvl, differences } = compareWithDcapQvl(quote, collateral, at, root);
      expect(own.accepted, name).to.equal(beyond.some((one) => one.test(name)));
      if (own.accepted) expect(dcapQvl.accepted, name).to.equal(true);
      expect(differences.join(), name).to.not.contain("not explained");
      return `${name}: ${own.accepted ? "accepted" : own.checks.at(-1)?.check}`;
    });
    const known = readFileSync(new URL("forgeries.checks.txt", import.meta.url), "utf8")
      .trimEnd()
      .split("\n");
    expect(found).to.deep.equal(known);
  });
});
