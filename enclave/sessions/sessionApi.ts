/**
 * Room: enclave/sessions/sessionApi. What strangers are told of sessions and their jobs: where they stand, claims and their
 * leaves, with all that it takes to show one; and when a result is given out.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { hashClaimRequest } from "../../protocol/claimRequest.ts";
import type { Domain } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { orderToJson, receiptToJson } from "../../protocol/receiptJson.ts";
import { leavesPerPage, sessionClaimToJson, sessionTermsToJson } from "../../protocol/sessionJson.ts";
import type { At } from "../chain/call.ts";
import type { Reader, SessionRecord } from "../chain/reader.ts";
import type { JobView, LeavesView, PrintsRelease, ResultRelease, SessionView } from "../http/workerApi.ts";
import type { JobChain } from "../jobs/ports.ts";
import { releasedResult } from "../releasedResult.ts";
import type { KeptClaim } from "../store/claimsTable.ts";
import type { SignedOutcome } from "../store/outcomesTable.ts";
import type { SessionJob } from "../store/sessionJobsTable.ts";
import type { KeptSession } from "../store/sessionsTable.ts";
import type { Store } from "../store/store.ts";
import { isSignedByKey } from "../vault/ownerSignature.ts";
import { proofOf } from "./makeClaim.ts";

/** What the answers are made from. */
export type SessionApiPorts = {
  domain: Domain;
  signingKey: Address;
  store: Pick<Store, "sessions" | "sessionJobs" | "claims" | "outcome" | "signedOutcome" | "resultBytes" | "prints">;
  reader: Pick<Reader, "session" | "leafState">;
  chain: Pick<JobChain, "isSignedBy">;
  /** The newest block that counts as final. */
  head(): Promise<{ hash: Hex; timestamp: bigint }>;
  /** Unix seconds of the newest block. */
  newestTimestamp(): Promise<bigint>;
  lastLook(sessionId: Hex): { record?: SessionRecord; came?: string };
  /** What became of the last try of a job that has no receipt yet. */
  waitingFor(jobId: Hex): string | undefined;
  /** Told when a session is to be claimed. */
  wake(): void;
};

/** A signed request to claim, as it comes. */
export type GivenClaimRequest = { jobs: number; validUntil: bigint; signature: Hex };

/** See {@link createSessionApi}. What is undefined is not known here. */
export type SessionApi = {
  view(sessionId: Hex): SessionView | undefined;
  leaves(sessionId: Hex, from: number): LeavesView | undefined;
  /** @throws {@link ClaimRefusedError}; errors of the chain. */
  requestClaim(sessionId: Hex, request: GivenClaimRequest): Promise<SessionView | undefined>;
  job(jobId: Hex): JobView | undefined;
  receipt(jobId: Hex): SignedOutcome | undefined;
  result(jobId: Hex): Promise<ResultRelease | undefined>;
  prints(jobId: Hex): Promise<PrintsRelease | undefined>;
};

/**
 * Makes the answers.
 *
 * @example
 * const sessions = createSessionApi(ports)
 */
export function createSessionApi(ports: SessionApiPorts): SessionApi {
  const { store } = ports;
  const countsOf = (sessionId: Hex) => store.sessionJobs.counts(sessionId, ports.signingKey);

  function find(sessionId: Hex): KeptSession | undefined {
    const session = store.sessions.byId(sessionId);
    return session !== undefined && countsOf(session.sessionId).taken > 0 ? session : undefined;
  }

  /** The root that the chain has, by its events or by the last look at it. */
  function rootOf({ sessionId, claimedRoot }: KeptSession): Hex | undefined {
    const record = ports.lastLook(sessionId).record;
    return claimedRoot ?? (record?.state === "Claimed" || record?.state === "Closed" ? record.root : undefined);
  }

  /** What was claimed here, or is being claimed; undefined if another's claim is on chain. */
  function claimOf(session: KeptSession): KeptClaim | undefined {
    return store.claims.ofSession(session.sessionId, rootOf(session));
  }

  function phaseOf(session: KeptSession): SessionView["phase"] {
    const claim = claimOf(session);
    if (rootOf(session) !== undefined && claim === undefined) return "lost";
    if (session.ended !== null) return session.ended === "Closed" ? "closed" : "expired";
    if (rootOf(session) !== undefined) return "claimed";
    return claim === undefined ? "open" : "claiming";
  }

  function view(sessionId: Hex): SessionView | undefined {
    const session = find(sessionId);
    if (session === undefined) return undefined;
    const { taken, ran } = countsOf(session.sessionId);
    const kept = claimOf(session);
    const { came } = ports.lastLook(session.sessionId);
    return {
      sessionId: session.sessionId,
      order: orderToJson(session.order),
      terms: sessionTermsToJson(session.terms),
      phase: phaseOf(session),
      taken,
      ran,
      ...(kept !== undefined && {
        claim: { ...kept, leaves: [...kept.leaves], claim: sessionClaimToJson(kept.claim) },
      }),
      ...(came !== undefined && session.ended === null && { waiting: came }),
    };
  }

  function placed(jobId: Hex) {
    const sessionId = store.sessionJobs.sessionOf(jobId);
    const session = sessionId === undefined ? undefined : store.sessions.byId(sessionId);
    const job = session === undefined ? undefined : store.sessionJobs.byId(jobId, session);
    if (session === undefined || job === undefined) return undefined;
    const kept = claimOf(session);
    const leaf = kept?.leaves.findIndex((one) => one.jobId === job.jobId) ?? -1;
    return { session, job, kept, leaf: leaf < 0 ? undefined : leaf };
  }

  /** Hash of the receipt that was claimed; without a claim, of the newest. */
  function receiptHashOf({ job, kept, leaf }: NonNullable<ReturnType<typeof placed>>): Hex | undefined {
    return leaf === undefined ? job.ran?.receiptHash : kept?.leaves[leaf]?.receiptHash;
  }

  function receipt(jobId: Hex): SignedOutcome | undefined {
    const found = placed(jobId);
    const receiptHash = found && receiptHashOf(found);
    return found && receiptHash && store.signedOutcome(found.job.jobId, receiptHash);
  }

  /**
   * Whether the leaf is paid for, whatever anybody does now: shown, or past the time for disputes without one. Asked of
   * the newest final block.
   */
  async function isPaidFor({ sessionId, terms }: KeptSession, kept: KeptClaim, leaf: number): Promise<boolean> {
    const { hash, timestamp } = await ports.head();
    const at: At = { blockHash: hash };
    const record = await ports.reader.session(sessionId, at);
    if (!["Claimed", "Closed"].includes(record.state) || record.root !== kept.claim.root) return false;
    const { disputed, settled } = await ports.reader.leafState(sessionId, leaf, at);
    return settled || (!disputed && timestamp > record.claimedAt + BigInt(terms.challengeSeconds));
  }

  /** What a job came to here, and whether that is given out yet. */
  async function release(jobId: Hex): Promise<{ jobId: Hex; receiptHash: Hex; released: boolean } | undefined> {
    const found = placed(jobId);
    const receiptHash = found && receiptHashOf(found);
    if (found === undefined || receiptHash === undefined) return undefined;
    const { session, job, kept, leaf } = found;
    const known = store.signedOutcome(job.jobId, receiptHash);
    if (known === undefined) return undefined;
    const phase = phaseOf(session);
    if (phase === "lost" || phase === "expired" || (kept !== undefined && leaf === undefined)) return undefined;
    const which = { jobId: job.jobId, receiptHash };
    // Nobody but the operator is paid for it, and nothing but time can keep its claim from being taken, or its leaf from
    // being shown. A party that is a contract could take its word back, and dispute a leaf that nobody can show then.
    if (known.receipt.countedGrants === 0 && isSignedByKeys(job)) return { ...which, released: true };
    // Data sets are paid for it. Until that is certain, an owner could take back its grant, or a payer dispute the leaf
    // and nobody show it: whoever works with them would have the result, and the others' data, for nothing.
    if (kept === undefined || leaf === undefined) return { ...which, released: false };
    return { ...which, released: await isPaidFor(session, kept, leaf) };
  }

  return {
    view,
    receipt,
    leaves(sessionId, from) {
      const session = find(sessionId);
      const kept = session === undefined ? undefined : claimOf(session);
      if (session === undefined || kept === undefined) return undefined;
      const page = kept.leaves.slice(from, from + leavesPerPage).flatMap(({ jobId, receiptHash }, i) => {
        const job = store.sessionJobs.byId(jobId, session);
        const found = store.signedOutcome(jobId, receiptHash);
        return job === undefined || found === undefined ? [] : [shown(job, found, from + i, proofOf(kept, from + i))];
      });
      return { leaves: page };
    },
    async requestClaim(sessionId, { jobs, validUntil, signature }) {
      const session = find(sessionId);
      if (session === undefined) return undefined;
      if (phaseOf(session) !== "open" || store.claims.isWished(session.sessionId)) return view(sessionId);
      const digest = hashClaimRequest(ports.domain, { sessionId: session.sessionId, jobs, validUntil });
      if (!(await ports.chain.isSignedBy(session.order.requester, digest, signature))) {
        throw new ClaimRefusedError("it is not signed by the session's requester for this chain and market");
      }
      if ((await ports.newestTimestamp()) > validUntil) throw new ClaimRefusedError("it is out of date");
      // From here to `wish` nothing is awaited: no order comes between.
      const { taken } = countsOf(session.sessionId);
      if (taken !== jobs) throw new ClaimRefusedError(`it is for ${jobs} jobs, and ${taken} were taken`);
      store.claims.wish(session.sessionId);
      ports.wake();
      return view(sessionId);
    },
    job(jobId) {
      const found = placed(jobId);
      if (found === undefined) return undefined;
      const { session, job, leaf } = found;
      const known = receipt(jobId);
      const waiting = known === undefined ? ports.waitingFor(job.jobId) : undefined;
      return {
        jobId: job.jobId,
        phase: jobPhase(phaseOf(session), known, leaf),
        session: session.sessionId,
        ...(leaf !== undefined && { leaf }),
        ...(known !== undefined && { failureCode: known.receipt.failureCode }),
        ...(waiting !== undefined && { waiting }),
      };
    },
    async result(jobId) {
      const found = await release(jobId);
      if (found === undefined || store.resultBytes(found.jobId, found.receiptHash) === undefined) return undefined;
      return found.released ? releasedResult(store, found.jobId, found.receiptHash) : { released: false };
    },
    async prints(jobId) {
      const found = await release(jobId);
      const sealed = found && store.prints(found.jobId, found.receiptHash);
      if (found === undefined || sealed === undefined) return undefined;
      return found.released ? { released: true, sealed } : { released: false };
    },
  };
}

function isSignedByKeys({ jobId, order, requesterSignature, payerSignature }: SessionJob): boolean {
  if (!isSignedByKey(order.requester, jobId, requesterSignature)) return false;
  return isAddressEqual(order.payer, order.requester) || isSignedByKey(order.payer, jobId, payerSignature);
}

function jobPhase(session: SessionView["phase"], outcome: SignedOutcome | undefined, leaf: number | undefined) {
  if (outcome === undefined) return session === "open" || session === "claiming" ? "open" : "expired";
  if (session === "lost" || session === "expired") return "expired";
  if (leaf === undefined) return session === "open" ? "finished" : "expired";
  if (session === "closed") return outcome.receipt.failureCode === 0 ? "settled" : "failed";
  return session === "claimed" ? "claimed" : "finished";
}

function shown(job: SessionJob, { receipt, signature, signer }: SignedOutcome, leaf: number, proof: Hex[]) {
  const { order, requesterSignature, payerSignature } = job;
  const { paramsHash, deadline, nonce } = order;
  const own = { paramsHash, deadline: deadline.toString(), nonce: nonce.toString() };
  const signatures = { requesterSignature, payerSignature };
  return { leaf, jobId: job.jobId, ...own, ...signatures, receipt: receiptToJson(receipt), signature, signer, proof };
}

/** The request to claim a session is not acted on. */
export class ClaimRefusedError extends BaseError {
  override readonly name = "Sessions.ClaimRefusedError";
  constructor(fact: string) {
    super(`The request to claim was refused: ${fact}.`, {
      hint: "GET /sessions/:id says how many jobs were taken; the requester signs for just as many.",
    });
  }
}
