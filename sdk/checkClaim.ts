/**
 * Room: sdk/checkClaim. Whether what an enclave claimed of a session is what its requester ordered and its enclave signed:
 * leaf by leaf, from what a worker serves, against the root that the chain has. The worker is not believed.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { type FailureCode, failureCodes, hashOrder, hashReceipt, type JobOrder } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { OrderItem } from "../protocol/orderGroup.ts";
import { outcomeOf } from "../protocol/outcome.ts";
import { verifySessionProof } from "../protocol/sessionTree.ts";
import { recoverSigner } from "../protocol/signature.ts";
import type { Client } from "./client.ts";
import { type EnclaveListing, getEnclave, UnknownEnclaveError } from "./enclaves.ts";
import { type FoundSession, findSession } from "./findSession.ts";
import { sessionOrder } from "./sessions.ts";
import { isSignedBy } from "./signatures.ts";
import { type ExchangeOptions, fetchLeaves, type ShownLeaf } from "./worker.ts";

/** One leaf of a claim, and what is wrong with it: a reason to dispute it. */
export type CheckedLeaf = {
  leaf: number;
  /** undefined: the worker does not show it. */
  jobId: Hex | undefined;
  failure: FailureCode | undefined;
  /** Empty: it is in order. */
  problems: string[];
};

/** What a whole claim came to. */
export type CheckedClaim = { session: FoundSession; leaves: CheckedLeaf[] };

/**
 * Checks every leaf of a session's claim.
 *
 * @throws {@link NotClaimedError} | any error of `findSession`, `fetchLeaves` and of the chain. What is wrong with a leaf is
 * in the answer, not an error.
 * @example
 * const { leaves } = await checkClaim(client, sessionId, "https://worker.example")
 * for (const { leaf, problems } of leaves) if (problems.length > 0) await disputeLeaf(client, session, leaf)
 */
export async function checkClaim(
  client: Client,
  sessionId: Hex,
  workerUrl: string,
  options: ExchangeOptions = {},
): Promise<CheckedClaim> {
  const session = await findSession(client, sessionId);
  if (session.claim === undefined) throw new NotClaimedError(sessionId, session.state);
  const check = leafChecker(client, session);
  const { okCount, failedCount } = session.claim.claim;
  const leaves: CheckedLeaf[] = [];
  let shown: ShownLeaf[] = [];
  for (let leaf = 0; leaf < okCount + failedCount; leaf++) {
    if (shown.length === 0) shown = await fetchLeaves(workerUrl, sessionId, leaf, options);
    const isNext = shown[0]?.leaf === leaf;
    const next = isNext ? shown.shift() : undefined;
    leaves.push(next === undefined ? notShown(leaf) : await check(next));
  }
  return { session, leaves };
}

function notShown(leaf: number): CheckedLeaf {
  return { leaf, jobId: undefined, failure: undefined, problems: ["the worker does not show it"] };
}

/**
 * Makes a checker of one session's leaves. It remembers the nonces that it has seen.
 *
 * @param session - claimed.
 * @example
 * const { problems } = await leafChecker(client, session)(leaf)
 */
export function leafChecker(client: Client, session: FoundSession): (shown: ShownLeaf) => Promise<CheckedLeaf> {
  const nonces = new Map<bigint, number>();
  const enclaves = new Map<Address, EnclaveListing | undefined>();

  async function enclaveOf(signer: Address): Promise<EnclaveListing | undefined> {
    if (!enclaves.has(signer)) enclaves.set(signer, await getEnclave(client, signer).catch(orUnknown));
    return enclaves.get(signer);
  }

  return async function check(shown) {
    const { leaf, receipt, signature, signer, proof, nonce } = shown;
    const { sessionId, claim, disputeUntil, terms } = session;
    if (claim === undefined || disputeUntil === undefined) throw new NotClaimedError(sessionId, session.state);
    const order = orderOfLeaf(session, shown);
    const jobId = hashOrder(client.marketDomain, order);
    const receiptHash = hashReceipt(client.marketDomain, receipt);
    const enclave = await enclaveOf(signer);
    const actual = recoverSigner(receiptHash, signature);
    const isOk = receipt.failureCode === 0;
    const earlier = nonces.get(nonce) ?? leaf;
    nonces.set(nonce, earlier);
    const claimedAt = disputeUntil - BigInt(terms.challengeSeconds);
    const payerSigns = !isAddressEqual(order.payer, order.requester);
    const comparisons: Record<string, boolean> = {
      "it is not in the claim at this leaf": verifySessionProof(claim.claim.root, leaf, receiptHash, proof),
      "its receipt is for another job than its order": receipt.jobId === jobId && shown.jobId === jobId,
      "its receipt is for another program or workload":
        receipt.programId === order.programId && receipt.workloadId === order.workloadId,
      "its receipt is for other parameters": receipt.paramsHash === order.paramsHash,
      "it is Ok among the failed, or failed among the Ok": isOk === leaf < claim.claim.okCount,
      "it counts other grants than the claim": !isOk || receipt.countedGrants === claim.claim.countedGrants,
      "its receipt is not signed by the key that it names": actual !== undefined && isAddressEqual(actual, signer),
      "its receipt is not of a registered enclave of the agreed workload": enclave?.workloadId === order.workloadId,
      "its receipt is another enclave's than the claim": isAddressEqual(signer, claim.signer),
      "its nonce was used by another leaf": earlier === leaf,
      "its order had ended before the claim": shown.deadline >= claimedAt,
      "its order is not signed by the requester": await isSignedBy(
        client,
        order.requester,
        jobId,
        shown.requesterSignature,
      ),
      "its order is not signed by the payer":
        !payerSigns || (await isSignedBy(client, order.payer, jobId, shown.payerSignature)),
    };
    const problems = Object.entries(comparisons).flatMap(([problem, isRight]) => (isRight ? [] : [problem]));
    return { leaf, jobId, failure: failureCodes[receipt.failureCode], problems };
  };
}

/**
 * The order that a leaf says was run: its session's template with its own terms.
 *
 * @example
 * const order = orderOfLeaf(session, leaf)
 */
export function orderOfLeaf(session: Pick<FoundSession, "order" | "sessionId">, leaf: ShownLeaf): JobOrder {
  const { paramsHash, deadline, nonce } = leaf;
  return sessionOrder(session, { paramsHash, deadline, nonce });
}

/**
 * What `settleLeaf` takes of a leaf that a worker shows.
 *
 * @example
 * await settleLeaf(client, session, leaf.leaf, itemOfLeaf(leaf), leaf.proof)
 */
export function itemOfLeaf({ paramsHash, deadline, nonce, requesterSignature, payerSignature, receipt }: ShownLeaf) {
  const own = { paramsHash, deadline, nonce, requesterSignature, payerSignature };
  return { ...own, receiptSignature: "0x", outcome: outcomeOf(receipt) } satisfies OrderItem;
}

function orUnknown(error: unknown): undefined {
  if (!(error instanceof UnknownEnclaveError)) throw error;
}

/** Nothing was claimed of the session yet. */
export class NotClaimedError extends BaseError {
  override readonly name = "CheckClaim.NotClaimedError";
  constructor(sessionId: Hex, state: string) {
    super(`Session ${sessionId} was not claimed: it is ${state}.`, {
      hint: "Its worker claims it when its jobs are done, when its requester asks (dcm session claim), or near its deadline.",
    });
  }
}

/** A leaf that a worker shows is not in order. */
export class BadLeafError extends BaseError {
  override readonly name = "CheckClaim.BadLeafError";
  constructor(sessionId: Hex, leaf: number, problems: readonly string[]) {
    super(`Leaf ${leaf} of session ${sessionId} is not in order: ${problems.join("; ")}.`, {
      hint: "Check the claim with `dcm session verify`; the payer may dispute the leaf.",
    });
  }
}
