/**
 * Room: sdk/audit/gather/job. How a job was opened and ended, and whom it paid, from events and calldata.
 */
import { type Address, getAbiItem, type Hex, isAddressEqual } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { type Settlement as Sent, settlementIn } from "../../../protocol/chain/settlingTransaction.ts";
import { domainOf, hashOrder, hashReceipt, receiptStatus } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { maxDatasets } from "../../../protocol/limits.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import type { CountedReceipt, Credit, Ending, Opening, Settlement } from "../evidence.ts";
import { type ChainView, ContradictoryChainError, type Seen } from "./chainView.ts";
import { gatherRecord } from "./enclave.ts";
import { gatherPayerCredit } from "./payerCredit.ts";
import { signedGrantsOf } from "./shownGrants.ts";
import type { Shows } from "./shows.ts";

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" });
const settledEvent = getAbiItem({ abi: jobMarketAbi, name: "JobSettled" });
const disagreedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobDisagreed" });
const cancelledEvent = getAbiItem({ abi: jobMarketAbi, name: "JobCancelled" });
const expiredEvent = getAbiItem({ abi: jobMarketAbi, name: "JobExpired" });
const acceptedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobAccepted" });
const countedEvent = getAbiItem({ abi: jobMarketAbi, name: "ReceiptCounted" });
const orderEvent = getAbiItem({ abi: jobMarketAbi, name: "OrderSettled" });
const creditedEvent = getAbiItem({ abi: jobMarketAbi, name: "Credited" });

const notOnChain = {
  missing: "the order was settled without being opened: its parties have this, in the order's file",
};

/**
 * How the job was opened; of a signed order that was not, how it was settled.
 *
 * @param given - the signed order, as one of its parties has it; believed for nothing but what its hashes prove.
 * @throws {@link NoSuchJobError} | {@link OrderNotShownError} | {@link OtherOrderError} | ContradictoryChainError
 * @example
 * const { order } = await gatherOpening(view, jobId, signedOrder)
 */
export async function gatherOpening(view: ChainView, jobId: Hex, given: SignedOrder | undefined): Promise<Opening> {
  if (given !== undefined) {
    const { chainId, contracts } = view.deployment;
    const named = hashOrder(domainOf(chainId, contracts.jobMarket), given.order);
    if (named !== jobId) throw new OtherOrderError(named);
  }
  const address = view.deployment.contracts.jobMarket;
  const [opened, ...more] = await view.events({ address, event: openedEvent, args: { jobId } });
  if (opened === undefined) return await gatherOrder(view, jobId, given);
  if (more.length > 0) throw new ContradictoryChainError("the job was opened twice");
  const { index, order, programUri, params } = opened.args;
  if (order.datasets.length > maxDatasets) throw new ContradictoryChainError("no job has so many data sets");
  const where = { number: opened.block.number, transactionHash: opened.transactionHash };
  const payerCredit = await gatherPayerCredit(view, order.payer, order.token, where);
  return { block: opened.block, logIndex: opened.logIndex, index, order, programUri, params, payerCredit };
}

async function gatherOrder(view: ChainView, jobId: Hex, given: SignedOrder | undefined): Promise<Opening> {
  const address = view.deployment.contracts.jobMarket;
  const [settled, ...more] = await view.events({ address, event: orderEvent, args: { jobId } });
  if (settled === undefined) throw new NoSuchJobError(jobId, view.anchor.number);
  if (more.length > 0) throw new ContradictoryChainError("the order was settled twice");
  const { block, logIndex, transactionHash } = settled;
  const order = given?.order ?? (await sentIn(view, transactionHash, jobId))?.order;
  if (order === undefined) throw new OrderNotShownError(jobId);
  const where = { number: block.number, transactionHash };
  const payerCredit = await gatherPayerCredit(view, order.payer, order.token, where);
  const { programUri, params } = given ?? { programUri: notOnChain, params: notOnChain };
  return { block, logIndex, index: undefined, order, programUri, params, payerCredit };
}

/**
 * How the job ended, if it did.
 *
 * @param shows - asked for the receipt where it is not in calldata of the market's.
 * @throws ContradictoryChainError if it ended twice.
 * @example
 * const { ending, settlement } = await gatherEnding(view, jobId, opening, shows)
 */
export async function gatherEnding(
  view: ChainView,
  jobId: Hex,
  opening: Opening,
  shows: Shows,
): Promise<{ ending: Ending | undefined; settlement: Settlement | undefined }> {
  const address = view.deployment.contracts.jobMarket;
  const args = { jobId };
  const settled = await view.events({ address, event: settledEvent, args });
  const orders = await view.events({ address, event: orderEvent, args });
  const disagreed = await view.events({ address, event: disagreedEvent, args });
  const cancelled = await view.events({ address, event: cancelledEvent, args });
  const expired = await view.events({ address, event: expiredEvent, args });
  const endings: Ending[] = [
    ...settled.map((seen) => ({ ...seen, index: seen.args.index, how: "settled" as const })),
    ...orders.map((seen) => ({ ...seen, index: undefined, how: "settled" as const })),
    ...disagreed.map((seen) => ({ ...seen, index: seen.args.index, how: "disagreed" as const })),
    ...cancelled.map((seen) => ({ ...seen, index: seen.args.index, how: "cancelled" as const })),
    ...expired.map((seen) => ({ ...seen, index: seen.args.index, how: "expired" as const })),
  ];
  if (endings.length > 1) throw new ContradictoryChainError("the job ended more than once");
  const [ending] = endings;
  const last = settled[0] ?? orders[0];
  const settlement = last && (await gatherSettlement(view, jobId, opening, last, shows));
  return { ending, settlement };
}

type SettledSeen = Pick<Seen<typeof settledEvent | typeof orderEvent>, "args" | "transactionHash">;

/** The receipt stands in the settlement's calldata; where it does not show, its worker may have it. */
async function gatherSettlement(
  view: ChainView,
  jobId: Hex,
  { order }: Opening,
  { args, transactionHash }: SettledSeen,
  shows: Shows,
): Promise<Settlement | undefined> {
  const { receiptHash, signer } = args;
  const sent = await sentIn(view, transactionHash, jobId);
  if (sent !== undefined) {
    const { receipt, signature, together } = sent;
    const counted = together.find(({ status }) => status === receiptStatus.ok)?.countedGrants ?? 0;
    const grants = signedGrantsOf(order, counted, sent.grants, await gatherRecord(view, signer));
    return { receipt, signature, signer, receiptHash, grants, offer: sent.offer[0], together };
  }
  const missing = { missing: "the job was settled through another contract: this does not show in the transaction" };
  const domain = domainOf(view.deployment.chainId, view.deployment.contracts.jobMarket);
  const shown = await shows.receipt(jobId);
  if (shown === undefined || hashReceipt(domain, shown.receipt) !== receiptHash) return undefined;
  return { ...shown, signer, receiptHash, grants: missing, offer: missing, together: [shown.receipt] };
}

async function sentIn(view: ChainView, transactionHash: Hex, jobId: Hex): Promise<Sent | undefined> {
  const { chainId, contracts } = view.deployment;
  const { to, input } = await view.transaction(transactionHash);
  if (to === null || !isAddressEqual(to, contracts.jobMarket)) return undefined;
  return settlementIn(input, domainOf(chainId, contracts.jobMarket), jobId);
}

/**
 * Every credit that was booked under a job.
 *
 * @param source - the job's id, or the first one's of those that were settled together.
 * @example
 * const credits = await gatherCredits(view, jobId)
 */
export async function gatherCredits(view: ChainView, source: Hex): Promise<Credit[]> {
  const address = view.deployment.contracts.jobMarket;
  const seen = await view.events({ address, event: creditedEvent, args: { source } });
  return seen.map(({ args: { account, token, amount }, transactionHash }) => ({
    account,
    token,
    amount,
    transactionHash,
  }));
}

/**
 * Who has accepted the job, and who staked the bond.
 *
 * @example
 * const acceptance = await gatherAcceptance(view, jobId)
 */
export async function gatherAcceptance(
  view: ChainView,
  jobId: Hex,
): Promise<{ signer: Address; bonder: Address } | undefined> {
  const address = view.deployment.contracts.jobMarket;
  const [accepted] = await view.events({ address, event: acceptedEvent, args: { jobId } });
  return accepted && { signer: accepted.args.signer, bonder: accepted.args.bonder };
}

/**
 * What enclaves have said before the last one, where the order asks for several.
 *
 * @example
 * const counted = await gatherCounted(view, jobId)
 */
export async function gatherCounted(view: ChainView, jobId: Hex): Promise<CountedReceipt[]> {
  const address = view.deployment.contracts.jobMarket;
  const counted: CountedReceipt[] = [];
  for (const { args, block, logIndex } of await view.events({ address, event: countedEvent, args: { jobId } })) {
    const { signer, platformId, receiptHash, outputCommitment } = args;
    const record = await gatherRecord(view, signer);
    counted.push({ block, logIndex, signer, platformId, receiptHash, outputCommitment, record });
  }
  return counted;
}

/** The chain does not know the job. */
export class NoSuchJobError extends BaseError {
  override readonly name = "Audit.NoSuchJobError";
  constructor(jobId: Hex, block: bigint) {
    super(`No job ${jobId} was opened up to block ${block}.`, {
      hint: "Check the job id, the deployment and the RPC. Of a session's job give its worker, when it was claimed.",
    });
  }
}

/** A signed order was settled, and only its parties know what it says. */
export class OrderNotShownError extends BaseError {
  override readonly name = "Audit.OrderNotShownError";
  constructor(jobId: Hex) {
    super(`Order ${jobId} was settled through another contract: it does not show in the transaction.`, {
      hint: "Its requester has the order: give its file with --order-file. Without it there is nothing to audit.",
    });
  }
}

/** The order that was given is not the one to audit. */
export class OtherOrderError extends BaseError {
  override readonly name = "Audit.OtherOrderError";
  constructor(jobId: Hex) {
    super(`The order file is that of job ${jobId}.`, { hint: "Give the file of the order that you audit." });
  }
}
