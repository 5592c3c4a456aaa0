/**
 * Room: sdk/audit/auditPage. An audit as one HTML page that needs nothing else: no script, no font, no image from
 * anywhere. All text of strangers is escaped. Pure.
 */
import { plainText } from "../plainText.ts";
import { formatVerdicts } from "./formatAudit.ts";
import type { Verdict } from "./line.ts";
import { type AuditClaim, type AuditReport, linesOf } from "./report.ts";
import { trustPicture } from "./trustPicture.ts";

const classes: Readonly<Record<Verdict, string>> = {
  verified: "yes",
  "not verified": "no",
  "cannot be verified": "open",
};

const sentences: Readonly<Record<Verdict, string>> = {
  verified: "Every claim that can be checked was checked, and holds.",
  "not verified": "At least one claim is false.",
  "cannot be verified": "No claim was found false, but at least one could not be checked.",
};

/**
 * Writes the page.
 *
 * @returns an HTML document.
 * @example
 * await writeFile("audit.html", auditPage(report))
 */
export function auditPage(report: AuditReport): string {
  const wholes = report.claims.filter(({ under }) => under === undefined);
  const partsOf = (id: string) => report.claims.filter(({ under }) => under === id);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit of job ${report.jobId.slice(0, 10)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header class="${classes[report.verdict]}">
<h1>Audit of a job</h1>
<p class="hash">${escaped(report.jobId)}</p>
<p class="verdict">${report.verdict}</p>
<p>${sentences[report.verdict]} ${formatVerdicts(linesOf({ ...report, limits: [] }))}.</p>
</header>
<section>
<h2>Believed beforehand</h2>
<p>An audit starts from these. Whoever trusts them can check all the rest.</p>
<table class="anchors">${anchorRows(report)}</table>
</section>
<section>
<h2>From the root key to the result</h2>
<figure>${trustPicture(report)}</figure>
</section>
${wholes.map((whole) => wholeSection(whole, partsOf(whole.id))).join("\n")}
<section>
<h2>What nobody can check</h2>
<ul>${report.limits.map(({ statement, reason }) => `<li><b>${escaped(statement)}</b><br>${escaped(reason)}</li>`).join("")}</ul>
</section>
</main>
</body>
</html>
`;
}

function anchorRows({ anchors }: AuditReport): string {
  const root = `${anchors.rootKey}${anchors.simulated ? " \u2014 SIMULATED: not Intel's" : " \u2014 Intel SGX Root CA"}`;
  const rows: readonly (readonly [string, string])[] = [
    ["Root key", anchors.deploymentSource === "the auditor" ? root : `${root}, from ${anchors.deploymentSource}`],
    ["Chain", String(anchors.chainId)],
    ["Block", `${anchors.blockNumber} (${anchors.blockHash}), from ${anchors.blockSource}`],
    ["Workload expected", anchors.workloadId ?? "none was named"],
    ["Images built anew", anchors.images.join(", ") || "none"],
    ["Auditors believed", anchors.auditors.join(", ") || "none"],
  ];
  return rows.map(([name, value]) => `<tr><th>${name}</th><td class="hash">${escaped(value)}</td></tr>`).join("");
}

function wholeSection(whole: AuditClaim, parts: readonly AuditClaim[]): string {
  return `<section>
<h2 class="${classes[whole.verdict]}">${escaped(whole.claim)}</h2>
<p>${whole.verdict}: ${escaped(whole.reason)}.</p>
<table class="claims">${parts.map(partRow).join("\n")}</table>
</section>`;
}

function partRow({ id, claim, verdict, reason, evidence }: AuditClaim): string {
  return `<tr class="${classes[verdict]}"><td class="mark">${verdict}</td><td><b>${escaped(claim)}</b><br>${escaped(reason)}<br><span class="hash">${escaped(id)} \u00b7 evidence ${escaped(evidence)}</span></td></tr>`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return plainText(text, 4096).replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

const style = `
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5b6577; --paper: #ffffff; --edge: #d7dce5; --soft: #f5f7fa;
  --yes: #1a7f4b; --yes-soft: #e8f6ee; --no: #b3261e; --no-soft: #fdecea; --open: #8a5a00; --open-soft: #fdf3df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #9aa5b8; --paper: #14181f; --edge: #323a48;
  --soft: #1b212b; --yes: #5fd39a; --yes-soft: #14301f; --no: #ff8a80; --no-soft: #3b1a18; --open: #f0b95a; --open-soft: #34280f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { margin: 0; font-size: 28px; } h2 { margin: 40px 0 8px; font-size: 20px; } p { margin: 4px 0; }
header { border-left: 8px solid; padding: 8px 20px; border-radius: 4px; }
.verdict { font-size: 22px; font-weight: 700; text-transform: uppercase; letter-spacing: .04em; }
.hash { font: 13px/1.5 ui-monospace, monospace; color: var(--dim); overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; margin-top: 8px; }
th, td { text-align: left; vertical-align: top; padding: 8px 12px; border-top: 1px solid var(--edge); }
th { width: 170px; font-weight: 600; }
td.mark { width: 170px; font-weight: 600; }
figure { margin: 12px 0; padding: 16px; background: var(--soft); border-radius: 12px; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 640px; height: auto; }
svg rect { fill: var(--paper); stroke: var(--edge); stroke-width: 2; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; }
svg .title { font-weight: 600; font-size: 16px; } svg .note { fill: var(--dim); } svg .mark { font-weight: 700; font-size: 20px; text-anchor: middle; }
svg .arrow { fill: none; stroke: var(--dim); stroke-width: 2; } svg marker path { fill: var(--dim); }
svg .yes rect { fill: var(--yes-soft); stroke: var(--yes); } svg .yes .mark { fill: var(--yes); }
svg .no rect { fill: var(--no-soft); stroke: var(--no); } svg .no .mark { fill: var(--no); }
svg .open rect { fill: var(--open-soft); stroke: var(--open); } svg .open .mark { fill: var(--open); }
header.yes, h2.yes, tr.yes .mark { color: var(--yes); } header.no, h2.no, tr.no .mark { color: var(--no); }
header.open, h2.open, tr.open .mark { color: var(--open); }
header.yes { background: var(--yes-soft); } header.no { background: var(--no-soft); } header.open { background: var(--open-soft); }
header h1, header p { color: var(--ink); } header .hash { color: var(--dim); }
@media print { main { max-width: none; } section { break-inside: avoid; } }
`;
