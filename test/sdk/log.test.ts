/** Logs over HTTP: the worker's routes and the SDK that asks them, on a real log of a real server. */
import { expect } from "chai";
import { type Address, getAddress, type Hex, hexToBytes, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { NoSuchEntryError, UnknownLogError } from "../../enclave/http/logRoutes.ts";
import type { WorkerApi } from "../../enclave/http/workerApi.ts";
import { createLog } from "../../enclave/receipts/enclaveLog.ts";
import { domainOf, hashReceipt, type Receipt } from "../../protocol/eip712.ts";
import { hashLogHead } from "../../protocol/logHead.ts";
import type { LogSummary } from "../../protocol/logJson.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../protocol/merkle.ts";
import { DamagedEntriesError } from "../../protocol/merkleTree.ts";
import { receiptToJson } from "../../protocol/receiptJson.ts";
import { ServerRefusedError } from "../../sdk/boundedFetch.ts";
import { fetchLogEvidence, NoLogError, TooManyEntriesError, withoutAll } from "../../sdk/log.ts";
import { fetchConsistency, fetchInclusion, fetchLogEntries, fetchLogs, fetchLogView } from "../../sdk/logApi.ts";
import { LogMismatchError, requireAll, requireConsistent, requireEntry } from "../../sdk/logProofs.ts";
import { NoLivingLogError, verifyJobLog, verifyLivingLog } from "../../sdk/verifyLog.ts";
import { BadAnswerError } from "../../sdk/worker.ts";
import { expectProblem, startTestServer, type TestServer } from "../enclave/http/testServer.ts";
import { sampleJob, sampleReceipt } from "../support/emitter.ts";
import { rejection } from "../support/rejection.ts";

const jobMarket: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const domain = domainOf(31337, jobMarket);
const key = privateKeyToAccount(`0x${"31".repeat(32)}`);
const logId = key.address;
const job = sampleJob({ chainId: 31337, contracts: { jobMarket } } as Parameters<typeof sampleJob>[0], 1);
const { jobId } = job;
const size = 700;
/** Where entries about the job stand; the last is that of the receipt. */
const places = [3, 255, 256, 699];

describe("logs over HTTP", () => {
  const stored: Uint8Array[] = [];
  const log = createLog(logId, {
    appendLog: (_, __, entry) => void stored.push(entry),
    syncLog: () => undefined,
    logEntries: (_, from, count) => stored.slice(from, from + count),
  });
  let server: TestServer;
  let url: string;
  let receipt: Receipt;
  let earlier: LogSummary[] = [];
  let view: "head" | "receipt" | "nothing" = "head";

  before(async () => {
    log.append({ type: "boot", signingKey: logId, vaultKey: zeroHash, workloadId: zeroHash, previous: null });
    while (log.size() < size) {
      if (places.includes(log.size())) log.append({ type: "input.destroyed", jobId, count: log.size() });
      else log.append({ type: "key.signed", digest: zeroHash });
    }
    receipt = { ...sampleReceipt(job), logRoot: log.head().root, logSize: BigInt(size) };
    for (let i = 0; i < 100; i++) log.append({ type: "enclave.lost" });
    const head = { ...log.head(), anchorBlock: 1n, anchorHash: zeroHash };
    const headSignature = await key.sign({ hash: hashLogHead(domain, head) });
    const older = { ...receipt, logRoot: log.rootAt(300), logSize: 300n };
    const olderSignature = await key.sign({ hash: hashReceipt(domain, older) });
    const summary = { logId, size: log.size(), root: head.root, living: true, intact: true };
    const logs: WorkerApi["logs"] = {
      list: () => [summary, ...earlier],
      find: (asked) => (asked === logId ? log : undefined),
      async view(asked) {
        if (asked !== logId) return undefined;
        const words = {
          head: { head: { ...head, size: `${head.size}`, anchorBlock: "1", signature: headSignature } },
          receipt: { receipt: { receipt: receiptToJson(older), signature: olderSignature, signer: logId } },
          nothing: {},
        };
        return { ...summary, ...words[view] };
      },
    };
    const signed = {
      receipt: receiptToJson(receipt),
      signature: await key.sign({ hash: hashReceipt(domain, receipt) }),
    };
    server = await startTestServer({ api: { logs, receipt: async () => ({ ...signed, signer: logId }) } });
    url = `http://127.0.0.1:${server.port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    view = "head";
    earlier = [];
  });

  it("lists logs, shows heads, hands out entries", async () => {
    expect(await fetchLogs(url)).to.deep.equal([
      { logId, size: 800, root: log.rootAt(800), living: true, intact: true },
    ]);
    expect(await fetchLogView(url, logId)).to.have.nested.property("head.size", 800n);
    expect(await fetchLogView(url, logId.toLowerCase() as Address)).to.have.property("logId", logId);
    const entries = await fetchLogEntries(url, logId, { from: 100, to: 750 });
    expect(entries).to.deep.equal(stored.slice(100, 750).map((entry) => new TextDecoder().decode(entry)));
    const { body } = await server.send("GET", `/logs/${logId}/entries?from=798&count=256`);
    expect(JSON.parse(body.toString())).to.deep.equal({ logId, from: 798, entries: log.entries(798, 2) });
    const end = await server.send("GET", `/logs/${logId}/entries?from=800&count=1`);
    expect(JSON.parse(end.body.toString())).to.deep.equal({ logId, from: 800, entries: [] });
  });

  it("proves inclusion and consistency", async () => {
    const bytes = (hashes: readonly Hex[]) => hashes.map((hash) => hexToBytes(hash));
    const [root, later] = [hexToBytes(receipt.logRoot), hexToBytes(log.rootAt(800))];
    const inclusion = bytes(await fetchInclusion(url, logId, { index: 256, size }));
    expect(verifyInclusion(leafHash(stored[256] ?? root), 256, size, inclusion, root)).to.equal(true);
    const consistency = bytes(await fetchConsistency(url, logId, { from: size, to: 800 }));
    expect(verifyConsistency(size, root, 800, later, consistency)).to.equal(true);
    const { body } = await server.send("GET", `/logs/${logId}/consistency?from=700&to=700`);
    const same = { fromRoot: receipt.logRoot, toRoot: receipt.logRoot, proof: [] };
    expect(JSON.parse(body.toString())).to.deep.equal({ logId, from: 700, to: 700, ...same });
  });

  it("refuses what is not there, and what is no number, with problems", async () => {
    const other = getAddress(jobMarket);
    for (const path of ["", "/entries?from=0&count=1", "/inclusion?index=0&size=1", "/consistency?from=1&to=1"]) {
      const answer = await server.send("GET", `/logs/${other}${path}`);
      expectProblem(answer, 404, "Not Found", new UnknownLogError(other));
    }
    for (const path of [
      "entries?from=801&count=1",
      "inclusion?index=0&size=801",
      "inclusion?index=700&size=700",
      "inclusion?index=0&size=0",
      "consistency?from=0&to=1",
      "consistency?from=2&to=1",
      "consistency?from=1&to=801",
      "consistency?from=1&to=9007199254740991",
    ])
      expectProblem(
        await server.send("GET", `/logs/${logId}/${path}`),
        404,
        "Not Found",
        new NoSuchEntryError(logId, 800),
      );
    for (const path of [
      "0x12",
      `${logId}x`,
      `${logId}?x=1`,
      `${logId}/entries`,
      `${logId}/entries?from=0&count=0`,
      `${logId}/entries?from=0&count=257`,
      `${logId}/entries?from=-1&count=1`,
      `${logId}/entries?from=01&count=1`,
      `${logId}/entries?from=0&from=1&count=1`,
      `${logId}/entries?from=9007199254740992&count=1`,
      `${logId}/inclusion?index=0x1&size=1`,
      `${logId}/inclusion?index=0&size=1&x=1`,
      `${logId}/consistency?from=1e3&to=1`,
    ]) {
      const { status, body } = await server.send("GET", `/logs/${path}`);
      expect([status, JSON.parse(body.toString()).name], path).to.deep.equal([400, "Http.BadParameterError"]);
    }
    for (const path of ["/logs", `/logs/${logId}`, `/logs/${logId}/entries?from=0&count=1`]) {
      expect((await server.send("GET", path, { body: "x" })).status, path).to.equal(413);
      expect((await server.send("POST", path)).status, path).to.equal(405);
    }
  });

  it("answers 500 rather than with entries that the disk changed", async () => {
    const kept = stored[300] ?? new Uint8Array();
    stored[300] = new Uint8Array(2);
    try {
      const damaged = new DamagedEntriesError(256);
      for (const path of ["entries?from=300&count=1", "inclusion?index=300&size=700"])
        expectProblem(await server.send("GET", `/logs/${logId}/${path}`), 500, "Internal Server Error", damaged);
      const failure = await rejection(() => fetchLogEvidence(url, { receipt, signer: logId }), ServerRefusedError);
      expect(failure.problem).to.equal(damaged.name);
    } finally {
      stored[300] = kept;
    }
  });

  it("collects evidence with the whole log, or with proofs only where it is too long", async () => {
    const whole = await fetchLogEvidence(url, { receipt, signer: logId });
    const parts = await fetchLogEvidence(url, { receipt, signer: logId }, { maxEntries: 699 });
    expect(parts.boot).to.deep.equal(whole.boot);
    expect(parts.entries).to.deep.equal(whole.entries);
    expect(whole.entries.map(({ index }) => index)).to.deep.equal(places);
    for (const proven of [whole.boot, ...whole.entries]) requireEntry(proven, receipt);
    if ("missing" in whole.all || "missing" in whole.other) throw new Error("it is whole");
    expect(requireAll(whole.all, receipt)).to.have.length(size);
    expect(requireConsistent(domain, whole.other, receipt, logId)).to.equal(800n);
    expect(parts.all).to.deep.equal({
      missing: "the log has 700 entries, too many to read: whether something was left out was not looked at",
    });
    expect(withoutAll(whole, 10_000_000)).to.equal(whole);
    expect(withoutAll(parts, 1)).to.equal(parts);
    const trimmed = withoutAll(whole, 1000);
    expect(trimmed).to.deep.equal({ ...whole, all: { missing: "the log has 700 entries, which were left out" } });
  });

  it("takes an older receipt of the same key as its other word, and says when there is none", async () => {
    view = "receipt";
    const { other } = await fetchLogEvidence(url, { receipt, signer: logId });
    if (!("receipt" in other)) throw new Error("a receipt");
    expect(requireConsistent(domain, other, receipt, logId)).to.equal(300n);
    const forged = { ...other, receipt: { ...other.receipt, signature: `0x${"11".repeat(65)}` as Hex } };
    expect(() => requireConsistent(domain, forged, receipt, logId)).to.throw(LogMismatchError, "not signed by");
    expect(() => requireConsistent(domain, { ...other, proof: [] }, receipt, logId)).to.throw(
      LogMismatchError,
      "its key signed two logs, of 700 and 300 entries, that are not one",
    );
    view = "nothing";
    expect((await fetchLogEvidence(url, { receipt, signer: logId })).other).to.deep.equal({
      missing: "the worker shows no other word of this enclave",
    });
  });

  it("verifies the living log and a job's place, and refuses what does not fit", async () => {
    const living = await verifyLivingLog(domain, url);
    expect([living.logId, living.size, living.previous, living.entries.length]).to.deep.equal([logId, 800n, null, 800]);
    const found = await verifyJobLog(domain, url, jobId);
    expect([found.logId, found.complete, found.entries.map(({ index }) => index)]).to.deep.equal([logId, true, places]);
    expect(found.entries[0]?.entry).to.deep.equal({ type: "input.destroyed", jobId, count: 3 });

    const otherMarket = domainOf(31337, logId);
    const unsigned = await rejection(() => verifyLivingLog(otherMarket, url), LogMismatchError);
    expect(unsigned.message).to.equal("Log refused: its head is not signed by its key.");
    // Under another domain the signature is some other key's.
    await rejection(() => verifyJobLog(otherMarket, url, jobId), ServerRefusedError);
    earlier = [{ logId: getAddress(jobMarket), size: 1, root: zeroHash, living: false, intact: true }];
    const unnamed = await rejection(() => verifyLivingLog(domain, url), LogMismatchError);
    expect(unnamed.message).to.equal(
      "Log refused: the earlier log that the worker lists is not the one that its boot found.",
    );
    view = "nothing";
    await rejection(() => verifyLivingLog(domain, url), NoLivingLogError);
  });

  it("refuses impossible sizes, answers that are none, and a job that is all over the log", async () => {
    for (const logSize of [0n, 2n ** 53n]) {
      const odd = { receipt: { ...receipt, logSize }, signer: logId };
      await rejection(() => fetchLogEvidence(url, odd), NoLogError);
    }
    const longer = { receipt: { ...receipt, logSize: 801n }, signer: logId };
    await rejection(() => fetchLogEvidence(url, longer), BadAnswerError);
    await rejection(() => fetchLogEntries(url, logId, { from: 790, to: 801 }), BadAnswerError);
    const count = stored.length;
    for (let i = 0; i < 512; i++) log.append({ type: "input.destroyed", jobId, count: i });
    const all = { ...receipt, logRoot: log.head().root, logSize: log.head().size };
    await rejection(() => fetchLogEvidence(url, { receipt: all, signer: logId }), TooManyEntriesError);
    expect(stored.length).to.equal(count + 512);
  });
});
