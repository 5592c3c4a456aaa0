/**
 * Room: sdk/findSession. A session from the chain: its terms, which its id is the hash of, and where it stands.
 */
import { type Address, getAbiItem, type Hex } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import {
  hashSession,
  type JobOrder,
  type SessionClaim,
  type SessionState,
  type SessionTerms,
  sessionStates,
} from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import { findEvent } from "./scanEvents.ts";
import { read } from "./send.ts";
import { ForgedJobError } from "./settlement.ts";

/** A session as the chain tells it. */
export type FoundSession = {
  sessionId: Hex;
  order: JobOrder;
  terms: SessionTerms;
  programUri: string;
  openedHash: Hex;
  state: SessionState;
  /** Unix seconds; until then leaves may be disputed, and until the second disputed ones be shown. Undefined: no claim. */
  disputeUntil: bigint | undefined;
  showUntil: bigint | undefined;
  /** Who is paid. */
  operator: Address;
  leaves: { settledOk: number; settledFailed: number; disputedOk: number; disputedFailed: number };
  /** Of its signer the market's word is taken: the signature is in the calldata. */
  claim: { claim: Omit<SessionClaim, "anchorBlock" | "anchorHash">; signer: Address } | undefined;
};

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "SessionOpened" });
const claimedEvent = getAbiItem({ abi: jobMarketAbi, name: "SessionClaimed" });

/**
 * Finds a session.
 *
 * @throws {@link UnknownSessionError} | ForgedJobError | any error of `scanEvents` and `read`
 * @example
 * const { order, terms, state } = await findSession(client, sessionId)
 */
export async function findSession(client: Client, sessionId: Hex): Promise<FoundSession> {
  const market = { address: client.deployment.contracts.jobMarket, abi: jobMarketAbi } as const;
  const { address } = market;
  const opened = await findEvent(client, { address, event: openedEvent, args: { sessionId }, newestFirst: true });
  if (opened === undefined) throw new UnknownSessionError(sessionId);
  const { order, terms, programUri } = opened.args;
  if (hashSession(client.marketDomain, order, terms) !== sessionId) throw new ForgedJobError(sessionId, "session");
  const [stored, root] = await read(client, { ...market, functionName: "session", args: [sessionId] });
  const leaves = await read(client, { ...market, functionName: "leafCounts", args: [sessionId] });
  const claimed = stored.claimedAt > 0;
  const disputeUntil = claimed ? BigInt(stored.claimedAt) + BigInt(terms.challengeSeconds) : undefined;
  return {
    sessionId,
    order,
    terms,
    programUri,
    openedHash: opened.transactionHash,
    state: sessionStates[stored.state] ?? "None",
    disputeUntil,
    showUntil: disputeUntil === undefined ? undefined : disputeUntil + BigInt(terms.challengeSeconds),
    operator: stored.operator,
    leaves,
    claim: claimed ? await findClaim(client, sessionId, root, opened.blockNumber) : undefined,
  };
}

async function findClaim(client: Client, sessionId: Hex, root: Hex, fromBlock: bigint): Promise<FoundSession["claim"]> {
  const address = client.deployment.contracts.jobMarket;
  const log = await findEvent(client, { address, event: claimedEvent, args: { sessionId }, fromBlock });
  if (log === undefined) throw new ForgedJobError(sessionId, "claim");
  const { signer, ...claim } = log.args;
  if (claim.sessionId !== sessionId || claim.root !== root) throw new ForgedJobError(sessionId, "claim");
  return { claim, signer };
}

/**
 * Whether a leaf was disputed, and whether it was shown.
 *
 * @throws any error of `read`
 * @example
 * const { disputed, settled } = await leafState(client, sessionId, 3)
 */
export async function leafState(
  client: Client,
  sessionId: Hex,
  leaf: number,
): Promise<{ disputed: boolean; settled: boolean }> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: jobMarketAbi, functionName: "leafState", args: [sessionId, BigInt(leaf)] } as const;
  const [disputed, settled] = await read(client, call);
  return { disputed, settled };
}

/** No such session. */
export class UnknownSessionError extends BaseError {
  override readonly name = "FindSession.UnknownSessionError";
  constructor(sessionId: Hex) {
    super(`There is no session ${sessionId}.`, { hint: "Check the id, the deployment and the RPC." });
  }
}
