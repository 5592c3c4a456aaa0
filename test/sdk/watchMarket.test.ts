import { expect } from "chai";
import { encodeEventTopics, type Hex, zeroAddress } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import type { ChainLog, ChainSource } from "../../protocol/chain/chainSource.ts";
import { ReorgTooDeepError } from "../../protocol/chain/followChain.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import type { createClient } from "../../sdk/client.ts";
import {
  BadWatchCursorError,
  ForeignCursorError,
  readWatchCursor,
  type WatchCursor,
  watchCursorToJson,
} from "../../sdk/watchCursor.ts";
import { type MarketNews, type WatchOptions, watchMarket, watchSource } from "../../sdk/watchMarket.ts";
import { MemoryChain, ProviderError, seeded } from "../protocol/chain/memoryChain.ts";
import { startChain, type TestChain } from "../support/chain.ts";
import { deployMarket } from "../support/market.ts";
import { rejection } from "../support/rejection.ts";

const address = (n: number): Hex => `0x${n.toString(16).padStart(40, "0")}`;
const deployment: Deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: address(1),
    tdxVerifier: address(2),
    enclaveRegistry: address(3),
    endorsements: address(4),
    datasetRegistry: address(5),
    jobMarket: address(6),
  },
  rootKey: `0x${"11".repeat(64)}`,
};

/** The memory chain's logs as events of the market: each cancels the nonce that its own transaction hash is. */
function asMarket(source: ChainSource): ChainSource {
  const event = (log: ChainLog): ChainLog => {
    const args = { account: zeroAddress, nonce: BigInt(log.transactionHash) };
    const topics = encodeEventTopics({ abi: jobMarketAbi, eventName: "NonceCancelled", args }) as Hex[];
    return { ...log, address: deployment.contracts.jobMarket, topics };
  };
  return {
    ...source,
    logs: async (from, to) => (await source.logs(from, to)).map(event),
    logsOf: async (hash) => (await source.logsOf(hash)).map(event),
  };
}

/** What a consumer believes: the events that are live. Commits each piece of news with its cursor, as JSON. */
class Consumer {
  readonly live = new Map<string, bigint>();
  saved: string | undefined;
  twice = 0;
  reorgs = 0;

  apply(news: MarketNews): void {
    if (news.type === "reorg") {
      this.reorgs++;
      for (const [key, block] of this.live) if (block > news.ancestor) this.live.delete(key);
    } else if (news.type === "event") {
      const { blockNumber, blockHash, logIndex } = news.event;
      const key = `${blockNumber}/${blockHash}/${logIndex}`;
      if (this.live.has(key)) this.twice++;
      this.live.set(key, blockNumber);
    }
    this.saved = JSON.stringify(watchCursorToJson(news.cursor));
  }

  cursor(): { cursor?: WatchCursor } {
    return this.saved === undefined ? {} : { cursor: readWatchCursor(JSON.parse(this.saved)) };
  }
}

/** Watches until all is told, or for so many pieces of news: then the process dies. */
async function watch(consumer: Consumer, source: ChainSource, most = Infinity, more: Partial<WatchOptions> = {}) {
  const stop = new AbortController();
  const options = { signal: stop.signal, pollMs: 1, ...consumer.cursor(), ...more };
  let count = 0;
  for await (const news of watchSource(asMarket(source), deployment, options)) {
    consumer.apply(news);
    if (news.type === "caughtUp" || ++count >= most) break;
  }
}

describe("watchSource", () => {
  it("tells every event once, whatever forks, restarts and crashes there are", async () => {
    const random = seeded(7730);
    const upTo = (n: number) => Math.floor(random() * n);
    let reorgs = 0;
    let deaths = 0;
    for (let history = 0; history < 150; history++) {
      const chain = new MemoryChain();
      const consumer = new Consumer();
      for (let act = 0; act < 12; act++) {
        if (upTo(3) === 0) chain.drop(1 + upTo(4));
        for (let blocks = 1 + upTo(5); blocks > 0; blocks--) chain.mine(upTo(4));
        const most = upTo(2) === 0 ? 1 + upTo(5) : Infinity;
        if (most !== Infinity) deaths++;
        await watch(consumer, chain.source(), most, { depth: upTo(2) === 0 ? 12 : 64 });
      }
      for (let blocks = 0; blocks < 6; blocks++) chain.mine(1); // outgrow what may have been dropped
      await watch(consumer, chain.source());
      expect([...consumer.live.keys()], `history ${history}`).to.have.members(chain.keys(0n));
      expect(consumer.twice, `history ${history}`).to.equal(0);
      reorgs += consumer.reorgs;
    }
    expect(reorgs).to.be.greaterThan(200);
    expect(deaths).to.be.greaterThan(500);
  });

  it("says that what was told is void, if it dies within a block that a reorg then replaces", async () => {
    const chain = new MemoryChain();
    chain.mine(1);
    const consumer = new Consumer();
    await watch(consumer, chain.source());
    chain.mine(3);
    await watch(consumer, chain.source(), 2);
    expect(consumer.live.size).to.equal(3);

    chain.drop(1);
    chain.mine(1);
    chain.mine(0);
    await watch(consumer, chain.source(), 1);
    expect(consumer.reorgs).to.equal(1);
    expect(consumer.live.size).to.equal(1);
    await watch(consumer, chain.source());
    expect([...consumer.live.keys()]).to.deep.equal(chain.keys(0n));
  });

  it("goes on where it was though the provider takes small ranges only, and tells of each failure", async () => {
    const chain = new MemoryChain();
    for (let block = 0; block < 40; block++) chain.mine(2);
    const consumer = new Consumer();
    await watch(consumer, chain.source(), 61); // far beyond the first small range
    const honest = chain.source();
    const narrow: ChainSource = {
      ...honest,
      logs: async (from, to) => {
        if (to - from >= 21n) throw new ProviderError("range too wide");
        return honest.logs(from, to);
      },
    };
    const failures: unknown[] = [];
    await watch(consumer, narrow, Infinity, { onFailure: (error) => failures.push(error) });
    expect(consumer.twice).to.equal(0);
    expect([...consumer.live.keys()]).to.deep.equal(chain.keys(0n));
    expect(failures[0]).to.be.instanceOf(ProviderError);
  });

  it("leaves logs out that are no events, and tells of them", async () => {
    const chain = new MemoryChain();
    chain.mine(2);
    const bad: ChainLog[] = [];
    const stop = new AbortController();
    const options = { signal: stop.signal, onBadLog: (log: ChainLog) => bad.push(log) };
    for await (const news of watchSource(chain.source(), deployment, options)) {
      expect(news.type).to.equal("caughtUp");
      break;
    }
    expect(bad.map((log) => log.logIndex)).to.deep.equal([0, 1]);
  });

  it("ends when it is told to, also between two events of one block", async () => {
    const chain = new MemoryChain();
    chain.mine(3);
    const stop = new AbortController();
    const told: MarketNews[] = [];
    for await (const news of watchSource(asMarket(chain.source()), deployment, { signal: stop.signal })) {
      told.push(news);
      if (told.length === 2) stop.abort();
    }
    expect(told.map((news) => news.type)).to.deep.equal(["event", "event"]);
  });

  it("throws ReorgTooDeepError if the chain was rewritten further back than it remembers", async () => {
    const chain = new MemoryChain();
    for (let block = 0; block < 30; block++) chain.mine(1);
    const consumer = new Consumer();
    await watch(consumer, chain.source(), Infinity, { depth: 5 });
    chain.drop(20);
    for (let block = 0; block < 30; block++) chain.mine(1);
    const error = await rejection(watch(consumer, chain.source(), Infinity, { depth: 5 }), ReorgTooDeepError);
    expect(error.oldest).to.equal(25n);
  });

  it("refuses the cursor of another market, and a file that holds no cursor", async () => {
    const chain = new MemoryChain();
    const consumer = new Consumer();
    await watch(consumer, chain.source());
    const cursor = JSON.parse(consumer.saved ?? "");
    consumer.saved = JSON.stringify({ ...cursor, chainId: 1 });
    const refused = await rejection(watch(consumer, chain.source()), ForeignCursorError);
    expect(refused.message).to.contain("on chain 1, not of").and.to.contain("on chain 31337");
    const seen = { blockNumber: 0, blockHash: `0x${"22".repeat(32)}`, logIndex: 0 };
    const far = { ...seen, blockNumber: cursor.chain.next + 20_000 };
    expect(readWatchCursor({ ...cursor, seen: { ...far, blockNumber: far.blockNumber - 1 } }).seen?.logIndex).to.equal(
      0,
    );
    const refusedToo = [
      { ...cursor, chain: {} },
      { ...cursor, seen },
      { ...cursor, seen: far },
    ];
    for (const bad of [{}, null, { ...cursor, more: 1 }, ...refusedToo]) {
      expect(() => readWatchCursor(bad)).to.throw(BadWatchCursorError, "The watch's cursor is malformed.");
    }
  });
});

describe("watchMarket on a real node", () => {
  let chain: TestChain;
  let real: Deployment;
  before(async () => {
    chain = await startChain();
    real = await deployMarket(chain);
  });
  after(() => chain.close());

  async function cancel(nonce: bigint): Promise<void> {
    const call = { address: real.contracts.jobMarket, abi: jobMarketAbi, functionName: "cancelNonce" } as const;
    const hash = await chain.wallet(0).writeContract({ ...call, args: [nonce] });
    await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  }

  it("tells events, a three-block reorg and what replaced them, over a restart", async () => {
    // The double of the enclave registry has no verifier to ask: the client is made of its parts.
    const client = { chain: chain.public, deployment: real } as unknown as Awaited<ReturnType<typeof createClient>>;
    const told: string[] = [];
    let cursor: WatchCursor | undefined;
    const until = async (wanted: number) => {
      const stop = new AbortController();
      const where = cursor === undefined ? {} : { cursor };
      for await (const news of watchMarket(client, { signal: stop.signal, pollMs: 10, ...where })) {
        cursor = readWatchCursor(JSON.parse(JSON.stringify(watchCursorToJson(news.cursor))));
        if (news.type === "event" && news.event.eventName === "NonceCancelled") told.push(`${news.event.args.nonce}`);
        if (news.type === "reorg") told.push("reorg");
        if (told.length === wanted) stop.abort();
      }
    };
    await cancel(1n);
    const id = await chain.control.snapshot();
    await cancel(2n);
    await chain.control.mine({ blocks: 2 });
    await until(2);
    expect(told).to.deep.equal(["1", "2"]);

    await chain.control.revert({ id });
    await chain.control.mine({ blocks: 3, interval: 7 });
    await cancel(3n);
    await cancel(2n);
    await until(5);
    expect(told).to.deep.equal(["1", "2", "reorg", "3", "2"]);
  });
});
