/**
 * What `npm start` must come to. What cannot be verified is expected to be said, not to be hidden: a line that turns
 * from "cannot be verified" to "verified" without this list being changed is as unexpected as a false one.
 */
import { isDeepStrictEqual } from "node:util";
import { type AuditReport, linesOf } from "../sdk/audit/report.ts";

/** Lines of the audit that a job on a simulated platform cannot have verified. */
const cannotBeVerified: readonly string[] = [
  "attestation.genuine",
  "chain.rpc",
  "code.expected",
  "code.images",
  "code.launch",
  "privacy.keys",
  "privacy.physical",
  "result.right",
];

/** Lines that must be verified: one that is no longer judged is as unexpected as a false one. */
const verifiedLines = 36;

const result = { n: 63, r: 0.9601902642499779, firstYear: 1958, lastYear: 2020 };
const balances = { requester: "95", "provider A": "2.5", "provider B": "1.5", operator: "1", market: "0" };

/**
 * Compares what happened with what must.
 *
 * @returns one sentence for each difference; none if all is as expected.
 * @example
 * const unexpected = demoExpectations({ state, output, balances, report })
 */
export function demoExpectations(actual: {
  state: string;
  output: unknown;
  balances: Readonly<Record<string, string>>;
  report: AuditReport;
}): string[] {
  const found: string[] = [];
  if (actual.state !== "SettledOk") found.push(`the job is ${actual.state}`);
  if (!isDeepStrictEqual(actual.output, result)) found.push(`the result is ${JSON.stringify(actual.output)}`);
  if (!isDeepStrictEqual(actual.balances, balances)) found.push(`the balances are ${JSON.stringify(actual.balances)}`);
  for (const { id, verdict } of linesOf(actual.report)) {
    const expected = cannotBeVerified.includes(id) ? "cannot be verified" : "verified";
    if (verdict !== expected) found.push(`audit line ${id} is "${verdict}", not "${expected}"`);
  }
  const verified = linesOf(actual.report).filter(({ verdict }) => verdict === "verified").length;
  if (verified !== verifiedLines) found.push(`${verified} audit lines are verified, not ${verifiedLines}`);
  const ids = new Set(linesOf(actual.report).map(({ id }) => id));
  for (const id of cannotBeVerified) if (!ids.has(id)) found.push(`audit line ${id} is missing`);
  return found;
}
