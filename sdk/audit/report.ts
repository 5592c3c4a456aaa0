/**
 * Room: sdk/audit/report. An audit's lines as a report: the three claims of the product with what stands under each, what
 * nobody can check, and what all of it rests on. Pure.
 */
import { type Address, type Hex, sha256, stringToBytes } from "viem";
import { isSimulated } from "../../protocol/deployment.ts";
import { type Believed, isBelievedBlock } from "./believed.ts";
import type { Evidence } from "./evidence.ts";
import { evidenceHasher } from "./evidenceHash.ts";
import type { AuditLine, Verdict } from "./line.ts";

/** One claim. `under`: the claim it is a part of. `evidence`: hash of what was looked at; of a whole, of its parts' hashes. */
export type AuditClaim = AuditLine & { evidence: Hex; under?: string };

/** What no audit can show. */
export type AuditLimit = { id: string; statement: string; reason: string };

/** What an audit rests on: whoever trusts these can check the rest. */
export type AuditAnchors = {
  /** Who says that root key, chain and contracts are those that are meant. */
  deploymentSource: "the auditor" | "the bundle, unchecked";
  /** x || y of the root key that the quotes are verified up to. */
  rootKey: Hex;
  /** Whether that root is another than Intel's. */
  simulated: boolean;
  chainId: number;
  /** The block that the chain was looked at from; decimal. */
  blockNumber: string;
  blockHash: Hex;
  /** Who says that the block is the chain's. */
  blockSource: "the auditor" | "an RPC that the auditor believes" | "an RPC, unchecked" | "the bundle, unchecked";
  /** As the auditor expects it; null: none was named. */
  workloadId: Hex | null;
  /** Digests that the auditor built anew. */
  images: readonly string[];
  /** Whose endorsements count. */
  auditors: readonly Address[];
};

/** An audit of one job. `verdict` is that of all claims together. */
export type AuditReport = {
  jobId: Hex;
  verdict: Verdict;
  claims: AuditClaim[];
  limits: AuditLimit[];
  anchors: AuditAnchors;
};

/** A claim made of others: those whose ids start so, and whole claims that it rests on. */
type Whole = { id: string; claim: string; prefixes: readonly string[]; restsOn: readonly string[] };

/** The three claims, then what they all rest on. */
const wholes: readonly Whole[] = [
  {
    id: "private",
    claim: "The data stay private",
    prefixes: ["consent", "privacy"],
    restsOn: ["code", "settlement"],
  },
  { id: "code", claim: "The exact agreed code ran", prefixes: ["attestation", "code"], restsOn: ["settlement"] },
  {
    id: "result",
    claim: "The result is what that code returned, and nobody changed it",
    prefixes: ["receipt", "log", "result"],
    restsOn: ["code", "settlement"],
  },
  {
    id: "settlement",
    claim: "Order, money and chain agree",
    prefixes: ["order", "money", "chain"],
    restsOn: [],
  },
];

/** Lines that are unknown to everybody, always: stated, and not counted. */
const limits: readonly string[] = ["privacy.physical", "privacy.keys", "result.right"];

/**
 * The three claims and the one they rest on, in order.
 *
 * @example
 * for (const { id, claim } of wholeClaims) rows.push(claim)
 */
export const wholeClaims: readonly Readonly<{ id: string; claim: string }>[] = wholes;

/**
 * Makes the report.
 *
 * @param lines - of `judge`, and what else was looked at.
 * @example
 * const report = reportOf(evidence, judge(evidence, believed), believed)
 */
export function reportOf(evidence: Evidence, lines: readonly AuditLine[], believed: Believed): AuditReport {
  const hashOf = evidenceHasher(evidence);
  const isLimit = ({ id, verdict }: AuditLine) => limits.includes(id) && verdict === "cannot be verified";
  const parts = lines.filter((line) => !isLimit(line)).map((line) => partOf(line, hashOf(line.id)));
  const byWhole = new Map(wholes.map((whole) => [whole.id, parts.filter(({ under }) => under === whole.id)]));
  const claims = wholes.flatMap((whole) => [wholeOf(whole, byWhole), ...(byWhole.get(whole.id) ?? [])]);
  return {
    jobId: evidence.jobId,
    verdict: worstOf(claims.map(({ verdict }) => verdict)),
    claims,
    limits: lines.filter(isLimit).map(({ id, claim, reason }) => ({ id, statement: claim, reason })),
    anchors: { ...anchorsOf(evidence, believed), ...sourcesOf(evidence, lines, believed) },
  };
}

function partOf(line: AuditLine, evidence: Hex): AuditClaim {
  const kind = line.id.split(".")[0] ?? "";
  const whole = wholes.find(({ prefixes }) => prefixes.includes(kind));
  if (whole === undefined) throw new RangeError(`No claim takes line ${line.id}.`);
  return { ...line, evidence, under: whole.id };
}

/** As good as the worst of its parts and of what it rests on; with no part of its own, it is open at best. */
function wholeOf({ id, claim, restsOn }: Whole, byWhole: ReadonlyMap<string, AuditClaim[]>): AuditClaim {
  const own = byWhole.get(id) ?? [];
  const below = restsOn.flatMap((other) => byWhole.get(other) ?? []);
  const verdict = worstOf([worstOf(own.map((part) => part.verdict)), ...below.map((part) => part.verdict)]);
  const verified = own.filter((part) => part.verdict === "verified").length;
  const first = [...own, ...below].find((part) => part.verdict === verdict);
  const rest = verdict === "verified" ? "" : `; ${verdict}: ${first?.id ?? "nothing was looked at"}`;
  const reason = `${verified} of ${own.length} parts verified${rest}`;
  const evidence = sha256(stringToBytes([...own, ...below].map((part) => part.evidence).join("")));
  return { id, claim, verdict, reason, evidence };
}

/**
 * The worst of several verdicts; "cannot be verified" if there is none.
 *
 * @example
 * worstOf(["verified", "cannot be verified"]) // "cannot be verified"
 */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("not verified")) return "not verified";
  return verdicts.length === 0 || verdicts.includes("cannot be verified") ? "cannot be verified" : "verified";
}

/**
 * A report's parts and limits as the lines they were made of.
 *
 * @example
 * formatVerdicts(linesOf(report))
 */
export function linesOf({ claims, limits }: AuditReport): AuditLine[] {
  const parts = claims.filter(({ under }) => under !== undefined);
  const stated = limits.map(({ id, statement, reason }) => ({ id, claim: statement, reason }));
  return [...parts, ...stated.map((limit) => ({ ...limit, verdict: "cannot be verified" as const }))];
}

/**
 * The exit code of a command that audits: 0 all is verified, 1 something is false, 2 something could not be checked.
 *
 * @example
 * process.exitCode = exitCodeOf(report.verdict)
 */
export function exitCodeOf(verdict: Verdict): 0 | 1 | 2 {
  return verdict === "verified" ? 0 : verdict === "not verified" ? 1 : 2;
}

function anchorsOf({ anchor, deployment }: Evidence, { auditors, images, workloadId }: Believed) {
  const { rootKey, chainId } = deployment;
  return {
    rootKey,
    simulated: isSimulated(deployment),
    chainId,
    blockNumber: anchor.number.toString(),
    blockHash: anchor.hash,
    workloadId: workloadId ?? null,
    images,
    auditors,
  };
}

/** Of a bundle there is a line on whether its deployment is the one that is meant; online it is the auditor's own. */
function sourcesOf(
  { anchor }: Evidence,
  lines: readonly AuditLine[],
  believed: Believed,
): Pick<AuditAnchors, "blockSource" | "deploymentSource"> {
  const meant = lines.find(({ id }) => id === "chain.deployment");
  const isOwn = meant === undefined || meant.verdict === "verified";
  const shower = meant === undefined ? "an RPC, unchecked" : "the bundle, unchecked";
  const unnamed = meant === undefined && believed.rpc ? "an RPC that the auditor believes" : shower;
  return {
    deploymentSource: isOwn ? "the auditor" : "the bundle, unchecked",
    blockSource: isBelievedBlock(anchor, believed) ? "the auditor" : unnamed,
  };
}
