import { expect } from "chai";
import { type Hex, zeroAddress, zeroHash } from "viem";
import type { MarketEvent } from "../../../protocol/chain/marketEvents.ts";
import { hashOrder, hashSession, hashSessionClaim, withdrawalTypes } from "../../../protocol/eip712.ts";
import { sessionProof, sessionRoot } from "../../../protocol/sessionTree.ts";
import type { createClient } from "../../../sdk/client.ts";
import { applyEvent, ContradictingEventError } from "../../../sdk/replay/applyEvent.ts";
import { compareState } from "../../../sdk/replay/compareState.ts";
import { emptyMarketState, imbalances, type MarketState } from "../../../sdk/replay/marketState.ts";
import { watchMarket } from "../../../sdk/watchMarket.ts";
import { startWorld, testPeople, type World } from "./world.ts";

type Client = Awaited<ReturnType<typeof createClient>>;

describe("a market rebuilt from its events", () => {
  let world: World;
  let client: Client;
  before(async () => {
    world = await startWorld();
    // The double of the enclave registry has no verifier that createClient could ask.
    client = { chain: world.chain.public, deployment: world.deployment } as unknown as Client;
  });
  after(() => world.chain.close());

  /** All events so far, and the state that they make; the double of the registry of enclaves emits none. */
  async function replay(): Promise<{ state: MarketState; events: MarketEvent[]; head: bigint }> {
    const state = emptyMarketState();
    for (const { account, operator, platformId } of world.enclaves) {
      state.enclaves.set(account.address.toLowerCase(), { operator, platformId });
    }
    const events: MarketEvent[] = [];
    const bad: unknown[] = [];
    const stop = new AbortController();
    for await (const news of watchMarket(client, { signal: stop.signal, onBadLog: (log) => bad.push(log) })) {
      expect(news.type).to.not.equal("reorg");
      if (news.type === "caughtUp") {
        expect(bad).to.deep.equal([]);
        return { state, events, head: news.head };
      }
      if (news.type !== "event") continue;
      const { timestamp } = await world.chain.public.getBlock({ blockNumber: news.event.blockNumber });
      applyEvent(state, news.event, timestamp);
      events.push(news.event);
    }
    throw new Error("the watch ended");
  }

  async function expectSame(views: number) {
    const { state, head } = await replay();
    const compared = await compareState(client, state, head);
    expect(compared.differences).to.deep.equal([]);
    expect(compared.views).to.be.greaterThan(views);
    expect(imbalances(state)).to.deep.equal([]);
    return state;
  }

  it("says of data sets, owners and revocations what the registry says", async () => {
    const { registry, addressOf } = world;
    const other = addressOf("other");
    const shared = await world.dataset("owner", "shared", [
      { account: other, shareBps: 3333 },
      { account: addressOf("owner"), shareBps: 6667 },
    ]);
    const given = await world.dataset("owner", "given");
    const retired = await world.dataset("owner", "retired");
    await registry("owner", "update", [given, "https://b.example", '{"v":1}']);
    await registry("owner", "offerOwnership", [given, other]);
    await registry("owner", "offerOwnership", [retired, other]);
    await registry("other", "takeOwnership", [given]);
    await registry("owner", "retire", [retired]);
    await registry("owner", "revokeAllGrants", [shared]);
    for (const nonce of [0n, 3n, 223n, 224n, 2n ** 200n]) await registry("owner", "revokeGrantNonce", [nonce]);
    await registry("owner", "revokeAllOwnGrants", []);
    await registry("owner", "revokeGrantNonce", [3n]);
    const state = await expectSame(18);
    expect(state.datasets.get(shared)).to.include({ epoch: 1, retired: false });
    expect(state.datasets.get(given)).to.include({ epoch: 1, owner: other, pendingOwner: zeroAddress });
  });

  it("says of money what the ledger says, native and token", async () => {
    const { market, addressOf, token, domain } = world;
    await market("requester", "deposit", [zeroAddress, addressOf("requester"), 900n], 900n);
    await market("requester", "deposit", [token, addressOf("sponsor"), 500n]);
    await market("requester", "withdraw", [zeroAddress, addressOf("other"), 400n]);
    const deadline = (await world.now()) + 1000n;
    const message = { account: addressOf("sponsor"), token, to: addressOf("other"), amount: 20n, nonce: 77n, deadline };
    const signature = await testPeople.sponsor.signTypedData({
      domain,
      types: withdrawalTypes,
      primaryType: "Withdrawal",
      message,
    });
    const { account, to, amount, nonce } = message;
    await market("other", "withdrawBySignature", [account, token, to, amount, nonce, deadline, signature]);
    await market("requester", "cancelNonce", [5n]);
    const state = await expectSame(5);
    expect(state.owed.get(zeroAddress)).to.equal(500n);
    expect(state.owed.get(token.toLowerCase())).to.equal(480n);
  });

  it("says of jobs, votes and grants what the market says, whichever way they end", async () => {
    const { market, addressOf, token } = world;
    const dataset = await world.dataset("owner", "priced", [
      { account: addressOf("other"), shareBps: 5000 },
      { account: addressOf("owner"), shareBps: 5000 },
    ]);
    const { hash: grantHash, shown } = await world.grant("owner", dataset, { maxUses: 9n, ownerEpoch: 1 });
    const datasets = [{ datasetId: dataset, grantHash, maxPrice: 120n }];

    const settle = async (index: bigint, order: Parameters<World["outcome"]>[0], enclave: number, answer?: string) => {
      const isPaid = order.datasets[0]?.grantHash === grantHash && answer !== undefined;
      const { outcome, signature } = await world.outcome(order, enclave, answer, isPaid ? 1 : 0);
      await market("other", "settle", [index, order, outcome, signature, isPaid ? [shown] : [], []]);
    };
    const ok = await world.order({ datasets });
    await settle(await world.open(ok), ok, 0, "yes");
    const native = await world.order({ token: zeroAddress });
    await settle(await world.open(native, 70n), native, 0, "yes");
    const failed = await world.order({ payer: addressOf("sponsor") });
    await settle(await world.open(failed), failed, 1);
    const cancelled = await world.order({ datasets });
    await market("requester", "cancel", [await world.open(cancelled), cancelled]);

    const acceptBy = (await world.now()) + 3600n;
    await market("operatorB", "deposit", [token, addressOf("operatorB"), 100n]);
    const accepted = await world.order({ acceptBy, bond: 30n });
    const acceptedAt = await world.open(accepted);
    await world.accept("operatorB", acceptedAt, accepted, 1);
    await settle(acceptedAt, accepted, 1, "yes");
    const broken = await world.order({ acceptBy, bond: 30n, deadline: acceptBy + 1n });
    const brokenAt = await world.open(broken);
    await world.accept("operatorB", brokenAt, broken, 1);

    const agreed = await world.order({ quorum: 2, datasets });
    const agreedAt = await world.open(agreed);
    await settle(agreedAt, agreed, 0, "yes");
    await expectSame(30);
    await settle(agreedAt, agreed, 1, "yes");
    const disagreed = await world.order({ quorum: 3 });
    const disagreedAt = await world.open(disagreed);
    await settle(disagreedAt, disagreed, 0, "yes");
    await settle(disagreedAt, disagreed, 2, "no");
    const open = await world.order({ datasets });
    await world.open(open);

    await world.later(3700n);
    await market("other", "expire", [brokenAt, broken]);
    const state = await expectSame(40);
    const states = [...state.jobs.values()].map((job) => job.state);
    expect(states.join(" ")).to.equal(
      "SettledOk SettledOk SettledFailed Cancelled SettledOk Expired SettledOk Disagreed Open",
    );
    expect(state.grantUses.get(grantHash)).to.equal(2n);
  });

  it("says of signed orders what the market says", async () => {
    const { market, addressOf, domain, token } = world;
    const dataset = await world.dataset("owner", "ordered");
    const { hash: grantHash, shown } = await world.grant("owner", dataset, { maxUses: 9n, ownerEpoch: 1 });
    const order = await world.order({ datasets: [{ datasetId: dataset, grantHash, maxPrice: 120n }] });
    await market("requester", "deposit", [token, addressOf("requester"), 1000n]);
    const items = await Promise.all(
      ["a", "b", undefined].map(async (answer, i) => {
        const one = { ...order, nonce: 5000n + BigInt(i) };
        const { outcome, signature: receiptSignature } = await world.outcome(one, 0, answer, 1);
        const requesterSignature = await world.sign("requester", hashOrder(domain, one));
        const { paramsHash, deadline, nonce } = one;
        const signatures = { requesterSignature, payerSignature: "0x", receiptSignature };
        return { paramsHash, deadline, nonce, outcome, ...signatures };
      }),
    );
    const group = {
      order: { ...order, paramsHash: zeroHash, deadline: 0n, nonce: 0n },
      grants: [shown],
      offer: [],
      items,
    };
    await market("operatorA", "settleOrders", [[group]]);
    const state = await expectSame(40);
    expect(state.grantUses.get(grantHash)).to.equal(2n);
  });

  it("says of sessions and their leaves what the market says", async () => {
    const { market, domain, enclaves } = world;
    const template = await world.order({ paramsHash: zeroHash });
    const terms = { maxJobs: 4, challengeSeconds: 600, disputeBond: 7n };
    const sessionId = hashSession(domain, template, terms);
    await market("requester", "openSession", [template, terms, "", "0x", "0x"]);
    const jobs = await Promise.all(
      ["a", "b", undefined].map(async (answer, i) => {
        const job = { ...template, paramsHash: sessionId, session: sessionId, nonce: BigInt(i) };
        return { job, ...(await world.outcome(job, 0, answer)) };
      }),
    );
    const hashes = jobs.map((one) => one.receiptHash);
    const { number, hash } = await world.chain.public.getBlock();
    const counts = { okCount: 2, failedCount: 1, countedGrants: 0 };
    const claim = { sessionId, root: sessionRoot(hashes), ...counts, anchorBlock: number, anchorHash: hash };
    const signature = await enclaves[0]?.account.sign({ hash: hashSessionClaim(domain, claim) });
    await market("other", "claimSession", [template, terms, claim, signature, []]);
    for (const leaf of [0n, 2n]) await market("requester", "disputeLeaf", [template, terms, leaf]);
    for (const leaf of [0, 1]) {
      const { job, outcome } = jobs[leaf] as (typeof jobs)[0];
      const requesterSignature = await world.sign("requester", hashOrder(domain, job));
      const { paramsHash, deadline, nonce } = job;
      const signatures = { requesterSignature, payerSignature: "0x", receiptSignature: "0x" };
      const item = { paramsHash, deadline, nonce, outcome, ...signatures };
      await market("other", "settleLeaf", [template, terms, BigInt(leaf), item, sessionProof(hashes, leaf)]);
    }
    await expectSame(40);
    await world.later(1300n);
    await market("other", "closeSession", [template, terms]);

    const lost = await world.order({ paramsHash: zeroHash, deadline: (await world.now()) + 100n });
    await market("requester", "openSession", [lost, terms, "", "0x", "0x"]);
    await world.later(200n);
    await market("other", "expireSession", [lost, terms]);
    const state = await expectSame(45);
    expect([...state.sessions.values()].map((session) => session.state)).to.deep.equal(["Closed", "Expired"]);
  });

  it("differs from the views if any one event of money, nonces or states is left out", async () => {
    const { events, head } = await replay();
    const kinds = new Map<string, number>();
    for (const [i, { eventName }] of events.entries()) kinds.set(eventName, i); // the last of each kind
    const missed: string[] = [];
    for (const [eventName, left] of kinds) {
      const state = emptyMarketState();
      for (const { account, operator, platformId } of world.enclaves) {
        state.enclaves.set(account.address.toLowerCase(), { operator, platformId });
      }
      try {
        for (const [i, event] of events.entries()) if (i !== left) applyEvent(state, event);
        const { differences } = await compareState(client, state, head);
        if (differences.length === 0 && imbalances(state).length === 0) missed.push(eventName);
      } catch (error) {
        expect(error).to.be.instanceOf(ContradictingEventError);
      }
    }
    // What no event tells of, nobody asks about: the views list neither nonces nor data sets. An offer that was taken or
    // ended with its data set leaves nothing.
    expect(missed).to.have.members(["DatasetRegistered", "DatasetOffered", "NonceCancelled", "OrderSettled"]);
    expect(kinds.size).to.be.greaterThan(24);
  });

  it("refuses events out of order, twice, or of what never was", async () => {
    const { events } = await replay();
    const opened = events.find((event) => event.eventName === "JobOpened") as MarketEvent;
    const state = emptyMarketState();
    applyEvent(state, opened);
    expect(() => applyEvent(state, opened)).to.throw(
      ContradictingEventError,
      "it is not later than the event before it",
    );
    const again = { ...opened, logIndex: opened.logIndex + 1 };
    expect(() => applyEvent(state, again)).to.throw(
      ContradictingEventError,
      /^JobOpened in block \d+, log \d+: job .* next/,
    );
    const cancelled = events.find((event) => event.eventName === "JobCancelled") as MarketEvent;
    const jobId = (cancelled.args as { jobId: Hex }).jobId;
    expect(() => applyEvent(emptyMarketState(), cancelled)).to.throw(
      ContradictingEventError,
      `job ${jobId} was not opened`,
    );
  });
});
