/** Room: sdk/replay. The market's state as events tell it: what it holds, and what must add up in it. Pure. */
import type { Address, Hex } from "viem";
import type { JobOrder, JobState, SessionTerms } from "../../protocol/eip712.ts";
import type { DatasetState } from "./datasetState.ts";

/** A job that was opened. */
export type JobRecord = {
  index: bigint;
  order: JobOrder;
  state: JobState;
  acceptance?: { signer: Address; bonder: Address };
  /** What enclaves said, in their order; only where several must agree. */
  votes: { platformId: Hex; operator: Address }[];
  /** Of the votes; zero for Failed. */
  outputCommitment?: Hex;
};

/** A session. */
export type SessionRecord = {
  order: JobOrder;
  terms: SessionTerms;
  state: "Open" | "Claimed" | "Closed" | "Expired";
  claim?: { root: Hex; okCount: number; failedCount: number; operator: Address; claimedAt: bigint | undefined };
  disputed: Set<bigint>;
  settled: Set<bigint>;
};

/** Everything; addresses in keys are lowercase, amounts in units of their token. */
export type MarketState = DatasetState & {
  /** By `account/token`. */
  credits: Map<string, bigint>;
  /** What jobs and sessions hold, by `source/token`. */
  escrow: Map<string, bigint>;
  /** All credits and all escrow, by token. */
  owed: Map<string, bigint>;
  jobs: Map<Hex, JobRecord>;
  /** By account. */
  usedNonces: Map<string, Set<bigint>>;
  /** How often grants that are paid or limited were used. The market stores it of those that are limited only. */
  grantUses: Map<Hex, bigint>;
  sessions: Map<Hex, SessionRecord>;
  /** By signing key. */
  enclaves: Map<string, { operator: Address; platformId: Hex }>;
  /** The last event that was applied. */
  last: { blockNumber: bigint; logIndex: number };
};

/**
 * The state of a market that was just deployed.
 *
 * @example
 * const state = emptyMarketState()
 */
export function emptyMarketState(): MarketState {
  return {
    credits: new Map(),
    escrow: new Map(),
    owed: new Map(),
    jobs: new Map(),
    usedNonces: new Map(),
    grantUses: new Map(),
    sessions: new Map(),
    enclaves: new Map(),
    datasets: new Map(),
    owners: new Map(),
    last: { blockNumber: -1n, logIndex: -1 },
  };
}

/**
 * Adds to an amount by key; keys are kept in lower case.
 *
 * @example
 * addAmount(state.credits, `${account}/${token}`, 5n)
 */
export function addAmount(amounts: Map<string, bigint>, key: string, amount: bigint): void {
  const lower = key.toLowerCase();
  amounts.set(lower, (amounts.get(lower) ?? 0n) + amount);
}

/**
 * What does not add up, between two transactions: a credit or an escrow below zero, escrow of what has ended, or a token
 * of which credits and escrow are not what is owed. Empty for the events of a market that is sound.
 *
 * @example
 * if (imbalances(state).length > 0) throw new Error("the node lies, or the market is broken")
 */
export function imbalances(state: MarketState): string[] {
  const { credits, escrow, owed, jobs, sessions } = state;
  const held = new Map<string, bigint>();
  const problems: string[] = [];
  for (const [kind, amounts] of Object.entries({ credits, escrow })) {
    for (const [key, amount] of amounts) {
      addAmount(held, key.split("/")[1] ?? "", amount);
      if (amount < 0n) problems.push(`${kind} of ${key} is ${amount}`);
    }
  }
  for (const token of new Set([...held.keys(), ...owed.keys()])) {
    const [has, owes] = [held.get(token) ?? 0n, owed.get(token) ?? 0n];
    if (has !== owes) problems.push(`credits and escrow of ${token} are ${has}, owed is ${owes}`);
  }
  for (const [key, amount] of escrow) {
    const source = key.split("/")[0] as Hex;
    const state = jobs.get(source)?.state ?? sessions.get(source)?.state ?? "Ended"; // groups end as they begin
    if (amount !== 0n && !["Open", "Accepted", "Claimed"].includes(state)) problems.push(`${key} holds ${amount}`);
  }
  return problems;
}
