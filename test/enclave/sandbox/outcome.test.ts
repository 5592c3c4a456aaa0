import { expect } from "chai";
import { sha256 } from "viem";
import { packHead } from "../../../enclave/sandbox/frames.ts";
import { maxOutputValues, readAnswer } from "../../../enclave/sandbox/outcome.ts";
import { maxPrintsBytes } from "../../../protocol/prints.ts";
import { makeProgram } from "./makeProgram.ts";

const { manifest } = makeProgram("", {
  output: {
    format: "json",
    schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false },
    maxBytes: 20,
  },
});
const trapped = { status: "failed", failure: "ProgramTrapped", fuelUsed: 0 };

/** An answer as a sandbox process that was taken over could write it; the output's length is right unless it is given. */
function answer(head: object | string, output: string | Uint8Array = ""): Uint8Array {
  const body = Buffer.from(output);
  const bytes =
    typeof head === "string" ? new TextEncoder().encode(head) : packHead({ outputBytes: body.length, ...head });
  return Buffer.concat([bytes, body]);
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

  describe("where prints are kept", () => {
    const keeping = { ...manifest, output: { ...manifest.output, policy: { prints: "readers" } as const } };
    const text = new TextEncoder().encode("one\n");
    const hash = sha256(text);
    const kept = { ...ok, outputBytes: 7, printsHash: hash, kept: { bytes: 4, cut: false } };

    it("reads them before the output, and with a failure", () => {
      const prints = { text, cut: false, hash };
      expect(readAnswer(keeping, answer(kept, 'one\n{"n":1}'))).to.deep.include({
        status: "ok",
        output: { n: 1 },
        prints,
      });
      const failed = { status: "failed", fuelUsed: 16_384, prints };
      const trap = answer({ ...kept, result: "ProgramTrapped" }, "one\n");
      expect(readAnswer(keeping, trap)).to.deep.equal({ ...failed, failure: "ProgramTrapped" });
      const refused = answer({ ...kept, outputBytes: 2 }, "one\n{}");
      expect(readAnswer(keeping, refused)).to.deep.equal({ ...failed, failure: "OutputRefused" });
    });

    it("believes the hash of what was cut, for the sealed text shows that it is", () => {
      const cut = { ...kept, printsHash, kept: { bytes: 4, cut: true } };
      const prints = { text, cut: true, hash: printsHash };
      expect(readAnswer(keeping, answer(cut, 'one\n{"n":1}'))).to.deep.include({ status: "ok", prints });
    });

    it("takes prints that are none, or that nobody asked for, for a trap", () => {
      const body = 'one\n{"n":1}';
      const heads = [
        ok,
        { ...kept, printsHash },
        { ...kept, kept: { bytes: 3, cut: false } },
        { ...kept, kept: { bytes: -1, cut: true } },
        { ...kept, kept: { bytes: 100, cut: true } },
        { ...kept, kept: { bytes: maxPrintsBytes + 1, cut: true } },
        { ...kept, kept: { bytes: 4 } },
      ];
      for (const head of heads)
        expect(readAnswer(keeping, answer(head, body)), JSON.stringify(head)).to.deep.equal(trapped);
      expect(readAnswer(manifest, answer(kept, body))).to.deep.equal(trapped);
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
      { ...ok, outputBytes: -1 },
      { ...ok, outputBytes: "7" },
      { ...ok, printsHash: "0x5a" },
      { ...ok, printsHash: "secret" },
    ];
    expect(fuel).to.equal(10_000);
    for (const head of heads) expect(readAnswer(manifest, answer(head, '{"n":1}'))).to.deep.equal(trapped);
    for (const outputBytes of [0, 6, 8])
      expect(readAnswer(manifest, answer({ ...ok, outputBytes }, '{"n":1}'))).to.deep.equal({
        ...trapped,
        fuelUsed: 16_384,
      });
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
