import { expect } from "chai";
import { createPublicClient, http, keccak256 } from "viem";
import { InconsistentSourceError } from "../../../protocol/chain/chainSource.ts";
import { type Cursor, startCursor } from "../../../protocol/chain/cursor.ts";
import { follow } from "../../../protocol/chain/follow.ts";
import { ReorgTooDeepError, step } from "../../../protocol/chain/followChain.ts";
import { decodeMarketEvents, type MarketChainEvent } from "../../../protocol/chain/marketEvents.ts";
import { RpcFailedError } from "../../../protocol/chain/rpc.ts";
import { viemSource } from "../../../protocol/chain/viemSource.ts";
import { startChain, type TestChain } from "../../support/chain.ts";
import { deployEmitter, emitEvent, openedArgs, sampleJob } from "../../support/emitter.ts";
import { rejection } from "../../support/rejection.ts";
import { type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";

describe("follow on a real node", () => {
  let chain: TestChain;
  let proxy: RpcProxy;
  let emitter: `0x${string}`;
  let deployment: Awaited<ReturnType<typeof deployEmitter>>["deployment"];
  let start: Cursor;

  before(async () => {
    chain = await startChain();
    proxy = await startRpcProxy(chain.rpcUrl);
    ({ emitter, deployment } = await deployEmitter(chain));
  });
  after(async () => {
    await proxy.close();
    await chain.close();
  });
  beforeEach(async () => {
    proxy.rule = () => "pass";
    proxy.calls.length = 0;
    start = startCursor((await chain.public.getBlockNumber()) + 1n);
  });

  function source(head: Parameters<typeof viemSource>[0]["head"] = "latest", timeoutMs = 2000) {
    const client = createPublicClient({ transport: http(proxy.url, { retryCount: 0 }), cacheTime: 0 });
    return viemSource({ client, addresses: [emitter], head, timeoutMs });
  }

  /** Follows until so many steps were taken, then stops. */
  async function take(count: number, options: { from?: Cursor; onFailure?: (error: unknown) => void } = {}) {
    const stop = new AbortController();
    const events: MarketChainEvent[] = [];
    let cursor = options.from ?? start;
    let skipped = 0;
    const how = { signal: stop.signal, pollMs: 20, backoffMs: 20, ...options };
    for await (const taken of follow(source(), cursor, how)) {
      const decoded = decodeMarketEvents(deployment, taken.events);
      events.push(...decoded.events);
      skipped += decoded.skipped;
      cursor = taken.cursor;
      if (--count === 0) stop.abort();
    }
    return { cursor, events, skipped };
  }

  it("delivers decoded events with their position, and counts what is not true", async () => {
    const job = sampleJob(deployment, 1);
    const { transactionHash, blockHash, blockNumber } = await emitEvent(chain, emitter, "emitOpened", openedArgs(job));
    await emitEvent(chain, emitter, "emitOpened", openedArgs({ ...job, jobId: keccak256("0xff") }));
    await emitEvent(chain, emitter, "emitOpened", openedArgs({ ...job, params: "0x7b7d" }));
    await emitEvent(chain, emitter, "emitOpened", openedArgs({ ...job, programUri: "x".repeat(1025) }));
    const empty = sampleJob(deployment, 1, { datasets: [] });
    await emitEvent(chain, emitter, "emitOpened", openedArgs(empty));
    const [receiptHash, resultHash] = [keccak256("0x0a"), keccak256("0x0b")];
    const told = { receiptHash, resultHash, countedGrants: 3, failureCode: 0 };
    await emitEvent(chain, emitter, "emitSettled", [job.jobId, 1n, emitter, ...Object.values(told)]);
    await emitEvent(chain, emitter, "emitCancelled", [job.jobId, 1n]);

    const { events, skipped } = await take(1);
    expect(skipped).to.equal(4);
    expect(events).to.have.length(3);
    const { jobId, index, order, programUri, params } = job;
    expect(events[0]).to.deep.equal({
      type: "market",
      event: {
        eventName: "JobOpened",
        args: { jobId, index, requester: order.requester, order, programUri, params },
        address: emitter,
        blockNumber,
        blockHash,
        transactionHash,
        logIndex: 0,
      },
    });
    expect(events[1])
      .to.have.nested.property("event.args")
      .that.deep.equals({
        jobId,
        index,
        signer: emitter,
        ...told,
      });
    expect(events[2]).to.have.nested.property("event.eventName", "JobCancelled");
  });

  it("survives a three-block reorg that removes and re-adds an event", async () => {
    const job = sampleJob(deployment, 2);
    const id = await chain.control.snapshot();
    await emitEvent(chain, emitter, "emitOpened", openedArgs(job));
    await chain.control.mine({ blocks: 2 });
    const before = await take(1);
    expect(before.events).to.have.length(1);

    await chain.control.revert({ id });
    await chain.control.mine({ blocks: 2 });
    await emitEvent(chain, emitter, "emitOpened", openedArgs(job));
    await chain.control.mine({ blocks: 1 });
    const after = await take(2, { from: before.cursor });
    expect(after.events.map((event) => event.type)).to.deep.equal(["reorg", "market"]);
    expect(after.events[0]).to.include({ ancestor: start.next - 1n });
    expect(after.events[0]).to.have.property("dropped").with.length(3);
    expect(after.events[1]).to.have.nested.property("event.blockNumber", start.next + 2n);
  });

  it("throws when the chain is rewritten deeper than it remembers", async () => {
    await chain.control.mine({ blocks: 1 });
    const id = await chain.control.snapshot();
    await chain.control.mine({ blocks: 6 });
    const { cursor } = await step(source(), start, { depth: 4 });
    const { cursor: near } = await step(source(), cursor, { depth: 4 });
    expect(near.blocks).to.have.length(5);
    await chain.control.revert({ id });
    await emitEvent(chain, emitter, "emitCancelled", [keccak256("0x01"), 1n]); // so that the new blocks differ
    await chain.control.mine({ blocks: 7 });
    const stop = new AbortController();
    const running = follow(source(), near, { signal: stop.signal, pollMs: 20, depth: 4 }).next();
    const error = await rejection(running, ReorgTooDeepError);
    expect(error.oldest).to.equal(near.blocks[0]?.number);
  });

  it("halves the range when the provider refuses it, and loses nothing", async () => {
    for (let i = 0; i < 3; i++) {
      await emitEvent(chain, emitter, "emitExpired", [keccak256("0x01"), BigInt(i)]);
      await chain.control.mine({ blocks: 5 });
    }
    const widths: number[] = [];
    proxy.rule = ({ method, params }) => {
      if (method !== "eth_getLogs") return "pass";
      const [{ fromBlock, toBlock }] = params as [{ fromBlock?: string; toBlock?: string }];
      const width = fromBlock === undefined ? 1 : Number(toBlock) - Number(fromBlock) + 1;
      widths.push(width);
      return width > 5 ? { error: { code: -32005, message: "block range exceeds 5, see https://host/KEY" } } : "pass";
    };
    const failures: RpcFailedError[] = [];
    const { events } = await take(4, { onFailure: (error) => failures.push(error as RpcFailedError) });
    expect(events).to.have.length(3);
    expect(widths.slice(0, 4)).to.deep.equal([18, 9, 4, 5]);
    expect(failures[0]).to.be.instanceOf(RpcFailedError);
    expect(failures[0]).to.include({ method: "eth_getLogs", code: -32005 });
    expect(failures[0]?.reason).to.contain("block range exceeds 5, see (url)");
    expect(failures[0]?.cause).to.equal(undefined);
  });

  it("times out on a provider that hangs, and goes on when it answers again", async () => {
    await emitEvent(chain, emitter, "emitExpired", [keccak256("0x01"), 1n]);
    proxy.rule = () => "hang";
    const error = await rejection(step(source("latest", 150), start), RpcFailedError);
    expect(error).to.include({ method: "eth_getBlockByNumber", reason: "no answer within 150 ms", retryable: true });
    proxy.rule = () => "pass";
    expect((await take(1)).events).to.have.length(1);
  });

  it("retries a provider that is down, with the key in its URL told to nobody", async () => {
    await emitEvent(chain, emitter, "emitExpired", [keccak256("0x01"), 1n]);
    let refused = 0;
    proxy.rule = () => (refused++ < 3 ? { status: 503 } : "pass");
    const failures: unknown[] = [];
    const { events } = await take(1, { onFailure: (error) => failures.push(error) });
    expect(events).to.have.length(1);
    expect(failures).to.have.length(3);
    for (const failure of failures as RpcFailedError[]) {
      expect(`${failure.message} ${failure.stack} ${JSON.stringify(failure)}`).not.to.contain("SECRET");
    }
  });

  it("refuses malformed answers and logs of contracts not asked for", async () => {
    await emitEvent(chain, emitter, "emitExpired", [keccak256("0x01"), 1n]);
    const cases: [string, (result: never) => unknown, string][] = [
      [
        "eth_getBlockByNumber",
        (b: object) => ({ ...b, hash: "0x12" }),
        "its answer to eth_getBlockByNumber is malformed",
      ],
      [
        "eth_getBlockByNumber",
        (b: object) => ({ ...b, number: "0xfffffffffffffffff" }),
        "its answer to eth_getBlockByNumber is malformed",
      ],
      [
        "eth_getLogs",
        ([l]: object[]) => [{ ...l, address: `0x${"12".repeat(20)}` }],
        "it answers with logs of contracts not asked for",
      ],
      [
        "eth_getLogs",
        ([l]: object[]) => [{ ...l, data: `0x${"00".repeat(70_000)}` }],
        "its answer to eth_getLogs is malformed",
      ],
      ["eth_getLogs", ([l]: object[]) => [{ ...l, removed: true }], "its answer to eth_getLogs is malformed"],
      [
        "eth_getLogs",
        ([l]: object[]) => [{ ...l, blockHash: keccak256("0x") }],
        `a log of block ${start.next} is from another fork`,
      ],
    ];
    for (const [method, change, fact] of cases) {
      proxy.rule = (call) => (call.method === method ? { change: change as never } : "pass");
      const error = await rejection(step(source(), { ...start, rangeBlocks: 1 }), InconsistentSourceError);
      expect(error.fact).to.equal(fact);
    }
  });

  it("finds by the header's bloom filter the logs that a range query forgot", async () => {
    await emitEvent(chain, emitter, "emitExpired", [keccak256("0x01"), 1n]);
    await chain.control.mine({ blocks: 3 });
    proxy.rule = ({ method, params }) =>
      method === "eth_getLogs" && "fromBlock" in (params[0] as object) ? { result: [] } : "pass";
    const { events } = await step(source(), start);
    expect(events).to.have.length(1);
    const byHash = proxy.calls.filter(({ params }) => JSON.stringify(params).includes("blockHash"));
    expect(byHash).to.have.length(1); // only the block whose filter admits a log
  });

  it("acts on the head that the policy names", async () => {
    await chain.control.mine({ blocks: 4 });
    const latest = await chain.public.getBlockNumber();
    expect((await source("latest").head())?.number).to.equal(latest);
    expect((await source({ confirmations: 3 }).head())?.number).to.equal(latest - 3n);
    expect(await source({ confirmations: 1_000_000 }).head()).to.equal(undefined);
    await source("safe").head();
    await source("finalized").head();
    const tags = proxy.calls.map(({ params }) => params[0]).slice(-2);
    expect(tags).to.deep.equal(["safe", "finalized"]);
  });

  it("stops at once when told to, even while waiting", async () => {
    const stop = new AbortController();
    const running = follow(source(), start, { signal: stop.signal, pollMs: 60_000 }).next();
    setTimeout(() => stop.abort(), 50);
    expect(await running).to.deep.equal({ done: true, value: undefined });
  });
});
