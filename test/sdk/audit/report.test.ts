import { expect } from "chai";
import { auditPage } from "../../../sdk/audit/auditPage.ts";
import { nothingMore } from "../../../sdk/audit/believed.ts";
import type { Evidence } from "../../../sdk/audit/evidence.ts";
import { evidenceHasher, partsOf } from "../../../sdk/audit/evidenceHash.ts";
import { formatAudit } from "../../../sdk/audit/formatAudit.ts";
import { gatherEvidence } from "../../../sdk/audit/gather/gatherEvidence.ts";
import { judge } from "../../../sdk/audit/judge.ts";
import type { AuditLine, Verdict } from "../../../sdk/audit/line.ts";
import { exitCodeOf, linesOf, reportOf, worstOf } from "../../../sdk/audit/report.ts";
import { verdictOfLink } from "../../../sdk/audit/trustPicture.ts";
import { startStory } from "./story.ts";

describe("reportOf", () => {
  let evidence: Evidence;
  let lines: AuditLine[];
  before(async () => {
    const story = await startStory();
    try {
      await story.settle(await story.receiptOk());
      const { chain, deployment, jobId, workerUrl, resultIdentity } = story;
      evidence = await gatherEvidence({ chain: chain.public, deployment, jobId, workerUrl, resultIdentity });
      lines = judge(evidence);
    } finally {
      await story.close();
    }
  });

  /** A report in which all that counts is verified, but for some lines. */
  function reportWith(changed: Record<string, Verdict> = {}) {
    const said = lines.map((line) => ({ ...line, verdict: changed[line.id] ?? verdictUnless(line) }));
    return reportOf(evidence, said, nothingMore);
  }

  const limits = ["privacy.physical", "privacy.keys", "result.right"];
  const verdictUnless = ({ id }: AuditLine) => (limits.includes(id) ? "cannot be verified" : "verified");

  it("is verified only if each line is, and leaves out what nobody can check", () => {
    const report = reportWith();
    expect([report.verdict, exitCodeOf(report.verdict)]).to.deep.equal(["verified", 0]);
    expect(report.limits.map(({ id }) => id).sort()).to.deep.equal([...limits].sort());
    expect(
      linesOf(report)
        .map(({ id }) => id)
        .sort(),
    ).to.deep.equal(lines.map(({ id }) => id).sort());
    const wholes = report.claims.filter(({ under }) => under === undefined);
    expect(wholes.map(({ id }) => id)).to.deep.equal(["private", "code", "result", "settlement"]);
  });

  it("takes each single line for false or open, in the right claims", () => {
    for (const { id } of lines.filter((line) => !limits.includes(line.id))) {
      const wrong = reportWith({ [id]: "not verified" });
      expect([wrong.verdict, exitCodeOf(wrong.verdict)], id).to.deep.equal(["not verified", 1]);
      const open = reportWith({ [id]: "cannot be verified" });
      expect([open.verdict, exitCodeOf(open.verdict)], id).to.deep.equal(["cannot be verified", 2]);
      const under = wrong.claims.find((claim) => claim.id === id)?.under;
      const touched = wrong.claims.filter((claim) => claim.under === undefined && claim.verdict !== "verified");
      const resting: Record<string, string[]> = {
        private: ["private"],
        code: ["private", "code", "result"],
        result: ["result"],
        settlement: ["private", "code", "result", "settlement"],
      };
      expect(
        touched.map((claim) => claim.id),
        id,
      ).to.deep.equal(resting[under ?? ""]);
    }
  });

  it("counts a limit that was checked after all, whatever came of it", () => {
    expect(reportWith({ "result.right": "not verified" }).verdict).to.equal("not verified");
    const rerun = reportWith({ "result.right": "verified" });
    expect([rerun.verdict, rerun.limits.length]).to.deep.equal(["verified", 2]);
  });

  it("finds nothing verified about code that never ran, however well the rest holds", () => {
    const neverRan = lines.filter(({ id }) => !/^(attestation|code)\./.test(id));
    const report = reportOf(
      evidence,
      neverRan.map((line) => ({ ...line, verdict: verdictUnless(line) })),
      nothingMore,
    );
    const said = (id: string) => report.claims.find((claim) => claim.id === id);
    expect(said("settlement")?.verdict).to.equal("verified");
    expect(said("code")).to.include({
      verdict: "cannot be verified",
      reason: "0 of 0 parts verified; cannot be verified: nothing was looked at",
    });
    expect(report.verdict).to.equal("cannot be verified");
  });

  it("knows the worst of verdicts, and finds nothing verified where nothing was looked at", () => {
    expect(worstOf([])).to.equal("cannot be verified");
    expect(worstOf(["verified"])).to.equal("verified");
    expect(worstOf(["verified", "cannot be verified", "not verified"])).to.equal("not verified");
    expect(() =>
      reportOf(evidence, [{ id: "new.line", claim: "", verdict: "verified", reason: "" }], nothingMore),
    ).to.throw(RangeError, "No line is called new.line.");
  });

  it("names the evidence of each line by a hash that changes with it, and with nothing else", () => {
    const hashOf = evidenceHasher(evidence);
    const changed = (part: keyof Evidence) =>
      evidenceHasher({ ...evidence, [part]: { missing: "changed" } } as Evidence);
    for (const part of ["opening", "settlement", "registration", "datasets", "worker", "credits"] as const)
      for (const { id } of lines)
        expect(changed(part)(id) !== hashOf(id), `${part} of ${id}`).to.equal(partsOf(id).includes(part));
  });

  it("looks at no evidence that a line's hash leaves out", () => {
    const broken = (part: keyof Evidence): Evidence =>
      ({ ...evidence, [part]: part === "datasets" ? [] : part === "credits" ? [] : { missing: "gone" } }) as Evidence;
    const parts = [
      "registration",
      "enclaveRecord",
      "receiptAnchor",
      "program",
      "opened",
      "datasets",
      "credits",
    ] as const;
    for (const part of parts) {
      const said = new Map(judge(broken(part)).map((line) => [line.id, `${line.verdict} ${line.reason}`]));
      for (const { id, verdict, reason } of lines)
        if (!partsOf(id).includes(part)) expect(said.get(id), `${part} of ${id}`).to.equal(`${verdict} ${reason}`);
    }
  });

  it("is a page that runs and loads nothing, and escapes what strangers wrote", () => {
    const hostile = lines.map((line) =>
      line.id === "code.program" ? { ...line, reason: `<script>alert("1")</script>&'\u202e` } : line,
    );
    const page = auditPage(reportOf(evidence, hostile, nothingMore));
    expect(page).to.not.match(/<script|src=|href=|@import|url\((?!#tip\))|\u202e/);
    expect(page).to.include("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;");
    expect(page).to.include("SIMULATED: not Intel&#39;s");
    for (const { id } of lines.filter((line) => !limits.includes(line.id))) expect(page).to.include(id);
    expect(page.match(/<g class="(yes|open)"/g)).to.have.length(14);
  });

  it("colours each link of the picture by its lines", () => {
    expect(verdictOfLink(reportWith(), "receipt")).to.equal("verified");
    expect(verdictOfLink(reportWith({ "receipt.grants": "not verified" }), "receipt")).to.equal("not verified");
    expect(verdictOfLink(reportWith({ "consent.2.force": "cannot be verified" }), "consent")).to.equal(
      "cannot be verified",
    );
    const without = { ...reportWith(), claims: [] };
    expect(verdictOfLink(without, "receipt")).to.equal(undefined);
    for (const { id } of lines.filter((line) => !line.id.startsWith("privacy.") && !limits.includes(line.id))) {
      const links =
        "root pck tcb quote source compose keys registration program consent receipt order result settlement";
      const red = links
        .split(" ")
        .filter((link) => verdictOfLink(reportWith({ [id]: "not verified" }), link) === "not verified");
      expect(red.length, id).to.be.greaterThan(0);
    }
  });

  it("is text that says what it rests on and what nobody can check", () => {
    const text = formatAudit(reportWith());
    expect(text).to.include("SIMULATED: not Intel's");
    expect(text).to.include("What nobody can check\n  - ");
    expect(text).to.match(/\nVERIFIED: \d+ verified, 0 not verified, 0 cannot be verified\n$/);
  });
});
