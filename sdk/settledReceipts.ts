/**
 * Room: sdk/settledReceipts. The receipts that a market was settled with, from the calldata of its settlements. Those of a
 * session's jobs are at its worker, and those of settlements through other contracts too.
 */
import { getAbiItem, type Hex } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { receiptToJson } from "../protocol/receiptJson.ts";
import type { Client } from "./client.ts";
import { scanEvents } from "./scanEvents.ts";
import { type Settlement, settlementOf } from "./settlement.ts";

const events = [
  getAbiItem({ abi: jobMarketAbi, name: "JobSettled" }),
  getAbiItem({ abi: jobMarketAbi, name: "OrderSettled" }),
] as const;

/** One settlement: a row of JSON for `auditReceipts`, or the job whose receipt the chain does not show. */
export type SettledReceipt = { jobId: Hex; row: string | undefined };

/**
 * The receipts of a market, in the order of their settlements' kind and block.
 *
 * @throws any error of `scanEvents` and `settlementOf`
 * @example
 * for await (const { row } of settledReceipts(client)) if (row !== undefined) rows.push(row)
 */
export async function* settledReceipts(client: Client): AsyncGenerator<SettledReceipt> {
  const address = client.deployment.contracts.jobMarket;
  for (const event of events)
    for await (const log of scanEvents(client, { address, event, args: {} })) {
      const { jobId } = log.args;
      yield { jobId, row: rowOf(await settlementOf(client, jobId, log)) };
    }
}

function rowOf({ sent, signer }: Settlement): string | undefined {
  if (sent === undefined) return undefined;
  return JSON.stringify({ receipt: receiptToJson(sent.receipt), signature: sent.signature, signer });
}
