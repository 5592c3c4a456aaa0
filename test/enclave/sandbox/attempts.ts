/**
 * What a JavaScript program might try to learn, in one process: each attempt says what it found.
 */
import type { JsonValue } from "../../../protocol/jsonSchema.ts";
import type { Program } from "../../../protocol/program.ts";
import { makeProgram } from "./makeProgram.ts";

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

const all = Object.entries(attempts).flatMap(([what, group]) =>
  group.map(([name, body, learns]) => ({ name: `${what}: ${name}`, body, learns })),
);

/** What all attempts must come to: name, and what is learned. */
export const nothingLearned: readonly (readonly [name: string, learns: string])[] = all.map(({ name, learns }) => [
  name,
  learns,
]);

/**
 * A program that makes all attempts, on one text input `data`.
 *
 * @example
 * const outcome = await runProgram({ program: tryAll(), inputs: [canary], params: {} })
 */
export function tryAll(): Program {
  const source = `export default async (inputs, params) => {
    const { data } = inputs;
    const attempt = async (work) => {
      try { return String(await work()); } catch (error) { return error instanceof Error ? error.name : "threw"; }
    };
    return [${all.map(({ body }) => `await attempt(async () => { ${body} })`).join(",\n")}];
  }`;
  const output = { format: "json", schema: {}, maxBytes: 65_536 } as const;
  return makeProgram(source, { limits: { memoryBytes: 64 << 20, fuel: 1e9 }, output });
}

/**
 * The output of {@link tryAll} beside the names of the attempts.
 *
 * @example
 * expect(learned(outcome.output)).to.deep.equal(nothingLearned)
 */
export function learned(output: JsonValue): (readonly [name: string, learns: unknown])[] {
  return (output as JsonValue[]).map((text, i) => [all[i]?.name ?? "", text]);
}
