/**
 * Small jobs from end to end on one worker: orders signed beforehand, handed over by HTTP, run each in a sandbox process of
 * its own behind the wall, settled in batches on a local chain with a block a second. Chain and requesters run in this
 * process.
 */
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, bytesToHex, type Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import type { JobOrder } from "../../protocol/eip712.ts";
import { type SignedOrder, signedOrderToJson } from "../../protocol/signedOrder.ts";
import { testAccount } from "../../scripts/localChain.ts";
import { addressOf, type Client, createClient } from "../../sdk/client.ts";
import { randomUint256 } from "../../sdk/random.ts";
import { fund, signed } from "../../test/integration/market/people.ts";
import { bring, countingProgram, grantOf, rawJob } from "../../test/support/hostile.ts";
import { type Scenario, startScenario } from "../../test/support/scenario.ts";
import type { Figure } from "./rounds.ts";

const requesters = [7, 8, 9, 10, 11, 12] as const;
/** Below what a worker keeps waiting of one payer. */
const inFlightEach = 16;
const inputBytes = 1024;
/** As on chains with fast blocks. */
const blockSeconds = 1;
/** A worker takes so many orders a minute from one address: each requester has several. */
const ordersPerAddress = 30;
const retryMs = 500;
/** Between two looks at the chain. */
const lookMs = 250;
/** Until caches are filled and the first batches settled. */
const warmUpMs = 8_000;
const windowMs = 6_000;
const windows = 5;
/** More than can be settled. */
const ordersMade = 45 * ((warmUpMs + windows * windowMs) / 1000);

/**
 * Jobs settled per second, while orders are handed over as fast as they are settled.
 *
 * @example
 * const { value } = await measure()
 */
export async function measure(): Promise<Figure> {
  const s = await startScenario({ env: { LOG_LEVEL: "info", POLL_MS: "250" } });
  try {
    const next = await prepare(s);
    const stream = handOver(s, await next(ordersMade));
    await stream.until(warmUpMs);
    const before = await totals(s);
    const speeds: number[] = [];
    const first = stream.settled();
    for (let i = 0; i < windows; i++) {
      const [from, since] = [stream.settled(), performance.now()];
      await stream.until(windowMs);
      speeds.push(((stream.settled() - from) / (performance.now() - since)) * 1000);
    }
    explain(before, await totals(s), stream.settled() - first);
    await stream.stop();
    speeds.sort((a, b) => a - b);
    const at = (share: number) => speeds[Math.round(share * (speeds.length - 1))] ?? Number.NaN;
    return { value: at(0.5), spread: at(0.75) - at(0.25) };
  } finally {
    await s.stop();
  }
}

type Order = { signed: SignedOrder; from: string };

/** A data set, its grant at the worker, and requesters with credit; what it returns signs orders. */
async function prepare(s: Scenario): Promise<(count: number) => Promise<Order[]>> {
  const provider = await s.addProvider(6, new Uint8Array(inputBytes).fill(0x61));
  const program = countingProgram(s);
  const grant = await grantOf(s, provider, program);
  await bring(s, grant, { key: provider.datasetKey, by: provider.client });
  const templates: { client: Client; job: { order: JobOrder; programUri: string; params: Hex } }[] = [];
  for (const index of requesters) {
    await fund(s, index, 10n ** 12n);
    const { deployment, chain } = s.market;
    const client = await createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(index) });
    const parties = { requester: addressOf(client), payer: addressOf(client) };
    const job = await rawJob(s, { program, grants: [grant], changes: parties });
    templates.push({ client, job: { ...job, params: bytesToHex(job.params) } });
  }
  const { control } = s.market.chain;
  await control.mine({ blocks: 2 }); // workers look at credit in the head's parent
  await control.setAutomine(false);
  await control.setIntervalMining({ interval: blockSeconds });
  let made = 0;
  return async (count) => {
    const orders: Order[] = [];
    for (let i = 0; i < count; i++, made++) {
      const template = templates[made % templates.length];
      if (template === undefined) throw new RangeError("no requesters");
      const order: JobOrder = { ...template.job.order, nonce: BigInt(made) + (randomUint256() & ~0xffffn) };
      const from = `127.0.1.${1 + Math.floor(made / ordersPerAddress)}`;
      orders.push({ signed: await signed(template.client, { ...template.job, order }), from });
    }
    return orders;
  };
}

/** Hands orders over as fast as they are settled. */
function handOver(s: Scenario, orders: readonly Order[]) {
  const { jobMarket: address } = s.market.deployment.contracts;
  const settled = new Set<Hex>();
  const mine = new Set<Hex>();
  const posts: Promise<void>[] = [];
  let isOver = false;
  let posted = 0;

  async function work(): Promise<void> {
    let fromBlock = (await s.market.chain.public.getBlockNumber()) + 1n;
    while (!isOver) {
      for (; posted - settled.size < inFlightEach * requesters.length; posted++) {
        const order = orders[posted];
        if (order === undefined) throw new RangeError("the worker was faster than thought possible");
        posts.push(post(s.worker().url, order).then((jobId) => void mine.add(jobId)));
      }
      await sleep(lookMs);
      const toBlock = await s.market.chain.public.getBlockNumber();
      if (toBlock < fromBlock) continue;
      const filter = {
        address,
        abi: jobMarketAbi,
        eventName: "OrderSettled",
        strict: true,
        fromBlock,
        toBlock,
      } as const;
      for (const { args } of await s.market.chain.public.getContractEvents(filter)) settled.add(args.jobId);
      fromBlock = toBlock + 1n;
    }
    await Promise.all(posts);
    if (!settled.isSubsetOf(mine)) throw new Error("other orders were settled than those handed over");
  }

  const over = work();
  over.catch(() => undefined); // told by whoever waits
  return {
    settled: () => settled.size,
    until: (ms: number) => Promise.race([sleep(ms), over]),
    stop() {
      isOver = true;
      return over;
    },
  };
}

/** A worker that holds enough orders of a payer says so; what it has settled meanwhile it sees a moment later. */
async function post(url: string, order: Order): Promise<Hex> {
  for (;;) {
    const jobId = await tryPost(url, order);
    if (jobId !== "full") return jobId;
    await sleep(retryMs);
  }
}

function tryPost(url: string, { signed, from }: Order): Promise<Hex | "full"> {
  const body = JSON.stringify(signedOrderToJson(signed));
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = httpRequest(`${url}/orders`, { method: "POST", localAddress: from, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { jobId, name } = JSON.parse(text) as { jobId?: Hex; name?: string };
      if (name === "Jobs.TooManyOrdersError") resolve("full");
      else if (jobId === undefined) reject(new Error(text));
      else resolve(jobId);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** CPU time in ms: of this process, of the worker, of its sandbox service and its processes; the worker's transactions. */
type Totals = {
  chainMs: number;
  workerMs: number;
  serviceMs: number;
  sandboxMs: number;
  transactions: number;
  atMs: number;
};

async function totals(s: Scenario): Promise<Totals> {
  const { user, system } = process.cpuUsage();
  const pid = s.worker().child.process.pid ?? 0;
  const [service = 0] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").map(Number);
  const worker = cpuOf(pid);
  const started = cpuOf(service);
  const { gasWallet } = (await (await fetch(`${s.worker().url}/enclave`)).json()) as { gasWallet: Address };
  const transactions = await s.market.chain.public.getTransactionCount({ address: gasWallet });
  const times = { chainMs: (user + system) / 1000, workerMs: worker.ownMs, serviceMs: started.ownMs };
  return { ...times, sandboxMs: started.childrenMs, transactions, atMs: performance.now() };
}

function cpuOf(pid: number): { ownMs: number; childrenMs: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const ms = (at: number) => 10 * ((ticks[at] ?? 0) + (ticks[at + 1] ?? 0)); // 100 ticks a second
  return { ownMs: ms(11), childrenMs: ms(13) };
}

function explain(before: Totals, after: Totals, jobs: number): void {
  const each = (name: keyof Totals) => `${((after[name] - before[name]) / jobs).toFixed(1)} ms`;
  const batch = (jobs / (after.transactions - before.transactions)).toFixed(1);
  console.log(
    `  CPU per job: sandbox processes ${each("sandboxMs")}, their service ${each("serviceMs")}, worker ` +
      `${each("workerMs")}, chain and requesters ${each("chainMs")}; of one core's ${each("atMs")}. ${batch} jobs a transaction`,
  );
}
