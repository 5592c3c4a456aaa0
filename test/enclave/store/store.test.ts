import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { type Address, type Hex, hexToBytes, keccak256, sha256, toHex } from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import { createLog } from "../../../enclave/receipts/enclaveLog.ts";
import { openDatabase, StoreFailedError, StoreLockedError, StoreSchemaError } from "../../../enclave/store/database.ts";
import { logTable, NotAppendableError } from "../../../enclave/store/logTable.ts";
import { BadOutcomeError, type Outcome } from "../../../enclave/store/outcomesTable.ts";
import { CorruptRowError } from "../../../enclave/store/rows.ts";
import { OtherDeploymentError, openStore, type Store } from "../../../enclave/store/store.ts";
import { type Cursor, startCursor } from "../../../protocol/chain/cursor.ts";
import type { MarketChainEvent } from "../../../protocol/chain/marketEvents.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, type Grant, hashOrder, hashReceipt, type Receipt } from "../../../protocol/eip712.ts";
import { toJcsBytes } from "../../../protocol/jcs.ts";
import { maxDatasets, maxSignatureBytes } from "../../../protocol/limits.ts";
import type { SealedPrints } from "../../../protocol/prints.ts";
import { type SampleJob, sampleJob, sampleReceipt } from "../../support/emitter.ts";
import { memoryLog } from "../../support/memoryLog.ts";
import { rejection } from "../../support/rejection.ts";

const jobMarket: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const identity = { chainId: 31337, jobMarket };
const deployment = { chainId: 31337, contracts: { jobMarket } } as Deployment; // all that samples need
const key: Hex = `0x${"17".repeat(32)}`;
const signer = privateKeyToAccount(key).address;

function hashOf(block: bigint, fork = 0): Hex {
  return keccak256(toHex(`${block}/${fork}`));
}

function cursorAt(block: bigint, fork = 0): Cursor {
  const ref = { number: block, hash: hashOf(block, fork), parentHash: hashOf(block - 1n, fork) };
  return { start: 1n, next: block + 1n, blocks: [ref], rangeBlocks: 100 };
}

function opened(job: SampleJob, block: bigint, fork = 0): MarketChainEvent {
  const { jobId, index, order, programUri, params } = job;
  const args = { jobId, index, requester: order.requester, order, programUri, params };
  return { type: "market", event: { eventName: "JobOpened", args, ...position(block, fork) } };
}

function settled(job: SampleJob, block: bigint): MarketChainEvent {
  return settledWith(job, block, sampleReceipt(job));
}

function hashOfReceipt(receipt: Receipt): Hex {
  return hashReceipt(domainOf(31337, jobMarket), receipt);
}

function settledWith(job: SampleJob, block: bigint, receipt: Receipt): MarketChainEvent {
  const { resultHash, countedGrants, failureCode } = receipt;
  const { jobId, index } = job;
  const args = { jobId, index, signer, receiptHash: hashOfReceipt(receipt), resultHash, countedGrants, failureCode };
  return { type: "market", event: { eventName: "JobSettled", args, ...position(block) } };
}

function ended(eventName: "JobCancelled" | "JobExpired", job: SampleJob, block: bigint): MarketChainEvent {
  return { type: "market", event: { eventName, args: { jobId: job.jobId, index: job.index }, ...position(block) } };
}

function position(block: bigint, fork = 0) {
  return {
    address: jobMarket,
    blockNumber: block,
    blockHash: hashOf(block, fork),
    transactionHash: hashOf(block),
    logIndex: 0,
  };
}

async function outcomeOf(job: SampleJob, result: Uint8Array | null = null, by: Hex = key): Promise<Outcome> {
  const receipt = sampleReceipt(job, result === null ? undefined : sha256(result));
  const hash = hashReceipt(domainOf(31337, jobMarket), receipt);
  const signature = await sign({ hash, privateKey: by, to: "hex" });
  const { address } = privateKeyToAccount(by);
  return {
    jobId: job.jobId,
    signer: address,
    receipt,
    signature,
    grants: [],
    resultCiphertext: result,
    createdAt: 1_800_000_000,
  };
}

/** A FAILED outcome with prints, and the log that proves them: boot, prints, end. */
async function printedBy(job: SampleJob): Promise<Outcome & { prints: SealedPrints }> {
  const log = createLog(signer, memoryLog());
  const ciphertext = hexToBytes("0xa6e0");
  const hashes = { sealedHash: sha256(ciphertext), printsCommitment: keccak256("0x01") };
  const entry = { type: "prints.sealed", jobId: job.jobId, readers: 1, ...hashes } as const;
  log.append({ type: "boot", signingKey: key, vaultKey: key, workloadId: key, previous: null });
  const index = log.append(entry);
  log.append({ type: "job.refused", jobId: job.jobId, failureCode: "ProgramTrapped" });
  const { root: logRoot, size: logSize } = log.head();
  const receipt = { ...sampleReceipt(job), logRoot, logSize };
  const signature = await sign({ hash: hashOfReceipt(receipt), privateKey: key, to: "hex" });
  const prints = { ciphertext, entry: toJcsBytes(entry), index, proof: log.prove(index, Number(logSize)) };
  return { ...(await outcomeOf(job)), receipt, signature, prints };
}

function printsIn(store: Store, job: SampleJob): unknown {
  return store.prints(job.jobId, hashOfReceipt(store.signedOutcome(job.jobId)?.receipt as Receipt));
}

describe("store", () => {
  const job = sampleJob(deployment, 1);
  const other = sampleJob(deployment, 2, { workloadId: keccak256("0xee"), deadline: 2n ** 64n - 1n });
  let dir: string;
  let store: Store;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-store-"));
    store = openStore(dir, identity);
  });
  afterEach(() => {
    store.close();
    rmSync(dir, { recursive: true });
  });

  /** Changes the file as a host could, and opens the store again. */
  function tamper(sql: string): void {
    store.close();
    const db = new DatabaseSync(join(dir, "worker.db"));
    db.exec(sql);
    db.close();
    store = openStore(dir, identity);
  }

  function reopen(): void {
    store.close();
    store = openStore(dir, identity);
  }

  describe("openStore", () => {
    it("makes files that only their owner can read", () => {
      store.applyStep(cursorAt(1n), []);
      for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777, name).to.equal(0o600);
      expect(readdirSync(dir)).to.include("worker.db");
    });

    it("throws StoreLockedError while another process has it, and opens once that is killed", async () => {
      store.close();
      const script = `
        import { openStore } from ${JSON.stringify(new URL("../../../enclave/store/store.ts", import.meta.url).href)};
        openStore(${JSON.stringify(dir)}, ${JSON.stringify(identity)});
        console.log("open");
        setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await rejection(() => openStore(dir, identity), StoreLockedError);
      child.kill("SIGKILL");
      await once(child, "exit");
      store = openStore(dir, identity);
    });

    it("throws StoreLockedError within one process, too", async () => {
      await rejection(() => openStore(dir, identity), StoreLockedError);
    });

    it("throws OtherDeploymentError for another market or chain", async () => {
      store.close();
      const error = await rejection(() => openStore(dir, { ...identity, chainId: 1 }), OtherDeploymentError);
      expect(error).to.include({ chainId: 31337n, jobMarket: jobMarket.toLowerCase() });
      await rejection(() => openStore(dir, { ...identity, jobMarket: signer }), OtherDeploymentError);
      store = openStore(dir, identity);
    });

    it("throws StoreSchemaError for another version, another application, altered tables", async () => {
      const cases = [
        ["PRAGMA user_version = 1", "its version is 1, this worker's is 5"],
        ["PRAGMA user_version = 5; PRAGMA application_id = 7", "it is not a worker's store"],
        [
          `PRAGMA application_id = ${0x64636d77}; CREATE TRIGGER evil AFTER INSERT ON jobs BEGIN DELETE FROM outcomes; END`,
          "its tables were altered",
        ],
      ] as const;
      for (const [sql, fact] of cases) {
        store.close();
        const db = new DatabaseSync(join(dir, "worker.db"));
        db.exec(sql);
        db.close();
        const error = await rejection(() => openStore(dir, identity), StoreSchemaError);
        expect(error.fact).to.equal(fact);
      }
    });

    it("throws StoreFailedError for a file that is no database, and for a link", async () => {
      const elsewhere = mkdtempSync(join(tmpdir(), "dcm-store-"));
      writeFileSync(join(elsewhere, "worker.db"), "this is no database, whatever its name says".repeat(100));
      const error = await rejection(() => openStore(elsewhere, identity), StoreFailedError);
      expect(error.fact).to.equal("the file is damaged or no database");
      rmSync(join(elsewhere, "worker.db"));
      symlinkSync(join(dir, "worker.db"), join(elsewhere, "worker.db"));
      await rejection(() => openStore(elsewhere, identity), StoreFailedError);
      rmSync(elsewhere, { recursive: true });
    });
  });

  describe("applyStep", () => {
    it("keeps cursor and jobs across a restart", () => {
      expect(store.loadCursor()).to.equal(undefined);
      store.applyStep(cursorAt(3n), [opened(job, 2n), opened(other, 3n)]);
      reopen();
      expect(store.loadCursor()).to.deep.equal(cursorAt(3n));
      const { jobId, index, order, params, programUri } = job;
      expect(store.job(jobId)).to.deep.equal({
        jobId,
        index,
        order,
        params,
        programUri,
        origin: { by: "opening", index, openedHash: hashOf(2n) },
        openedBlock: 2n,
        closedBlock: null,
        closedAs: null,
        settleTx: null,
        receiptHash: null,
      });
      expect(store.openJobs().map((one) => one.index)).to.deep.equal([1n, 2n]);
      expect(store.job(keccak256("0x77"))).to.equal(undefined);
    });

    it("filters open jobs by workload and deadline, in the order of their index", () => {
      const many = [10, 9, 100, 1].map((n) => sampleJob(deployment, n));
      store.applyStep(cursorAt(3n), [...many.map((one) => opened(one, 2n)), opened(other, 3n)]);
      const { workloadId } = job.order;
      expect(store.openJobs({ workloadId }).map((one) => one.index)).to.deep.equal([1n, 9n, 10n, 100n]);
      expect(store.openJobs({ deadlineFrom: 4_000_000_001n }).map((one) => one.jobId)).to.deep.equal([other.jobId]);
      expect(store.openJobs({ deadlineFrom: 2n ** 64n - 1n })).to.have.length(1);
      expect(store.openJobs({ workloadId, deadlineFrom: 4_000_000_001n })).to.deep.equal([]);
    });

    it("closes jobs as the events say, once", () => {
      const [a, b, c] = [3, 4, 5].map((n) => sampleJob(deployment, n)) as [SampleJob, SampleJob, SampleJob];
      store.applyStep(cursorAt(5n), [
        ...[a, b, c].map((one) => opened(one, 2n)),
        settled(a, 3n),
        ended("JobCancelled", b, 4n),
        ended("JobExpired", c, 5n),
        ended("JobExpired", a, 5n),
        settled(job, 5n),
      ]);
      expect(store.openJobs()).to.deep.equal([]);
      expect(store.job(a.jobId)).to.include({ closedBlock: 3n, closedAs: "SettledFailed", settleTx: hashOf(3n) });
      expect(store.job(b.jobId)).to.include({ closedBlock: 4n, closedAs: "Cancelled", settleTx: null });
      expect(store.job(c.jobId)).to.include({ closedBlock: 5n, closedAs: "Expired", settleTx: null });
      expect(store.job(job.jobId)).to.equal(undefined);
    });

    it("ignores an end whose index is another job's", () => {
      store.applyStep(cursorAt(3n), [opened(job, 2n), ended("JobCancelled", { ...job, index: 9n }, 3n)]);
      expect(store.openJobs()).to.have.length(1);
    });

    it("forgets what a reorg removed, reopens what it had closed, and takes the opening again: one open job", () => {
      store.applyStep(cursorAt(9n), [opened(other, 2n), opened(job, 6n), settled(other, 7n)]);
      store.applyStep(cursorAt(5n), [{ type: "reorg", ancestor: 5n, dropped: [] }]);
      expect(store.job(job.jobId)).to.equal(undefined);
      expect(store.job(other.jobId)).to.include({ closedBlock: null, closedAs: null, settleTx: null });
      store.applyStep(cursorAt(9n, 1), [opened(job, 8n, 1)]);
      store.applyStep(cursorAt(9n, 1), [opened(job, 8n, 1)]);
      expect(store.openJobs().map((one) => one.origin)).to.deep.equal([
        { by: "opening", index: 1n, openedHash: hashOf(8n, 1) },
        { by: "opening", index: 2n, openedHash: hashOf(2n) },
      ]);
    });

    it("is all or nothing: a step that fails leaves cursor and jobs as they were", async () => {
      store.applyStep(cursorAt(3n), []);
      const bad = opened(other, -(2n ** 70n));
      await rejection(() => store.applyStep(cursorAt(4n), [opened(job, 4n), bad]), StoreFailedError);
      expect(store.loadCursor()).to.deep.equal(cursorAt(3n));
      expect(store.openJobs()).to.deep.equal([]);
      store.applyStep(cursorAt(4n), [opened(job, 4n)]);
      expect(store.openJobs()).to.have.length(1);
    });
  });

  describe("addOrder", () => {
    const { order, programUri, params } = job;
    const given = { order, programUri, params, requesterSignature: "0x1234", payerSignature: "0x" } as const;
    const origin = { by: "signature", requesterSignature: "0x1234", payerSignature: "0x" };
    const orderSettled = (block: bigint, failureCode = 0): MarketChainEvent => {
      const receipt = { receiptHash: hashOf(99n), resultHash: hashOf(98n), failureCode };
      const args = { jobId: job.jobId, requester: order.requester, signer, nonce: order.nonce, ...receipt };
      return { type: "market", event: { eventName: "OrderSettled", args, ...position(block) } };
    };
    const nonceCancelled = (account: Address, nonce: bigint, block: bigint): MarketChainEvent => {
      return { type: "market", event: { eventName: "NonceCancelled", args: { account, nonce }, ...position(block) } };
    };

    it("keeps a signed order across restarts and reorgs, after the jobs that were opened", () => {
      store.addOrder(job.jobId, given);
      store.addOrder(job.jobId, given);
      store.applyStep(cursorAt(6n), [opened(other, 6n)]);
      reopen();
      expect(store.openJobs().map((one) => one.index)).to.deep.equal([2n, null]);
      store.applyStep(cursorAt(5n), [{ type: "reorg", ancestor: 5n, dropped: [] }]);
      expect(store.openJobs()).to.have.length(1);
      const { jobId } = job;
      expect(store.job(jobId)).to.deep.include({
        jobId,
        index: null,
        order,
        origin,
        openedBlock: null,
        closedAs: null,
      });
    });

    it("waits in the order in which it came: whoever grinds a low id jumps no queue", () => {
      const orders = [7n, 8n, 9n].map((nonce) => ({ ...given, order: { ...order, nonce } }));
      const jobs = orders.map((one) => ({ jobId: hashOrder(domainOf(31337, jobMarket), one.order), given: one }));
      const came = jobs.toSorted((a, b) => (a.jobId < b.jobId ? 1 : -1)); // high ids first
      for (const one of came) store.addOrder(one.jobId, one.given);
      expect(store.openJobs().map(({ jobId }) => jobId)).to.deep.equal(came.map(({ jobId }) => jobId));
      expect(store.openOrdersOf(order)).to.deep.equal(came.map((one) => one.given.order));
    });

    it("is counted among all that wait, and shown to be its requester's and its payer's", () => {
      const payer = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC" as const;
      const paid = { ...order, nonce: order.nonce + 1n, payer };
      store.addOrder(job.jobId, given);
      store.addOrder(hashOrder(domainOf(31337, jobMarket), paid), { ...given, order: paid });
      expect(store.countOrders()).to.equal(2);
      expect(store.openOrdersOf(order)).to.deep.equal([order, paid]);
      expect(store.openOrdersOf({ requester: payer, payer })).to.deep.equal([paid]);
      expect(store.openOrdersOf({ requester: jobMarket, payer: jobMarket })).to.deep.equal([]);
    });

    it("is settled by its event, and open again when a reorg removes that", () => {
      store.addOrder(job.jobId, given);
      store.applyStep(cursorAt(7n), [orderSettled(7n)]);
      expect(store.job(job.jobId)).to.include({
        closedAs: "SettledOk",
        settleTx: hashOf(7n),
        receiptHash: hashOf(99n),
      });
      store.applyStep(cursorAt(6n), [{ type: "reorg", ancestor: 6n, dropped: [] }]);
      expect(store.job(job.jobId)).to.include({ closedAs: null, settleTx: null, receiptHash: null });
      store.applyStep(cursorAt(7n), [orderSettled(7n, 3)]);
      expect(store.job(job.jobId)).to.include({ closedAs: "SettledFailed" });
    });

    it("ends when its requester cancels its nonce, and no other account or nonce", () => {
      store.addOrder(job.jobId, given);
      store.applyStep(cursorAt(3n), [opened(other, 2n), nonceCancelled(other.order.requester, other.order.nonce, 3n)]);
      store.applyStep(cursorAt(3n), [nonceCancelled(jobMarket, order.nonce, 3n)]);
      store.applyStep(cursorAt(3n), [nonceCancelled(order.requester, order.nonce + 7n, 3n)]);
      expect([store.openJobs().length, store.countOrders()]).to.deep.equal([2, 1]);
      expect(store.openOrdersOf(order)).to.deep.equal([order]);
      store.applyStep(cursorAt(4n), [nonceCancelled(order.requester, order.nonce, 4n)]);
      expect([store.countOrders(), store.openOrdersOf(order)]).to.deep.equal([0, []]);
      expect(store.job(job.jobId)).to.include({ closedAs: "Cancelled", closedBlock: 4n });
    });

    it("is given up for good, unless the chain says otherwise", () => {
      store.addOrder(job.jobId, given);
      store.lapse(job.jobId, "Unsettled");
      store.applyStep(cursorAt(6n), [{ type: "reorg", ancestor: 5n, dropped: [] }]);
      expect(store.openJobs()).to.deep.equal([]);
      expect(store.job(job.jobId)).to.include({ closedAs: "Unsettled", settleTx: null });
      store.applyStep(cursorAt(7n), [orderSettled(7n)]);
      expect(store.job(job.jobId)).to.include({ closedAs: "SettledOk" });
      store.lapse(job.jobId, "Expired");
      expect(store.job(job.jobId)).to.include({ closedAs: "SettledOk" });
    });

    it("becomes a job like others when it is opened after all, and an order again when a reorg removes that", () => {
      store.addOrder(job.jobId, given);
      store.applyStep(cursorAt(6n), [opened(job, 6n)]);
      expect(store.job(job.jobId)?.origin).to.deep.equal({ by: "opening", index: 1n, openedHash: hashOf(6n) });
      store.applyStep(cursorAt(5n), [{ type: "reorg", ancestor: 5n, dropped: [] }]);
      expect(store.job(job.jobId)).to.deep.include({ origin, index: null, openedBlock: null });
    });
  });

  describe("paidOutcome", () => {
    const quorum = sampleJob(deployment, 3, { quorum: 2 });
    const counted = (receipt: Receipt, block: bigint): MarketChainEvent => {
      const { outputCommitment } = receipt;
      const which = { jobId: quorum.jobId, index: quorum.index, signer, platformId: "0x" as Hex };
      const args = { ...which, receiptHash: hashOfReceipt(receipt), outputCommitment };
      return { type: "market", event: { eventName: "ReceiptCounted", args, ...position(block) } };
    };

    it("is the one that settled, or was counted for the quorum, and none before or without", async () => {
      const mine = await outcomeOf(quorum, hexToBytes("0x01"));
      const late = await outcomeOf(quorum, hexToBytes("0x02"));
      const theirs = sampleReceipt(quorum, sha256("0x03"));
      store.saveOutcome(mine);
      store.saveOutcome(late);
      const paid = () => store.paidOutcome(store.job(quorum.jobId) as NonNullable<ReturnType<Store["job"]>>);
      store.applyStep(cursorAt(4n), [opened(quorum, 3n), counted(mine.receipt, 4n)]);
      expect(paid()).to.equal(undefined);
      store.applyStep(cursorAt(5n), [settledWith(quorum, 5n, theirs)]);
      const { resultCiphertext, createdAt, ...signed } = mine;
      expect(paid()).to.deep.equal(signed);
      const hash = hashOfReceipt(mine.receipt);
      expect([store.resultBytes(quorum.jobId, hash), resultCiphertext?.length, createdAt]).to.deep.equal([
        1,
        1,
        mine.createdAt,
      ]);
      store.applyStep(cursorAt(3n), [{ type: "reorg", ancestor: 3n, dropped: [] }]);
      store.applyStep(cursorAt(5n), [settledWith(quorum, 5n, theirs)]);
      expect(paid()).to.equal(undefined);
    });
  });

  describe("saveOutcome", () => {
    it("keeps receipts and results across restarts and reorgs, by signer or the newest", async () => {
      const result = hexToBytes("0x0102030405");
      const first = await outcomeOf(job, result);
      const second = { ...(await outcomeOf(job, null, `0x${"18".repeat(32)}`)), createdAt: 1_800_000_001 };
      store.applyStep(cursorAt(6n), [opened(job, 6n)]);
      store.saveOutcome(first);
      store.saveOutcome(first);
      store.saveOutcome(second);
      store.applyStep(cursorAt(5n), [{ type: "reorg", ancestor: 5n, dropped: [] }]);
      reopen();
      expect(store.outcome(job.jobId, hashOfReceipt(first.receipt))).to.deep.equal(first);
      expect(store.outcome(job.jobId)).to.deep.equal(second);
      expect(store.outcome(other.jobId)).to.equal(undefined);
      expect(store.outcome(job.jobId, `0x${"11".repeat(32)}`)).to.equal(undefined);
    });

    it("keeps a second receipt of the same enclave beside the first, for whichever of them settles", async () => {
      const failed = await outcomeOf(job);
      const ok = await outcomeOf(job, hexToBytes("0x01"));
      store.saveOutcome(failed);
      store.saveOutcome(ok);
      store.saveOutcome(failed);
      reopen();
      expect(store.outcome(job.jobId)).to.deep.equal(ok);
      expect(store.outcome(job.jobId, hashOfReceipt(failed.receipt))).to.deep.equal(failed);
    });

    it("reads back as many grants, as large and with as long signatures, as a job can have", async () => {
      const wide = 2n ** 256n - 1n;
      const long = 2n ** 64n - 1n;
      const id: Hex = `0x${"ab".repeat(32)}`;
      const grant: Grant = {
        ...{ datasetId: id, programId: id, workloadId: id, requester: signer, operator: signer, token: signer },
        ...{ priceUnit: 2, price: wide, maxUses: long, notBefore: long, notAfter: long, nonce: wide },
        ...{ resultReaders: Array(16).fill(id), epoch: 2 ** 32 - 1, ownerEpoch: 2 ** 32 - 1 },
      };
      const signature: Hex = `0x${"cd".repeat(maxSignatureBytes)}`;
      const outcome = { ...(await outcomeOf(job)), grants: Array(maxDatasets).fill({ grant, signature }) };
      store.saveOutcome(outcome);
      reopen();
      expect(store.outcome(job.jobId)).to.deep.equal(outcome);
    });

    it("keeps sealed prints beside a FAILED outcome too, and proves them by its receipt", async () => {
      const { prints, ...outcome } = await printedBy(job);
      store.saveOutcome({ ...outcome, prints });
      store.saveOutcome({ ...outcome, prints });
      reopen();
      const hash = hashOfReceipt(outcome.receipt);
      expect(store.prints(job.jobId, hash)).to.deep.equal(prints);
      expect(store.prints(other.jobId, hash)).to.equal(undefined);
      expect(store.resultBytes(job.jobId, hash)).to.equal(undefined);
      for (const wrong of [{ index: 0 }, { ciphertext: Uint8Array.of(7) }, { proof: [] }]) {
        const save = () => store.saveOutcome({ ...outcome, prints: { ...prints, ...wrong } });
        expect((await rejection(save, BadOutcomeError)).fact).to.equal("the prints are not the receipt's");
      }
    });

    it("refuses what is not signed, or not a result of its receipt", async () => {
      const ok = await outcomeOf(job, hexToBytes("0x01"));
      const s = BigInt(`0x${ok.signature.slice(66, 130)}`);
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const highS = `${ok.signature.slice(0, 66)}${(order - s).toString(16).padStart(64, "0")}${ok.signature.endsWith("1b") ? "1c" : "1b"}`;
      const cases: [Partial<Outcome>, string][] = [
        [{ jobId: other.jobId }, "the receipt is for another job"],
        [{ resultCiphertext: null }, "a result belongs to an Ok receipt, and to no other"],
        [{ resultCiphertext: hexToBytes("0x02") }, "the result is not the receipt's"],
        [{ signer: jobMarket }, "the signature is not the signer's"],
        [{ signature: highS as Hex }, "the signature is not the signer's"],
        [{ signature: "0x1234" }, "the signature is not the signer's"],
        [{ receipt: { ...ok.receipt, fuelUsed: 2n } }, "the signature is not the signer's"],
      ];
      for (const [change, fact] of cases) {
        const error = await rejection(() => store.saveOutcome({ ...ok, ...change }), BadOutcomeError);
        expect(error.fact).to.equal(fact);
      }
    });
  });

  describe("appendLog", () => {
    it("keeps entries in order; the same entry twice is one", async () => {
      for (const i of [0, 1, 1, 2]) store.appendLog("log", i, Uint8Array.of(i));
      store.appendLog("another", 0, Uint8Array.of(9));
      reopen();
      expect(store.logEntries("log", 0, 9)).to.deep.equal([Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(2)]);
      expect(store.logEntries("log", 1, 1)).to.deep.equal([Uint8Array.of(1)]);
      expect(store.logEntries("log", 3, 1)).to.deep.equal([]);
      expect(store.logEntries("none", 0, 9)).to.deep.equal([]);
      expect(store.logIds(9)).to.deep.equal(["another", "log"]);
      store.appendLog("log", 3, Uint8Array.of(3));
      expect(store.logIds(1)).to.deep.equal(["log"]);
    });

    it("has entries wait for no disk, and everything else, and what is synced, wait for it", async () => {
      const db = openDatabase(join(dir, "own"));
      try {
        const logs = logTable(db);
        const durability = () => db.prepare("PRAGMA synchronous").get()?.synchronous;
        const changes = () => db.prepare("SELECT total_changes() AS n").get()?.n;
        logs.append("log", 0, Uint8Array.of(0));
        await rejection(() => logs.append("log", 2, Uint8Array.of(2)), NotAppendableError);
        expect(durability()).to.equal(2n); // FULL: the next commit takes them along
        db.exec(`INSERT INTO deployment VALUES (1, 1, '${jobMarket}')`);
        const before = changes() as bigint;
        logs.sync();
        expect(changes()).to.equal(before + 1n);
        logs.sync();
        expect(changes()).to.equal(before + 1n); // there is nothing new
      } finally {
        db.close();
      }
    });

    it("refuses a gap, a change, and too much", async () => {
      store.appendLog("log", 0, Uint8Array.of(0));
      const cases: [number, Uint8Array][] = [
        [2, Uint8Array.of(2)],
        [0, Uint8Array.of(1)],
        [-1, Uint8Array.of(1)],
        [1, new Uint8Array(4 * 1024 + 1)],
      ];
      for (const [index, entry] of cases) {
        const error = await rejection(() => store.appendLog("log", index, entry), NotAppendableError);
        expect(error.index).to.equal(index);
      }
      expect(store.logEntries("log", 0, 9)).to.have.length(1);
    });
  });

  describe("a hostile disk", () => {
    const cases: [string, string, string, (store: Store) => unknown][] = [
      ["UPDATE cursor SET json = '{'", "cursor", "1", (s) => s.loadCursor()],
      ["UPDATE cursor SET json = json_set(json, '$.next', 99)", "cursor", "1", (s) => s.loadCursor()],
      ["UPDATE cursor SET json = json_set(json, '$.blocks[0].hash', '0x')", "cursor", "1", (s) => s.loadCursor()],
      ["UPDATE jobs SET order_json = 'null'", "jobs", job.jobId, (s) => s.openJobs()],
      [
        "UPDATE jobs SET order_json = json_set(order_json, '$.resultKey', workload_id)",
        "jobs",
        job.jobId,
        (s) => s.openJobs(),
      ],
      [
        "UPDATE jobs SET order_json = json_set(order_json, '$.operatorFee', '8')",
        "jobs",
        job.jobId,
        (s) => s.job(job.jobId),
      ],
      ["UPDATE jobs SET params = x'7b7d'", "jobs", job.jobId, (s) => s.job(job.jobId)],
      ["UPDATE jobs SET params = zeroblob(1000000)", "jobs", job.jobId, (s) => s.job(job.jobId)],
      ["UPDATE jobs SET workload_id = opened_hash", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET deadline = deadline + 1", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET idx = '-1'", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET opened_block = -5", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET idx = NULL", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET opened_hash = NULL", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET requester_signature = x'00'", "jobs", job.jobId, (s) => s.openJobs()],
      ["UPDATE jobs SET closed_block = 5, closed_as = 'SettledOk'", "jobs", job.jobId, (s) => s.job(job.jobId)],
      ["UPDATE outcomes SET receipt_hash = job_id", "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      ["UPDATE jobs SET closed_block = 5", "jobs", job.jobId, (s) => s.job(job.jobId)],
      ["UPDATE jobs SET closed_block = 5, closed_as = 'Open'", "jobs", job.jobId, (s) => s.job(job.jobId)],
      ["UPDATE jobs SET job_id = 'x\n'", "jobs", "x\n", (s) => s.openJobs()],
      ["UPDATE outcomes SET signature = zeroblob(65)", "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      [
        "UPDATE outcomes SET receipt_json = replace(receipt_json, '1024', '1025')",
        "outcomes",
        job.jobId,
        (s) => s.outcome(job.jobId),
      ],
      ["UPDATE outcomes SET result_ciphertext = x'02'", "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      ["UPDATE outcomes SET result_ciphertext = NULL", "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      [`UPDATE outcomes SET signer = '${jobMarket}'`, "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      ["UPDATE outcomes SET created_at = -1", "outcomes", job.jobId, (s) => s.outcome(job.jobId)],
      ["UPDATE prints SET ciphertext = x'00'", "prints", job.jobId, (s) => printsIn(s, job)],
      ["UPDATE prints SET idx = 0", "prints", job.jobId, (s) => printsIn(s, job)],
      ["UPDATE prints SET entry = zeroblob(2000)", "prints", job.jobId, (s) => printsIn(s, job)],
      ["UPDATE prints SET proof_json = '['", "prints", job.jobId, (s) => printsIn(s, job)],
      ["DELETE FROM log_entries WHERE idx = 1", "log_entries", "log/1", (s) => s.logEntries("log", 0, 9)],
      [
        "UPDATE log_entries SET entry = zeroblob(100000) WHERE idx = 0",
        "log_entries",
        "log/0",
        (s) => s.logEntries("log", 0, 9),
      ],
    ];
    for (const [sql, table, rowKey, read] of cases) {
      it(`is noticed: ${sql.replace("\n", "\\n")}`, async () => {
        store.applyStep(cursorAt(3n), [opened(job, 2n)]);
        if (table === "prints") store.saveOutcome(await printedBy(job));
        else store.saveOutcome(await outcomeOf(job, hexToBytes("0x01")));
        for (const i of [0, 1, 2]) store.appendLog("log", i, Uint8Array.of(i));
        tamper(sql);
        const error = await rejection(() => read(store), CorruptRowError);
        expect([error.table, error.key]).to.deep.equal([table, rowKey]);
      });
    }

    it("is noticed when its pages are overwritten", async () => {
      store.applyStep(cursorAt(3n), [opened(job, 2n)]);
      store.close();
      const path = join(dir, "worker.db");
      const size = statSync(path).size;
      const file = openSync(path, "r+");
      writeSync(file, new Uint8Array(size - 4096).fill(0xff), 0, size - 4096, 4096);
      closeSync(file);
      await rejection(() => {
        store = openStore(dir, identity);
        store.openJobs();
        for (const id of [job.jobId, other.jobId]) store.outcome(id);
      }, StoreFailedError);
    });
  });

  it("starts with a cursor of one's choice when there is none", () => {
    expect(store.loadCursor() ?? startCursor(7n)).to.deep.equal({ start: 7n, next: 7n, blocks: [], rangeBlocks: 1000 });
  });
});
