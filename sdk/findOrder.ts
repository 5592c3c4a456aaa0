/**
 * Room: sdk/findOrder. A signed order that was settled without being opened: from the market's event, and from the calldata
 * of its transaction, where the order is.
 */
import { getAbiItem, type Hex } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import type { JobOrder } from "../protocol/eip712.ts";
import type { Client } from "./client.ts";
import { findEvent } from "./scanEvents.ts";
import { type Settlement, settlementOf } from "./settlement.ts";

/** A signed order that was settled. */
export type SettledOrder = {
  jobId: Hex;
  /** undefined if another contract settled it: then its parties have it. */
  order: JobOrder | undefined;
  state: "SettledOk" | "SettledFailed";
  settlement: Settlement;
};

const settledEvent = getAbiItem({ abi: jobMarketAbi, name: "OrderSettled" });

/**
 * Finds a settled order. What is given of the order hashes to `jobId`.
 *
 * @returns undefined if no such order was settled.
 * @throws ForgedJobError | any error of `scanEvents`
 * @example
 * const found = await findOrder(client, jobId)
 */
export async function findOrder(client: Client, jobId: Hex): Promise<SettledOrder | undefined> {
  const address = client.deployment.contracts.jobMarket;
  const log = await findEvent(client, { address, event: settledEvent, args: { jobId }, newestFirst: true });
  if (log === undefined) return undefined;
  const settlement = await settlementOf(client, jobId, log);
  const state = settlement.failure === "None" ? "SettledOk" : "SettledFailed";
  return { jobId, order: settlement.sent?.order, state, settlement };
}
