import { expect } from "chai";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { createLog, type LogStorage, reopenLog } from "../../../enclave/receipts/enclaveLog.ts";
import { CorruptRowError } from "../../../enclave/store/rows.ts";
import { readLogEntry } from "../../../protocol/logEntry.ts";
import { leafHash, merkleRoot, verifyConsistency, verifyInclusion } from "../../../protocol/merkle.ts";
import { DamagedEntriesError } from "../../../protocol/merkleTree.ts";

const id: Hex = `0x${"01".repeat(32)}`;
const logId: Hex = `0x${"01".repeat(20)}`;

/** Storage that keeps entries where the test can change them. */
function memory(): LogStorage & { stored: Uint8Array[] } {
  const stored: Uint8Array[] = [];
  return {
    stored,
    syncLog: () => undefined,
    appendLog: (of, index, entry) => {
      expect([of, index]).to.deep.equal([logId, stored.length]);
      stored.push(entry);
    },
    logEntries: (_, from, count) => stored.slice(from, from + count),
  };
}

function grow(entries: number) {
  const storage = memory();
  const log = createLog(logId, storage);
  for (let count = 0; count < entries; count++) log.append({ type: "input.destroyed", jobId: id, count });
  return { log, stored: storage.stored, storage };
}

describe("enclaveLog", () => {
  it("commits to every entry it has stored, in order, under root and size", () => {
    const { log, stored } = grow(0);
    const empty = log.head();
    log.append({ type: "boot", signingKey: logId, vaultKey: id, workloadId: id, previous: null });
    log.append({ type: "job.refused", jobId: id, failureCode: "GrantMissing" });
    log.append({ type: "input.destroyed", jobId: id, count: 2 });
    const { root, size } = log.head();
    expect(root).to.equal(bytesToHex(merkleRoot(stored.map(leafHash))));
    expect(size).to.equal(3n);
    expect(root).to.not.equal(empty.root);
    expect(new TextDecoder().decode(stored[1])).to.equal(
      `{"failureCode":"GrantMissing","jobId":"${id}","type":"job.refused"}`,
    );
    expect(log.entries(0, 9).map((text) => readLogEntry(text)?.type)).to.deep.equal([
      "boot",
      "job.refused",
      "input.destroyed",
    ]);
  });

  it("does not commit to what could not be stored", () => {
    const { log, storage } = grow(1);
    storage.appendLog = () => {
      throw new Error("disk full");
    };
    const before = log.head();
    expect(() => log.append({ type: "input.destroyed", jobId: id, count: 0 })).to.throw("disk full");
    expect(log.head()).to.deep.equal(before);
  });

  it("proves inclusion and growth, and hands out entries, across blocks", () => {
    const { log, stored } = grow(600);
    const root = hexToBytes(log.rootAt(600));
    for (const index of [0, 255, 256, 599]) {
      const proof = log.inclusion(index, 600).map((hash) => hexToBytes(hash));
      expect(verifyInclusion(leafHash(stored[index] ?? root), index, 600, proof, root)).to.equal(true);
    }
    const proof = log.consistency(300, 600).map((hash) => hexToBytes(hash));
    expect(verifyConsistency(300, hexToBytes(log.rootAt(300)), 600, root, proof)).to.equal(true);
    const texts = (from: number, count: number) => log.entries(from, count).map((text) => JSON.parse(text).count);
    expect(texts(254, 4)).to.deep.equal([254, 255, 256, 257]);
    expect(texts(598, 256)).to.deep.equal([598, 599]);
    expect(texts(600, 1)).to.deep.equal([]);
    expect(texts(100, 412)).to.have.length(412);
  });

  it("hands out nothing that the disk changed, and still signs what was", () => {
    const { log, stored } = grow(300);
    const head = log.head();
    stored[299] = stored[298] ?? new Uint8Array();
    for (const ask of [() => log.entries(256, 1), () => log.inclusion(0, 300), () => log.consistency(270, 300)])
      expect(ask).to.throw(DamagedEntriesError).with.property("from", 256);
    expect(log.entries(0, 256)).to.have.length(256);
    expect(log.head()).to.deep.equal(head);
  });

  it("reopens an earlier log to the same root, or as far as it can be read", () => {
    const { log, storage, stored } = grow(513);
    const again = reopenLog(logId, storage);
    expect([again.whole, again.log.size()]).to.deep.equal([true, 513]);
    expect(again.log.rootAt(513)).to.equal(log.head().root);
    const read = storage.logEntries;
    storage.logEntries = (of, from, count) => {
      if (from >= 256) throw new CorruptRowError("log_entries", "x");
      return read(of, from, count);
    };
    const part = reopenLog(logId, storage);
    expect([part.whole, part.log.size(), part.log.rootAt(256)]).to.deep.equal([false, 256, log.rootAt(256)]);
    expect(() => log.entries(512, 1)).to.throw(DamagedEntriesError);
    storage.logEntries = read;
    stored.pop();
    expect(reopenLog(logId, storage).log.size()).to.equal(512);
  });
});
