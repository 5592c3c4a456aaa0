/**
 * Room: sdk/settlement. What a job was settled with: the event says it by hashes, the receipt itself is in the calldata of
 * its transaction, and is checked against both the hash and the signature.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { type Settlement as Sent, settlementIn } from "../protocol/chain/settlingTransaction.ts";
import { type FailureCode, failureCodes, hashReceipt, type Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { recoverSigner } from "../protocol/signature.ts";
import { toTypedError } from "./chainErrors.ts";
import type { Client } from "./client.ts";

/** How a job was settled. */
export type Settlement = {
  /** EIP-712 hash of the receipt. */
  receiptHash: Hex;
  resultHash: Hex;
  signer: Address;
  /** Why there is no result; "None" if there is one. */
  failure: FailureCode;
  transactionHash: Hex;
  blockNumber: bigint;
  /** As the calldata have it; undefined if another contract settled the job: then its worker has the receipt. */
  sent: Sent | undefined;
};

/** An event that says that a job was settled. */
export type SettledLog = {
  args: { receiptHash: Hex; resultHash: Hex; failureCode: number; signer: Address };
  transactionHash: Hex;
  blockNumber: bigint;
};

/**
 * Reads the settlement that an event tells of.
 *
 * @throws {@link ForgedJobError} if calldata, event and signature contradict each other | RpcError
 * @example
 * const { sent, failure } = await settlementOf(client, jobId, log)
 */
export async function settlementOf(client: Client, jobId: Hex, log: SettledLog): Promise<Settlement> {
  const { args, transactionHash, blockNumber } = log;
  const { receiptHash, resultHash, signer, failureCode } = args;
  const failure = failureCodes[failureCode];
  if (failure === undefined) throw new ForgedJobError(jobId, "failure code");
  const sent = settlementIn(await calldataOf(client, transactionHash), client.marketDomain, jobId);
  const settlement = { receiptHash, resultHash, signer, failure, transactionHash, blockNumber, sent };
  if (sent !== undefined) requireReceipt(client, jobId, settlement, sent);
  return settlement;
}

/**
 * Refuses a receipt that is not the one that a settlement tells of.
 *
 * @throws {@link ForgedJobError}
 * @example
 * requireReceipt(client, jobId, settlement, await fetchReceipt(workerUrl, jobId))
 */
export function requireReceipt(
  client: Client,
  jobId: Hex,
  settlement: Omit<Settlement, "sent">,
  { receipt, signature }: { receipt: Receipt; signature: Hex },
): void {
  const hash = hashReceipt(client.marketDomain, receipt);
  const actual = recoverSigner(hash, signature);
  const told = receipt.resultHash === settlement.resultHash && failureCodes[receipt.failureCode] === settlement.failure;
  const signed = actual !== undefined && isAddressEqual(actual, settlement.signer);
  if (hash !== settlement.receiptHash || receipt.jobId !== jobId || !told || !signed)
    throw new ForgedJobError(jobId, "receipt");
}

/** Of a transaction to the market; empty for any other. */
async function calldataOf(client: Client, hash: Hex): Promise<Hex> {
  const { to, input } = await client.chain.getTransaction({ hash }).catch((cause) => {
    throw toTypedError(cause);
  });
  return to !== null && isAddressEqual(to, client.deployment.contracts.jobMarket) ? input : "0x";
}

/** What the RPC tells of the job does not hash, is not signed, or is missing. */
export class ForgedJobError extends BaseError {
  override readonly name = "FindJob.ForgedJobError";
  constructor(jobId: Hex, part: string) {
    super(`The RPC's ${part} of job ${jobId} is not what the chain can hold.`, {
      hint: "The RPC is faulty or lies. Use another one.",
    });
  }
}
