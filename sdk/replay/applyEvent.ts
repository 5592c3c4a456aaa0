/**
 * Room: sdk/replay. Rebuilds the market's whole state from events alone, in their order. Pure. What contradicts the events
 * before it is thrown. Two things no event tells: the time of a claim, which is its block's, and the nonces of withdrawals
 * by signature.
 */
import type { Address, Hex } from "viem";
import type { MarketEvent } from "../../protocol/chain/marketEvents.ts";
import type { JobOrder, JobState } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { applyDatasetEvent } from "./datasetState.ts";
import { addAmount, type JobRecord, type MarketState, type SessionRecord } from "./marketState.ts";

/** The most that a job costs: what it holds in escrow. */
function costOf({ datasets, quorum, operatorFee }: JobOrder): bigint {
  return datasets.reduce((sum, { maxPrice }) => sum + maxPrice, BigInt(quorum) * operatorFee);
}

/**
 * Applies the next event to a state, which it changes. There is no way back: replay final blocks, or keep copies.
 *
 * @param timestamp - of the event's block, in Unix seconds; only the time of a claim hangs on it.
 * @throws {@link ContradictingEventError} if the event does not fit those before it; the state is then of no use.
 * @example
 * for await (const news of watchMarket(client, { signal, head: "finalized" })) {
 *   if (news.type === "event") applyEvent(state, news.event)
 * }
 */
export function applyEvent(state: MarketState, event: MarketEvent, timestamp?: bigint): void {
  const { blockNumber, logIndex } = event;
  const { last } = state;
  const isLater = blockNumber > last.blockNumber || (blockNumber === last.blockNumber && logIndex > last.logIndex);
  if (!isLater) throw new ContradictingEventError(event, "it is not later than the event before it");
  state.last = { blockNumber, logIndex };
  const contradiction =
    applyDatasetEvent(state, event) ??
    applyMoney(state, event) ??
    applyJob(state, event) ??
    applySession(state, event, timestamp);
  if (contradiction !== undefined) throw new ContradictingEventError(event, contradiction);
}

/* Each answers what contradicts the events before, and undefined for events of the other kinds. */

function applyMoney(state: MarketState, event: MarketEvent): string | undefined {
  switch (event.eventName) {
    case "Deposited": {
      const { account, token, amount } = event.args;
      addAmount(state.credits, `${account}/${token}`, amount);
      addAmount(state.owed, token, amount);
      return undefined;
    }
    case "Withdrawn": {
      const { account, token, amount, sent } = event.args;
      if (sent > amount) return `${sent} was sent for ${amount}`;
      addAmount(state.credits, `${account}/${token}`, -amount);
      addAmount(state.owed, token, -amount);
      return undefined;
    }
    case "Credited": {
      const { account, token, source, amount } = event.args;
      return charge(state, account, token, source, -amount);
    }
    case "Debited": {
      const { account, token, source, amount } = event.args;
      return charge(state, account, token, source, amount);
    }
    case "OrderGroupSettled": {
      const { source, payer, token, charged, okCount, grantHashes } = event.args;
      for (const grantHash of grantHashes) addAmount(state.grantUses, grantHash, okCount);
      return charge(state, payer, token, source, charged);
    }
    case "OrderSettled":
      return useNonce(state, event.args.requester, event.args.nonce);
    case "NonceCancelled":
      return useNonce(state, event.args.account, event.args.nonce);
    case "EnclaveRegistered": {
      const { signingKey, operator, platformId } = event.args;
      if (state.enclaves.has(signingKey.toLowerCase())) return `enclave ${signingKey} was registered before`;
      state.enclaves.set(signingKey.toLowerCase(), { operator, platformId });
      return undefined;
    }
    default:
      return undefined;
  }
}

function applyJob(state: MarketState, event: MarketEvent): string | undefined {
  switch (event.eventName) {
    case "JobOpened": {
      const { jobId, index, order } = event.args;
      if (index !== BigInt(state.jobs.size) || state.jobs.has(jobId)) return `job ${jobId} is not the next one`;
      state.jobs.set(jobId, { index, order, state: "Open", votes: [] });
      const used = useNonce(state, order.requester, order.nonce);
      return used ?? charge(state, order.payer, order.token, jobId, costOf(order));
    }
    case "JobAccepted": {
      const { jobId, index, signer, bonder } = event.args;
      return moveJob(state, jobId, index, ["Open"], (job) => ({
        ...job,
        state: "Accepted",
        acceptance: { signer, bonder },
      }));
    }
    case "ReceiptCounted": {
      const { jobId, index, signer, platformId, outputCommitment } = event.args;
      const enclave = state.enclaves.get(signer.toLowerCase());
      if (enclave === undefined) return `enclave ${signer} was never registered`;
      const vote = { platformId, operator: enclave.operator };
      return moveJob(state, jobId, index, ["Open"], (job) => ({
        ...job,
        votes: [...job.votes, vote],
        outputCommitment,
      }));
    }
    case "JobSettled": {
      const { jobId, index, signer, countedGrants, failureCode } = event.args;
      const ok = failureCode === 0;
      const order = state.jobs.get(jobId)?.order;
      if (ok && order !== undefined) useGrants(state, order, countedGrants, 1n);
      const vote = state.enclaves.get(signer.toLowerCase());
      const isBallot = order !== undefined && order.quorum > 1;
      if (isBallot && vote === undefined) return `enclave ${signer} was never registered`;
      return moveJob(state, jobId, index, ["Open", "Accepted"], (job) => ({
        ...job,
        state: ok ? "SettledOk" : "SettledFailed",
        votes: isBallot && vote !== undefined ? [...job.votes, vote] : job.votes,
      }));
    }
    case "JobDisagreed":
      return endJob(state, event.args, ["Open"], "Disagreed");
    case "JobCancelled":
      return endJob(state, event.args, ["Open"], "Cancelled");
    case "JobExpired":
      return endJob(state, event.args, ["Open", "Accepted"], "Expired");
    default:
      return undefined;
  }
}

function applySession(state: MarketState, event: MarketEvent, claimedAt: bigint | undefined): string | undefined {
  switch (event.eventName) {
    case "SessionOpened": {
      const { sessionId, order, terms } = event.args;
      if (state.sessions.has(sessionId)) return `session ${sessionId} was opened before`;
      state.sessions.set(sessionId, { order, terms, state: "Open", disputed: new Set(), settled: new Set() });
      const cost = BigInt(terms.maxJobs) * costOf(order);
      return charge(state, order.payer, order.token, sessionId, cost);
    }
    case "SessionClaimed": {
      const { sessionId, signer, root, okCount, failedCount, countedGrants } = event.args;
      const enclave = state.enclaves.get(signer.toLowerCase());
      if (enclave === undefined) return `enclave ${signer} was never registered`;
      return inSession(state, sessionId, "Open", (session) => {
        useGrants(state, session.order, countedGrants, BigInt(okCount));
        session.state = "Claimed";
        session.claim = { root, okCount, failedCount, operator: enclave.operator, claimedAt };
      });
    }
    case "LeafDisputed":
      return inSession(state, event.args.sessionId, "Claimed", ({ disputed }) => disputed.add(event.args.leaf));
    case "LeafSettled":
      return inSession(state, event.args.sessionId, "Claimed", ({ settled }) => settled.add(event.args.leaf));
    case "SessionClosed":
      return inSession(state, event.args.sessionId, "Claimed", (session) => {
        session.state = "Closed";
      });
    case "SessionExpired":
      return inSession(state, event.args.sessionId, "Open", (session) => {
        session.state = "Expired";
      });
    default:
      return undefined;
  }
}

/** Out of an account's credit, into escrow. What is paid in comes later in the same transaction: see `imbalances`. */
function charge(state: MarketState, account: Address, token: Address, source: Hex, amount: bigint): undefined {
  addAmount(state.credits, `${account}/${token}`, -amount);
  addAmount(state.escrow, `${source}/${token}`, amount);
}

function useNonce({ usedNonces }: MarketState, account: Address, nonce: bigint): string | undefined {
  const used = usedNonces.get(account.toLowerCase()) ?? new Set();
  if (used.has(nonce)) return `${account} used nonce ${nonce} before`;
  usedNonces.set(account.toLowerCase(), used.add(nonce));
  return undefined;
}

function useGrants(state: MarketState, order: JobOrder, countedGrants: number, times: bigint): void {
  for (const [i, { grantHash }] of order.datasets.entries()) {
    if ((countedGrants >> i) & 1) addAmount(state.grantUses, grantHash, times);
  }
}

function moveJob(
  { jobs }: MarketState,
  jobId: Hex,
  index: bigint,
  from: readonly JobState[],
  move: (job: JobRecord) => JobRecord,
): string | undefined {
  const job = jobs.get(jobId);
  if (job?.index !== index) return `job ${jobId} was not opened at ${index}`;
  if (!from.includes(job.state)) return `job ${jobId} is ${job.state}`;
  jobs.set(jobId, move(job));
  return undefined;
}

type Ended = { jobId: Hex; index: bigint };

function endJob(market: MarketState, { jobId, index }: Ended, from: readonly JobState[], state: JobState) {
  return moveJob(market, jobId, index, from, (job) => ({ ...job, state }));
}

function inSession(
  { sessions }: MarketState,
  sessionId: Hex,
  state: SessionRecord["state"],
  move: (session: SessionRecord) => unknown,
): string | undefined {
  const session = sessions.get(sessionId);
  if (session?.state !== state) return `session ${sessionId} is ${session?.state ?? "unknown"}, not ${state}`;
  move(session);
  return undefined;
}

/** An event contradicts those before it. */
export class ContradictingEventError extends BaseError {
  override readonly name = "Replay.ContradictingEventError";
  /** The event. */
  readonly event: MarketEvent;
  constructor(event: MarketEvent, fact: string) {
    super(`${event.eventName} in block ${event.blockNumber}, log ${event.logIndex}: ${fact}.`, {
      hint: "Replay all events of all contracts from the deployment's block, in order; if it stays, the RPC lies.",
    });
    this.event = event;
  }
}
