import { expect } from "chai";
import { bytesToHex, type Hex, keccak256, sha256 } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import { inclusionProof, leafHash, merkleRoot } from "../../protocol/merkle.ts";
import {
  BadPrintsError,
  decodePrints,
  encodePrints,
  lostPrints,
  maxPrintsBytes,
  type PrintsEntry,
  provePrints,
  type SealedPrints,
  sealedPrintsSchema,
  sealedPrintsToJson,
} from "../../protocol/prints.ts";
import { rejection } from "../support/rejection.ts";

const jobId = keccak256("0x01");
const salt = keccak256("0x02");
const text = new TextEncoder().encode("a\nb\n");
const prints = { jobId, salt, text, cut: false, hash: sha256(text) };

/** What an error says was wrong. */
async function fault(work: () => unknown): Promise<string> {
  const { message } = await rejection(work, BadPrintsError);
  return message.replace("These are not the prints that the enclave sealed: ", "");
}

describe("decodePrints", () => {
  it("reads what encodePrints makes, of one size whatever was printed", () => {
    const full = new Uint8Array(maxPrintsBytes).fill(0x20);
    const cases = [prints, { ...prints, ...lostPrints }, { ...prints, text: full, cut: true, hash: salt }];
    for (const one of cases) {
      const plaintext = encodePrints(one);
      expect(plaintext.length).to.equal(512 + maxPrintsBytes);
      expect(decodePrints(plaintext, jobId)).to.deep.equal(one);
    }
  });

  it("refuses every other text, byte by byte", async () => {
    const plaintext = encodePrints(prints);
    const at = (index: number, byte: number) => {
      const changed = plaintext.slice();
      changed[index] = byte;
      return () => decodePrints(changed, jobId);
    };
    expect(await fault(() => decodePrints(plaintext.subarray(1), jobId))).to.equal("they have 66047 bytes inside.");
    expect(await fault(at(0, 0x5b))).to.equal("their first line is another.");
    expect(await fault(at(512, 0x62))).to.equal("they have another hash than they say.");
    expect(await fault(at(600, 0))).to.equal("there is something beside them.");
    expect(await fault(at(511, 0x20))).to.equal("there is something beside them.");
    expect(await fault(() => decodePrints(plaintext, salt))).to.equal(`they are of job ${jobId}.`);
    expect(await fault(() => decodePrints(encodePrints({ ...prints, hash: salt }), jobId))).to.equal(
      "they have another hash than they say.",
    );
  });
});

describe("provePrints", () => {
  const ciphertext = Uint8Array.of(1, 2, 3);
  const entry: PrintsEntry = {
    type: "prints.sealed",
    jobId,
    sealedHash: sha256(ciphertext),
    printsCommitment: salt,
    readers: 1,
  };

  /** A log of five with this entry at its place, and the receipt that commits to it. */
  function logged(logs: unknown = entry, index = 3) {
    const bytes = toJcsBytes(logs);
    const leaves = [0, 1, 2, 3, 4].map((i) => leafHash(i === index ? bytes : Uint8Array.of(i)));
    const receipt = { jobId, logRoot: bytesToHex(merkleRoot(leaves)), logSize: 5n };
    const proof = inclusionProof(leaves, index).map((hash): Hex => bytesToHex(hash));
    return { receipt, sealed: { ciphertext, entry: bytes, index, proof } satisfies SealedPrints };
  }

  it("gives the entry of the log, also after a way as JSON", () => {
    const { sealed, receipt } = logged();
    expect(provePrints(sealed, receipt)).to.deep.equal(entry);
    const read = sealedPrintsSchema.parse(JSON.parse(JSON.stringify(sealedPrintsToJson(sealed))));
    expect(provePrints(read, receipt)).to.deep.equal(entry);
  });

  it("refuses what the log has not, or has of something else", async () => {
    const { sealed, receipt } = logged();
    const unlogged = "their entry is not in the log that the receipt commits to.";
    const others: Partial<SealedPrints>[] = [{ index: 2 }, { index: 5 }, { proof: [] }, { entry: Uint8Array.of(0) }];
    for (const other of others) {
      expect(await fault(() => provePrints({ ...sealed, ...other }, receipt))).to.equal(unlogged);
    }
    expect(await fault(() => provePrints(sealed, { ...receipt, logSize: 4n }))).to.equal(unlogged);
    expect(await fault(() => provePrints(sealed, { ...receipt, logSize: 2n ** 64n - 1n }))).to.equal(unlogged);
    const forged = { ...sealed, ciphertext: Uint8Array.of(1, 2) };
    expect(await fault(() => provePrints(forged, receipt))).to.equal("the log has another ciphertext's hash.");
    const result = logged({ type: "result.sealed", jobId, resultHash: salt, readers: 1 });
    expect(await fault(() => provePrints(result.sealed, result.receipt))).to.equal(
      "the log's entry is about something else.",
    );
    const another = logged({ ...entry, jobId: salt });
    expect(await fault(() => provePrints(another.sealed, another.receipt))).to.equal(`they are of job ${salt}.`);
  });
});
