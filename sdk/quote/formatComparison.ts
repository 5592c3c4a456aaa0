/**
 * Room: sdk/quote. Two verdicts on a quote, for people and for programs. Pure.
 */
import { bytesToHex } from "viem";
import type { Judgement } from "../../protocol/collateral/judgeQuote.ts";
import { plainText } from "../plainText.ts";
import type { Comparison } from "./compareWithDcapQvl.ts";
import { dcapQvlLacks } from "./dcapQvl.ts";

/**
 * Writes a comparison for people.
 *
 * @returns lines of text, free of control characters.
 * @example
 * print(formatComparison(compareWithDcapQvl(quote, collateral, at)).join("\n"))
 */
export function formatComparison(comparison: Comparison): string[] {
  const { accepted, own, dcapQvl, differences } = comparison;
  const lines = [
    "",
    "Checks",
    ...own.checks.map(({ check, passed, fact }) => `  ${passed ? "+" : "X"} ${check}: ${withDates(check, fact)}`),
    ...(own.accepted || own.tcb !== undefined ? [] : ["    what follows was not looked at"]),
    "",
    `this verifier  ${own.accepted ? "accepts" : "refuses"}: ${statusOf(own)}`,
    `dcap-qvl       ${dcapQvl.accepted ? "accepts" : "refuses"}: ${withAdvisories(dcapQvl.status, dcapQvl.advisoryIds, dcapQvl.error)}`,
    ...(differences.length === 0 ? [] : ["", "They differ", ...differences.map((one) => `  ${one}`)]),
    "",
    "Left unchecked by @phala/dcap-qvl, checked here",
    ...dcapQvlLacks.map(({ what }) => `  - ${what}`),
    "",
    accepted ? "ACCEPTED by both" : "REFUSED",
  ];
  return lines.map((line) => plainText(line, 2000));
}

/**
 * A comparison as a JSON value.
 *
 * @example
 * JSON.stringify(comparisonJson(comparison))
 */
export function comparisonJson({ accepted, own, dcapQvl, differences }: Comparison) {
  const { tcb, quote, error } = own;
  return {
    accepted,
    own: {
      accepted: own.accepted,
      status: tcb?.status ?? null,
      tcb: tcb ?? null,
      validUntil: own.validUntil ?? null,
      platformId: quote?.platformId ?? null,
      fmspc: quote?.platform.fmspc ?? null,
      reportData: quote === undefined ? null : bytesToHex(quote.report.reportData),
      error: error === undefined ? null : { name: error.name, message: error.message, hint: error.hint },
      checks: own.checks,
    },
    dcapQvl: { ...dcapQvl, status: dcapQvl.status ?? null, error: dcapQvl.error ?? null },
    differences,
    dcapQvlLacks: dcapQvlLacks.map(({ what }) => what),
  };
}

/** Facts about dates carry Unix seconds; people read dates. */
function withDates(check: string, fact: string): string {
  if (!check.endsWith(" dates")) return fact;
  return fact.replace(/\b\d{1,12}\b/g, (seconds) => new Date(Number(seconds) * 1000).toISOString().replace(".000", ""));
}

function statusOf({ tcb, error }: Judgement): string {
  return withAdvisories(tcb?.status, tcb?.advisoryIds ?? [], error?.message);
}

function withAdvisories(status: string | undefined, advisoryIds: readonly string[], error: string | undefined): string {
  if (status === undefined) return error ?? "no status";
  return advisoryIds.length === 0 ? status : `${status} (${advisoryIds.join(", ")})`;
}
