/**
 * Room: sdk/audit/trustPicture. The chain of trust as a picture (SVG): from the root key to the result, each link coloured
 * by what the audit found of it. Pure.
 */
import type { Verdict } from "./line.ts";
import { type AuditReport, linesOf, worstOf } from "./report.ts";

/** One link: where it is drawn, and the lines that say whether it holds; a trailing dot means all that start so. */
type Link = { id: string; column: 0 | 1 | 2; row: number; title: string; note: string; lines: readonly string[] };

const links: readonly Link[] = [
  { id: "root", column: 1, row: 0, title: "Root key", note: "", lines: ["attestation.genuine"] },
  {
    id: "pck",
    column: 1,
    row: 1,
    title: "Platform certificate",
    note: "signed below the root",
    lines: ["attestation.signature"],
  },
  {
    id: "tcb",
    column: 2,
    row: 1,
    title: "Patch level",
    note: "Intel's collateral, judged anew",
    lines: ["attestation.tcb"],
  },
  {
    id: "quote",
    column: 1,
    row: 2,
    title: "Quote",
    note: "what the CPU measured",
    lines: ["attestation.workload", "code.boot"],
  },
  {
    id: "source",
    column: 0,
    row: 0,
    title: "Source and images",
    note: "built anew, or endorsed",
    lines: ["code.images", "code.expected"],
  },
  {
    id: "compose",
    column: 0,
    row: 1,
    title: "Compose file",
    note: "its hash is in the quote",
    lines: ["code.compose", "code.launch"],
  },
  {
    id: "keys",
    column: 1,
    row: 3,
    title: "Enclave's keys",
    note: "made inside, bound by the quote",
    lines: ["attestation.binding", "attestation.operator"],
  },
  {
    id: "registration",
    column: 2,
    row: 3,
    title: "Registration",
    note: "verified and kept by the contract",
    lines: ["attestation.live"],
  },
  {
    id: "program",
    column: 0,
    row: 3,
    title: "Program and policy",
    note: "hash to the agreed programId",
    lines: ["code.program", "receipt.policy"],
  },
  { id: "consent", column: 0, row: 4, title: "Owners' grants", note: "signed, in force", lines: ["consent."] },
  {
    id: "receipt",
    column: 1,
    row: 4,
    title: "Receipt",
    note: "signed by the enclave's key",
    lines: ["receipt.", "log."],
  },
  { id: "order", column: 2, row: 4, title: "Order", note: "the requester's word", lines: ["order."] },
  { id: "result", column: 1, row: 5, title: "Result", note: "sealed, hash in the receipt", lines: ["result."] },
  { id: "settlement", column: 2, row: 5, title: "Settlement", note: "paid by the order", lines: ["money.", "chain."] },
];

const arrows: readonly (readonly [from: string, to: string])[] = [
  ["root", "pck"],
  ["pck", "quote"],
  ["tcb", "quote"],
  ["source", "compose"],
  ["compose", "quote"],
  ["quote", "keys"],
  ["keys", "registration"],
  ["keys", "receipt"],
  ["program", "receipt"],
  ["consent", "receipt"],
  ["order", "receipt"],
  ["receipt", "result"],
  ["receipt", "settlement"],
];

const [width, height, gapX, gapY] = [272, 74, 56, 46];
const classes: Readonly<Record<Verdict, string>> = {
  verified: "yes",
  "not verified": "no",
  "cannot be verified": "open",
};
const marks: Readonly<Record<Verdict, string>> = {
  verified: "\u2713",
  "not verified": "\u2717",
  "cannot be verified": "?",
};

/**
 * Draws the chain of trust of an audit. Colours come from the page's classes `yes`, `no`, `open`, `none`.
 *
 * @returns an `svg` element; holds nothing of strangers' text.
 * @example
 * const svg = trustPicture(report)
 */
export function trustPicture(report: AuditReport): string {
  const rows = Math.max(...links.map(({ row }) => row)) + 1;
  const size = [3 * width + 2 * gapX + 20, rows * (height + gapY) - gapY + 20];
  const label = "The chain of trust, from the root key to the result";
  return [
    `<svg viewBox="-10 -10 ${size[0]} ${size[1]}" role="img" aria-label="${label}" xmlns="http://www.w3.org/2000/svg">`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    ...arrows.map(([from, to]) => drawArrow(linkOf(from), linkOf(to))),
    ...links.map((link) => drawLink(report, link)),
    "</svg>",
  ].join("\n");
}

/**
 * What the audit found of one link; undefined if it looked at none of its lines.
 *
 * @throws RangeError if there is no such link.
 * @example
 * verdictOfLink(report, "receipt")
 */
export function verdictOfLink(report: AuditReport, id: string): Verdict | undefined {
  const { lines } = linkOf(id);
  const matches = (line: string) => lines.some((name) => (name.endsWith(".") ? line.startsWith(name) : line === name));
  const found = linesOf({ ...report, limits: [] }).filter((line) => matches(line.id));
  return found.length === 0 ? undefined : worstOf(found.map(({ verdict }) => verdict));
}

function linkOf(id: string): Link {
  const link = links.find((one) => one.id === id);
  if (link === undefined) throw new RangeError(`No link is called ${id}.`);
  return link;
}

function drawLink(report: AuditReport, link: Link): string {
  const [x, y] = placeOf(link);
  const verdict = verdictOfLink(report, link.id);
  const note =
    link.id === "root" ? (report.anchors.simulated ? "SIMULATED: not Intel's" : "Intel SGX Root CA") : link.note;
  const kind = verdict === undefined ? "none" : classes[verdict];
  const mark = verdict === undefined ? "\u2013" : marks[verdict];
  return [
    `<g class="${kind}"><title>${link.title}: ${verdict ?? "not looked at"}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10"/>`,
    `<text class="mark" x="${x + width - 24}" y="${y + 31}">${mark}</text>`,
    `<text class="title" x="${x + 16}" y="${y + 31}">${link.title}</text>`,
    `<text class="note" x="${x + 16}" y="${y + 54}">${note}</text></g>`,
  ].join("");
}

function drawArrow(from: Link, to: Link): string {
  const [x1, y1] = placeOf(from);
  const [x2, y2] = placeOf(to);
  const middle = width / 2;
  if (from.row === to.row) {
    const y = y1 + height / 2;
    return from.column < to.column ? path(`M${x1 + width} ${y}H${x2 - 3}`) : path(`M${x1} ${y}H${x2 + width + 3}`);
  }
  if (from.column === to.column) return path(`M${x1 + middle} ${y1 + height}V${y2 - 3}`);
  // Beside the middle of the target, so that no two arrows end on one point.
  const end = x2 + middle + (from.column < to.column ? -60 : 60);
  const turn = y2 - gapY / 2;
  return path(`M${x1 + middle} ${y1 + height}V${turn}H${end}V${y2 - 3}`);
}

function path(d: string): string {
  return `<path class="arrow" d="${d}" marker-end="url(#tip)"/>`;
}

function placeOf({ column, row }: Link): [x: number, y: number] {
  return [column * (width + gapX), row * (height + gapY)];
}
