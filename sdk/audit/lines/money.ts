/**
 * Room: sdk/audit/lines/money. Whether the money went where the order says. Pure; amounts in units of the token.
 */
import { type Address, isAddressEqual } from "viem";
import { type JobOrder, receiptStatus } from "../../../protocol/eip712.ts";
import { type Evidence, isMissing } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";

type Payment = { account: Address; amount: bigint };

/**
 * Judges escrow and payment.
 *
 * @example
 * lines.push(...moneyLines(evidence))
 */
export function moneyLines(evidence: Evidence): AuditLine[] {
  return [
    line("money.escrow", "The whole cost of the job was escrowed when it was opened", () => judgeEscrow(evidence)),
    line("money.paid", "Everybody was credited what the order says, and nobody else anything", () =>
      judgePayments(evidence),
    ),
  ];
}

function costOf(order: JobOrder): bigint {
  return order.datasets.reduce((sum, use) => sum + use.price, order.operatorFee);
}

function judgeEscrow({ opening }: Evidence): Finding {
  const { order } = opening;
  const cost = costOf(order);
  if (cost === 0n) return holds("the job costs nothing");
  return given(opening.moved, (moves) => {
    const mine = moves.filter(
      ({ token, from }) => isAddressEqual(token, order.token) && isAddressEqual(from, order.requester),
    );
    const exact = mine.some(({ amount }) => amount === cost);
    return allOf({ [`no transfer of ${cost} to the market`]: exact }, `${cost} from ${order.requester}`);
  });
}

function judgePayments(evidence: Evidence): Finding {
  const { credits, ending, opening } = evidence;
  if (ending === undefined) {
    return credits.length === 0 ? unknown("the job is open: the money is in escrow") : fails("credited while open");
  }
  const expected = expectedPayments(evidence);
  if (expected === undefined) return unknown("whom the operator's fee is for is not known");
  const wanted = totals(expected);
  const given = totals(credits);
  const accounts = new Set([...wanted.keys(), ...given.keys()]);
  const wrong = [...accounts].find((account) => wanted.get(account) !== given.get(account));
  const sum = credits.reduce((total, { amount }) => total + amount, 0n);
  return allOf(
    {
      "money was credited in another transaction": credits.every(
        (credit) => credit.transactionHash === ending.transactionHash,
      ),
      "another token was credited": credits.every(({ token }) => isAddressEqual(token, opening.order.token)),
      [`${wrong} was credited ${given.get(wrong ?? "") ?? 0n}, not ${wanted.get(wrong ?? "") ?? 0n}`]:
        wrong === undefined,
      "the credits do not add up to the escrow": sum === costOf(opening.order),
    },
    `${credits.length} credits, ${sum} in all, as the order says`,
  );
}

/** Who is due what. undefined: it depends on the signer's registration, and that is missing. */
function expectedPayments({ datasets, opening, registration, settlement }: Evidence): Payment[] | undefined {
  const { order } = opening;
  const cost = costOf(order);
  if (settlement === undefined) return [{ account: order.requester, amount: cost }];
  if (isMissing(registration)) return undefined;
  const { operator } = registration;
  if (settlement.receipt.status !== receiptStatus.ok) {
    return [
      { account: operator, amount: order.failureFee },
      { account: order.requester, amount: cost - order.failureFee },
    ];
  }
  const payments = [{ account: operator, amount: order.operatorFee }];
  for (const [position, { price }] of order.datasets.entries()) {
    const dataset = datasets[position]?.registration;
    if (dataset === undefined || isMissing(dataset)) return undefined;
    payments.push({ account: dataset.owner, amount: price });
  }
  return payments;
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
