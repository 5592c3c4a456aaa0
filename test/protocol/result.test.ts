import { expect } from "chai";
import { bytesToHex, concatHex, type Hex, keccak256, sha256, stringToHex } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import {
  commitmentSalt,
  decodeResult,
  encodeResult,
  noiseSeed,
  outputCommitmentOf,
  type ResultEnvelope,
  resultSize,
} from "../../protocol/result.ts";
import { expectError } from "./quote/vectors.ts";

const jobId: Hex = `0x${"ab".repeat(32)}`;
const salt: Hex = `0x${"cd".repeat(32)}`;
const envelope: ResultEnvelope = { v: 1, jobId, salt, output: { r: 0.5, n: 2 } };
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe("encodeResult and decodeResult", () => {
  it("carry an envelope there and back, canonically", () => {
    const bytes = encodeResult(envelope);
    expect(new TextDecoder().decode(bytes)).to.equal(
      `{"jobId":"${jobId}","output":{"n":2,"r":0.5},"salt":"${salt}","v":1}`,
    );
    expect(decodeResult(bytes, jobId)).to.deep.equal(envelope);
    expect(decodeResult(bytes, jobId.toUpperCase().replace("0X", "0x") as Hex)).to.deep.equal(envelope);
  });

  it("pad to the first size class that holds the envelope, with spaces behind it", () => {
    const plain = encodeResult(envelope);
    expect(resultSize(toJcsBytes(envelope.output).length)).to.equal(plain.length);
    for (const [pad, size] of [
      [[plain.length], plain.length],
      [[plain.length - 1, plain.length + 1], plain.length + 1],
      [[256, 1024], 256],
      [[1024, 4096], 1024],
    ] as const) {
      const padded = encodeResult(envelope, pad);
      expect(padded.length).to.equal(size);
      expect(new TextDecoder().decode(padded)).to.equal(new TextDecoder().decode(plain).padEnd(size));
      const read = decodeResult(padded, jobId);
      expect(read).to.deep.equal(envelope);
      expect(outputCommitmentOf(read)).to.equal(outputCommitmentOf(envelope));
    }
    const other = { ...envelope, output: { r: 0.25, n: 3, more: "x".repeat(50) } };
    expect(encodeResult(other, [512]).length).to.equal(encodeResult(envelope, [512]).length);
    expectError(
      () => encodeResult(envelope, [256 - 100, plain.length - 1]),
      "Result.ResultTooLargeError",
      `The result is larger than ${plain.length - 1} bytes, the largest size class of its program's policy.`,
    );
    expect(resultSize(10, [64, 128])).to.equal(undefined);
  });

  it("refuse any padding but spaces at the end, and any text but the canonical one", () => {
    const text = new TextDecoder().decode(encodeResult(envelope));
    const prefix = "The result is not what a worker of this project seals: ";
    const refuse = (other: string, fact: string) =>
      expectError(() => decodeResult(new TextEncoder().encode(other), jobId), "Result.BadResultError", prefix + fact);
    for (const tail of ["\n", "\t", "\r", " \n", "\n ", " \n "]) refuse(text + tail, "not canonical JSON");
    for (const tail of ["\0", "\v", "\u00a0", "\ufeff", "{}", " {}", "//"]) refuse(text + tail, "not UTF-8 JSON");
    refuse(` ${text}`, "not canonical JSON");
    refuse(`\ufeff${text}`, "not UTF-8 JSON");
    refuse(text.replace(",", ", "), "not canonical JSON");
    refuse(text.replace('"n":2', '"n":2.0'), "not canonical JSON");
    refuse(text.replace('"n":2', '"n":1,"n":2'), "not canonical JSON");
    refuse(JSON.stringify(envelope), "not canonical JSON"); // keys in another order
    refuse("   ", "not UTF-8 JSON");
  });

  it("refuse what is not an envelope of the job", () => {
    const refuse = (bytes: Uint8Array, message: string | RegExp) =>
      expectError(() => decodeResult(bytes, jobId), "Result.BadResultError", message);
    const prefix = "The result is not what a worker of this project seals: ";
    refuse(new Uint8Array(), `${prefix}not UTF-8 JSON`);
    refuse(Uint8Array.of(0xff), `${prefix}not UTF-8 JSON`);
    refuse(encode({ ...envelope, jobId: salt }), `${prefix}it is of job ${salt}`);
    refuse(encode({ ...envelope, v: 2 }), /Invalid input/);
    refuse(encode({ ...envelope, salt: "0x12" }), /must be 0x and 32 bytes of hex/);
    refuse(encode({ ...envelope, more: 1 }), /Unrecognized key/);
    refuse(encode({ v: 1, jobId, salt }), /output/);
    refuse(encode(null), /expected object/);
  });
});

describe("outputCommitmentOf", () => {
  it("is keccak256(jobId || salt || sha256(canonical output))", () => {
    const expected = keccak256(concatHex([jobId, salt, sha256(stringToHex('{"n":2,"r":0.5}'))]));
    expect(outputCommitmentOf(envelope)).to.equal(expected);
    expect(outputCommitmentOf({ ...envelope, output: { n: 2, r: 0.5 } })).to.equal(expected);
  });

  it("changes with job, salt and output", () => {
    const changes = [{}, { jobId: salt }, { salt: jobId }, { output: null }, { output: [] }, { output: "" }];
    expect(new Set(changes.map((change) => outputCommitmentOf({ ...envelope, ...change }))).size).to.equal(
      changes.length,
    );
  });
});

describe("commitmentSalt", () => {
  const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;

  it("is the same for the same keys and job", () => {
    expect(commitmentSalt(keys, jobId)).to.equal(commitmentSalt([...keys], jobId));
    expect(commitmentSalt(keys, jobId)).to.match(/^0x[0-9a-f]{64}$/);
  });

  it("changes with each key, their order, their number, where one ends, and the job", () => {
    const [a, b] = keys;
    const joined = new Uint8Array([...a, ...b]);
    const lists = [[a, b], [b, a], [a], [b], [], [a, b, b], [joined], [a.subarray(1), new Uint8Array([1, ...b])]];
    const salts = [...lists.map((list) => commitmentSalt(list, jobId)), commitmentSalt(keys, salt)];
    expect(new Set(salts).size).to.equal(salts.length);
  });
});

describe("noiseSeed", () => {
  const keys = [new Uint8Array(74).fill(1), new Uint8Array(74).fill(2)];

  it("is the same for the same keys and job, and another for others; the salt, which readers see, is not it", () => {
    const seedOf = (...args: Parameters<typeof noiseSeed>) => bytesToHex(noiseSeed(...args));
    expect(seedOf(keys, jobId)).to.equal(seedOf([...keys], jobId));
    const others = [seedOf(keys.toReversed(), jobId), seedOf(keys.slice(1), jobId), seedOf(keys, salt)];
    expect(new Set([seedOf(keys, jobId), commitmentSalt(keys, jobId), ...others]).size).to.equal(5);
    expect(noiseSeed(keys, jobId)).to.have.length(32);
  });
});
