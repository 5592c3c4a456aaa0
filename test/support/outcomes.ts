/** What became of a job, as the chain says it: for integration tests. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { failureCodes, type JobState, type Receipt } from "../../protocol/eip712.ts";
import { ServerRefusedError } from "../../sdk/boundedFetch.ts";
import { jobStatus } from "../../sdk/findJob.ts";
import { fetchResult } from "../../sdk/worker.ts";
import type { Scenario } from "./scenario.ts";

/** Waits until a job is no longer open. */
export async function ended(s: Scenario, jobId: Hex, timeoutMs = 30_000): Promise<JobState> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    const { state } = await jobStatus(s.requester, jobId);
    if (state !== "Open") return state;
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

/** Every settlement of a job that is on the chain. */
export async function settlements(s: Scenario, jobId: Hex): Promise<Receipt[]> {
  const logs = await s.requester.chain.getContractEvents({
    address: s.market.deployment.contracts.jobMarket,
    abi: jobMarketAbi,
    eventName: "JobSettled",
    args: { jobId },
    fromBlock: 0n,
    strict: true,
  });
  return logs.map((log) => log.args.receipt);
}

/** The one settlement of a job: fails if there are none or several. */
export async function settlement(s: Scenario, jobId: Hex): Promise<Receipt> {
  const all = await settlements(s, jobId);
  if (all.length !== 1 || all[0] === undefined) throw new Error(`${all.length} settlements of job ${jobId}`);
  return all[0];
}

/** The failure code of a job's one settlement, by name. */
export async function failureOf(s: Scenario, jobId: Hex): Promise<string> {
  await ended(s, jobId);
  return failureCodes[(await settlement(s, jobId)).failureCode] ?? "unknown";
}
