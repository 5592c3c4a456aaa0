import { expect } from "chai";
import { packHead } from "../../../enclave/sandbox/frames.ts";
import { maxOutputValues, readAnswer } from "../../../enclave/sandbox/outcome.ts";
import { makeProgram } from "./makeProgram.ts";

const { manifest } = makeProgram("", {
  output: {
    format: "json",
    schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false },
    maxBytes: 20,
  },
});
const trapped = { status: "failed", failure: "ProgramTrapped", fuelUsed: 0 };

/** An answer as a sandbox process that was taken over could write it. */
function answer(head: object | string, body: string | Uint8Array = ""): Uint8Array {
  const bytes = typeof head === "string" ? new TextEncoder().encode(head) : packHead(head);
  return Buffer.concat([bytes, typeof body === "string" ? Buffer.from(body) : body]);
}

const printsHash = `0x${"5a".repeat(32)}` as const;
const ok = { result: "ok", fuel: 10_000, console: { lines: 0, bytes: 0 }, printsHash };

describe("readAnswer", () => {
  it("reads an output and makes it canonical", () => {
    expect(readAnswer(manifest, answer(ok, ' { "n": 1e2 }\n'))).to.deep.equal({
      status: "ok",
      output: { n: 100 },
      outputBytes: new TextEncoder().encode('{"n":100}'),
      fuelUsed: 16_384,
      console: { lines: 0, bytes: 0 },
      printsHash,
    });
  });

  it("rounds every count up to a power of two, and fuel to that of the limit at most", () => {
    for (const [fuel, rounded] of [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 4],
      [1_000_000, 1_048_576],
      [Number.MAX_SAFE_INTEGER, 1_048_576],
    ] as const)
      expect(readAnswer(manifest, answer({ ...ok, fuel, result: "ProgramTrapped" }))).to.deep.equal({
        ...trapped,
        fuelUsed: rounded,
      });
    const noisy = { ...ok, console: { lines: 5, bytes: 1025 } };
    expect(readAnswer(manifest, answer(noisy, '{"n":1}'))).to.deep.include({ console: { lines: 8, bytes: 2048 } });
  });

  it("passes a failure on, without the body", () => {
    expect(readAnswer(manifest, answer({ ...ok, result: "OutputRefused" }, '{"n":1}'))).to.deep.equal({
      status: "failed",
      failure: "OutputRefused",
      fuelUsed: 16_384,
    });
  });

  it("takes everything else for a trap", () => {
    const { fuel, ...noFuel } = ok;
    const heads: (object | string)[] = [
      "",
      "abc",
      "\u0004\0\0\0nul",
      "\u0004\0\0\0null",
      "\u0002\0\0\0{}",
      "\uffff\uffff\uffff\uffff",
      noFuel,
      { ...ok, fuel: -1 },
      { ...ok, fuel: 0.5 },
      { ...ok, fuel: "1" },
      { ...ok, more: 1 },
      { ...ok, result: "None" },
      { ...ok, result: "GrantRefused" },
      { ...ok, console: { lines: 1 } },
      { ...ok, printsHash: "0x5a" },
      { ...ok, printsHash: "secret" },
    ];
    expect(fuel).to.equal(10_000);
    for (const head of heads) expect(readAnswer(manifest, answer(head, '{"n":1}'))).to.deep.equal(trapped);
  });

  it("refuses an output that breaks the manifest's rules", () => {
    const refused = { status: "failed", failure: "OutputRefused", fuelUsed: 16_384 };
    const bodies = [
      "",
      "{",
      '{"n":1}}',
      '{"n":"1"}',
      '{"n":1,"m":2}',
      "[]",
      "null",
      '{"n":1,"__proto__":2}',
      '{"n":1e999}',
    ];
    for (const body of bodies.map((text) => text.slice(0, 20)))
      expect(readAnswer(manifest, answer(ok, body)), body).to.deep.equal(refused);
    expect(readAnswer(manifest, answer(ok, Uint8Array.of(0x22, 0xff, 0x22)))).to.deep.equal(refused);
    const tooLarge = { ...refused, failure: "OutputTooLarge" };
    expect(readAnswer(manifest, answer(ok, `{"n":1}${" ".repeat(14)}`))).to.deep.equal(tooLarge);
    expect(readAnswer(manifest, answer(ok, '{"n":1e20}'))).to.deep.equal(tooLarge);
  });

  it("refuses an output of more values than the worker holds, whatever its strings say", () => {
    const open = { ...manifest, output: { ...manifest.output, schema: {}, maxBytes: 2 ** 26 } };
    const tooLarge = { status: "failed", failure: "OutputTooLarge", fuelUsed: 16_384 };
    const many = `[${"[],".repeat(maxOutputValues / 2)}1]`;
    expect(readAnswer(open, answer(ok, many))).to.deep.equal(tooLarge);
    const text = `["${'\\\\,[{\\",[{'.repeat(maxOutputValues / 4)}"]`;
    expect(readAnswer(open, answer(ok, text))).to.deep.include({ status: "ok" });
  });
});
