import { expect } from "chai";
import { concatHex, type Hex, keccak256, sha256, stringToHex } from "viem";
import {
  commitmentSalt,
  decodeResult,
  encodeResult,
  outputCommitmentOf,
  type ResultEnvelope,
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
