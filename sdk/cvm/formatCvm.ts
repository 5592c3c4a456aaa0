/**
 * Room: sdk/cvm/formatCvm. The examination of a VM as text for people. Pure.
 */

import { formatLine, formatVerdicts } from "../audit/formatAudit.ts";
import { plainLines } from "../plainText.ts";
import type { CvmReport } from "./verifyCvm.ts";

const sections: readonly (readonly [heading: string, prefix: string])[] = [
  ["The quote is genuine", "quote"],
  ["What the quote is about", "bound"],
  ["What was booted", "boot"],
  ["What the app may do, and what the host may do to it", "app"],
  ["Who the app is", "id"],
  ["What Info says", "info"],
  ["What the worker says", "claims"],
];

/**
 * Writes an examination for people.
 *
 * @returns lines of text without colours, ending in a line feed.
 * @example
 * process.stdout.write(formatCvm(await verifyCvm(evidence, policy)))
 */
export function formatCvm(report: CvmReport): string {
  const { lines, measured, scripts, simulated, warnings } = report;
  const rows = [
    `dstack VM${simulated ? "  SIMULATED: the root key is not Intel's" : ""}`,
    `report data  ${measured.reportData}`,
    `compose hash ${measured.composeHash ?? "not known"}`,
    `workload     ${measured.workloadId ?? "not known"}`,
  ];
  for (const [heading, prefix] of sections) {
    const found = lines.filter(({ id }) => id.startsWith(`${prefix}.`));
    if (found.length > 0) rows.push("", heading, ...found.flatMap(formatLine));
  }
  if (warnings.length > 0) rows.push("", "Warnings", ...warnings.map((warning) => `  ! ${warning}`));
  for (const { field, sha256, text } of scripts) {
    const body = plainLines(text).split("\n");
    rows.push("", `${field} (SHA-256 ${sha256}), which runs as root:`, ...body.map((row) => `  | ${row}`));
  }
  rows.push("", formatVerdicts(lines));
  return `${rows.join("\n")}\n`;
}
