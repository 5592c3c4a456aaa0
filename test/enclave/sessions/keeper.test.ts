import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { type Address, decodeFunctionData, type Hex, keccak256, sha256, zeroHash } from "viem";
import { generatePrivateKey, privateKeyToAccount, sign } from "viem/accounts";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import { TransactionRefusedError, TransactionRevertedError } from "../../../enclave/chain/sender.ts";
import { createKeeper, type SessionStep } from "../../../enclave/sessions/keeper.ts";
import { createRunLedger } from "../../../enclave/sessions/runLedger.ts";
import { createSessionApi } from "../../../enclave/sessions/sessionApi.ts";
import { CorruptRowError } from "../../../enclave/store/rows.ts";
import { openStore, type Store } from "../../../enclave/store/store.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import type { MarketChainEvent } from "../../../protocol/chain/marketEvents.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import {
  domainOf,
  hashOrder,
  hashReceipt,
  hashSession,
  hashSessionClaim,
  type SessionClaim,
  type SessionState,
} from "../../../protocol/eip712.ts";
import { sessionRoot } from "../../../protocol/sessionTree.ts";
import { recoverSigner } from "../../../protocol/signature.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const jobMarket: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket } } as Deployment; // all that samples need
const domain = domainOf(31337, jobMarket);
const now = 1_000_000n;
const terms = { maxJobs: 3, challengeSeconds: 600, disputeBond: 7n };
const template = { ...sampleJob(deployment, 0).order, paramsHash: zeroHash, deadline: now + 3_600n };
const sessionId = hashSession(domain, template, terms);

describe("createKeeper", () => {
  let dir: string;
  let store: Store;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-keeper-"));
    store = openStore(dir, { chainId: 31337, jobMarket });
    apply(
      "SessionOpened",
      { sessionId, requester: template.requester, order: template, terms, programUri: "blob:1" },
      5n,
    );
  });
  afterEach(() => {
    store.close();
    rmSync(dir, { recursive: true });
  });

  function apply(eventName: string, args: object, block: bigint): void {
    const place = {
      address: jobMarket,
      blockNumber: block,
      blockHash: zeroHash,
      transactionHash: zeroHash,
      logIndex: 0,
    };
    const event = { type: "market", event: { eventName, args, ...place } } as unknown as MarketChainEvent;
    store.applyStep({ start: 1n, next: block + 1n, blocks: [], rangeBlocks: 100 }, [event]);
  }

  /** A job of the session, taken. */
  function job(number: number) {
    const { order: sample, params, programUri } = sampleJob(deployment, number);
    const order = { ...template, paramsHash: sample.paramsHash, nonce: BigInt(number), session: sessionId };
    const jobId = hashOrder(domain, order);
    store.sessionJobs.add(jobId, { order, params, programUri, requesterSignature: "0x01", payerSignature: "0x" });
    return { ...sampleJob(deployment, number), order, jobId };
  }

  /** One life of an enclave with its key, and a chain that refuses what it is sent so often. */
  async function life(world: { state?: SessionState; refuses?: string[]; newest?: bigint; disputed?: number } = {}) {
    const identity = await createIdentity();
    const sent: { functionName: string; args: readonly unknown[]; kept: boolean }[] = [];
    const steps: SessionStep[] = [];
    const refused: Hex[] = [];
    const ledger = createRunLedger();
    const chain = { state: world.state ?? "Open", root: zeroHash as Hex, newest: world.newest ?? now };
    const refuses = [...(world.refuses ?? [])];
    const clock = { ms: 0 };
    const problems: string[] = [];
    /** Leaves from the first on that the payer disputes. */
    const disputed = new Set(Array.from({ length: world.disputed ?? 0 }, (_, leaf) => BigInt(leaf)));
    const settled = new Set<bigint>();
    /** Leaves that the market does not take. */
    const unshowable = new Set<bigint>();
    const settle = (args: readonly unknown[]) => {
      const leaf = args[2] as bigint;
      if (unshowable.has(leaf)) throw new TransactionRefusedError(jobMarket, { errorName: "No", args: [] });
      settled.add(leaf);
    };
    const keeper = createKeeper({
      domain,
      market: jobMarket,
      identity,
      sender: {
        async send({ data }) {
          const { functionName, args = [] } = decodeFunctionData({ abi: jobMarketAbi, data });
          sent.push({ functionName, args, kept: store.claims.ofSession(sessionId) !== undefined });
          const errorName = refuses.shift();
          if (errorName === "mined in vain") throw new TransactionRevertedError(zeroHash);
          if (errorName !== undefined) throw new TransactionRefusedError(jobMarket, { errorName, args: [] });
          if (functionName === "claimSession") [chain.state, chain.root] = ["Claimed", claimIn(args).root];
          if (functionName === "closeSession") chain.state = "Closed";
          if (functionName === "settleLeaf") settle(args);
          if (functionName === "multicall") {
            const calls = (args[0] as Hex[]).map((call) => decodeFunctionData({ abi: jobMarketAbi, data: call }));
            const bad = calls.some((call) => unshowable.has(call.args?.[2] as bigint));
            if (bad) throw new TransactionRefusedError(jobMarket, { errorName: "No", args: [] });
            for (const call of calls) settle(call.args ?? []);
          }
          return { status: "alreadyDone" };
        },
      },
      reader: {
        session: async () =>
          ({ state: chain.state, claimedAt: now, touched: disputed.size > 0, root: chain.root }) as never,
        leafCounts: async () => ({
          settledOk: settled.size,
          settledFailed: 0,
          disputedOk: disputed.size - settled.size,
          disputedFailed: 0,
        }),
        leafState: async (_, leaf) => ({ disputed: disputed.has(BigInt(leaf)), settled: settled.has(BigInt(leaf)) }),
        grantUses: async () => 0n,
      },
      chain: { anchor: async () => ({ number: 4n, hash: zeroHash, timestamp: now }) },
      store,
      ledger,
      times: async () => ({ newest: chain.newest, final: chain.newest }),
      newest: async () => ({ blockHash: zeroHash }),
      isRegistered: async () => true,
      refuse: async (jobId) => {
        refused.push(jobId);
        const one = ledger.of(sessionId).find((run) => run.jobId === jobId);
        if (one !== undefined) run(Number(numbers.get(jobId)), false);
      },
      observe: (step) => void steps.push(step),
      problem: (_, error) => void problems.push((error as Error).name),
      now: () => clock.ms,
    });
    const numbers = new Map<Hex, number>();

    /** Runs a job here: its receipt is kept, and known to have been signed by this key. */
    function run(number: number, ok: boolean): Hex {
      const one = job(number);
      numbers.set(one.jobId, number);
      const resultCiphertext = ok ? new Uint8Array([number]) : null;
      const receipt = sampleReceipt(one, resultCiphertext === null ? undefined : sha256(resultCiphertext));
      const signature = identity.signDigest(hashReceipt(domain, receipt));
      const signer = identity.signingKey;
      store.saveOutcome({ jobId: one.jobId, signer, receipt, signature, grants: [], resultCiphertext, createdAt: 1 });
      ledger.record(sessionId, receipt, hashReceipt(domain, receipt));
      return hashReceipt(domain, receipt);
    }
    const look = async () => {
      keeper.tick();
      await keeper.idle();
      return keeper.lastLook(sessionId).came;
    };
    return { run, look, sent, steps, chain, refused, identity, clock, problems, settled, unshowable };
  }

  const claimIn = (args: readonly unknown[]) => args[2] as SessionClaim;

  it("claims when all jobs have receipts: Ok leaves first, on disk before it is sent; then closes", async () => {
    const { run, look, sent, steps, chain, identity } = await life();
    const hashes = [run(1, false), run(2, true)];
    expect(await look()).to.equal("open");
    hashes.push(run(3, true));
    expect(await look()).to.equal("claimed");
    const claim = claimIn(sent[0]?.args ?? []);
    const [failed, second, third] = hashes as [Hex, Hex, Hex];
    expect(claim).to.include({ sessionId, okCount: 2, failedCount: 1, root: sessionRoot([second, third, failed]) });
    expect(sent[0]?.kept).to.equal(true);
    expect(recoverSigner(hashSessionClaim(domain, claim), sent[0]?.args[3] as Hex)).to.equal(identity.signingKey);
    expect(await look()).to.equal("claimed");
    chain.newest = now + 601n;
    expect(await look()).to.equal("closed");
    expect(sent.map(({ functionName }) => functionName)).to.deep.equal(["claimSession", "closeSession"]);
    expect(steps).to.deep.equal(["claimSigned", "claimed", "closed"]);
  });

  it("sends a claim again as it was: after a reorganisation, and in another life with another key", async () => {
    const first = await life();
    for (const number of [1, 2, 3]) first.run(number, true);
    await first.look();
    first.chain.state = "Open"; // the block of the claim is gone
    await first.look();
    const second = await life();
    await second.look();
    const sent = [...first.sent, ...second.sent];
    expect(sent.map(({ functionName }) => functionName)).to.deep.equal(Array(3).fill("claimSession"));
    expect(new Set(sent.map(({ args }) => args[3])).size).to.equal(1);
    expect(second.steps).to.deep.equal(["claimed"]);
  });

  it("gives up a claim that is stale, and claims only what its own key ran", async () => {
    const dead = await life({ refuses: ["JobMarket_BadAnchor"] });
    for (const number of [1, 2, 3]) dead.run(number, true);
    expect(await dead.look()).to.equal("rerun");
    expect(store.claims.ofSession(sessionId)).to.equal(undefined);
    expect(await dead.look()).to.equal("claimed"); // signed anew
    const alive = await life({ refuses: ["JobMarket_EnclaveNotLive"] });
    expect(await alive.look()).to.equal("rerun");
    expect(await alive.look()).to.equal("open");
    expect(store.sessionJobs.counts(sessionId, alive.identity.signingKey)).to.deep.equal({ taken: 3, ran: 0, ok: 0 });
    alive.run(1, true);
    alive.chain.newest = template.deadline - 300n; // due, but two jobs may still be under way
    expect(await alive.look()).to.equal("open");
    alive.chain.newest = template.deadline - 150n;
    expect(await alive.look()).to.equal("claimed");
    expect(claimIn(alive.sent.at(-1)?.args ?? [])).to.include({ okCount: 1, failedCount: 0 });
  });

  it("claims jobs as failed whose consent the market says has ended", async () => {
    const { run, look, sent, refused } = await life({ refuses: ["JobMarket_GrantRevoked"] });
    for (const number of [1, 2, 3]) run(number, number < 3);
    expect(await look()).to.equal("consentEnded");
    expect(refused).to.have.length(2);
    expect(await look()).to.equal("claimed");
    expect(claimIn(sent.at(-1)?.args ?? [])).to.include({ okCount: 0, failedCount: 3, countedGrants: 0 });
  });

  it("claims as failed only the jobs that the last uses of a grant do not reach for, if somebody was faster", async () => {
    const { run, look, sent, refused } = await life({ refuses: ["JobMarket_GrantUsedUp"] });
    for (const number of [1, 2, 3]) run(number, true);
    expect(await look()).to.equal("consentEnded");
    expect(refused).to.have.length(1);
    expect(await look()).to.equal("claimed");
    expect(claimIn(sent.at(-1)?.args ?? [])).to.include({ okCount: 2, failedCount: 1 });
  });

  it("shows disputed leaves though others cannot be: refused by the market, lost or damaged in the store", async () => {
    const before = await life();
    for (const number of [1, 2, 3, 4, 5]) before.run(number, true);
    await before.look();
    tamper("DELETE FROM session_jobs WHERE rowid = 2; UPDATE session_jobs SET params = x'00' WHERE rowid = 3");
    const { look, chain, settled, unshowable, problems } = await life({ state: "Claimed", disputed: 5 });
    chain.root = before.chain.root;
    unshowable.add(0n);
    await look();
    expect([...settled]).to.deep.equal([3n, 4n]);
    const lost = "Sessions.LeafLostError";
    expect(problems).to.deep.equal([lost, lost, "Chain.TransactionRefusedError"]);
  });

  it("pauses ever longer where what it sends is mined in vain, so that its gas money lasts", async () => {
    const { run, look, sent, clock } = await life({ refuses: Array(100).fill("mined in vain") });
    for (const number of [1, 2, 3]) run(number, true);
    for (; clock.ms < 86_400_000; clock.ms += 60_000) await look(); // a day
    expect(sent.length).to.be.within(10, 20);
  });

  it("leaves alone what another claimed, what is too late, and what pays nothing", async () => {
    const other = await life({ state: "Claimed" });
    other.run(1, true);
    expect(await other.look()).to.equal("claimedByOther");
    const late = await life({ newest: template.deadline + 1n });
    expect(await late.look()).to.equal("tooLate");
    expect([...other.sent, ...late.sent]).to.deep.equal([]);
  });

  it("gives up a claim that did not come in time, when that is final, though nobody expires the session", async () => {
    const { run, look, chain } = await life({ refuses: ["Other"] });
    for (const number of [1, 2, 3]) run(number, true);
    expect(await look()).to.equal("Chain.TransactionRefusedError");
    chain.newest = template.deadline + 1n;
    expect(store.sessions.live(chain.newest)).to.have.length(1);
    const after = await life({ newest: chain.newest });
    expect(await after.look()).to.equal("tooLate");
    expect(store.sessions.live(chain.newest)).to.have.length(0);
  });

  it("defends and closes a claim that it gave up, and somebody else sent", async () => {
    const { run, look, sent } = await life({ refuses: ["JobMarket_GrantUsedUp"] });
    for (const number of [1, 2, 3]) run(number, true);
    await look();
    const { root } = claimIn(sent[0]?.args ?? []);
    apply("SessionClaimed", { sessionId, root }, 6n);
    const past = store.sessions.live(template.deadline + 1n);
    expect(past.map(({ claimedRoot }) => claimedRoot)).to.deep.equal([root]);
  });

  it("gives a result of free data out at once only if its parties signed with keys: a contract takes its word back", async () => {
    const key = generatePrivateKey();
    const { address: requester } = privateKeyToAccount(key);
    for (const [nonce, contract] of ["requester", "payer", undefined].entries()) {
      const payer = contract === "payer" ? jobMarket : requester;
      const order = { ...template, requester, payer };
      const id = hashSession(domain, order, terms);
      apply("SessionOpened", { sessionId: id, requester, order, terms, programUri: "blob:1" }, 5n);
      const { order: sample, params, programUri } = sampleJob(deployment, 1);
      const own = { ...order, paramsHash: sample.paramsHash, nonce: BigInt(nonce), session: id };
      const jobId = hashOrder(domain, own);
      const signature = contract === "requester" ? "0x01" : await sign({ hash: jobId, privateKey: key, to: "hex" });
      const payerSignature = contract === "payer" ? "0x01" : "0x";
      store.sessionJobs.add(jobId, { order: own, params, programUri, requesterSignature: signature, payerSignature });
      const { identity } = await life();
      const ciphertext = new Uint8Array([1]);
      const receipt = sampleReceipt({ ...sampleJob(deployment, 1), order: own, jobId }, sha256(ciphertext));
      const signed = { receipt, signature: identity.signDigest(hashReceipt(domain, receipt)) };
      const signer = identity.signingKey;
      store.saveOutcome({ jobId, signer, ...signed, grants: [], resultCiphertext: ciphertext, createdAt: 1 });
      const api = createSessionApi({
        domain,
        signingKey: signer,
        store,
        reader: { session: () => expect.fail("no claim"), leafState: () => expect.fail("no claim") },
        chain: { isSignedBy: async () => true },
        head: () => expect.fail("no claim"),
        newestTimestamp: async () => now,
        lastLook: () => ({}),
        waitingFor: () => undefined,
        wake: () => undefined,
      });
      const result = await api.result(jobId);
      expect(result?.released, contract).to.equal(contract === undefined);
      if (result?.released) expect([result.sizeBytes, result.read()]).to.deep.equal([1, ciphertext]);
      expect(await api.prints(jobId)).to.equal(undefined); // none were sealed
    }
  });

  it("believes no claim of the store that is not what was signed", async () => {
    const { run, look } = await life();
    for (const number of [1, 2, 3]) run(number, true);
    await look();
    store.close();
    const db = new DatabaseSync(join(dir, "worker.db"));
    db.exec("UPDATE claims SET claim_json = replace(claim_json, '\"okCount\":3', '\"okCount\":2')");
    db.close();
    store = openStore(dir, { chainId: 31337, jobMarket });
    expect(() => store.claims.ofSession(sessionId)).to.throw(CorruptRowError);
  });

  it("forgets an opening, a claim and an end that a reorganisation took away", async () => {
    job(1);
    apply("SessionClaimed", { sessionId, root: keccak256("0x01") }, 6n);
    apply("SessionClosed", { sessionId }, 7n);
    expect(store.sessions.byId(sessionId)).to.include({ claimedRoot: keccak256("0x01"), ended: "Closed" });
    expect(store.sessions.live(0n)).to.deep.equal([]);
    rewind(5n);
    expect(store.sessions.byId(sessionId)).to.include({ claimedRoot: null, ended: null });
    expect(store.sessions.live(template.deadline)).to.have.length(1);
    expect(store.sessions.live(template.deadline + 1n)).to.deep.equal([]);
    rewind(4n);
    expect(store.sessions.byId(sessionId)).to.equal(undefined);
  });

  /** What somebody does to the file while the worker is down. */
  function tamper(sql: string): void {
    store.close();
    const db = new DatabaseSync(join(dir, "worker.db"));
    db.exec(sql);
    db.close();
    store = openStore(dir, { chainId: 31337, jobMarket });
  }

  function rewind(ancestor: bigint): void {
    store.applyStep({ start: 1n, next: ancestor + 1n, blocks: [], rangeBlocks: 100 }, [
      { type: "reorg", ancestor, dropped: [] },
    ]);
  }
});
