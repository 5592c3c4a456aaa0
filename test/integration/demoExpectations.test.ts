/** That `npm start` can fail: every fact it looks at, changed once. */
import { expect } from "chai";
import { demoExpectations } from "../../scripts/demoExpectations.ts";
import type { Verdict } from "../../sdk/audit/line.ts";
import type { AuditReport } from "../../sdk/audit/report.ts";

const open = "attestation.genuine chain.rpc code.expected code.images code.launch".split(" ");
const limits = "privacy.keys privacy.physical result.right".split(" ");

function actual(changes: { verdicts?: Record<string, Verdict>; without?: string } = {}) {
  const verdicts: Record<string, Verdict> = { "receipt.signature": "verified" };
  for (let i = 1; i < 36; i++) verdicts[`line.${i}`] = "verified";
  for (const id of open) verdicts[id] = "cannot be verified";
  const claims = Object.entries({ ...verdicts, ...changes.verdicts })
    .filter(([id]) => id !== changes.without)
    .map(([id, verdict]) => ({ id, claim: "", reason: "", verdict, under: "code" }));
  return {
    state: "SettledOk",
    output: { n: 63, r: 0.9601902642499779, firstYear: 1958, lastYear: 2020 },
    balances: { requester: "95", "provider A": "2.5", "provider B": "1.5", operator: "1", market: "0" },
    report: { claims, limits: limits.map((id) => ({ id, statement: "", reason: "" })) } as unknown as AuditReport, // all that is read
  };
}

describe("demoExpectations", () => {
  it("finds nothing when all is as it must be", () => {
    expect(demoExpectations(actual())).to.deep.equal([]);
  });

  it("finds another end, result or balance", () => {
    const is = actual();
    expect(demoExpectations({ ...is, state: "SettledFailed" })).to.deep.equal(["the job is SettledFailed"]);
    expect(demoExpectations({ ...is, output: { ...is.output, n: 62 } })).to.have.length(1);
    expect(demoExpectations({ ...is, balances: { ...is.balances, operator: "1.1" } })).to.have.length(1);
  });

  it("finds a claim that is false, open or verified where it must not be, or missing", () => {
    const changed = (id: string, verdict: Verdict) => demoExpectations(actual({ verdicts: { [id]: verdict } }));
    const line = 'audit line receipt.signature is "not verified", not "verified"';
    const count = "35 audit lines are verified, not 36";
    expect(changed("receipt.signature", "not verified")).to.deep.equal([line, count]);
    expect(changed("receipt.signature", "cannot be verified")).to.have.length(2);
    expect(changed("attestation.genuine", "verified")).to.have.length(2);
    expect(demoExpectations(actual({ without: "line.7" }))).to.deep.equal([count]);
    expect(demoExpectations(actual({ without: "chain.rpc" }))).to.deep.equal(["audit line chain.rpc is missing"]);
  });
});
