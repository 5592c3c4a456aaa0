/** What became of a job, as the chain says it: for integration tests. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { settlementIn } from "../../protocol/chain/settlingTransaction.ts";
import { failureCodes, hashReceipt, type JobState, jobStates, type Receipt } from "../../protocol/eip712.ts";
import type { SealedPrints } from "../../protocol/prints.ts";
import { ServerRefusedError } from "../../sdk/boundedFetch.ts";
import { fetchResult, fetchSealedPrints } from "../../sdk/worker.ts";
import type { Scenario } from "./scenario.ts";

/** Where an opened job stands at the newest block. */
export async function stateOf(s: Scenario, jobId: Hex): Promise<JobState> {
  const { chain, marketDomain } = s.requester;
  const market = { address: marketDomain.verifyingContract, abi: jobMarketAbi } as const;
  const filter = { ...market, eventName: "JobOpened", args: { jobId }, fromBlock: 0n, strict: true } as const;
  const [opening] = await chain.getContractEvents(filter);
  if (opening === undefined) return "None";
  const args = [opening.args.index, jobId] as const;
  return jobStates[await chain.readContract({ ...market, functionName: "jobState", args })] ?? "None";
}

/** Waits until a job has ended. */
export async function ended(s: Scenario, jobId: Hex, timeoutMs = 30_000): Promise<JobState> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    const state = await stateOf(s, jobId);
    if (!["None", "Open", "Accepted"].includes(state)) return state;
    await sleep(50);
  }
  throw new Error(`job ${jobId} is still open:\n${s.worker().child.lines.stdout.slice(-12).join("\n")}`);
}

/** The sealed result, once the worker has seen the settlement. */
export async function releasedResult(s: Scenario, jobId: Hex): Promise<Uint8Array> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetchResult(s.worker().url, jobId);
    } catch (error) {
      if (tries === 100 || !(error instanceof ServerRefusedError)) throw error;
      await sleep(50);
    }
  }
}

/** What the program printed, sealed, once the worker has seen the settlement. */
export async function sealedPrints(s: Scenario, jobId: Hex): Promise<SealedPrints> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetchSealedPrints(s.worker().url, jobId);
    } catch (error) {
      if (tries === 100 || !(error instanceof ServerRefusedError)) throw error;
      await sleep(50);
    }
  }
}

/** Every settlement of a job that is on the chain. */
export async function settlements(s: Scenario, jobId: Hex): Promise<Receipt[]> {
  const { chain, marketDomain } = s.requester;
  const filter = { address: marketDomain.verifyingContract, abi: jobMarketAbi, fromBlock: 0n, strict: true } as const;
  const args = { jobId };
  const opened = await chain.getContractEvents({ ...filter, eventName: "JobSettled", args });
  const signed = await chain.getContractEvents({ ...filter, eventName: "OrderSettled", args });
  const receipts = [...opened, ...signed].map(async ({ transactionHash, args: { receiptHash } }) => {
    const { input } = await chain.getTransaction({ hash: transactionHash });
    const receipt = settlementIn(input, marketDomain, jobId)?.receipt;
    if (receipt === undefined || hashReceipt(marketDomain, receipt) !== receiptHash) {
      throw new Error(`${transactionHash} does not hold the receipt of job ${jobId}`);
    }
    return receipt;
  });
  return Promise.all(receipts);
}

/** The one settlement of a job: fails if there are none or several. */
export async function settlement(s: Scenario, jobId: Hex): Promise<Receipt> {
  const all = await settlements(s, jobId);
  if (all.length !== 1 || all[0] === undefined) throw new Error(`${all.length} settlements of job ${jobId}`);
  return all[0];
}

/** The failure code of a job's one settlement, by name. */
export async function failureOf(s: Scenario, jobId: Hex, timeoutMs?: number): Promise<string> {
  await ended(s, jobId, timeoutMs);
  return failureCodes[(await settlement(s, jobId)).failureCode] ?? "unknown";
}
