/** All verdicts of the shared vectors, exactly; where dcap-qvl says otherwise, why. */
import { expect } from "chai";
import { judgeQuote } from "../../../protocol/collateral/judgeQuote.ts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { collateralOf, index, quoteOf } from "./index.ts";

const outOfDate2026 = "OutOfDate [INTEL-SA-01192,INTEL-SA-01245,INTEL-SA-01312,INTEL-SA-01313]";
const unsupported = "X TCB level: Intel lists no status for the platform";
const modules2024 = "[INTEL-SA-01036,INTEL-SA-01099]";

/** What this verifier says, in the order of index.json; "=" where it is word for word what dcap-qvl says. */
const expected: readonly string[] = [
  "=", // phala_sample_v4
  "=",
  "=",
  outOfDate2026,
  `${unsupported}: SGX 3.3.2.2.4.1.0.3.0.0.0.0.0.0.0.0, PCE 13, TDX 7.1.3.0.0.0.0.0.0.0.0.0.0.0.0.0 is below every level.`,
  ...Array(4).fill(
    `${unsupported}: SGX 2.2.2.2.3.1.0.3.0.0.0.0.0.0.0.0, PCE 11, TDX 5.1.2.0.0.0.0.0.0.0.0.0.0.0.0.0 is below every level.`,
  ),
  "X quote format: Quote of version 3 is not supported.", // phala_sgx_v3: SGX is no concern of ours
  "=", // nearmpc_2025-12-11
  "=",
  "=",
  "=", // nearmpc_2026-01-28
  "=",
  outOfDate2026,
  "=", // nearmpc_2026-08-14
  "=",
  "=",
  "=", // flash_0x12c14e
  `OutOfDate ${modules2024}`, // its TDX module has SVN 5, TDX_01 wants 6: dcap-qvl does not look
  `OutOfDate ${modules2024}`,
  // As dcap-qvl, and the advisories of the module's level.
  "OutOfDate [INTEL-SA-01192,INTEL-SA-01245,INTEL-SA-01312,INTEL-SA-01313,INTEL-SA-01036,INTEL-SA-01099]",
  "=", // dstack_quote_report
  "OutOfDate [INTEL-SA-00960,INTEL-SA-00982,INTEL-SA-00986]", // automata_gcp_v4
  "X MRSERVICETD: a service TD is bound to the VM", // automata_alibaba_v5
  "X MRSERVICETD: a service TD is bound to the VM",
  "=", // gotdx_v5
];

describe("judgeQuote on the shared vectors", () => {
  it("has an expectation for each verdict", () => {
    expect(index.verdicts.length).to.equal(28);
    expect(expected.length).to.equal(28);
  });

  for (const [i, { quote, collateral, at, verdict }] of index.verdicts.entries()) {
    const own = expected[i] === "=" ? verdict : expected[i];
    it(`says ${own?.slice(0, 40)} of ${quote} by ${collateral}`, () => {
      const judgement = judgeQuote(quoteOf(quote), collateralOf(collateral), intelRootKey, at);
      const { tcb, checks, accepted } = judgement;
      const failed = checks.find(({ passed }) => !passed);
      const advisories = tcb?.advisoryIds.length ? ` [${tcb.advisoryIds.join()}]` : "";
      expect(tcb === undefined ? `X ${failed?.check}: ${failed?.fact}` : `${tcb.status}${advisories}`).to.equal(own);
      expect(accepted).to.equal(tcb?.status === "UpToDate");
      expect(failed?.check).to.equal(accepted ? undefined : tcb === undefined ? failed?.check : "TCB policy");
    });
  }
});
