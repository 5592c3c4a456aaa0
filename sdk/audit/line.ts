/**
 * Room: sdk/audit/line. One line of an audit: a claim, a verdict, and the reason for it. Pure.
 */
import { BaseError } from "../../protocol/errors.ts";
import { plainText } from "../plainText.ts";
import { isMissing, type Missing } from "./evidence.ts";

/** "not verified": it was checked and is false. "cannot be verified": nobody can, or the evidence is missing. */
export type Verdict = "verified" | "not verified" | "cannot be verified";

/** One line of an audit. */
export type AuditLine = { id: string; claim: string; verdict: Verdict; reason: string };

/** What looking at a claim came to. */
export type Finding = { verdict: Verdict; reason: string };

/** Longest reason, in characters: strangers' text may be in it. */
const maxReason = 400;

/** The claim is true. */
export function holds(reason: string): Finding {
  return { verdict: "verified", reason };
}

/** The claim is false. */
export function fails(reason: string): Finding {
  return { verdict: "not verified", reason };
}

/** Whether the claim is true cannot be known here. */
export function unknown(reason: string): Finding {
  return { verdict: "cannot be verified", reason };
}

/**
 * The first of several comparisons that is false, or the reason why all are true.
 *
 * @param comparisons - fact that would be wrong -> whether it is right.
 * @example
 * allOf({ "another program": receipt.programId === order.programId }, "the fields are the order's")
 */
export function allOf(comparisons: Readonly<Record<string, boolean>>, reason: string): Finding {
  const wrong = Object.entries(comparisons).find(([, right]) => !right);
  return wrong === undefined ? holds(reason) : fails(wrong[0]);
}

/**
 * Looks at a claim. What the looking throws on purpose means that the claim is false.
 *
 * @example
 * line("order.id", "The order is the one that the job id names", () => holds("it hashes to it"))
 */
export function line(id: string, claim: string, look: () => Finding): AuditLine {
  let finding: Finding;
  try {
    finding = look();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    finding = fails(error.message);
  }
  return { id, claim, verdict: finding.verdict, reason: plainText(finding.reason, maxReason) };
}

/**
 * Looks at a claim if the evidence is there.
 *
 * @example
 * given(evidence.program, (bytes) => holds(`${bytes.length} bytes`))
 */
export function given<T extends object>(evidence: T | Missing, look: (present: T) => Finding): Finding {
  return isMissing(evidence) ? unknown(evidence.missing) : look(evidence as T);
}

/**
 * A time as text. Times come from strangers: one may be past what a Date holds.
 *
 * @example
 * isoTime(0n) // "1970-01-01T00:00:00.000Z"
 */
export function isoTime(unixSeconds: bigint): string {
  return unixSeconds < 253_402_300_800n ? new Date(Number(unixSeconds) * 1000).toISOString() : "after the year 9999";
}
