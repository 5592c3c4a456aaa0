/**
 * Room: sdk/jobs. Opening, cancelling and expiring jobs. Money leaves the wallet only in `openJob`.
 */
import { bytesToHex, type Hex } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import type { Client } from "./client.ts";
import { findJob } from "./findJob.ts";
import { type Paid, pay } from "./payment.ts";
import type { PreparedJob } from "./prepareJob.ts";
import { type Sent, send } from "./send.ts";

/** An opened job. */
export type OpenedJob = Paid & { jobId: Hex; index: bigint };

/** Signatures of the order by those who do not send the transaction; empty or left out for who does. */
export type Consents = { requesterSignature?: Hex; payerSignature?: Hex };

/**
 * Opens a job and escrows its cost: from the payer's credit, and where that is not enough the native coin by value, an
 * ERC-20 by an allowance there is, else by permit where the token takes one, else by approving just what is lacking.
 *
 * @param consents - of requester and payer, where the client's wallet is not both.
 * @throws any error of `send`
 * @example
 * const { jobId, index } = await openJob(client, await prepareJob(client, terms))
 */
export async function openJob(client: Client, job: PreparedJob, consents: Consents = {}): Promise<OpenedJob> {
  const { order, programUri, cost } = job;
  const { requesterSignature = "0x", payerSignature = "0x" } = consents;
  const args = [order, programUri, bytesToHex(job.params), requesterSignature, payerSignature] as const;
  const { payer, token } = order;
  const { result, ...paid } = await pay(client, { payer, token, cost }, { functionName: "open", args });
  const [jobId, index] = result;
  return { ...paid, jobId, index };
}

/**
 * Takes an open job of the client's wallet back that no enclave has accepted; its whole cost becomes the payer's credit.
 *
 * @throws any error of `findJob` and `send`
 * @example
 * await cancelJob(client, jobId)
 */
export async function cancelJob(client: Client, job: Hex | bigint): Promise<Sent> {
  return await end(client, "cancel", job);
}

/**
 * Ends a job whose deadline has passed, or that nobody accepted in time; its whole cost becomes the payer's credit, and
 * the bond of one that was accepted the requester's. Anyone may do it.
 *
 * @throws any error of `findJob` and `send`
 * @example
 * await expireJob(client, jobId)
 */
export async function expireJob(client: Client, job: Hex | bigint): Promise<Sent> {
  return await end(client, "expire", job);
}

async function end(client: Client, functionName: "cancel" | "expire", job: Hex | bigint): Promise<Sent> {
  const { index, order } = await findJob(client, job);
  const address = client.deployment.contracts.jobMarket;
  const sent = await send(client, { address, abi: jobMarketAbi, functionName, args: [index, order] });
  return { hash: sent.hash, gasUsed: sent.gasUsed, blockNumber: sent.blockNumber };
}
