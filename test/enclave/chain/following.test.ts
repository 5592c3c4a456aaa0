import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { connectChain } from "../../../enclave/chain/connect.ts";
import { openStore, type Store } from "../../../enclave/store/store.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { startCursor } from "../../../protocol/chain/cursor.ts";
import { follow } from "../../../protocol/chain/follow.ts";
import { decodeMarketEvents } from "../../../protocol/chain/marketEvents.ts";
import { viemSource } from "../../../protocol/chain/viemSource.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { type SampleJob, sampleJob } from "../../support/emitter.ts";
import { deployMarket } from "../../support/market.ts";

describe("following the market into the store", () => {
  let chain: TestChain;
  let deployment: Deployment;
  let dir: string;
  let store: Store;
  let nextNonce = 0;
  const requester = testAccount(0).address;

  before(async () => {
    chain = await startChain();
    deployment = await deployMarket(chain);
  });
  after(() => chain.close());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-following-"));
    store = openStore(dir, identity());
  });
  afterEach(() => {
    store.close();
    rmSync(dir, { recursive: true });
  });

  function identity() {
    return { chainId: deployment.chainId, jobMarket: deployment.contracts.jobMarket };
  }

  async function open(job: SampleJob): Promise<void> {
    await write("open", [job.order, job.programUri, job.params, "0x", "0x"], 12n);
  }

  async function write(functionName: string, args: unknown[], value = 0n): Promise<void> {
    const address = deployment.contracts.jobMarket;
    const hash = await chain
      .wallet(0)
      .writeContract({ address, abi: jobMarketAbi, functionName, args, value } as never);
    await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  }

  async function newJob(): Promise<SampleJob> {
    const index = await chain.public.readContract({
      address: deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "jobCount",
    });
    const deadline = (await chain.public.getBlock()).timestamp + 3600n;
    return { ...sampleJob(deployment, nextNonce++, { requester, payer: requester, deadline }), index };
  }

  /** What a worker does, until the store stands at the chain's head. */
  async function catchUp(): Promise<string[]> {
    const client = await connectChain({ rpcUrl: chain.rpcUrl, chainId: deployment.chainId });
    const source = viemSource({ client, addresses: [deployment.contracts.jobMarket], head: "latest" });
    const stop = new AbortController();
    const seen: string[] = [];
    const start = store.loadCursor() ?? startCursor(BigInt(deployment.fromBlock));
    const target = await chain.public.getBlock();
    if (start.blocks.at(-1)?.hash === target.hash) return seen;
    for await (const { cursor, events } of follow(source, start, { signal: stop.signal, pollMs: 10 })) {
      store.applyStep(cursor, decodeMarketEvents(deployment, events).events);
      seen.push(...events.map((event) => event.type));
      if (cursor.blocks.at(-1)?.hash === target.hash) stop.abort();
    }
    return seen;
  }

  it("keeps the market's own jobs: opened, cancelled", async () => {
    const [a, b] = [await newJob(), await newJob()];
    b.index += 1n;
    await open(a);
    await open(b);
    await write("cancel", [a.index, a.order]);
    await catchUp();
    expect(store.job(a.jobId)).to.include({ closedAs: "Cancelled", index: a.index });
    expect(store.openJobs().map((job) => job.jobId)).to.deep.equal([b.jobId]);
    expect(store.job(b.jobId)).to.deep.include({ order: b.order, params: b.params, programUri: b.programUri });
  });

  it("holds one open job after a three-block reorg that removes its opening and adds it again", async () => {
    const job = await newJob();
    const id = await chain.control.snapshot();
    await open(job);
    await chain.control.mine({ blocks: 2 });
    await catchUp();
    const first = store.job(job.jobId);
    store.close();
    store = openStore(dir, identity());

    await chain.control.revert({ id });
    await chain.control.mine({ blocks: 1 });
    await open(job);
    await chain.control.mine({ blocks: 2 });
    expect(await catchUp()).to.include("reorg");
    expect(store.openJobs().filter((one) => one.jobId === job.jobId)).to.have.length(1);
    const second = store.job(job.jobId);
    expect(second?.openedBlock).to.equal((first?.openedBlock ?? 0n) + 1n);
    expect(second?.origin).not.to.deep.equal(first?.origin);
  });

  it("forgets a job whose opening a reorg removed for good, and opens again one whose end it removed", async () => {
    const [gone, kept] = [await newJob(), await newJob()];
    await open(kept);
    gone.index += 1n;
    const id = await chain.control.snapshot();
    await write("cancel", [kept.index, kept.order]);
    await open(gone);
    await catchUp();
    expect(store.job(kept.jobId)?.closedAs).to.equal("Cancelled");
    await chain.control.revert({ id });
    await chain.control.mine({ blocks: 3 });
    await catchUp();
    expect(store.job(gone.jobId)).to.equal(undefined);
    expect(store.job(kept.jobId)).to.include({ closedAs: null, closedBlock: null });
  });

  it("is given again, once, what it was killed over before committing", async () => {
    const job = await newJob();
    await open(job);
    store.close();
    const url = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
    const script = `
      import { connectChain } from ${url("enclave/chain/connect.ts")};
      import { openStore } from ${url("enclave/store/store.ts")};
      import { startCursor } from ${url("protocol/chain/cursor.ts")};
      import { step } from ${url("protocol/chain/followChain.ts")};
      import { viemSource } from ${url("protocol/chain/viemSource.ts")};
      const store = openStore(${JSON.stringify(dir)}, ${JSON.stringify(identity())});
      const client = await connectChain({ rpcUrl: ${JSON.stringify(chain.rpcUrl)}, chainId: ${deployment.chainId} });
      const source = viemSource({ client, addresses: [${JSON.stringify(deployment.contracts.jobMarket)}], head: "latest" });
      const { events } = await step(source, startCursor(${deployment.fromBlock}n));
      console.log(events.length);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(child.stdout, "data");
    expect(Number(line)).to.be.greaterThan(0);
    child.kill("SIGKILL");
    await once(child, "exit");

    store = openStore(dir, identity());
    expect(store.loadCursor()).to.equal(undefined);
    await catchUp();
    expect(store.openJobs().filter((one) => one.jobId === job.jobId)).to.have.length(1);
    expect(await catchUp()).to.deep.equal([]);
  });
});
