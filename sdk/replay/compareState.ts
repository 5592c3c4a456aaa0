/** Room: sdk/replay. A rebuilt state beside what the contracts' views say at the same block. */
import type { Address, Hex } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../../protocol/abi.ts";
import { jobStates, sessionStates } from "../../protocol/eip712.ts";
import { toTypedError } from "../chainErrors.ts";
import type { Client } from "../client.ts";
import { isRevoked } from "./datasetState.ts";
import type { MarketState } from "./marketState.ts";

/** A view that says something else than the events. */
export type Difference = { view: string; rebuilt: string; onChain: string };

/** What a comparison found, and how many views it has asked. */
export type Comparison = { differences: readonly Difference[]; views: number };

/** How many views are asked at a time. */
const parallel = 8;

type Check = { view: string; rebuilt: unknown; ask: () => Promise<unknown> };

/**
 * Compares a rebuilt state with every view of the market and of the registry of data sets, at one block. A grant's uses are
 * compared where the market stores them: it does of grants limited in uses, and answers zero for others.
 *
 * @param blockNumber - the last block whose events were applied, all of them.
 * @throws RpcError
 * @example
 * const { differences } = await compareState(client, state, head)
 */
export async function compareState(client: Client, state: MarketState, blockNumber: bigint): Promise<Comparison> {
  const checks = [...marketChecks(client, state, blockNumber), ...datasetChecks(client, state, blockNumber)];
  const differences: Difference[] = [];
  for (let i = 0; i < checks.length; i += parallel) {
    const slice = checks.slice(i, i + parallel);
    const answers = await Promise.all(slice.map(({ ask }) => ask())).catch((cause) => {
      throw toTypedError(cause);
    });
    for (const [j, { view, rebuilt }] of slice.entries()) {
      const [wanted, onChain] = [toText(rebuilt), toText(answers[j])];
      if (wanted !== onChain) differences.push({ view, rebuilt: wanted, onChain });
    }
  }
  return { differences, views: checks.length };
}

function marketChecks({ chain, deployment }: Client, state: MarketState, blockNumber: bigint): Check[] {
  const at = { address: deployment.contracts.jobMarket, abi: jobMarketAbi, blockNumber } as const;
  const checks: Check[] = [];
  const check = (view: string, rebuilt: unknown, ask: Check["ask"]) => void checks.push({ view, rebuilt, ask });

  check("jobCount()", BigInt(state.jobs.size), () => chain.readContract({ ...at, functionName: "jobCount" }));
  for (const [key, credit] of state.credits) {
    const args = key.split("/") as [Address, Address];
    check(`creditOf(${args})`, credit, () => chain.readContract({ ...at, functionName: "creditOf", args }));
  }
  for (const [token, owed] of state.owed) {
    const args = [token as Address] as const;
    check(`owedOf(${args})`, owed, () => chain.readContract({ ...at, functionName: "owedOf", args }));
  }
  for (const [account, nonces] of state.usedNonces) {
    for (const nonce of nonces) {
      const args = [account as Address, nonce] as const;
      check(`isNonceUsed(${args})`, true, () => chain.readContract({ ...at, functionName: "isNonceUsed", args }));
    }
  }
  for (const [grantHash, uses] of state.grantUses) {
    check(`grantUses(${grantHash})`, uses, async () => {
      const stored = await chain.readContract({ ...at, functionName: "grantUses", args: [grantHash] });
      return stored === 0n ? uses : stored; // not limited
    });
  }
  for (const [jobId, job] of state.jobs) {
    check(`jobState(${job.index},${jobId})`, jobStates.indexOf(job.state), () =>
      chain.readContract({ ...at, functionName: "jobState", args: [job.index, jobId] }),
    );
    const { signer, bonder } = job.acceptance ?? { signer: zero(20), bonder: zero(20) };
    check(`acceptance(${jobId})`, [signer, bonder], () =>
      chain.readContract({ ...at, functionName: "acceptance", args: [jobId] }),
    );
    const votes = [job.votes.map((vote) => vote.platformId), job.votes.map((vote) => vote.operator)];
    check(`ballot(${jobId})`, [job.outputCommitment ?? zero(32), ...votes], () =>
      chain.readContract({ ...at, functionName: "ballot", args: [jobId] }),
    );
  }
  for (const [sessionId, { state: name, claim, disputed, settled }] of state.sessions) {
    check(
      `session(${sessionId})`,
      {
        state: sessionStates.indexOf(name),
        okCount: claim?.okCount ?? 0,
        failedCount: claim?.failedCount ?? 0,
        operator: claim?.operator ?? zero(20),
        root: claim?.root ?? zero(32),
        ...(claim?.claimedAt === undefined ? {} : { claimedAt: claim.claimedAt }),
      },
      async () => {
        const [stored, root] = await chain.readContract({ ...at, functionName: "session", args: [sessionId] });
        const { state, okCount, failedCount, operator, claimedAt } = stored;
        const time = claim?.claimedAt === undefined ? {} : { claimedAt: BigInt(claimedAt) };
        return { state, okCount, failedCount, operator, root, ...time };
      },
    );
    const isOk = (leaf: bigint) => leaf < BigInt(claim?.okCount ?? 0);
    const open = [...disputed].filter((leaf) => !settled.has(leaf));
    const counts = {
      settledOk: [...settled].filter(isOk).length,
      settledFailed: [...settled].filter((leaf) => !isOk(leaf)).length,
      disputedOk: open.filter(isOk).length,
      disputedFailed: open.filter((leaf) => !isOk(leaf)).length,
    };
    check(`leafCounts(${sessionId})`, counts, () =>
      chain.readContract({ ...at, functionName: "leafCounts", args: [sessionId] }),
    );
    for (const leaf of new Set([...disputed, ...settled])) {
      check(`leafState(${sessionId},${leaf})`, [disputed.has(leaf), settled.has(leaf)], () =>
        chain.readContract({ ...at, functionName: "leafState", args: [sessionId, leaf] }),
      );
    }
  }
  return checks;
}

function datasetChecks({ chain, deployment }: Client, state: MarketState, blockNumber: bigint): Check[] {
  const at = { address: deployment.contracts.datasetRegistry, abi: datasetRegistryAbi, blockNumber } as const;
  const checks: Check[] = [];
  for (const [datasetId, { payees, pendingOwner, ...fields }] of state.datasets) {
    const { owner, sizeBytes, epoch, retired } = fields;
    const args = [datasetId] as const;
    const ownerEpoch = state.owners.get(owner.toLowerCase())?.epoch ?? 0;
    const payeeCount = payees.length;
    const consent = {
      owner,
      sizeBytes,
      epoch,
      ownerEpoch,
      payeeCount,
      revoked: retired || isRevoked(state, owner, 0n),
    };
    checks.push(
      {
        view: `dataset(${datasetId})`,
        rebuilt: { ...fields, payeeCount },
        ask: () => chain.readContract({ ...at, functionName: "dataset", args }),
      },
      {
        view: `payeesOf(${datasetId})`,
        rebuilt: payees,
        ask: () => chain.readContract({ ...at, functionName: "payeesOf", args }),
      },
      {
        view: `pendingOwnerOf(${datasetId})`,
        rebuilt: pendingOwner,
        ask: () => chain.readContract({ ...at, functionName: "pendingOwnerOf", args }),
      },
      {
        view: `consentOf(${datasetId},0)`,
        rebuilt: consent,
        ask: () => chain.readContract({ ...at, functionName: "consentOf", args: [datasetId, 0n] }),
      },
    );
  }
  for (const [key, { epoch, small, large, past }] of state.owners) {
    const owner = key as Address;
    checks.push({
      view: `ownerEpochOf(${owner})`,
      rebuilt: epoch,
      ask: () => chain.readContract({ ...at, functionName: "ownerEpochOf", args: [owner] }),
    });
    for (const nonce of new Set([...small, ...large, ...past])) {
      checks.push({
        view: `isGrantNonceRevoked(${owner},${nonce})`,
        rebuilt: small.has(nonce) || large.has(nonce),
        ask: () => chain.readContract({ ...at, functionName: "isGrantNonceRevoked", args: [owner, nonce] }),
      });
    }
  }
  return checks;
}

function zero(bytes: number): Hex {
  return `0x${"00".repeat(bytes)}`;
}

/** Comparable text: keys in order, numbers alike whatever their type, addresses and bytes in lower case. */
function toText(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const entries = Array.isArray(value)
      ? value.map(toText)
      : Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => `${key}:${toText(inner)}`);
    return `[${entries.join(",")}]`;
  }
  const text = String(value);
  return /^0x[0-9a-fA-F]*$/.test(text) ? text.toLowerCase() : text;
}
