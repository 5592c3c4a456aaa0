import { createHash } from "node:crypto";
import { expect } from "chai";
import { maxParamsBytes, runProgram } from "../../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../../enclave/sandbox/wall.ts";
import type { FailureCode } from "../../../protocol/eip712.ts";
import { quickjs } from "../../../protocol/engines.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";
import { makeProgram } from "./makeProgram.ts";
import { watchProcesses } from "./watchProcesses.ts";

const canary = "CANARY-7f3a";
const hashOf = (text: string) => `0x${createHash("sha256").update(text).digest("hex")}`;
const encode = (text: string) => new TextEncoder().encode(text);
const inputs = [encode(canary)];
type Sources = Parameters<typeof makeProgram>[0];
type Changes = Parameters<typeof makeProgram>[1];

async function run(sources: Sources, changes?: Changes, params: unknown = {}) {
  return runProgram({ program: makeProgram(sources, changes), inputs, params });
}

/** The output, and that nothing else went wrong. */
async function outputOf(sources: Sources, changes?: Changes, params?: unknown): Promise<JsonValue> {
  const outcome = await run(sources, changes, params);
  if (outcome.status !== "ok") return expect.fail(`failed: ${outcome.failure}`);
  expect(new TextDecoder().decode(outcome.outputBytes)).to.equal(JSON.stringify(outcome.output));
  return outcome.output;
}

describe("runProgram", () => {
  let watch: ReturnType<typeof watchProcesses>;

  before(async () => {
    await findWall(); // its own trial processes are not what is watched
    watch = watchProcesses();
  });
  after(() => watch.stop());

  afterEach("no process is left", () => expect(watch.survivors()).to.deep.equal([]));

  describe("when the program behaves", () => {
    it("gives inputs by name, parsed if JSON, and the parameters", async () => {
      const program = makeProgram(
        "export default ({ table, note, doc }, params) => ({ table, note, list: doc.list, year: params.year })",
        {
          inputs: [
            { name: "table", format: "csv" },
            { name: "note", format: "text" },
            { name: "doc", format: "json" },
          ],
        },
      );
      const given = [encode("a,b\n1,é😀\n"), encode(""), encode('{"list":[1,null]}')];
      const outcome = await runProgram({ program, inputs: given, params: { year: 2000 } });
      expect(outcome).to.deep.equal({
        status: "ok",
        output: { list: [1, null], note: "", table: "a,b\n1,é😀\n", year: 2000 },
        outputBytes: encode('{"list":[1,null],"note":"","table":"a,b\\n1,é😀\\n","year":2000}'),
        fuelUsed: 16_384,
        console: { lines: 0, bytes: 0 },
        printsHash: hashOf(""),
      });
    });

    it("takes an input in chunks, cut anywhere", async () => {
      const bytes = encode("\ufeffé😀");
      async function* chunks() {
        for (const byte of bytes) yield Uint8Array.of(byte);
      }
      const program = makeProgram("export default ({ data }) => data");
      const inputs = [{ sizeBytes: bytes.length, chunks: chunks() }];
      expect(await runProgram({ program, inputs, params: {} })).to.deep.include({ status: "ok", output: "é😀" });
    });

    it("imports the program's own files, also by import()", async () => {
      const output = await outputOf({
        "main.js":
          'import { one } from "./lib/one.js"; export default async () => one + (await import("./two.js")).two;',
        "lib/one.js": 'export { one } from "../lib/./deep/one.js";',
        "lib/deep/one.js": "export const one = 1;",
        "two.js": "export const two = 2;",
      });
      expect(output).to.equal(3);
    });

    it("waits for a promise, and for await at the top level", async () => {
      const source = `const a = await Promise.resolve(1);
        export default async () => { let n = a; for (let i = 0; i < 100; i++) n += await i; return n; };`;
      expect(await outputOf(source)).to.equal(4951);
    });

    it("counts and hashes what is printed, and rounds the counts up", async () => {
      const outcome = await run(`export default ({ data }) => {
        for (const print of [console.log, console.error, console.warn]) print(data, 5, { get a() { throw data; } }, null);
        console.log(); console.log("é".repeat(65537));
        return 1;
      }`);
      const printed = `${canary} 5 [object] [object]\n`.repeat(3);
      const printsHash = hashOf(`${printed}\n[65537]\n`);
      expect(outcome).to.deep.include({ status: "ok", output: 1, console: { lines: 8, bytes: 128 }, printsHash });
    });

    it("keeps what is printed and thrown where the policy says so, up to its limit", async () => {
      const output = { format: "json", schema: {}, maxBytes: 64, policy: { prints: "readers" } } as const;
      const printedBy = async (body: string) => {
        const outcome = await run(`export default async ({ data }) => { ${body} }`, { output });
        const { text, cut, hash } = outcome.prints ?? expect.fail("nothing was kept");
        if (!cut) expect(hash).to.equal(hashOf(new TextDecoder().decode(text)));
        const end = outcome.status === "ok" ? outcome.output : outcome.failure;
        return [end, new TextDecoder().decode(text), cut];
      };
      expect(await printedBy("console.log(data, 5); return 1;")).to.deep.equal([1, `${canary} 5\n`, false]);
      expect(await printedBy("return 1;")).to.deep.equal([1, "", false]);
      const [end, thrown] = await printedBy("console.log(1); throw new RangeError(data);");
      expect(end).to.equal("ProgramTrapped");
      expect(thrown).to.match(new RegExp(`^1\\nRangeError: ${canary}\\n +at .*main\\.js:1:.*\\n$`, "s"));
      expect(await printedBy("throw data;")).to.deep.equal(["ProgramTrapped", `thrown: ${canary}\n`, false]);
      const sly = "throw { get message() { for (;;); }, toString() { for (;;); } }";
      expect(await printedBy(sly)).to.deep.equal(["ProgramTrapped", "", false]);
      expect(await printedBy("console.log(7); for (;;);")).to.deep.equal(["FuelExhausted", "7\n", false]);
      const unprintable = ["OutputRefused", "thrown: no JSON at 'a': number\n", false];
      expect(await printedBy("return { a: NaN };")).to.deep.equal(unprintable);
      const [, much, cut] = await printedBy("for (let i = 0; i < 30; i++) console.log('x'.repeat(4095)); return 1;");
      expect([String(much).length, cut]).to.deep.equal([65_536, true]);
    });

    it("gives the same outcome on every run", async () => {
      const source = `export default () => [Math.random(), Date.now(), String(new Date(2000, 0)), new Date().getTimezoneOffset(),
        Math.sin(1e6), [3, 1, 2].sort(() => 0), (() => { let d = 0; try { (function f() { d++; f(); })(); } catch {} return d; })()]`;
      const first = await run(source);
      expect(first).to.deep.include({ status: "ok" });
      expect(await run(source)).to.deep.equal(first);
    });
  });

  describe("when the request is wrong", () => {
    const nothing = "export default () => 1";

    it("refuses another engine", async () => {
      for (const change of [{ version: "3.6.1" }, { artifactSha256: `0x${"00".repeat(32)}` as const }]) {
        const outcome = await run(nothing, { runtime: { ...quickjs, ...change } });
        expect(outcome).to.deep.equal({ status: "failed", failure: "ProgramMismatch", fuelUsed: 0 });
      }
    });

    it("refuses a program without its files", async () => {
      const program = { ...makeProgram(nothing), files: new Map() };
      const outcome = await runProgram({ program, inputs, params: {} });
      expect(outcome).to.deep.equal({ status: "failed", failure: "ProgramMismatch", fuelUsed: 0 });
    });

    it("refuses parameters that do not meet the schema or are not JSON", async () => {
      const params = { type: "object", properties: { k: { type: "integer" } }, additionalProperties: false };
      const cyclic: { self?: unknown } = {};
      cyclic.self = cyclic;
      const bad = [{ k: "1" }, { k: 1, l: 1 }, [], null, undefined, 1n, () => 1, { k: Number.NaN }, cyclic];
      for (const value of bad) {
        const outcome = await runProgram({ program: makeProgram(nothing, { params }), inputs, params: value });
        expect(outcome).to.deep.equal({ status: "failed", failure: "ParamsRefused", fuelUsed: 0 });
      }
      for (const value of [
        "x".repeat(maxParamsBytes),
        JSON.parse('{"__proto__":1}'),
        JSON.parse("[".repeat(33) + "]".repeat(33)),
      ])
        expect(await runProgram({ program: makeProgram(nothing), inputs, params: value })).to.deep.equal({
          status: "failed",
          failure: "ParamsRefused",
          fuelUsed: 0,
        });
      expect(await outputOf("export default (_, p) => p", { params }, { k: 1 })).to.deep.equal({ k: 1 });
    });

    it("refuses inputs that are missing, too many or of a form that the engine does not take", async () => {
      const mismatch = { status: "failed", failure: "InputMismatch", fuelUsed: 0 };
      const program = makeProgram(nothing);
      for (const bad of [[], [encode("a"), encode("b")]])
        expect(await runProgram({ program, inputs: bad, params: {} })).to.deep.equal(mismatch);
      for (const format of ["parquet", "bytes"] as const)
        expect(await run(nothing, { inputs: [{ name: "data", format }] })).to.deep.equal(mismatch);
    });

    it("refuses inputs that are not UTF-8, or not of the size that was said", async () => {
      const program = makeProgram(nothing);
      for (const bad of [Uint8Array.of(0xc3, 0x28), Uint8Array.of(0xed, 0xa0, 0x80)]) {
        const outcome = await runProgram({ program, inputs: [bad], params: {} });
        expect(outcome).to.deep.include({ status: "failed", failure: "InputMismatch" });
      }
      async function* chunks() {
        yield encode("abc");
      }
      for (const sizeBytes of [2, 4]) {
        const outcome = await runProgram({ program, inputs: [{ sizeBytes, chunks: chunks() }], params: {} });
        expect(outcome).to.deep.equal({ status: "failed", failure: "InputMismatch", fuelUsed: 0 });
      }
    });

    it("refuses JSON inputs that are not JSON", async () => {
      const program = makeProgram(nothing, { inputs: [{ name: "data", format: "json" }] });
      for (const bad of ["", "{", "{'a':1}", "1 2", "[".repeat(100_000)]) {
        const outcome = await runProgram({ program, inputs: [encode(bad)], params: {} });
        expect(outcome).to.deep.include({ status: "failed", failure: "InputMismatch" });
      }
    });

    it("refuses inputs larger than the memory", async () => {
      const program = makeProgram(nothing, { limits: { memoryBytes: 1024 * 1024 } });
      const outcome = await runProgram({ program, inputs: [new Uint8Array(1024 * 1024 + 1)], params: {} });
      expect(outcome).to.deep.equal({ status: "failed", failure: "MemoryExceeded", fuelUsed: 0 });
      const full = await runProgram({ program, inputs: [new Uint8Array(1024 * 1024)], params: {} });
      expect(full).to.deep.equal({ status: "failed", failure: "MemoryExceeded", fuelUsed: 16_384 });
    });
  });

  /** name, failure, source, changes of the manifest */
  type Case = readonly [name: string, failure: FailureCode, source: Sources, changes?: Changes];
  const returns = (expression: string) => `export default ({ data }) => (${expression})`;
  const does = (statements: string) => `export default ({ data }) => { ${statements} }`;
  const long = { limits: { fuel: 100_000_000_000, wallMs: 400 } } as const;
  const cases: Record<string, readonly Case[]> = {
    "when the program runs for ever": [
      ["in a loop", "FuelExhausted", does("for (;;) {}")],
      ["while it loads", "FuelExhausted", "for (;;) {}"],
      ["in a loop that catches", "FuelExhausted", does("for (;;) try { for (;;) {} } catch {} finally { continue }")],
      ["in promises", "FuelExhausted", returns("new Promise(() => (function f() { Promise.resolve().then(f); })())")],
      [
        "in an async function that catches",
        "FuelExhausted",
        "export default async () => { try { for (;;) {} } catch {} return 1; }",
      ],
      [
        "in a generator",
        "FuelExhausted",
        does("function* g() { for (;;) try { yield 1; } finally {} } for (const x of g()) {}"),
      ],
      ["in a getter of its output", "FuelExhausted", returns("{ get a() { for (;;) {} } }")],
      ["in a trap of its output", "FuelExhausted", returns("new Proxy({}, { ownKeys() { for (;;) {} } })")],
      ["in toJSON", "FuelExhausted", returns("{ toJSON() { for (;;) {} } }")],
      ["in the message of what it throws", "FuelExhausted", does("throw { get message() { for (;;) {} } }")],
      ["in eval and Function", "FuelExhausted", does("new Function('for(;;)eval(\"1\")')()")],
      ["in a regular expression", "FuelExhausted", returns("/^(a+)+$/.test('a'.repeat(64) + 'b')")],
      ["in a regular expression, with fuel", "TimeExceeded", returns("/^(a+)+$/.test('a'.repeat(64) + 'b')"), long],
      ["in a loop, with fuel", "TimeExceeded", does("for (;;) {}"), long],
      ["in the engine, where no fuel is counted", "TimeExceeded", returns("(new Array(2e8) + '').length"), long],
      [
        "overflowing its stack again and again",
        "FuelExhausted",
        does("(function f() { try { f(); } finally { f(); } })()"),
      ],
      ["printing its inputs", "FuelExhausted", does("for (;;) console.log(data)")],
    ],
    "when the program takes memory": [
      ["in objects", "MemoryExceeded", does("const a = []; for (;;) a.push({ a })"), { limits: { fuel: 1e9 } }],
      ["in a buffer", "MemoryExceeded", returns("new ArrayBuffer(1e9).byteLength")],
      ["in a string", "MemoryExceeded", returns("'x'.repeat(5e8).split('')")],
      [
        "in a regular expression",
        "MemoryExceeded",
        returns("/(?:(a)|b)*/.test('a'.repeat(3e6))"),
        { limits: { fuel: 1e9 } },
      ],
      ["in an async function", "MemoryExceeded", "export default async () => new ArrayBuffer(1e9)"],
      [
        "in closures while it loads",
        "MemoryExceeded",
        "const a = []; for (;;) a.push(() => a);",
        { limits: { fuel: 1e9 } },
      ],
      ["in calls", "ProgramTrapped", returns("(function f() { return f() + 1; })()")],
      ["in nested text to parse", "ProgramTrapped", returns("JSON.parse('['.repeat(1e6))")],
      ["in nested code to compile", "ProgramTrapped", returns("eval('('.repeat(1e5))")],
    ],
    "when the program throws": [
      ["an error with the input", "ProgramTrapped", does("throw new Error(data)")],
      ["the input itself", "ProgramTrapped", does("throw data")],
      ["nothing", "ProgramTrapped", does("throw undefined")],
      ["something that throws when read", "ProgramTrapped", does("throw new Proxy({}, { get() { throw data; } })")],
      ["while it loads", "ProgramTrapped", "throw 1; export default () => 1"],
      ["a rejection", "ProgramTrapped", returns("Promise.reject(new Error(data))")],
      ["a syntax error", "ProgramTrapped", "export default ("],
      ["nothing, but exports nothing either", "ProgramTrapped", "export const run = () => 1"],
      ["nothing, but exports no function", "ProgramTrapped", "export default { run() {} }"],
      ["nothing, but its promise never settles", "ProgramTrapped", returns("new Promise(() => {})")],
      ["nothing, but never finishes to load", "ProgramTrapped", "await new Promise(() => {}); export default () => 1"],
    ],
    "when the program imports": [
      ["node:fs", "ProgramTrapped", 'import fs from "node:fs"; export default () => 1'],
      ["fs", "ProgramTrapped", 'import fs from "fs"; export default () => 1'],
      ["an engine module", "ProgramTrapped", 'import * as os from "qjs:os"; export default () => 1'],
      ["a data: URL", "ProgramTrapped", 'import "data:text/javascript,1"; export default () => 1'],
      ["an absolute path", "ProgramTrapped", 'import "/etc/passwd"; export default () => 1'],
      ["a path above it", "ProgramTrapped", 'import "../main.js"; export default () => 1'],
      ["a path far above it", "ProgramTrapped", 'import "./a/../../../../etc/passwd"; export default () => 1'],
      ["a file that it does not have", "ProgramTrapped", 'import "./other.js"; export default () => 1'],
      ["node:fs with import()", "ProgramTrapped", 'export default () => import("node:fs")'],
      ["a name that every object has", "ProgramTrapped", 'import "./constructor"; export default () => 1'],
    ],
    "when the output is no JSON": [
      ["undefined", "OutputRefused", does("")],
      ["a function", "OutputRefused", returns("() => 1")],
      ["a symbol", "OutputRefused", returns("[Symbol('a')]")],
      ["a BigInt", "OutputRefused", returns("{ n: 1n }")],
      ["NaN", "OutputRefused", returns("[NaN]")],
      ["an infinity", "OutputRefused", returns("{ n: -1 / 0 }")],
      ["a hole", "OutputRefused", returns("[, 1]")],
      ["a cycle", "OutputRefused", does("const a = []; a.push(a); return a;")],
      ["half a character", "OutputRefused", returns("'\\ud800'")],
      ["a __proto__ key", "OutputRefused", returns("JSON.parse('{\"__proto__\":1}')")],
      ["too deep", "OutputRefused", returns("JSON.parse('['.repeat(33) + ']'.repeat(33))")],
      [
        "far too deep",
        "OutputRefused",
        does("let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return a;"),
        { output: { format: "json", schema: {}, maxBytes: 100_000 } },
      ],
      ["a toJSON that throws the input", "OutputRefused", returns("{ toJSON() { throw new Error(data); } }")],
    ],
    "when the output breaks the manifest's rules": [
      ["too long", "OutputTooLarge", returns("'x'.repeat(1023)")],
      ["far too long", "OutputTooLarge", returns("'x'.repeat(5e6)")],
      ["too long in UTF-8 only", "OutputTooLarge", returns("'é'.repeat(600)")],
      [
        "of another type",
        "OutputRefused",
        returns("'1'"),
        { output: { format: "json", schema: { type: "integer" }, maxBytes: 9 } },
      ],
      [
        "with one field more",
        "OutputRefused",
        returns("({ n: 1, rows: data })"),
        {
          output: {
            format: "json",
            schema: { properties: { n: { type: "integer" } }, additionalProperties: false },
            maxBytes: 99,
          },
        },
      ],
    ],
  };

  for (const [when, group] of Object.entries(cases)) {
    describe(when, () => {
      for (const [name, failure, source, changes] of group) {
        it(`${name}: ${failure}`, async () => {
          const outcome = await run(source, changes);
          expect(outcome).to.deep.include({ status: "failed", failure });
          // Nothing else is in it: no message, no output, no count but one rounded.
          expect(outcome).to.have.all.keys("status", "failure", "fuelUsed");
          const limit = changes?.limits?.fuel ?? 1_000_000;
          const powers = Array.from({ length: 38 }, (_, i) => 2 ** i).filter((power) => power < 2 * limit);
          expect([0, ...powers]).to.include(outcome.fuelUsed);
          if (failure === "FuelExhausted") expect(outcome.fuelUsed).to.equal(powers.at(-1));
        });
      }
    });
  }

  it("accepts an output of exactly the size allowed", async () => {
    expect(await outputOf("export default () => 'x'.repeat(1022)")).to.have.lengthOf(1022);
  });

  describe("when the program looks for a way out", () => {
    it("finds no host objects", async () => {
      const names = [
        "process",
        "require",
        "module",
        "fetch",
        "WebAssembly",
        "Worker",
        "setTimeout",
        "Deno",
        "std",
        "os",
      ];
      const more = ["performance", "WeakRef", "FinalizationRegistry", "Atomics", "navigator", "crypto", "print", "gc"];
      const source = `export default () => ${JSON.stringify([...names, ...more])}.filter((name) => name in globalThis)`;
      expect(await outputOf(source)).to.deep.equal([]);
    });

    it("gets no further with constructors of functions it was given", async () => {
      const source = `export default ({ data }) => [console.log, console.log.constructor, (async () => {}).constructor,
        (function* () {}).constructor, Function].map((f) => {
          try { return String(f.constructor("return typeof process + typeof require + (this === globalThis)")()); }
          catch (error) { return error.name; } })`;
      const found = await outputOf(source);
      expect(found).to.deep.equal(Array(5).fill("undefinedundefinedtrue"));
    });

    it("learns no path of the host from errors", async () => {
      const source = `export default async () => { const seen = [];
        for (const name of ["node:fs", "./none.js", "../up.js"])
          try { await import(name); } catch (error) { seen.push(error.message + "|" + error.stack); }
        try { null.x } catch (error) { seen.push(error.stack); }
        return seen; }`;
      expect(await outputOf(source)).to.deep.equal([
        "Only ./ and ../ can be imported.|Error: Only ./ and ../ can be imported.",
        "That is not a file of the program.|Error: That is not a file of the program.",
        "That is outside of the program.|Error: That is outside of the program.",
        "    at default (main.js:4:15)\n",
      ]);
    });

    it("cannot change how its output is read by changing the globals", async () => {
      const source = `
        JSON.stringify = () => '"forged"'; JSON.parse = () => "forged";
        Object.defineProperty(Object.prototype, "status", { value: "forged" });
        Object.prototype.then = undefined; Array.prototype.map = () => "forged"; String.prototype.toString = () => "forged";
        Promise.prototype.then = () => { throw 1; }; Promise.resolve = () => "forged"; Symbol.prototype.toString = null;
        Function.prototype.call = Function.prototype.apply = null; globalThis.Object = globalThis.console = null;
        export default async ({ data }) => ({ real: data })`;
      expect(await outputOf(source)).to.deep.equal({ real: canary });
    });

    it("reaches its own prototypes only: the next program sees clean ones", async () => {
      expect(await outputOf("Object.prototype.leak = 1; globalThis.leak = 2; export default () => ({}).leak")).to.equal(
        1,
      );
      expect(await outputOf("export default () => typeof ({}).leak + typeof globalThis.leak")).to.equal(
        "undefinedundefined",
      );
    });
  });
});
