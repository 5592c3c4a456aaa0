/**
 * Room: sdk/audit/lines/money. Whether the money went where the order says. Pure; amounts in units of the token.
 */
import { isAddressEqual } from "viem";
import { costOf } from "../../../protocol/charges.ts";
import { type Evidence, isMissing } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";
import { duesOf, type Payment } from "./dues.ts";
import { sessionDues } from "./session.ts";

/**
 * Judges escrow and payment.
 *
 * @example
 * lines.push(...moneyLines(evidence))
 */
export function moneyLines(evidence: Evidence): AuditLine[] {
  const taken = evidence.session
    ? "The whole cost of the session's jobs was escrowed when it was opened"
    : evidence.opening.index === undefined
      ? "The payer's credit was charged for the order when it was settled"
      : "The whole cost of the job was escrowed when it was opened";
  return [
    line("money.escrow", taken, () => judgeTaken(evidence)),
    line("money.paid", "Everybody was credited what the order says, and nobody else anything", () =>
      judgePayments(evidence),
    ),
  ];
}

/** The payer's credit went down by what it cost, and what was paid in for that arrived. */
function judgeTaken({ opening }: Evidence): Finding {
  const { order } = opening;
  if (costOf(order) === 0n) return holds("the job costs nothing");
  return given(opening.payerCredit, ({ before, after, added, taken, paidIn, arrived }) => {
    const expected = before + added - taken;
    const balanced = allOf({ [`the payer's credit came to ${after}, not ${expected}`]: after === expected }, "");
    if (balanced.verdict !== "verified") return balanced;
    if (paidIn === 0n) return holds(`from the credit of ${order.payer}`);
    if (isMissing(arrived)) return unknown(arrived.missing);
    return allOf(
      { [`${paidIn} were credited as paid in, ${arrived} arrived`]: arrived >= paidIn },
      `from ${order.payer}; ${paidIn} paid in with the transaction`,
    );
  });
}

function judgePayments(evidence: Evidence): Finding {
  const { credits, ending, opening } = evidence;
  if (ending === undefined) {
    return credits.length === 0 ? unknown("the job is open: the money is in escrow") : fails("credited while open");
  }
  return given(evidence.session ? sessionDues(evidence, evidence.session) : duesOf(evidence), (dues) => {
    const wanted = totals(dues);
    const paid = totals(credits);
    const accounts = new Set([...wanted.keys(), ...paid.keys()]);
    const wrong = [...accounts].find((account) => wanted.get(account) !== paid.get(account));
    const sum = credits.reduce((total, { amount }) => total + amount, 0n);
    return allOf(
      {
        // A session's leaves that are shown are paid at once, the others when it is closed.
        "money was credited in another transaction":
          evidence.session !== undefined ||
          credits.every((credit) => credit.transactionHash === ending.transactionHash),
        "another token was credited": credits.every(({ token }) => isAddressEqual(token, opening.order.token)),
        [`${wrong} was credited ${paid.get(wrong ?? "") ?? 0n}, not ${wanted.get(wrong ?? "") ?? 0n}`]:
          wrong === undefined,
      },
      `${credits.length} credits, ${sum} in all, as the order${evidence.session ? "s of the session say" : " says"}`,
    );
  });
}

/** Amounts by account in lower case; none that are zero. */
function totals(payments: readonly Payment[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, amount } of payments) {
    const key = account.toLowerCase();
    if (amount !== 0n) sums.set(key, (sums.get(key) ?? 0n) + amount);
  }
  return sums;
}
