/**
 * Room: sdk/audit/lines/dues. Who is due what when a job has ended, by its order, grants, offer and receipts. Pure.
 * Source: IJobMarket.settle, settleOrders, expire. Amounts in units of the order's token.
 */
import type { Address } from "viem";
import { costOf, operatorFeeOf, priceOf, splitOf } from "../../../protocol/charges.ts";
import { type Receipt, receiptStatus } from "../../../protocol/eip712.ts";
import { type DatasetEvidence, type Evidence, isMissing, type Missing, type Settlement } from "../evidence.ts";
import { ownerAt } from "../position.ts";

/** Money that somebody is due. */
export type Payment = { account: Address; amount: bigint };

/**
 * All that was to be credited under the job.
 *
 * @returns what is missing if it cannot be known.
 * @example
 * const dues = duesOf(evidence)
 */
export function duesOf(evidence: Evidence): Payment[] | Missing {
  const { acceptance, ending, opening, settlement } = evidence;
  const { order } = opening;
  const cost = costOf(order);
  const all = { account: order.payer, amount: cost };
  if (ending?.how === "expired" && acceptance !== undefined)
    return [all, { account: order.requester, amount: order.bond }];
  if (ending?.how !== "settled") return [all];
  if (settlement === undefined) return { missing: "the receipt of the settlement is not at hand" };
  const operators = operatorsOf(evidence);
  if (isMissing(operators)) return operators;
  const payments: Payment[] = [];
  for (const receipt of settlement.together) {
    const due = duesOfOne(evidence, settlement, receipt, operators);
    if (isMissing(due)) return due;
    payments.push(...due);
  }
  // An order that was never opened escrowed nothing: nothing comes back.
  if (opening.index === undefined) return payments;
  const paid = payments.reduce((sum, { amount }) => sum + amount, 0n);
  payments.push({ account: order.payer, amount: cost - paid });
  if (acceptance !== undefined) payments.push({ account: acceptance.bonder, amount: order.bond });
  return payments;
}

/** The operators of all enclaves that said the same. */
function operatorsOf({ counted, registration }: Evidence): Address[] | Missing {
  if (isMissing(registration)) return { missing: "whom the operator's fee is for is not known" };
  const operators = [registration.operator];
  for (const { record } of counted) {
    if (isMissing(record)) return record;
    operators.push(record.operator);
  }
  return operators;
}

/** What one receipt pays to operators and to data sets. */
function duesOfOne(
  evidence: Evidence,
  { grants, offer }: Settlement,
  receipt: Receipt,
  operators: readonly Address[],
): Payment[] | Missing {
  const { order } = evidence.opening;
  if (receipt.status !== receiptStatus.ok) return operators.map((account) => ({ account, amount: order.failureFee }));
  if (isMissing(grants)) return grants;
  if (isMissing(offer)) return offer;
  const fee = operatorFeeOf(order, offer?.offer, receipt.runSeconds);
  const payments = operators.map((account) => ({ account, amount: fee }));
  for (const [i, signed] of grants.entries()) {
    if (signed === undefined) continue; // not counted: free
    const { registration, transfers }: Pick<DatasetEvidence, "registration" | "transfers"> = evidence.datasets[i] ?? {
      registration: { missing: "the data set was not looked up" },
      transfers: [],
    };
    if (isMissing(registration)) return registration;
    const price = priceOf(signed.grant, registration.sizeBytes, receipt.outputRows);
    payments.push(...splitOf(price, ownerAt(registration.owner, transfers, evidence.ending), registration.payees));
  }
  return payments;
}
