/**
 * Room: sdk/audit/formatAudit. An audit as text for people: what was claimed, and whether it holds. Pure.
 */
import type { AuditReport } from "./auditJob.ts";
import type { AuditLine, Verdict } from "./line.ts";

/** Headings, and the first part of the ids under each. */
const sections: readonly (readonly [heading: string, prefixes: readonly string[]])[] = [
  ["The data stay private", ["consent", "privacy"]],
  ["The exact agreed code ran", ["attestation", "code"]],
  ["The result is what that code returned", ["receipt", "result"]],
  ["Order, money and chain", ["order", "money", "chain"]],
];

const marks: Readonly<Record<Verdict, string>> = { verified: "+", "not verified": "X", "cannot be verified": "?" };
const verdicts: readonly Verdict[] = ["verified", "not verified", "cannot be verified"];

/**
 * Writes an audit for people.
 *
 * @returns lines of text without colours, ending in a line feed.
 * @example
 * process.stdout.write(formatAudit(await auditJob(options)))
 */
export function formatAudit(report: AuditReport): string {
  const { anchors, lines } = report;
  const rows = [
    `Audit of job ${report.jobId}`,
    `chain ${anchors.chainId} at block ${anchors.blockNumber} (${anchors.blockHash})`,
    `root key ${anchors.rootKey.slice(0, 18)}...${anchors.simulated ? "  SIMULATED: not Intel's" : "  Intel SGX Root CA"}`,
  ];
  for (const [heading, prefixes] of sections) {
    const found = lines.filter(({ id }) => prefixes.includes(id.split(".")[0] ?? ""));
    if (found.length > 0) rows.push("", heading, ...found.flatMap(formatLine));
  }
  rows.push("", formatVerdicts(lines));
  return `${rows.join("\n")}\n`;
}

/**
 * How many lines came to which verdict.
 *
 * @example
 * formatVerdicts(report.lines) // "12 verified, 0 not verified, 3 cannot be verified"
 */
export function formatVerdicts(lines: readonly AuditLine[]): string {
  return verdicts.map((verdict) => `${lines.filter((line) => line.verdict === verdict).length} ${verdict}`).join(", ");
}

/**
 * One line of an audit, as two lines of text.
 *
 * @example
 * rows.push(...formatLine(line))
 */
export function formatLine({ claim, reason, verdict }: AuditLine): string[] {
  return [`  ${marks[verdict]} ${claim}`, `      ${verdict}: ${reason}`];
}
