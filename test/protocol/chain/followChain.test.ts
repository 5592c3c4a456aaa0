import { expect } from "chai";
import { InconsistentSourceError } from "../../../protocol/chain/chainSource.ts";
import { type Cursor, cursorToJson, readCursor, startCursor } from "../../../protocol/chain/cursor.ts";
import { ReorgTooDeepError, step } from "../../../protocol/chain/followChain.ts";
import { rejection } from "../../support/rejection.ts";
import { LiveLogs, MemoryChain, ProviderError, seeded } from "./memoryChain.ts";

/** Steps until nothing is left to read. */
async function catchUp(chain: MemoryChain, cursor: Cursor, live: LiveLogs, depth = 256): Promise<Cursor> {
  let at = cursor;
  for (let i = 0; i < 1000; i++) {
    const taken = await step(chain.source(), at, { depth });
    live.apply(taken.events);
    at = taken.cursor;
    if (taken.status === "idle") return at;
  }
  throw new Error("does not come to rest");
}

function mined(logs: readonly number[]): MemoryChain {
  const chain = new MemoryChain();
  for (const count of logs) chain.mine(count);
  return chain;
}

describe("step", () => {
  it("delivers every log once, in order, and rests at the head", async () => {
    const chain = mined([1, 0, 2, 0, 3]);
    const live = new LiveLogs();
    const cursor = await catchUp(chain, startCursor(0n), live);
    expect(live.keys()).to.deep.equal(chain.keys(0n));
    expect(cursor.next).to.equal(6n);
    expect(cursor.blocks.map((block) => block.hash)).to.deep.equal(chain.blocks.map((block) => block.hash));
    expect(live.deliveredTwice).to.equal(0);
  });

  it("waits for a start block in the future, and for a chain without a head", async () => {
    const chain = mined([1, 1]);
    const cursor = startCursor(5n);
    expect(await step(chain.source(), cursor)).to.deep.equal({ cursor, events: [], status: "idle", head: 2n });
    const empty = { ...chain.source(), head: async () => undefined };
    expect(await step(empty, cursor)).to.deep.equal({ cursor, events: [], status: "idle", head: undefined });
    for (let i = 0; i < 4; i++) chain.mine(1);
    const live = new LiveLogs();
    await catchUp(chain, cursor, live);
    expect(live.keys()).to.deep.equal(chain.keys(5n));
  });

  it("reports a reorg with its ancestor and what was dropped, then the new logs", async () => {
    const chain = mined([1, 1, 1, 1]);
    const live = new LiveLogs();
    const cursor = await catchUp(chain, startCursor(0n), live);
    const dropped = chain.blocks.slice(2).map(({ number, hash, parentHash }) => ({ number, hash, parentHash }));
    chain.drop(3);
    for (let i = 0; i < 4; i++) chain.mine(1);
    const taken = await step(chain.source(), cursor);
    expect(taken.status).to.equal("reorg");
    expect(taken.events).to.deep.equal([{ type: "reorg", ancestor: 1n, dropped }]);
    expect(taken.cursor.next).to.equal(2n);
    live.apply(taken.events);
    await catchUp(chain, taken.cursor, live);
    expect(live.keys()).to.deep.equal(chain.keys(0n));
  });

  it("sees another block at the same height, and a head that moved back to another fork", async () => {
    for (const fresh of [3, 2]) {
      const chain = mined([1, 1, 1, 1]);
      const cursor = await catchUp(chain, startCursor(0n), new LiveLogs());
      chain.drop(3);
      for (let i = 0; i < fresh; i++) chain.mine(1);
      const { events } = await step(chain.source(), cursor);
      expect(events[0]).to.include({ type: "reorg", ancestor: 1n });
    }
  });

  it("takes a head behind the cursor on the same chain for a provider that lags", async () => {
    const chain = mined([1, 1, 1, 1]);
    const cursor = await catchUp(chain, startCursor(0n), new LiveLogs());
    chain.drop(2);
    expect(await step(chain.source(), cursor)).to.deep.equal({ cursor, events: [], status: "idle", head: 2n });
  });

  it("survives a reorg of exactly the kept depth, and throws one block beyond", async () => {
    for (const [gone, survives] of [
      [4, true],
      [5, false],
    ] as const) {
      const chain = mined(Array(20).fill(1));
      const live = new LiveLogs();
      const cursor = await catchUp(chain, startCursor(3n), live, 4);
      expect(cursor.blocks).to.have.length(5);
      chain.drop(gone);
      for (let i = 0; i <= gone; i++) chain.mine(1);
      if (survives) {
        await catchUp(chain, cursor, live, 4);
        expect(live.keys()).to.deep.equal(chain.keys(3n));
      } else {
        const error = await rejection(step(chain.source(), cursor, { depth: 4 }), ReorgTooDeepError);
        expect(error.oldest).to.equal(16n);
        expect(error.retryable).to.equal(false);
      }
    }
  });

  it("survives a reorg of everything since the start block", async () => {
    const chain = mined([1, 1, 1]);
    const live = new LiveLogs();
    const cursor = await catchUp(chain, startCursor(2n), live);
    chain.drop(3);
    for (let i = 0; i < 4; i++) chain.mine(1);
    const taken = await step(chain.source(), cursor);
    expect(taken.events[0]).to.include({ type: "reorg", ancestor: 1n });
    live.apply(taken.events);
    await catchUp(chain, taken.cursor, live);
    expect(live.keys()).to.deep.equal(chain.keys(2n));
  });

  it("halves a range that is refused, and lets it grow back", async () => {
    const chain = mined(Array(600).fill(1));
    const honest = chain.source();
    let cursor: Cursor = { ...startCursor(0n), rangeBlocks: 400 };
    let limit = 100n;
    const picky = {
      ...honest,
      logs: async (from: bigint, to: bigint) => {
        if (to - from + 1n > limit) throw new ProviderError("range too wide");
        return honest.logs(from, to);
      },
    };
    const refused = await step(picky, cursor, { depth: 10 });
    expect(refused.status).to.equal("refused");
    expect(refused.refusal).to.be.instanceOf(ProviderError);
    expect(refused.cursor).to.deep.equal({ ...cursor, rangeBlocks: 200 });
    const live = new LiveLogs();
    let refusals = 0;
    for (let i = 0; i < 100 && cursor.next <= 600n; i++) {
      const taken = await step(picky, cursor, { depth: 10 });
      if (taken.status === "refused") refusals++;
      live.apply(taken.events);
      cursor = taken.cursor;
      if (cursor.next > 0n) limit = 10_000n;
    }
    expect(live.keys()).to.deep.equal(chain.keys(0n));
    expect(refusals).to.equal(2);
    expect(cursor.rangeBlocks).to.equal(164); // 100, 113, 128, 145: an eighth and one more for each full range
  });

  it("throws what a single block's range is refused with", async () => {
    const chain = mined([1]);
    const failure = new ProviderError("no");
    const source = { ...chain.source(), logs: () => Promise.reject(failure) };
    const error = await rejection(step(source, { ...startCursor(0n), rangeBlocks: 1 }), ProviderError);
    expect(error).to.equal(failure);
  });

  it("refuses logs of another fork than the blocks", async () => {
    const chain = mined([1, 1]);
    const other = chain.fork();
    other.drop(1);
    other.mine(1);
    const source = { ...chain.source(), logs: other.source().logs };
    const error = await rejection(step(source, startCursor(0n)), InconsistentSourceError);
    expect(error.fact).to.equal("a log of block 2 is from another fork");
    expect(error.retryable).to.equal(true);
  });

  it("refuses logs outside the range asked for", async () => {
    const chain = mined(Array(50).fill(1));
    const source = { ...chain.source(), logs: () => chain.source().logs(0n, 45n) };
    const cursor = { ...startCursor(0n), rangeBlocks: 10 };
    const error = await rejection(step(source, cursor, { depth: 5 }), InconsistentSourceError);
    expect(error.fact).to.equal("logs outside 0..9");
  });

  it("refuses headers that do not form a chain", async () => {
    const chain = mined([1, 1, 1]);
    const other = chain.fork();
    other.drop(2);
    other.mine(0);
    const honest = chain.source();
    const source = {
      ...honest,
      block: async (n: bigint) => (n === 2n ? other.blocks[2] : honest.block(n)),
      logs: async () => [],
    };
    const error = await rejection(step(source, startCursor(0n)), InconsistentSourceError);
    expect(error.fact).to.equal("block 3 is not the child of 2");
  });

  it("refuses a head, or a newest remembered block, that another answer contradicts", async () => {
    const chain = mined([1, 1, 1]);
    const cursor = await catchUp(chain, startCursor(0n), new LiveLogs());
    const other = chain.fork();
    other.drop(1);
    for (let i = 0; i < 2; i++) other.mine(0);
    const honest = chain.source();
    const forked = other.source();

    // The head is of one fork, the headers below it of the other.
    const moved = { ...honest, head: async () => other.blocks[3], logs: async () => [] };
    const reading = await rejection(step(moved, startCursor(0n)), InconsistentSourceError);
    expect(reading.fact).to.equal("block 3 changed while reading");
    const rewinding = await rejection(step(moved, cursor), InconsistentSourceError);
    expect(rewinding.fact).to.equal("block 3 changed while reading");

    // The next block is another one's child, yet ours is still there.
    const torn = { ...forked, block: async (n: bigint) => (n === 3n ? honest : forked).block(n) };
    const left = await rejection(step(torn, cursor), InconsistentSourceError);
    expect(left.fact).to.equal("block 3 left and came back");
  });

  it("asks again by hash where a header admits logs and the range held none", async () => {
    const chain = mined([1, 0, 2]);
    const live = new LiveLogs();
    const forgetful = { ...chain.source(), logs: async () => [] };
    live.apply((await step(forgetful, startCursor(0n))).events);
    expect(live.keys()).to.deep.equal(chain.keys(0n));
    const ignorant = { ...forgetful, logsOf: () => Promise.reject(new ProviderError("unknown block")) };
    await rejection(step(ignorant, startCursor(0n)), ProviderError);
  });

  it("delivers a log once that the provider delivers twice", async () => {
    const chain = mined([2]);
    const honest = chain.source();
    const source = {
      ...honest,
      logs: async (a: bigint, b: bigint) => [...(await honest.logs(a, b)), ...(await honest.logs(a, b))].reverse(),
    };
    const { events } = await step(source, startCursor(0n));
    expect(events.map((event) => event.type === "log" && event.log.logIndex)).to.deep.equal([0, 1]);
  });

  it("ends with the canonical chain's logs whatever the chain and the provider did (200 random runs)", async () => {
    let reorgs = 0;
    for (let seed = 1; seed <= 200; seed++) reorgs += await randomRun(seed);
    expect(reorgs).to.be.greaterThan(200); // the runs were worth something
  });
});

/** Counts the reorgs that were seen. A chain that grows and forks between and within the calls of a step; a provider that lags, refuses, mixes forks. */
async function randomRun(seed: number): Promise<number> {
  let reorgs = 0;
  const random = seeded(seed);
  const upTo = (n: number) => Math.floor(random() * (n + 1));
  const depth = 12;
  const chain = mined(Array.from({ length: upTo(30) }, () => upTo(2)));
  let stale = chain.fork();
  const live = new LiveLogs();
  /** The chain moves on; then one of the provider's nodes answers: now and then one that lags or is on an old fork. */
  const node = () => {
    const what = random();
    if (what < 0.1) chain.mine(upTo(2));
    else if (what < 0.14) {
      stale = chain.fork();
      const gone = upTo(4);
      chain.drop(gone);
      for (let i = 0; i < gone + upTo(2) - 1; i++) chain.mine(upTo(2));
    }
    if (chain.blocks.length - stale.blocks.length > 8) stale = chain.fork(); // no node lags as much as `depth`
    return (random() < 0.05 ? stale : chain).source();
  };
  const source = {
    head: async () => node().head(),
    block: async (number: bigint) => node().block(number),
    logs: async (from: bigint, to: bigint) => {
      if (random() < 0.1) throw new ProviderError("busy");
      return node().logs(from, to);
    },
    logsOf: async (hash: `0x${string}`) => node().logsOf(hash),
  };

  const start = BigInt(upTo(10));
  let cursor = startCursor(start);
  for (let i = 0; i < 60; i++) {
    try {
      const taken = await step(source, cursor, { depth, maxRange: 7 });
      if (random() < 0.1) continue; // killed between the step and its commit
      if (taken.status === "reorg") reorgs++;
      live.apply(taken.events);
      cursor = readCursor(JSON.parse(JSON.stringify(cursorToJson(taken.cursor))));
    } catch (error) {
      if (!(error instanceof InconsistentSourceError || error instanceof ProviderError)) throw error;
    }
  }
  while (BigInt(chain.blocks.length) <= cursor.next) chain.mine(1);
  await catchUp(chain, cursor, live, depth);
  expect(live.keys(), `seed ${seed}`).to.deep.equal(chain.keys(start));
  expect(live.deliveredTwice, `seed ${seed}`).to.equal(0);
  return reorgs;
}
