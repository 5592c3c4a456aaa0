/**
 * Room: sdk/audit/judge. Turns evidence into the lines of an audit. Pure: no clock, no network; the same evidence
 * always gives the same lines.
 */
import type { Evidence } from "./evidence.ts";
import { type AuditLine, line, unknown } from "./line.ts";
import { attestationLines } from "./lines/attestation.ts";
import { codeLines } from "./lines/code.ts";
import { consentLines } from "./lines/consent.ts";
import { limitLines } from "./lines/limits.ts";
import { moneyLines } from "./lines/money.ts";
import { orderLines } from "./lines/order.ts";
import { receiptLines } from "./lines/receipt.ts";
import { resultLines } from "./lines/result.ts";
import { sessionLines } from "./lines/session.ts";

/**
 * Judges evidence, claim by claim.
 *
 * @example
 * const lines = judge(await gatherEvidence(options))
 */
export function judge(evidence: Evidence): AuditLine[] {
  const { settlement } = evidence;
  const run =
    settlement === undefined
      ? [line("receipt.none", "An enclave reported on a run", () => unknown(withoutReceipt(evidence)))]
      : [
          ...attestationLines(evidence, settlement),
          ...codeLines(evidence),
          ...receiptLines(evidence, settlement),
          ...resultLines(evidence, settlement),
        ];
  return [
    ...orderLines(evidence),
    ...sessionLines(evidence, settlement),
    ...consentLines(evidence, settlement),
    ...run,
    ...moneyLines(evidence),
    ...limitLines(evidence),
  ];
}

function withoutReceipt({ ending }: Evidence): string {
  if (ending === undefined) return "the job is open: there is no receipt yet";
  if (ending.how === "settled") return "the job was settled through another contract: its receipt is at its worker";
  if (ending.how === "disagreed") return "enclaves said different things: nobody was paid";
  return `the job was ${ending.how}: there is no receipt, and nobody was paid`;
}
