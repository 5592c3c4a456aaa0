/**
 * Room: enclave/jobs/takeOrder. Takes signed orders in: what is kept here is carried out, so that whoever may not ask, or
 * cannot pay, is refused before. The requester has nothing in escrow; what the worker risks is its time.
 */
import { type Hex, isAddressEqual, keccak256 } from "viem";
import { costOf } from "../../protocol/charges.ts";
import { type Domain, hashOrder, type JobOrder } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import type { At } from "../chain/call.ts";
import type { Reader } from "../chain/reader.ts";
import type { JobChain } from "./ports.ts";

/** Most signed orders that wait here at once, and of one payer. */
export const maxOrders = 256;
/** See {@link maxOrders}. */
export const maxOrdersPerPayer = 32;
/** With less time than this, in seconds, an order is not begun. */
const marginSeconds = 60n;
/** Longest time ahead that a deadline may be, in seconds; the market's own limit. */
const maxDeadlineSeconds = 365n * 86_400n;

/** What taking orders needs. */
export type TakeOrderPorts = {
  domain: Domain;
  reader: Pick<Reader, "isNonceUsed" | "creditOf">;
  chain: Pick<JobChain, "isSignedBy">;
  /** Unix seconds of the newest block, and the newest one that counts. */
  look(): Promise<{ now: bigint; at: At }>;
  /** Why this worker does not take such orders at all; see `whyNotServed`. */
  whyNotServed(order: JobOrder): string | undefined;
  /** Whether the job is known here, however it stands. */
  isKnown(jobId: Hex): boolean;
  /** How many signed orders wait here. */
  waiting(): number;
  /** Those of them that are of an order's requester or payer. */
  waitingOf(order: JobOrder): readonly JobOrder[];
  /** Durable when it returns. */
  keep(jobId: Hex, signed: SignedOrder): void;
};

/**
 * Makes the taker of orders. Taking one again changes nothing, whatever has become of it.
 *
 * @throws from it: {@link OrderRefusedError}, {@link TooManyOrdersError}, {@link PayerShortError}; errors of the chain.
 * @example
 * const { jobId } = await createTakeOrder(ports)(signed)
 */
export function createTakeOrder(ports: TakeOrderPorts): (signed: SignedOrder) => Promise<{ jobId: Hex }> {
  return async function takeOrder(signed) {
    const { order } = signed;
    const jobId = hashOrder(ports.domain, order);
    if (ports.isKnown(jobId)) return { jobId };
    const { now, at } = await ports.look();
    requireTerms(ports, signed, now);
    if (ports.waiting() >= maxOrders) throw new TooManyOrdersError();
    await requireSignatures(ports, jobId, signed);
    const credit = await creditFor(ports, order, at);
    // Others may have come while the chain was asked, this very order, too; from here to `keep` nothing is awaited.
    if (ports.isKnown(jobId)) return { jobId };
    const theirs = ports.waitingOf(order);
    requireRoom(ports.waiting(), theirs, order);
    requireCredit(theirs, order, credit);
    ports.keep(jobId, signed);
    return { jobId };
  };
}

function requireTerms(ports: TakeOrderPorts, { order, params }: SignedOrder, now: bigint): void {
  const why = ports.whyNotServed(order);
  if (why !== undefined) throw new OrderRefusedError(why);
  if (order.failureFee > order.operatorFee) throw new OrderRefusedError("its failure fee is above its operator fee");
  if (keccak256(params) !== order.paramsHash) throw new OrderRefusedError("the parameters are not those of its hash");
  if (order.deadline < now + marginSeconds) {
    throw new OrderRefusedError(`its deadline is less than ${marginSeconds} seconds ahead of the newest block`);
  }
  if (order.deadline > now + maxDeadlineSeconds) throw new OrderRefusedError("its deadline is more than a year ahead");
}

function requireRoom(waiting: number, theirs: readonly JobOrder[], { requester, payer, nonce }: JobOrder): void {
  const isTwin = (other: JobOrder) => other.nonce === nonce && isAddressEqual(other.requester, requester);
  if (theirs.some(isTwin)) throw new OrderRefusedError("another order with its nonce waits here");
  const ofPayer = theirs.filter((other) => isAddressEqual(other.payer, payer)).length;
  if (waiting >= maxOrders || ofPayer >= maxOrdersPerPayer) throw new TooManyOrdersError();
}

/**
 * Refuses an order that its requester, or its payer, has not signed.
 *
 * @throws {@link OrderRefusedError}
 * @example
 * await requireSignatures(ports, jobId, signed)
 */
export async function requireSignatures(
  ports: { chain: Pick<JobChain, "isSignedBy"> },
  jobId: Hex,
  signed: SignedOrder,
): Promise<void> {
  const { order, requesterSignature, payerSignature } = signed;
  if (!(await ports.chain.isSignedBy(order.requester, jobId, requesterSignature))) {
    throw new OrderRefusedError("it is not signed by its requester for this chain and market");
  }
  const pays = isAddressEqual(order.payer, order.requester);
  if (!pays && !(await ports.chain.isSignedBy(order.payer, jobId, payerSignature))) {
    throw new OrderRefusedError("it is not signed by its payer for this chain and market");
  }
}

/** The payer's credit, if the order can be settled at all. */
async function creditFor(ports: TakeOrderPorts, order: JobOrder, at: At): Promise<bigint> {
  const { requester, payer, nonce, token } = order;
  if (await ports.reader.isNonceUsed(requester, nonce, at)) throw new OrderRefusedError("its nonce is used");
  return ports.reader.creditOf(payer, token, at);
}

/** What its payer's other orders here may cost counts, too: the credit is spent once. */
function requireCredit(theirs: readonly JobOrder[], order: JobOrder, credit: bigint): void {
  const { payer, token } = order;
  const others = theirs.filter((other) => isAddressEqual(other.payer, payer) && isAddressEqual(other.token, token));
  const needed = others.reduce((sum, other) => sum + costOf(other), costOf(order));
  if (credit < needed) throw new PayerShortError(needed, credit);
}

/** The order is none that this worker takes. */
export class OrderRefusedError extends BaseError {
  override readonly name = "Jobs.OrderRefusedError";
  constructor(fact: string) {
    super(`The order was refused: ${fact}.`, {
      hint: "GET /enclave says what this worker runs, GET /offer what it charges; docs/HTTP.md what it takes.",
    });
  }
}

/** Too many signed orders wait here already. */
export class TooManyOrdersError extends BaseError {
  override readonly name = "Jobs.TooManyOrdersError";
  constructor() {
    super(`${maxOrders} signed orders, or ${maxOrdersPerPayer} of this payer, wait here already.`, {
      hint: "Try again when some are settled, or open the job on chain.",
      retryable: true,
    });
  }
}

/** The payer has less credit at the market than its orders here may cost. */
export class PayerShortError extends BaseError {
  override readonly name = "Jobs.PayerShortError";
  /** Base units of the order's token. */
  readonly needed: bigint;
  readonly credit: bigint;
  constructor(needed: bigint, credit: bigint) {
    super(`The payer has a credit of ${credit}, and its orders here may cost ${needed}.`, {
      hint: "Deposit the difference at the market, and send the order again when the deposit is final.",
    });
    this.needed = needed;
    this.credit = credit;
  }
}
