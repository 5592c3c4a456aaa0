import { expect } from "chai";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { createLog } from "../../../enclave/receipts/enclaveLog.ts";
import { inclusionProof, leafHash, merkleRoot, verifyInclusion } from "../../../protocol/merkle.ts";

const id: Hex = `0x${"01".repeat(32)}`;

describe("enclaveLog", () => {
  it("commits to every entry it has stored, in order, under root and size", () => {
    const stored: Uint8Array[] = [];
    const log = createLog(id, {
      appendLog: (logId, index, entry) => {
        expect([logId, index]).to.deep.equal([id, stored.length]);
        stored.push(entry);
      },
    });
    const empty = log.head();
    log.append({ type: "boot", signingKey: id, vaultKey: id, workloadId: id });
    log.append({ type: "job.refused", jobId: id, failureCode: "GrantMissing" });
    log.append({ type: "input.destroyed", jobId: id, count: 2 });
    const { root, size } = log.head();
    const leaves = stored.map(leafHash);
    expect(root).to.equal(bytesToHex(merkleRoot(leaves)));
    expect(size).to.equal(3n);
    expect(root).to.not.equal(empty.root);
    expect(
      verifyInclusion(leafHash(stored[1] ?? new Uint8Array()), 1, 3, inclusionProof(leaves, 1), hexToBytes(root)),
    ).to.equal(true);
    expect(new TextDecoder().decode(stored[1])).to.equal(
      `{"failureCode":"GrantMissing","jobId":"${id}","type":"job.refused"}`,
    );
  });

  it("does not commit to what could not be stored", () => {
    const log = createLog(id, {
      appendLog: () => {
        throw new Error("disk full");
      },
    });
    const before = log.head();
    expect(() => log.append({ type: "input.destroyed", jobId: id, count: 0 })).to.throw("disk full");
    expect(log.head()).to.deep.equal(before);
  });
});
