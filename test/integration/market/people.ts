/** What the tests of the market's paths have in common: credit, orders as they stand, and how jobs stand. */
import { setTimeout as sleep } from "node:timers/promises";
import { erc20Abi, type Hex, parseAbi } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { type JobOrder, orderTypes } from "../../../protocol/eip712.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { addressOf, type Client, walletOf } from "../../../sdk/client.ts";
import { creditOf } from "../../../sdk/credit.ts";
import type { Scenario } from "../../support/scenario.ts";

const mintAbi = parseAbi(["function mint(address to, uint256 amount)"]);

/** Mints tokens to an account, and has them deposited as its credit. */
export async function fund(s: Scenario, index: number, amount: bigint, forAccount = testAccount(index).address) {
  const { token, deployment, chain } = s.market;
  const wallet = chain.wallet(index);
  const market = deployment.contracts.jobMarket;
  const calls = [
    { address: token, abi: mintAbi, functionName: "mint", args: [testAccount(index).address, amount] },
    { address: token, abi: erc20Abi, functionName: "approve", args: [market, amount] },
    { address: market, abi: jobMarketAbi, functionName: "deposit", args: [token, forAccount, amount] },
  ] as const;
  for (const call of calls) {
    const hash = await wallet.writeContract(call as never);
    await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  }
}

/** Credits in the token of the accounts of these indices. */
export function creditsOf(s: Scenario, indices: readonly number[]): Promise<bigint[]> {
  return Promise.all(indices.map((i) => creditOf(s.requester, testAccount(i).address, s.market.token)));
}

/** What they gain in credit while something is done. */
export async function gains<T>(s: Scenario, indices: readonly number[], act: () => Promise<T>) {
  const before = await creditsOf(s, indices);
  const value = await act();
  return { value, gained: (await creditsOf(s, indices)).map((credit, i) => credit - (before[i] ?? 0n)) };
}

/** An order as it stands, signed by a client. */
export async function signOrder(client: Client, order: JobOrder): Promise<Hex> {
  const wallet = walletOf(client);
  const typed = { domain: client.marketDomain, types: orderTypes, primaryType: "JobOrder", message: order } as const;
  return wallet.signTypedData({ ...typed, account: wallet.account });
}

/** A prepared job as a requester, who pays itself unless `payer` does, hands it to a worker. */
export async function signed(
  client: Client,
  job: { order: JobOrder; programUri: string; params: Hex },
  payer?: Client,
): Promise<SignedOrder> {
  const order = payer === undefined ? job.order : { ...job.order, payer: addressOf(payer) };
  const payerSignature = payer === undefined ? "0x" : await signOrder(payer, order);
  const { programUri, params } = job;
  return { order, programUri, params, requesterSignature: await signOrder(client, order), payerSignature };
}

/** Waits until something is so, or gives up with what the worker has said. */
export async function until(s: Scenario, isSo: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await isSo()); await sleep(50)) {
    if (performance.now() < end) continue;
    throw new Error(`waited in vain:\n${s.worker().child.lines.stdout.slice(-15).join("\n")}`);
  }
}

/** Where a worker says it stands with a job. */
export async function viewOf(url: string, jobId: Hex): Promise<{ phase?: string; waiting?: string }> {
  const answer = await fetch(`${url}/jobs/${jobId}`);
  return (await answer.json()) as { phase?: string; waiting?: string };
}
