/**
 * What a JavaScript program might try. Attempts of the first table share a process: each only says what it learned. Those
 * of the second take one of their own down, or try to. After each process the next honest job must give its right result.
 */
import { expect } from "chai";
import { openSandbox, type Sandbox } from "../../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../../enclave/sandbox/wall.ts";
import type { FailureCode } from "../../../protocol/eip712.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";
import { makeProgram } from "./makeProgram.ts";
import { watchProcesses } from "./watchProcesses.ts";

const canary = "CANARY-3b9d";
const encode = (text: string) => new TextEncoder().encode(text);

/** name, body of an async function, what it returns as a string, or the name of what it throws */
type Attempt = readonly [name: string, body: string, learns: string];

/** The language, and `console`: no clock, no entropy, no way to another thread or machine. */
const globals = [
  "AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean",
  "DOMException DataView Date DisposableStack Error EvalError Float16Array Float32Array Float64Array",
  "Function Infinity Int16Array Int32Array Int8Array InternalError Iterator JSON Map Math NaN Number Object",
  "Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError",
  "Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap",
  "WeakSet atob btoa console decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval",
  "globalThis isFinite isNaN parseFloat parseInt queueMicrotask undefined unescape",
].join(" ");

const attempts: Record<string, readonly Attempt[]> = {
  files: [
    ["import node:fs", "return import('node:fs')", "Error"],
    ["import fs", "return import('fs')", "Error"],
    ["import a file: URL", "return import('file:///etc/passwd')", "Error"],
    ["import an absolute path", "return import('/proc/self/environ')", "Error"],
    ["import from above", "return import('./a/../../../../../proc/self/mem')", "Error"],
    ["import with a zero byte", "return import('./main.js\\0.txt')", "TypeError"],
    ["import with another case", "return import('./MAIN.js')", "Error"],
    ["import a percent-encoded path", "return import('./%2e%2e/%2e%2e/etc/passwd')", "Error"],
    ["import what every object has", "return import('./__proto__')", "Error"],
    ["import the prelude", "return import('prelude')", "Error"],
    ["import an object that turns into a path", "return import({ toString: () => '/etc/passwd' })", "Error"],
  ],
  network: [
    ["import a data: URL", "return import('data:text/javascript,export default 1')", "Error"],
    ["import from the network", "return import('http://127.0.0.1/x.js')", "Error"],
    [
      "find a client",
      "return typeof fetch + typeof XMLHttpRequest + typeof WebSocket + typeof EventSource",
      "undefined".repeat(4),
    ],
  ],
  processes: [
    ["import the engine's own modules", "return import('qjs:os').catch(() => import('qjs:std'))", "Error"],
    [
      "find Node",
      "return typeof process + typeof require + typeof module + typeof Buffer + typeof global",
      "undefined".repeat(5),
    ],
    [
      "find workers",
      "return typeof Worker + typeof WebAssembly + typeof std + typeof os + typeof bjson",
      "undefined".repeat(5),
    ],
    ["Function", "return Function('return process')()", "ReferenceError"],
    ["indirect eval", "return (0, eval)('process')", "ReferenceError"],
    ["the constructor of a host function", "return console.log.constructor('return process')()", "ReferenceError"],
    [
      "the constructor of async functions",
      "return (async () => {}).constructor('return import(\"node:fs\")')()",
      "Error",
    ],
    [
      "the constructor of generators",
      "return (function* () {}).constructor('yield process')().next()",
      "ReferenceError",
    ],
    ["the prototype chain of a host function", "return Reflect.ownKeys(console.log).sort().join()", "length,name"],
    ["a host function as constructor", "return new console.log('x')", "TypeError"],
    ["a host function on another this", "return console.log.call(globalThis, 'x')", "undefined"],
    ["the caller of the program", "return (function () { return arguments.callee.caller })()", "TypeError"],
    ["code out of a parameter list", "return new Function('a){}, process, function(', '')", "ReferenceError"],
    ["where it was loaded from", "return import.meta.url", "undefined"],
  ],
  environment: [
    ["all globals", "return Object.getOwnPropertyNames(globalThis).sort().join(' ')", globals],
    [
      "hidden globals",
      "return Object.getOwnPropertySymbols(globalThis).map(String).join()",
      "Symbol(Symbol.toStringTag)",
    ],
    ["paths in a stack", "return /file:|sandbox:|[.]ts|node|work|tmp|home/.test(new Error().stack)", "false"],
    [
      "frames of the host",
      "const p = Error.prepareStackTrace; Error.prepareStackTrace = (_, s) => s; const s = new Error().stack; Error.prepareStackTrace = p; return [...new Set([].concat(s).map((f) => f.getFileName?.()))].join()",
      "main.js",
    ],
    [
      "the stack of an error of the host",
      "try { await import('fs') } catch (error) { return /[.]ts|sandbox|quickjs|at /.test(error.stack) }",
      "false",
    ],
    [
      "locale and time zone",
      "return typeof Intl + new Date(2000, 6).getTimezoneOffset() + (1.5).toLocaleString()",
      "undefined01.5",
    ],
  ],
  "shared memory": [
    ["Atomics", "return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 1)", "ReferenceError"],
    ["a buffer that could be shared", "return new SharedArrayBuffer(8)", "[object SharedArrayBuffer]"],
    ["memory that another left", "return new Uint8Array(1e6).some((byte) => byte !== 0)", "false"],
    [
      "a detached buffer",
      "const b = new ArrayBuffer(8), v = new Uint8Array(b); b.transfer(); return [v.length, v[0]].join()",
      "0,",
    ],
    [
      "a view of a buffer that shrinks under it",
      "const b = new ArrayBuffer(64, { maxByteLength: 64 }), v = new Uint8Array(b); v.sort(() => { b.resize(0); return 1; }); return v.length",
      "0",
    ],
    [
      "a fill that detaches",
      "const b = new ArrayBuffer(64), v = new Uint8Array(b); v.fill({ valueOf() { b.transfer(); return 7; } }); return v.length",
      "TypeError",
    ],
    ["a view beyond its buffer", "return new DataView(new ArrayBuffer(8)).getFloat64(1)", "RangeError"],
    [
      "a splice that shrinks its array",
      "const a = Array(100).fill(1); return a.splice(0, { valueOf() { a.length = 0; return 100; } }).filter((x) => x !== undefined).length",
      "0",
    ],
  ],
  time: [
    ["the clock", "return [Date.now(), new Date().toISOString()].join()", "0,1970-01-01T00:00:00.000Z"],
    ["the clock after work", "const t = Date.now(); for (let i = 0; i < 1e4; i++); return Date.now() - t", "0"],
    ["a finer clock", "return performance.now()", "ReferenceError"],
    [
      "timers",
      "return typeof setTimeout + typeof setInterval + typeof queueMicrotask + typeof Temporal",
      "undefinedundefinedfunctionundefined",
    ],
    ["the garbage collector", "return typeof WeakRef + typeof FinalizationRegistry + typeof gc", "undefined".repeat(3)],
    ["entropy", "return typeof crypto + (Math.random() === Math.random())", "undefinedfalse"],
  ],
  prints: [
    [
      "an object that would tell",
      "return console.log({ get data() { throw data; }, toString() { throw data; }, toJSON() { throw data; } })",
      "undefined",
    ],
    [
      "a proxy",
      "return console.error(new Proxy({}, { get() { throw data; }, ownKeys() { throw data; } }))",
      "undefined",
    ],
    [
      "symbols, BigInts, nothing",
      "return [console.log(Symbol(data)), console.log(10n ** 50n), console.log()].join()",
      ",,",
    ],
    ["a format string", "return console.log('%s%n%x%c%o', data)", "undefined"],
    ["a terminal's control codes", "return console.log('\\x1b]0;' + data + '\\x07')", "undefined"],
    ["half a character", "return console.log('\\ud800')", "undefined"],
    ["a string of 16 million characters", "return console.log('x'.repeat(2 ** 24))", "undefined"],
    ["very many arguments", "return console.log(...Array(2e4).fill('x'))", "undefined"],
    [
      "tables, counts, timers",
      "return ['table', 'count', 'time', 'dir', 'assert', 'memory', 'profile'].filter((n) => n in console).join()",
      "",
    ],
  ],
  sizes: [
    ["an array of 2^32", "return new Array(2 ** 32)", "RangeError"],
    ["a length of 2^32", "return [].length = 2 ** 32", "RangeError"],
    ["a string of 2^30", "return 'x'.repeat(2 ** 30).length", "RangeError"],
    ["a BigInt of 2^30 bits", "return (1n << (2n ** 30n)) > 0n", "RangeError"],
    ["a buffer of 2^40", "return new ArrayBuffer(8, { maxByteLength: 2 ** 40 })", "RangeError"],
    ["a padded string", "return 'x'.padEnd(2 ** 31).length", "RangeError"],
    ["spreading a million", "return Math.max(...Array(1e6).fill(1))", "RangeError"],
    ["a pattern of a million groups", "return new RegExp('('.repeat(1e6) + ')'.repeat(1e6))", "SyntaxError"],
  ],
  prototypes: [
    ["through JSON", 'JSON.parse(\'{"__proto__":{"polluted":1}}\'); return ({}).polluted', "undefined"],
    [
      "through the parameters",
      "return Object.getPrototypeOf(params) === Object.prototype && ({}).polluted === undefined",
      "true",
    ],
    ["of the inputs", "return Object.getPrototypeOf(inputs) === Object.prototype", "true"],
    [
      "through Symbol.species",
      "class A extends Array { static get [Symbol.species]() { return function () { return globalThis; }; } } try { new A(3).map(() => data); } catch {} return globalThis[0]",
      "undefined",
    ],
    [
      "through a setter on the way",
      "Object.defineProperty(Array.prototype, 0, { set() { throw data; }, configurable: true }); try { return [1].concat([2]).length; } finally { delete Array.prototype[0]; }",
      "2",
    ],
  ],
};

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
    const source = `export default async (inputs, params) => {
      const { data } = inputs;
      const attempt = async (work) => {
        try { return String(await work()); } catch (error) { return error instanceof Error ? error.name : "threw"; }
      };
      return [${Object.values(attempts)
        .flat()
        .map(([, body]) => `await attempt(async () => { ${body} })`)
        .join(",\n")}];
    }`;
    const output = { format: "json", schema: {}, maxBytes: 65_536 } as const;
    const program = makeProgram(source, { limits: { memoryBytes: 64 << 20, fuel: 1e9 }, output });
    const outcome = await sandbox.run({ program, inputs: [encode(canary)], params: {} });
    if (outcome.status !== "ok") return expect.fail(outcome.failure);
    const flat = Object.entries(attempts).flatMap(([what, group]) => group.map(([name]) => `${what}: ${name}`));
    const learned = (outcome.output as string[]).map((text, i) => [flat[i], text]);
    const expected = Object.values(attempts).flatMap((group) => group.map(([, , learns]) => learns));
    expect(learned).to.deep.equal(flat.map((name, i) => [name, expected[i]]));
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
