/**
 * Room: sdk/audit/formatAudit. An audit as text for people: what was claimed, and whether it holds. Pure.
 */
import type { AuditLine, Verdict } from "./line.ts";
import { type AuditAnchors, type AuditReport, linesOf } from "./report.ts";

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
  const rows = [`Audit of job ${report.jobId}`, "", "Believed beforehand", ...formatAnchors(report.anchors)];
  for (const claim of report.claims) {
    if (claim.under === undefined) rows.push("", `${marks[claim.verdict]} ${claim.claim}: ${claim.reason}`);
    else rows.push(...formatLine(claim));
  }
  rows.push("", "What nobody can check");
  for (const { statement, reason } of report.limits) rows.push(`  - ${statement}`, `      ${reason}`);
  const counted = linesOf({ ...report, limits: [] });
  rows.push("", `${report.verdict.toUpperCase()}: ${formatVerdicts(counted)}`);
  return `${rows.join("\n")}\n`;
}

/**
 * The anchors of an audit, a row each.
 *
 * @example
 * rows.push(...formatAnchors(report.anchors))
 */
export function formatAnchors(anchors: AuditAnchors): string[] {
  const { rootKey, simulated, chainId, blockNumber, blockHash, workloadId, images, auditors } = anchors;
  const { blockSource, deploymentSource } = anchors;
  const unchecked = deploymentSource === "the auditor" ? "" : `, from ${deploymentSource}`;
  const list = (values: readonly string[]) => values.join(", ") || "none";
  return [
    `  root key  ${rootKey.slice(0, 18)}...${simulated ? "  SIMULATED: not Intel's" : "  Intel SGX Root CA"}${unchecked}`,
    `  chain     ${chainId}, block ${blockNumber} (${blockHash}), from ${blockSource}`,
    `  workload  ${workloadId ?? "none was named"}`,
    `  images    ${list(images)}`,
    `  auditors  ${list(auditors)}`,
  ];
}

/**
 * How many lines came to which verdict.
 *
 * @example
 * formatVerdicts(linesOf(report)) // "12 verified, 0 not verified, 3 cannot be verified"
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
