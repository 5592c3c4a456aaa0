/**
 * Room: sdk/audit/judge. Turns evidence into the lines of an audit. Pure: no clock, no network; the same evidence
 * always gives the same lines.
 */
import { type Believed, nothingMore } from "./believed.ts";
import type { Evidence } from "./evidence.ts";
import { type AuditLine, type Finding, line, unknown } from "./line.ts";
import { attestationLines } from "./lines/attestation.ts";
import { chainLines } from "./lines/chain.ts";
import { codeLines } from "./lines/code.ts";
import { consentLines } from "./lines/consent.ts";
import { limitLines } from "./lines/limits.ts";
import { logLines } from "./lines/log.ts";
import { moneyLines } from "./lines/money.ts";
import { orderLines } from "./lines/order.ts";
import { receiptLines } from "./lines/receipt.ts";
import { resultLines, rightLine } from "./lines/result.ts";
import { sessionLines } from "./lines/session.ts";

/**
 * Judges evidence, claim by claim.
 *
 * @param believed - default: nothing but the deployment.
 * @param rerun - what running the job again came to, where somebody could.
 * @example
 * const lines = judge(await gatherEvidence(options), believed)
 */
export function judge(evidence: Evidence, believed: Believed = nothingMore, rerun?: Finding): AuditLine[] {
  const { settlement } = evidence;
  const run =
    settlement === undefined
      ? [line("receipt.none", "An enclave reported on a run", () => unknown(withoutReceipt(evidence)))]
      : [
          ...attestationLines(evidence, settlement),
          ...codeLines(evidence, believed),
          ...receiptLines(evidence, settlement),
          ...logLines(evidence, settlement),
          ...resultLines(evidence, settlement),
          rightLine(rerun),
        ];
  return [
    ...orderLines(evidence),
    ...sessionLines(evidence, settlement),
    ...consentLines(evidence, settlement),
    ...run,
    ...moneyLines(evidence),
    ...chainLines(evidence, believed),
    ...limitLines(),
  ];
}

function withoutReceipt({ ending }: Evidence): string {
  if (ending === undefined) return "the job is open: there is no receipt yet";
  if (ending.how === "settled") return "the job was settled through another contract: its receipt is at its worker";
  if (ending.how === "disagreed") return "enclaves said different things: nobody was paid";
  return `the job was ${ending.how}: there is no receipt, and nobody was paid`;
}
