/**
 * Room: sdk/sessions. Many jobs on the same terms, paid by one claim: opening one, signing its jobs, and what its
 * requester, its operator or anyone else does until it is closed. Source: ISessions.sol.
 */
import type { Hex } from "viem";
import { zeroHash } from "viem";
import { z } from "zod";
import { costOf } from "../protocol/charges.ts";
import { claimRequestTypes } from "../protocol/claimRequest.ts";
import type { Deployment } from "../protocol/deployment.ts";
import {
  hashGrant,
  hashSession,
  type JobOrder,
  type SessionClaim,
  type SessionTerms,
  type SignedGrant,
  sessionTypes,
  shownGrantOf,
} from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { challengeSeconds, maxProgramUriBytes, maxSessionJobs, maxSignatureBytes } from "../protocol/limits.ts";
import type { OrderItem, OrderTerms } from "../protocol/orderGroup.ts";
import { orderSchema, orderToJson } from "../protocol/receiptJson.ts";
import { hexUpTo } from "../protocol/schemas.ts";
import { sessionTermsSchema, sessionTermsToJson } from "../protocol/sessionJson.ts";
import { isSessionPrice } from "../protocol/sessionPrice.ts";
import type { Client } from "./client.ts";
import { chainTime } from "./grants.ts";
import type { Consents } from "./jobs.ts";
import { marketAbi, type Paid, pay } from "./payment.ts";
import type { PreparedJob } from "./prepareJob.ts";
import { type Sent, send } from "./send.ts";
import { signTyped } from "./signatures.ts";
import { readSignedFile, signedFileOf } from "./signedFile.ts";
import type { SignedClaimRequest } from "./worker.ts";

/** A session as it is opened; `order` is the template of its jobs. */
export type PreparedSession = {
  order: JobOrder;
  terms: SessionTerms;
  sessionId: Hex;
  programUri: string;
  /** What opening it escrows, in base units of `order.token`. */
  cost: bigint;
};

/** What every function of a session takes: it is told apart by the hash of these. */
export type SessionRef = Pick<PreparedSession, "order" | "terms">;

const contentSchema = z.strictObject({
  order: orderSchema,
  terms: sessionTermsSchema,
  programUri: z.string().max(maxProgramUriBytes),
  requesterSignature: hexUpTo(maxSignatureBytes),
  payerSignature: hexUpTo(maxSignatureBytes),
});

/**
 * Makes a session of a prepared job: its terms without its parameters. The job's deadline is the last second for the
 * claim.
 *
 * @param grants - those that the job names: a claim pays flat prices only.
 * @throws {@link BadSessionTermsError} | {@link NotForSessionsError} | {@link MeteredGrantError}
 * @example
 * const session = prepareSession(client, await prepareJob(client, { ...jobTerms, grants }), terms, grants)
 */
export function prepareSession(
  client: Client,
  job: PreparedJob,
  terms: SessionTerms,
  grants: readonly SignedGrant[],
): PreparedSession {
  const { maxJobs, challengeSeconds: seconds } = terms;
  const jobs = Number.isInteger(maxJobs) && maxJobs >= 1 && maxJobs <= maxSessionJobs;
  const time = Number.isInteger(seconds) && seconds >= challengeSeconds.min && seconds <= challengeSeconds.max;
  if (!jobs || !time) throw new BadSessionTermsError(maxJobs, seconds);
  const { offerHash, acceptBy, quorum, session } = job.order;
  if (offerHash !== zeroHash || acceptBy !== 0n || quorum !== 1 || session !== zeroHash)
    throw new NotForSessionsError();
  requireFlatPrices(client, grants);
  for (const use of job.order.datasets) {
    const found = grants.find(({ grant }) => hashGrant(client.marketDomain, grant) === use.grantHash);
    if (found === undefined || !isSessionPrice(found.grant, use)) throw new MeteredGrantError(use.grantHash);
  }
  const order = { ...job.order, paramsHash: zeroHash };
  const sessionId = hashSession(client.marketDomain, order, terms);
  return { order, terms, sessionId, programUri: job.programUri, cost: BigInt(maxJobs) * costOf(order) };
}

/**
 * Refuses grants that sessions cannot use, before anything is made of them.
 *
 * @throws {@link MeteredGrantError}
 * @example
 * requireFlatPrices(client, grants)
 */
export function requireFlatPrices(client: Client, grants: readonly SignedGrant[]): void {
  const metered = grants.find(({ grant }) => !isSessionPrice(grant, { maxPrice: grant.price }));
  if (metered !== undefined) throw new MeteredGrantError(hashGrant(client.marketDomain, metered.grant));
}

/**
 * Opens a session and escrows the cost of all its jobs; paid for as by `openJob`.
 *
 * @throws any error of `send`
 * @example
 * const { hash } = await openSession(client, session)
 */
export async function openSession(client: Client, session: PreparedSession, consents: Consents = {}): Promise<Paid> {
  const { order, terms, programUri, cost } = session;
  const { requesterSignature = "0x", payerSignature = "0x" } = consents;
  const args = [order, terms, programUri, requesterSignature, payerSignature] as const;
  const { payer, token } = order;
  const { result: _, ...paid } = await pay(client, { payer, token, cost }, { functionName: "openSession", args });
  return paid;
}

/**
 * Signs a session's template and terms, as its requester or payer, for someone else to open it.
 *
 * @throws any error of `signTyped`
 * @example
 * const requesterSignature = await signSession(client, session)
 */
export async function signSession(client: Client, { order, terms }: SessionRef): Promise<Hex> {
  const message = { order, ...terms };
  const typed = { domain: client.marketDomain, types: sessionTypes, primaryType: "SessionOrder", message };
  return await signTyped(client, typed);
}

/**
 * The order of one job of a session: to be signed with `signOrder`, and handed to the enclave's worker.
 *
 * @example
 * const signed = await signOrder(client, { order: sessionOrder(session, { paramsHash, deadline, nonce }), ...rest })
 */
export function sessionOrder(
  { order, sessionId }: Pick<PreparedSession, "order" | "sessionId">,
  own: OrderTerms,
): JobOrder {
  const { paramsHash, deadline, nonce } = own;
  return { ...order, paramsHash, deadline, nonce, session: sessionId };
}

/** How long a request to claim holds, in seconds. */
const claimRequestSeconds = 600n;

/**
 * Signs, as the session's requester, that no more jobs come, so that the worker claims it: for `postClaimRequest`.
 *
 * @param jobs - how many orders the worker has taken: with another number it does nothing.
 * @throws any error of `signTyped` and `chainTime`
 * @example
 * await postClaimRequest(workerUrl, sessionId, await signClaimRequest(client, sessionId, taken))
 */
export async function signClaimRequest(client: Client, sessionId: Hex, jobs: number): Promise<SignedClaimRequest> {
  const validUntil = (await chainTime(client)) + claimRequestSeconds;
  const message = { sessionId, jobs, validUntil };
  const typed = { domain: client.marketDomain, types: claimRequestTypes, primaryType: "ClaimRequest", message };
  return { jobs, validUntil, signature: await signTyped(client, typed) };
}

/**
 * Submits an enclave's claim of a session. Anyone may.
 *
 * @param grants - one for each bit of the claim's countedGrants.
 * @throws any error of `send`
 * @example
 * await claimSession(client, session, claim, signature, grants)
 */
export async function claimSession(
  client: Client,
  { order, terms }: SessionRef,
  claim: SessionClaim,
  signature: Hex,
  grants: readonly SignedGrant[],
): Promise<Sent> {
  return await act(client, "claimSession", [order, terms, claim, signature, grants.map(shownGrantOf)]);
}

/**
 * Doubts a leaf of a claim, as the payer: it is not paid unless it is shown. Stakes the session's dispute bond
 * from the wallet's credit.
 *
 * @throws any error of `send`: Sessions_WrongTime, Sessions_LeafTaken, Ledger_InsufficientCredit and others
 * @example
 * await disputeLeaf(client, session, 3)
 */
export async function disputeLeaf(client: Client, { order, terms }: SessionRef, leaf: number): Promise<Sent> {
  return await act(client, "disputeLeaf", [order, terms, BigInt(leaf)]);
}

/**
 * Shows a leaf of a claim: it is paid at once. Anyone may.
 *
 * @param item - the job's own terms, its requester's signature, and the outcome; `receiptSignature` is not read.
 * @param proof - see `sessionProof`.
 * @throws any error of `send`: Sessions_NotInClaim, JobMarket_NotSignedBy and others
 * @example
 * await settleLeaf(client, session, 3, item, sessionProof(receiptHashes, 3))
 */
export async function settleLeaf(
  client: Client,
  { order, terms }: SessionRef,
  leaf: number,
  item: OrderItem,
  proof: readonly Hex[],
): Promise<Sent> {
  return await act(client, "settleLeaf", [order, terms, BigInt(leaf), item, proof]);
}

/**
 * Ends a claimed session when its time for disputes is over: pays what was not disputed, refunds the rest. Anyone may.
 *
 * @throws any error of `send`: Sessions_WrongTime and others
 * @example
 * await closeSession(client, session)
 */
export async function closeSession(client: Client, { order, terms }: SessionRef): Promise<Sent> {
  return await act(client, "closeSession", [order, terms]);
}

/**
 * Ends a session that nobody claimed in time: its whole escrow becomes the payer's credit. Anyone may.
 *
 * @throws any error of `send`: JobMarket_DeadlineNotPassed and others
 * @example
 * await expireSession(client, session)
 */
export async function expireSession(client: Client, { order, terms }: SessionRef): Promise<Sent> {
  return await act(client, "expireSession", [order, terms]);
}

type Action = "claimSession" | "disputeLeaf" | "settleLeaf" | "closeSession" | "expireSession";
type Args<name extends Action> = Parameters<typeof send<typeof marketAbi, name>>[1]["args"];

async function act<const name extends Action>(client: Client, functionName: name, args: Args<name>): Promise<Sent> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: marketAbi, functionName, args } as Parameters<typeof send<typeof marketAbi, name>>[1];
  const { hash, gasUsed, blockNumber } = await send(client, call);
  return { hash, gasUsed, blockNumber };
}

/**
 * The JSON of a session file: what its functions need, and what someone else needs to open it.
 *
 * @example
 * await writeFile("session.json", JSON.stringify(sessionFileOf(deployment, session, { requesterSignature })))
 */
export function sessionFileOf(
  deployment: Deployment,
  { order, terms, programUri }: Pick<PreparedSession, "order" | "terms" | "programUri">,
  { requesterSignature = "0x", payerSignature = "0x" }: Consents = {},
) {
  return signedFileOf("session", deployment, {
    order: orderToJson(order),
    terms: sessionTermsToJson(terms),
    programUri,
    requesterSignature,
    payerSignature,
  });
}

/**
 * Reads a session file.
 *
 * @throws BadSignedFileError
 * @example
 * const { order, terms } = readSessionFile(text, client)
 */
export function readSessionFile(text: string, client: Client): PreparedSession & Required<Consents> {
  const content = readSignedFile("session", text, client.deployment, contentSchema);
  const { order, terms } = content;
  const sessionId = hashSession(client.marketDomain, order, terms);
  return { ...content, sessionId, cost: BigInt(terms.maxJobs) * costOf(order) };
}

/** The terms are outside the market's limits. */
export class BadSessionTermsError extends BaseError {
  override readonly name = "Sessions.BadSessionTermsError";
  constructor(maxJobs: number, seconds: number) {
    super(`A session cannot have ${maxJobs} jobs and ${seconds} seconds for disputes.`, {
      hint: `It has 1 to ${maxSessionJobs} jobs and ${challengeSeconds.min} to ${challengeSeconds.max} seconds.`,
    });
  }
}

/** The market pays the grant at no claim, or its grant was not given. */
export class MeteredGrantError extends BaseError {
  override readonly name = "Sessions.MeteredGrantError";
  constructor(grantHash: Hex) {
    super(`Grant ${grantHash} is not given, or its price is not flat and just what the order names.`, {
      hint: "Sessions pay by use only: ask the provider for a grant with a flat price, or open the jobs one by one.",
    });
  }
}

/** The job has terms that sessions cannot have. */
export class NotForSessionsError extends BaseError {
  override readonly name = "Sessions.NotForSessionsError";
  constructor() {
    super("A session has no offer, no acceptance and no quorum above one.", {
      hint: "Leave them out, or open the jobs one by one.",
    });
  }
}
