/**
 * Room: enclave/sessions/openSessions. Sessions as the worker has them: orders come in, jobs go to the runner, receipts come
 * back, claims go to the chain. Connects the parts of this room with those that the composition root gives.
 */
import { type Address, type Hex, hexToBytes } from "viem";
import { type Domain, hashReceipt, type JobOrder, type Receipt, type SessionTerms } from "../../protocol/eip712.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { At } from "../chain/call.ts";
import type { Reader } from "../chain/reader.ts";
import type { Sender } from "../chain/sender.ts";
import type { JobChain, RunnableJob } from "../jobs/ports.ts";
import type { SessionJob } from "../store/sessionJobsTable.ts";
import type { KeptSession } from "../store/sessionsTable.ts";
import type { Store } from "../store/store.ts";
import { claimMargin, type Times } from "./claimMargin.ts";
import { createKeeper, type Keeper, type SessionStep } from "./keeper.ts";
import { createRunLedger } from "./runLedger.ts";
import { createSessionApi, type SessionApi } from "./sessionApi.ts";
import { createTakeSessionOrder, maxWaitingJobs } from "./takeSessionOrder.ts";

/** What sessions need. */
export type SessionParts = {
  domain: Domain;
  market: Address;
  identity: Pick<EnclaveIdentity, "signingKey" | "signDigest">;
  sender: Pick<Sender, "send">;
  reader: Reader;
  /** Looks at the newest block that counts as final. */
  chain: JobChain;
  store: Store;
  /** The newest block that counts as final, and the newest. */
  head(): Promise<{ hash: Hex; timestamp: bigint }>;
  newest(): Promise<{ hash: Hex; timestamp: bigint }>;
  whyNotServed(order: JobOrder, session: { order: JobOrder; terms: SessionTerms }): string | undefined;
  isRegistered(): Promise<boolean>;
  /** Signs and keeps a FAILED receipt for a job whose consent has ended. */
  refuse(job: RunnableJob): Promise<void>;
  waitingFor(jobId: Hex): string | undefined;
  observe(step: SessionStep, sessionId: Hex): void;
  taken(jobId: Hex): void;
  problem(sessionId: Hex, error: unknown): void;
  /** Told when there is something to do. */
  wake(): void;
  /** Monotonic milliseconds. */
  now(): number;
};

/** See {@link openSessions}. */
export type Sessions = {
  takeOrder(signed: SignedOrder): Promise<{ jobId: Hex }>;
  /** Jobs of sessions without a receipt of this enclave, oldest first. */
  toRun(): RunnableJob[];
  /** Told of every receipt that this enclave has signed and kept; those of other jobs are none of its business. */
  ran(receipt: Receipt): void;
  /** How often a grant is used by Ok jobs whose claim is still to come. */
  promisedUses(grantHash: Hex): bigint;
  keeper: Keeper;
  api: SessionApi;
};

/** Time between the last chance of a job and its session's claim, in seconds. */
const beforeClaimSeconds = 60n;

/**
 * Opens the sessions of a worker.
 *
 * @example
 * const sessions = openSessions(parts)
 */
export function openSessions(parts: SessionParts): Sessions {
  const { store, identity, domain, reader } = parts;
  const ledger = createRunLedger();
  let lastTimes: Times = { newest: 0n, final: 0n };
  const times = async () => {
    const { timestamp: final } = await parts.head();
    lastTimes = { newest: (await parts.newest()).timestamp, final };
    return lastTimes;
  };
  const newest = async (): Promise<At> => ({ blockHash: (await parts.newest()).hash });
  const isClosing = (sessionId: Hex) => store.claims.isWished(sessionId) || isClaimed(sessionId);
  const isClaimed = (sessionId: Hex) => store.claims.ofSession(sessionId) !== undefined;

  function runnable(session: KeptSession, job: SessionJob): RunnableJob {
    const { jobId, order, programUri, requesterSignature, payerSignature } = job;
    const neededBy = session.order.deadline - claimMargin(lastTimes) - beforeClaimSeconds;
    const origin = { by: "session", requesterSignature, payerSignature } as const;
    return { jobId, order, programUri, params: hexToBytes(job.params), origin, neededBy };
  }

  async function refuse(jobId: Hex): Promise<void> {
    const sessionId = store.sessionJobs.sessionOf(jobId);
    const session = sessionId === undefined ? undefined : store.sessions.byId(sessionId);
    const job = session === undefined ? undefined : store.sessionJobs.byId(jobId, session);
    if (session !== undefined && job !== undefined) await parts.refuse(runnable(session, job));
  }

  const keeper = createKeeper({ ...parts, ledger, times, newest, refuse });
  const live = (at: bigint) => store.sessions.live(at);
  return {
    keeper,
    takeOrder: createTakeSessionOrder({
      ...parts,
      times,
      newest,
      session: store.sessions.byId,
      isKnown: (jobId) => store.sessionJobs.sessionOf(jobId) !== undefined,
      isNonceTaken: store.sessionJobs.isNonceTaken,
      isClosing,
      counts: (sessionId) => store.sessionJobs.counts(sessionId, identity.signingKey),
      live: (at) => live(at).map(({ sessionId }) => sessionId),
      keep(jobId, signed) {
        store.sessionJobs.add(jobId, signed);
        parts.taken(jobId);
        parts.wake();
      },
    }),
    toRun: () =>
      live(lastTimes.newest)
        .filter(({ sessionId, claimedRoot }) => claimedRoot === null && !isClaimed(sessionId))
        .flatMap((session) =>
          store.sessionJobs.toRun(session, identity.signingKey, maxWaitingJobs).map((job) => runnable(session, job)),
        ),
    ran(receipt) {
      const sessionId = store.sessionJobs.sessionOf(receipt.jobId);
      if (sessionId !== undefined) ledger.record(sessionId, receipt, hashReceipt(domain, receipt));
    },
    promisedUses(grantHash) {
      let uses = 0;
      for (const { sessionId, order, claimedRoot } of live(lastTimes.newest)) {
        if (claimedRoot !== null) continue;
        const perJob = order.datasets.filter((use) => use.grantHash === grantHash).length;
        if (perJob > 0) uses += perJob * ledger.of(sessionId).filter(({ ok }) => ok).length;
      }
      return BigInt(uses);
    },
    api: createSessionApi({
      ...parts,
      signingKey: identity.signingKey,
      reader,
      newestTimestamp: async () => (await parts.newest()).timestamp,
      lastLook: keeper.lastLook,
    }),
  };
}
