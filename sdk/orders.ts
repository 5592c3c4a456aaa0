/**
 * Room: sdk/orders. Signed orders: handed to a worker or a sponsor instead of being opened. Nothing is sent but by
 * `cancelNonce` and `settleOrders`.
 */
import { type Address, bytesToHex, type Hex, isAddressEqual, keccak256, size, zeroHash } from "viem";
import { costOf } from "../protocol/charges.ts";
import type { Deployment } from "../protocol/deployment.ts";
import {
  hashOrder,
  type JobOrder,
  orderTypes,
  type Receipt,
  type SignedGrant,
  type SignedOffer,
  shownGrantOf,
} from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { commonOrder, type OrderGroup } from "../protocol/orderGroup.ts";
import { outcomeOf } from "../protocol/outcome.ts";
import { type SignedOrder, signedOrderSchema, signedOrderToJson } from "../protocol/signedOrder.ts";
import { addressOf, type Client } from "./client.ts";
import { chainTime } from "./grants.ts";
import { marketAbi } from "./payment.ts";
import type { PreparedJob } from "./prepareJob.ts";
import { read, type Sent, send } from "./send.ts";
import { isSignedBy, signTyped } from "./signatures.ts";
import { readSignedFile, signedFileOf } from "./signedFile.ts";

/**
 * Signs an order as its requester. With enough credit of the payer, a worker can settle it in one transaction.
 *
 * @throws {@link NotPartyError} | any error of `signTyped`
 * @example
 * const signed = await signOrder(client, await prepareJob(client, terms))
 */
export async function signOrder(
  client: Client,
  { order, programUri, params }: Pick<PreparedJob, "order" | "programUri" | "params">,
): Promise<SignedOrder> {
  if (!isAddressEqual(order.requester, addressOf(client))) throw new NotPartyError("requester", order.requester);
  const requesterSignature = await signHash(client, order);
  return { order, programUri, params: bytesToHex(params), requesterSignature, payerSignature: "0x" };
}

/**
 * Signs another's order as its payer: its whole cost may be taken from the wallet's credit or allowance.
 *
 * @throws {@link NotPartyError} | any error of {@link verifyOrder} or `signTyped`
 * @example
 * const sponsored = await sponsorOrder(client, signed)
 */
export async function sponsorOrder(client: Client, signed: SignedOrder): Promise<SignedOrder> {
  const { order } = signed;
  if (!isAddressEqual(order.payer, addressOf(client))) throw new NotPartyError("payer", order.payer);
  await verifyOrder(client, { ...signed, payerSignature: "0x" }, { payerMaySign: true });
  return { ...signed, payerSignature: await signHash(client, order) };
}

/**
 * Checks a signed order as JobMarket would: who signed, parameters, deadline, nonce. Grants are not looked at.
 *
 * @param options - `payerMaySign`: the payer's signature may still be missing; `pastDeadline`: as a session's leaf it may
 * be shown when its own deadline has passed.
 * @returns the job's id, and what it costs at most.
 * @throws {@link OrderNotSignedError} | {@link BadSignedOrderError} | any error of `read`
 * @example
 * const { jobId, cost } = await verifyOrder(client, signed)
 */
export async function verifyOrder(
  client: Client,
  signed: SignedOrder,
  options: { payerMaySign?: boolean; pastDeadline?: boolean } = {},
): Promise<{ jobId: Hex; cost: bigint }> {
  const { order, params, requesterSignature, payerSignature } = signed;
  const jobId = hashOrder(client.marketDomain, order);
  if (keccak256(params) !== order.paramsHash) throw new BadSignedOrderError(jobId, "its parameters are others");
  if (!(await isSignedBy(client, order.requester, jobId, requesterSignature)))
    throw new OrderNotSignedError(jobId, "requester", order.requester);
  const unsigned = options.payerMaySign === true && size(payerSignature) === 0;
  if (!isAddressEqual(order.payer, order.requester) && !unsigned) {
    if (!(await isSignedBy(client, order.payer, jobId, payerSignature)))
      throw new OrderNotSignedError(jobId, "payer", order.payer);
  }
  if (options.pastDeadline !== true && (await chainTime(client)) > order.deadline)
    throw new BadSignedOrderError(jobId, "its deadline has passed");
  // A session keeps nonces of its own.
  if (order.session === zeroHash && (await isNonceUsed(client, order.requester, order.nonce)))
    throw new BadSignedOrderError(jobId, "its nonce was used or taken back");
  return { jobId, cost: costOf(order) };
}

/**
 * Whether an account used or took back a nonce.
 *
 * @throws any error of `read`
 * @example
 * const gone = await isNonceUsed(client, order.requester, order.nonce)
 */
export async function isNonceUsed(client: Client, account: Address, nonce: bigint): Promise<boolean> {
  const address = client.deployment.contracts.jobMarket;
  return await read(client, { address, abi: marketAbi, functionName: "isNonceUsed", args: [account, nonce] });
}

/**
 * Makes whatever the client's wallet signed with a nonce, order or withdrawal, worthless.
 *
 * @throws any error of `send`
 * @example
 * await cancelNonce(client, order.nonce)
 */
export async function cancelNonce(client: Client, nonce: bigint): Promise<Sent> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: marketAbi, functionName: "cancelNonce", args: [nonce] } as const;
  const { hash, gasUsed, blockNumber } = await send(client, call);
  return { hash, gasUsed, blockNumber };
}

/**
 * Settles signed orders that were never opened, all or none. Anyone may: the payees come from what was signed.
 *
 * @throws any error of `send`
 * @example
 * await settleOrders(client, [orderGroupOf(signed, signedReceipt, grants, [])])
 */
export async function settleOrders(client: Client, groups: readonly OrderGroup[]): Promise<Sent> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: marketAbi, functionName: "settleOrders", args: [groups] } as const;
  const { hash, gasUsed, blockNumber } = await send(client, call);
  return { hash, gasUsed, blockNumber };
}

/**
 * The group of one order and its receipt.
 *
 * @param grants - of the data sets that the receipt counts, in the order's order.
 * @param offer - the order's; none if it names none.
 * @example
 * await settleOrders(client, [orderGroupOf(signed, signedReceipt, grants, [])])
 */
export function orderGroupOf(
  { order, requesterSignature, payerSignature }: SignedOrder,
  { receipt, signature }: { receipt: Receipt; signature: Hex },
  grants: readonly SignedGrant[],
  offer: readonly SignedOffer[],
): OrderGroup {
  const { paramsHash, deadline, nonce } = order;
  const signatures = { requesterSignature, payerSignature, receiptSignature: signature };
  const item = { paramsHash, deadline, nonce, ...signatures, outcome: outcomeOf(receipt) };
  return { order: commonOrder(order), grants: grants.map(shownGrantOf), offer, items: [item] };
}

/**
 * The JSON of an order file.
 *
 * @example
 * await writeFile("order.json", JSON.stringify(orderFileOf(deployment, signed)))
 */
export function orderFileOf(deployment: Deployment, signed: SignedOrder) {
  return signedFileOf("order", deployment, signedOrderToJson(signed));
}

/**
 * Reads an order file. It is checked by `verifyOrder`, not here.
 *
 * @throws BadSignedFileError
 * @example
 * const signed = readOrderFile(text, deployment)
 */
export function readOrderFile(text: string, deployment: Deployment): SignedOrder {
  return readSignedFile("order", text, deployment, signedOrderSchema);
}

async function signHash(client: Client, order: JobOrder): Promise<Hex> {
  const domain = client.marketDomain;
  return await signTyped(client, { domain, types: orderTypes, primaryType: "JobOrder", message: order });
}

/** The wallet is not who the order says. */
export class NotPartyError extends BaseError {
  override readonly name = "Orders.NotPartyError";
  constructor(role: "requester" | "payer", account: Address) {
    super(`The order's ${role} is ${account}, not this wallet.`, { hint: `Use the ${role}'s wallet.` });
  }
}

/** A party has not signed the order. */
export class OrderNotSignedError extends BaseError {
  override readonly name = "Orders.OrderNotSignedError";
  constructor(jobId: Hex, role: "requester" | "payer", account: Address) {
    super(`Order ${jobId} is not signed by ${account}, its ${role}.`, {
      hint: role === "payer" ? "The payer signs with `dcm job sponsor`." : "Ask the requester for the file again.",
    });
  }
}

/** The order cannot become a job. */
export class BadSignedOrderError extends BaseError {
  override readonly name = "Orders.BadSignedOrderError";
  constructor(jobId: Hex, fact: string) {
    super(`Order ${jobId} cannot be used: ${fact}.`, {
      hint: "See `dcm job status`: it may be settled, or open. If not, ask the requester for a new one.",
    });
  }
}
