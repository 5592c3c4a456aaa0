/**
 * What a JavaScript program might try. Those of attempts.ts share a process: each only says what it learned. Those here
 * take one of their own down, or try to. After each process the next honest job must give its right result.
 */
import { expect } from "chai";
import { openSandbox, type Sandbox } from "../../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../../enclave/sandbox/wall.ts";
import type { FailureCode } from "../../../protocol/eip712.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";
import { learned, nothingLearned, tryAll } from "./attempts.ts";
import { makeProgram } from "./makeProgram.ts";
import { watchProcesses } from "./watchProcesses.ts";

const canary = "CANARY-3b9d";
const encode = (text: string) => new TextEncoder().encode(text);

/** name, source, how it must end: a failure, or the output */
type Solo = readonly [name: string, source: string, ends: FailureCode | { output: JsonValue }];

const does = (statements: string) => `export default (inputs) => { const { data } = inputs; ${statements} }`;
const honest = { output: { n: canary.length } };

const solos: Record<string, readonly Solo[]> = {
  "goes on for ever": [
    ["catching the interrupt", does("for (;;) try { for (;;); } catch {} finally { continue }"), "FuelExhausted"],
    ["in its own stack, again and again", does("(function f() { try { f(); } finally { f(); } })()"), "FuelExhausted"],
    ["in promises", does("return new Promise(() => (function f() { Promise.resolve().then(f); })())"), "FuelExhausted"],
    ["in a thenable", does("return (async () => { await { then() { for (;;); } }; })()"), "FuelExhausted"],
    ["in a generator", does("function* g() { for (;;) yield* [1, 2]; } for (const x of g());"), "FuelExhausted"],
    [
      "in an async generator",
      "async function* g() { for (;;) yield 1; } export default async () => { for await (const x of g()); }",
      "FuelExhausted",
    ],
    ["in a comparison", does("[3, 2, 1].sort(() => { for (;;); })"), "FuelExhausted"],
    ["in a regular expression", does("/^(a+)+$/.test('a'.repeat(64) + 'b')"), "FuelExhausted"],
    ["in a class's static block", "class A { static { for (;;); } } export default () => 1", "FuelExhausted"],
    ["printing", does("for (;;) console.log(data)"), "FuelExhausted"],
    ["where no fuel is counted", does("return (new Array(2e8) + '').length"), "TimeExceeded"],
    ["waiting for nothing", does("return new Promise(() => {})"), "ProgramTrapped"],
  ],
  "takes all memory": [
    ["in objects", does("const a = []; for (;;) a.push({ a })"), "MemoryExceeded"],
    ["in one buffer", does("return new ArrayBuffer(2 ** 30).byteLength"), "MemoryExceeded"],
    ["in a string that doubles", does("for (let s = data; ; ) s = (s + s).replace('x', '');"), "MemoryExceeded"],
    ["in promises", does("const f = () => Promise.resolve().then(() => { f(); f(); }); return f()"), "FuelExhausted"],
    ["in bound functions", does("let f = () => 1; for (;;) f = f.bind(null, f);"), "MemoryExceeded"],
    ["in nested text to parse", does("JSON.parse('['.repeat(1e6))"), "ProgramTrapped"],
    ["in nested code to compile", does("eval('('.repeat(1e5))"), "ProgramTrapped"],
    ["in calls", does("return (function f() { return f() + 1; })()"), "ProgramTrapped"],
  ],
  "plays with its output": [
    ["a getter that never returns", does("return { get n() { for (;;); } }"), "FuelExhausted"],
    ["a getter that throws the data", does("return { get n() { throw new Error(data); } }"), "OutputRefused"],
    ["a toJSON that throws the data", does("return { toJSON() { throw data; } }"), "OutputRefused"],
    ["a toJSON that gives more", does("return { toJSON: () => ({ n: 1, data }) }"), "OutputRefused"],
    ["a proxy with endless keys", does("return new Proxy({}, { ownKeys() { for (;;); } })"), "FuelExhausted"],
    [
      "a proxy that changes its mind",
      does(
        "let i = 0; return new Proxy({ n: 1 }, { get: () => (i++ ? data : 1), ownKeys: () => ['n', 'n2'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) })",
      ),
      "OutputRefused",
    ],
    [
      "a revoked proxy",
      does("const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy"),
      "OutputRefused",
    ],
    ["a promise of itself", does("const p = Promise.resolve().then(() => p); return p"), "ProgramTrapped"],
    ["a thenable that gives the data", does("return { then(give) { give(data); } }"), "OutputRefused"],
    ["the data where a number should be", does("return { n: data }"), "OutputRefused"],
    ["a __proto__ of its own", does('return JSON.parse(\'{"n":1,"__proto__":{"n":2}}\')'), "OutputRefused"],
    ["too much of it", does("return { n: 1, more: 'x'.repeat(5e5) }"), "OutputTooLarge"],
  ],
  "throws the data": [
    ["as a message", does("throw new Error(data)"), "ProgramTrapped"],
    [
      "as a stack",
      does("const e = new Error(); Object.defineProperty(e, 'stack', { get() { throw data; } }); throw e"),
      "ProgramTrapped",
    ],
    ["in a message that never ends", does("throw { get message() { for (;;); } }"), "FuelExhausted"],
    ["as a rejection that nobody handles", does("Promise.reject(new Error(data)); return { n: data.length }"), honest],
    ["as the engine's own failure", does("throw new InternalError('out of memory')"), "MemoryExceeded"],
  ],
  "changes the globals": [
    [
      "JSON, prototypes and promises",
      `JSON.stringify = () => '{"n":"forged"}'; JSON.parse = () => "forged"; Object.prototype.then = undefined;
      Array.prototype.map = String.prototype.toString = () => "forged"; Promise.prototype.then = () => { throw 1; };
      Function.prototype.call = Function.prototype.apply = null; globalThis.Object = globalThis.console = null;
      export default async ({ data }) => ({ n: data.length })`,
      honest,
    ],
    [
      "to leave something for the next",
      "Object.prototype.leak = globalThis.leak = 1; export default ({ data }) => ({ n: data.length })",
      honest,
    ],
    [
      "and looks for what another left",
      does("return { n: typeof ({}).leak + typeof globalThis.leak === 'undefinedundefined' ? data.length : -1 }"),
      honest,
    ],
    [
      "from a file of its own",
      does("return import('./main.js').then((me) => ({ n: me.default === undefined ? 0 : data.length }))"),
      honest,
    ],
  ],
};

describe("a JavaScript program", () => {
  let watch: ReturnType<typeof watchProcesses>;
  let sandbox: Sandbox;
  const honestProgram = makeProgram(does("return { n: data.length }"));

  before(async () => {
    const wall = await findWall(); // its own trial processes are not what is watched
    watch = watchProcesses();
    sandbox = await openSandbox({ wall, warm: 2 });
  });
  after(async () => {
    await sandbox.close();
    expect(watch.survivors()).to.deep.equal([]);
    watch.stop();
  });

  afterEach("the next job gives its right result", async () => {
    const outcome = await sandbox.run({ program: honestProgram, inputs: [encode(canary)], params: {} });
    expect(outcome).to.deep.include({ status: "ok", ...honest });
  });

  it("learns nothing from what it finds", async () => {
    const outcome = await sandbox.run({ program: tryAll(), inputs: [encode(canary)], params: {} });
    if (outcome.status !== "ok") return expect.fail(outcome.failure);
    expect(learned(outcome.output)).to.deep.equal(nothingLearned);
  });

  const schema = {
    type: "object",
    properties: { n: { type: "integer" } },
    required: ["n"],
    additionalProperties: false,
  };
  for (const [what, group] of Object.entries(solos)) {
    describe(`that ${what}`, () => {
      for (const [name, source, ends] of group) {
        it(`${name}: ${typeof ends === "string" ? ends : "nothing is lost"}`, async () => {
          const program = makeProgram(source, {
            limits: {
              memoryBytes: 4 << 20,
              ...(ends === "TimeExceeded" ? { fuel: 1e11, wallMs: 300 } : { fuel: 1e5, wallMs: 20_000 }),
            },
            output: { format: "json", schema, maxBytes: 200_000 },
          });
          const outcome = await sandbox.run({ program, inputs: [encode(canary)], params: {} });
          if (typeof ends !== "string") return expect(outcome).to.deep.include({ status: "ok", ...ends });
          expect(outcome).to.deep.include({ status: "failed", failure: ends });
          expect(outcome).to.have.all.keys("status", "failure", "fuelUsed");
        });
      }
    });
  }
});
