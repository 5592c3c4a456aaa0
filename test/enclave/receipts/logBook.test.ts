import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { type Address, getAddress, type Hex, isAddressEqual } from "viem";
import { createIdentity, type EnclaveIdentity } from "../../../enclave/attestation/identity.ts";
import { logApi } from "../../../enclave/receipts/logApi.ts";
import { type LogBook, openLogBook } from "../../../enclave/receipts/logBook.ts";
import { logReceivedKeys, logReleases, logSignatures } from "../../../enclave/receipts/logUses.ts";
import { openStore, type Store } from "../../../enclave/store/store.ts";
import { domainOf, hashReceipt } from "../../../protocol/eip712.ts";
import { readLogEntry } from "../../../protocol/logEntry.ts";
import { hashLogHead } from "../../../protocol/logHead.ts";
import { logsSchema, logViewSchema } from "../../../protocol/logJson.ts";
import { recoverSigner } from "../../../protocol/signature.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const jobMarket: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const domain = domainOf(31337, jobMarket);
const id: Hex = `0x${"07".repeat(32)}`;

describe("logBook", () => {
  let dir: string;
  let store: Store;
  let damaged: Hex[];
  let anchorBlock: bigint;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dcm-logs-"));
    store = openStore(dir, { chainId: 31337, jobMarket });
    damaged = [];
    anchorBlock = 5n;
  });
  afterEach(() => {
    store.close();
    rmSync(dir, { recursive: true });
  });

  /** One life of a worker. */
  async function boot(): Promise<{ book: LogBook; identity: EnclaveIdentity }> {
    const identity = await createIdentity();
    const anchor = async () => ({ number: anchorBlock, hash: id });
    const book = openLogBook({
      domain,
      identity,
      workloadId: id,
      storage: store,
      anchor,
      damaged: (x) => damaged.push(x),
    });
    return { book, identity };
  }

  /** Lets an enclave sign a FAILED receipt over its log as it is. */
  function signReceipt({ book, identity }: { book: LogBook; identity: EnclaveIdentity }) {
    const job = sampleJob(deploymentOf(), 1);
    const { root, size } = book.log.head();
    const failed = { status: 2, resultHash: `0x${"00".repeat(32)}`, failureCode: 1 } as const;
    const receipt = { ...sampleReceipt(job), ...failed, logRoot: root, logSize: size };
    const signature = identity.signDigest(hashReceipt(domain, receipt));
    const { signingKey: signer } = identity;
    store.saveOutcome({
      jobId: job.jobId,
      signer,
      receipt,
      signature,
      grants: [],
      resultCiphertext: null,
      createdAt: 1,
    });
    return receipt;
  }

  /** Changes the database behind the store's back. */
  function tamper(sql: string): void {
    store.close();
    const db = new DatabaseSync(join(dir, "worker.db"));
    db.exec(sql);
    db.close();
    store = openStore(dir, { chainId: 31337, jobMarket });
  }

  const bootOf = (book: LogBook, identity: EnclaveIdentity) =>
    readLogEntry(book.find(identity.signingKey)?.entries(0, 1)[0] ?? "");

  it("begins a log for each boot, which names the newest it finds, with its root", async () => {
    const first = await boot();
    const { signingKey, vaultKey } = first.identity;
    expect(bootOf(first.book, first.identity)).to.deep.equal({
      type: "boot",
      signingKey,
      vaultKey,
      workloadId: id,
      previous: null,
    });
    first.book.log.append({ type: "input.destroyed", jobId: id, count: 1 });
    const { root } = first.book.log.head();
    const second = await boot();
    const named = { logId: signingKey, root, size: 2, intact: true };
    expect(bootOf(second.book, second.identity)).to.have.deep.property("previous", named);
    const third = await boot();
    expect(third.book.list().map(({ logId, living, size }) => [logId, living, size])).to.deep.equal([
      [third.identity.signingKey, true, 1],
      [second.identity.signingKey, false, 1],
      [signingKey, false, 2],
    ]);
    expect(third.book.find(signingKey)?.entries(1, 1)).to.have.length(1);
    expect(third.book.find(getAddress(jobMarket))).to.equal(undefined);
    expect(damaged).to.deep.equal([]);
  });

  const damages: [string, string, boolean][] = [
    ["an entry that is not what its receipt commits to", "UPDATE log_entries SET entry = x'7b7d' WHERE idx = 1", false],
    ["an entry that is gone", "DELETE FROM log_entries WHERE idx = 1", false],
    ["entries that are cut off below its receipt", "DELETE FROM log_entries WHERE idx >= 1", false],
    ["a receipt that is another's", "UPDATE outcomes SET signature = zeroblob(65)", false],
    ["a receipt that is no JSON", "UPDATE outcomes SET receipt_json = 'x'", false],
    ["an entry after its last receipt: nobody has signed it", "DELETE FROM log_entries WHERE idx = 3", true],
  ];
  for (const [what, sql, intact] of damages) {
    it(`${intact ? "cannot tell" : "tells"} of ${what}`, async () => {
      const first = await boot();
      for (const count of [1, 2]) first.book.log.append({ type: "input.destroyed", jobId: id, count });
      signReceipt(first);
      first.book.log.append({ type: "input.destroyed", jobId: id, count: 3 });
      tamper(sql);
      const second = await boot();
      expect(damaged).to.deep.equal(intact ? [] : [first.identity.signingKey]);
      const entry = bootOf(second.book, second.identity);
      expect(entry?.type === "boot" && entry.previous?.intact).to.equal(intact);
      expect(second.book.list()[1]).to.include({ logId: first.identity.signingKey, intact });
    });
  }

  it("lists a log once, however often the disk names its key", async () => {
    const { signingKey } = (await boot()).identity;
    tamper(`INSERT INTO log_entries VALUES ('${signingKey.toLowerCase()}', 0, x'00')`);
    const second = await boot();
    expect(second.book.list().map(({ logId }) => logId)).to.deep.equal([second.identity.signingKey, signingKey]);
  });

  it("takes no log from the disk that cannot be one, and forgets what the disk forgets: its boot shows it", async () => {
    const first = await boot();
    await boot();
    tamper("DELETE FROM log_entries WHERE rowid > 1; INSERT INTO log_entries VALUES ('nonsense', 0, x'00')");
    const third = await boot();
    expect(bootOf(third.book, third.identity)).to.have.nested.property("previous.logId", first.identity.signingKey);
  });

  it("signs heads of the living log without making it grow, and shows the last receipt of an earlier one", async () => {
    const first = await boot();
    const receipt = signReceipt(first);
    const api = logApi(first.book);
    const view = logViewSchema.parse(await api.view(first.identity.signingKey));
    expect(view).to.include({ size: 1, living: true, intact: true, root: receipt.logRoot });
    if (view.head === undefined) throw new Error("a head");
    expect(view.head).to.include({ size: 1n, anchorBlock: 5n, anchorHash: id, root: receipt.logRoot });
    const signer = recoverSigner(hashLogHead(domain, view.head), view.head.signature);
    expect(signer !== undefined && isAddressEqual(signer, first.identity.signingKey)).to.equal(true);
    expect(await api.view(first.identity.signingKey)).to.have.nested.property("head.signature", view.head.signature);
    first.book.log.append({ type: "enclave.lost" });
    expect(await first.book.signedHead()).to.have.nested.property("head.size", 2n);

    const later = logApi((await boot()).book);
    const earlier = logViewSchema.parse(await later.view(first.identity.signingKey));
    expect(earlier).to.include({ size: 2, living: false }).and.not.have.property("head");
    expect(earlier.receipt?.receipt).to.deep.equal(receipt);
    expect(logsSchema.parse({ logs: later.list() }).logs).to.have.length(2);
    expect(await later.view(getAddress(jobMarket))).to.equal(undefined);
  });

  it("has every signature, key and release in the log, before or when it happens", async () => {
    const { book, identity } = await boot();
    const logged = logSignatures(identity, book.log);
    const digest: Hex = `0x${"09".repeat(32)}`;
    expect(recoverSigner(digest, logged.signDigest(digest))).to.equal(identity.signingKey);
    const held = new Set<Hex>();
    const key = Uint8Array.of(1, 2);
    const opening = { ...logged, openSealedKey: async () => key };
    const receiving = logReceivedKeys(opening, book.log, (hash) => held.has(hash));
    const sealed = {} as Parameters<EnclaveIdentity["openSealedKey"]>[1];
    expect(await receiving.openSealedKey(id, sealed)).to.equal(key);
    held.add(id);
    await receiving.openSealedKey(id, sealed);
    const released = logReleases(book.log);
    for (const jobId of [id, id, digest]) released(jobId, Uint8Array.of(1));
    const resultHash = "0x4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
    expect(book.find(identity.signingKey)?.entries(1, 9).map(readLogEntry)).to.deep.equal([
      { type: "key.signed", digest },
      { type: "key.received", grantHash: id },
      { type: "result.released", jobId: id, resultHash },
      { type: "result.released", jobId: digest, resultHash },
    ]);
  });

  it("has the entries on disk before a signature, a received key, a result or a head is given away", async () => {
    const { identity } = await boot();
    const told: string[] = [];
    const log = { append: () => told.push("append"), sync: () => void told.push("sync") };
    const spied = {
      ...identity,
      signDigest: () => {
        told.push("sign");
        return id;
      },
      openSealedKey: async () => Uint8Array.of(1),
    };
    logSignatures(spied, log).signDigest(id);
    expect(told.splice(0)).to.deep.equal(["append", "sync", "sign"]);
    await logReceivedKeys(spied, log, () => false).openSealedKey(id, {} as never);
    logReleases(log)(id, Uint8Array.of(1));
    expect(told.splice(0)).to.deep.equal(["append", "sync", "append", "sync"]);
    const storage: Store = {
      ...store,
      appendLog: (...entry) => {
        told.push("append");
        store.appendLog(...entry);
      },
      syncLog: () => void told.push("sync"),
    };
    const anchor = async () => ({ number: 5n, hash: id });
    const parts = { domain, workloadId: id, storage, anchor, damaged: () => undefined };
    const book = openLogBook({ ...parts, identity: { ...spied, signDigest: () => id } });
    expect(told.splice(0)).to.deep.equal(["append", "sync"]);
    await book.signedHead();
    await book.signedHead();
    expect(told.splice(0)).to.deep.equal(["sync"]);

    const broken = {
      ...log,
      sync: () => {
        throw new Error("disk full");
      },
    };
    expect(() => logSignatures(spied, broken).signDigest(id)).to.throw("disk full");
    expect(told).to.deep.equal(["append"]);
  });

  it("neither signs nor gives a key away if the entry cannot be written", async () => {
    const { identity } = await boot();
    const full = {
      append: () => {
        throw new Error("disk full");
      },
      sync: () => undefined,
    };
    let signed = false;
    const spied = {
      ...identity,
      signDigest: () => {
        signed = true;
        return id;
      },
    };
    expect(() => logSignatures(spied, full).signDigest(id)).to.throw("disk full");
    expect(signed).to.equal(false);
    const key = Uint8Array.of(1, 2);
    const receiving = logReceivedKeys({ ...identity, openSealedKey: async () => key }, full, () => false);
    const failure = await receiving.openSealedKey(id, {} as never).catch((error: unknown) => error);
    expect([String(failure), [...key]]).to.deep.equal(["Error: disk full", [0, 0]]);
  });
});

function deploymentOf() {
  return { chainId: 31337, contracts: { jobMarket } } as Parameters<typeof sampleJob>[0];
}
