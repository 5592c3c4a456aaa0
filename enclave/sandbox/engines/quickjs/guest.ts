/**
 * Room: enclave/sandbox/engines/quickjs. Runs one JavaScript program in QuickJS. Executed only inside the sandbox process.
 */
import { EvalFlags, Intrinsics, JSException, type JSValueHandle, QuickJS, type QuickJSOptions } from "quickjs-wasi";
import { type GuestFailure, type GuestJob, type LoadGuest, type Meter, Stop } from "../../guest.ts";

const { isUtf8 } = process.getBuiltinModule("node:buffer"); // see bootstrap.ts

/** The engine asks whether to go on once per this many loop turns and calls; QuickJS's JS_INTERRUPT_COUNTER_INIT. */
const fuelPerTick = 10_000;

/**
 * Bytes of the engine's own stack, about 1,000 calls deep. It must overflow before the host's does, so that programs
 * fail at the same depth everywhere: the worst case tried needs 4,000 of the 7,000 KiB that childProcess.ts gives.
 */
const guestStackBytes = 256 * 1024;

/** Of longer strings only their length is hashed: printing them must not cost more than making them. */
const maxPrintedLength = 64 * 1024;

const worker = process.ppid;

const consoleMethods = ["debug", "error", "info", "log", "trace", "warn"] as const;

/** Everything but a clock and what shows when garbage is collected. */
const intrinsics = Intrinsics.ALL & ~Intrinsics.PERFORMANCE & ~Intrinsics.WEAK_REF;

/**
 * Evaluated before the program, so that it holds the real JSON whatever the program does to the globals.
 * `render` refuses what JSON.stringify would silently drop or turn into null. `explain` may well run the program's code.
 */
const prelude = `(() => {
  "use strict";
  const { parse, stringify } = JSON;
  const strict = (key, value) => {
    const type = typeof value;
    if (type === "number" ? value - value !== 0 : type !== "string" && type !== "boolean" && type !== "object")
      throw "no JSON at '" + key + "': " + type;
    return value;
  };
  const explain = (error) => error instanceof Error ? \`\${error}\\n\${error.stack}\` : \`thrown: \${error}\`;
  return { parse, render: (value) => stringify(value, strict), explain };
})()`;

/** What the engine's callbacks look at: nothing until there is a job. */
type State = { ticks: number; fuel: number; modules: Map<string, string>; meter: Meter | undefined };

/** The engine, and what the prelude has made in it. */
type Machine = { vm: QuickJS; parse: JSValueHandle; render: JSValueHandle; explain: JSValueHandle; state: State };

/** See {@link LoadGuest}. */
export const load: LoadGuest = async ([wasm]) => {
  if (wasm === undefined) throw new Error("The engine is missing.");
  const state: State = { ticks: 0, fuel: Number.POSITIVE_INFINITY, modules: new Map(), meter: undefined };
  const vm = await QuickJS.create(optionsOf(Uint8Array.from(wasm), state));
  installConsole(vm, state);
  const tools = vm.evalCode(prelude, "prelude");
  const [parse, render, explain] = ["parse", "render", "explain"].map((name) => tools.getProp(name)) as Tools;
  const machine = { vm, parse, render, explain, state };
  return async (job, meter) => {
    try {
      return await run(machine, job, meter);
    } finally {
      meter.fuel = state.ticks * fuelPerTick;
    }
  };
};

type Tools = [parse: JSValueHandle, render: JSValueHandle, explain: JSValueHandle];

function optionsOf(wasm: Uint8Array<ArrayBuffer>, state: State): QuickJSOptions {
  return {
    wasm,
    intrinsics,
    maxStackSize: guestStackBytes,
    timezoneOffset: 0,
    interruptHandler: () => {
      if (process.ppid !== worker) process.exit(1); // nobody is left to answer, or to kill this process in time
      state.ticks += 1;
      return isExhausted(state);
    },
    moduleLoader: { normalize: resolveSpecifier, load: (path) => loadModule(state.modules, path) },
    // The clock stands at zero, which also seeds Math.random; entropy is zeros; prints of the engine itself go nowhere.
    wasi: (memory) => ({
      clock_time_get: (_id: number, _precision: bigint, at: number) => {
        new DataView(memory.buffer).setBigUint64(at, 0n, true);
        return 0;
      },
      random_get: (at: number, length: number) => {
        new Uint8Array(memory.buffer, at, length).fill(0);
        return 0;
      },
      fd_write: () => 8, // EBADF
    }),
  };
}

async function run({ vm, parse, render, explain, state }: Machine, job: GuestJob, meter: Meter): Promise<Uint8Array> {
  const texts = job.inputs.map(({ bytes }) => decode(bytes));
  for (const [path, source] of job.files) state.modules.set(path, decode(source));
  state.fuel = job.limits.fuel;
  state.meter = meter;
  // There was no job yet when the engine was made, and the wrapper sets it then only.
  // biome-ignore lint/complexity/useLiteralKeys: TypeScript lets private members be reached so only
  vm["exports"].qjs_set_memory_limit(job.limits.memoryBytes);

  /** The failure of what was thrown: without words, unless the data's owner is to read them. */
  const stopOf = (error: unknown, failure: GuestFailure): Stop => {
    const stop = toStop(error, failure);
    const words = job.limits.printsBytes === 0 || error instanceof Stop ? "" : wordsOf(vm, explain, error);
    for (const line of words.split("\n")) if (line !== "") meter.print(line);
    return stop;
  };

  /** Runs one stage; whatever is thrown in it becomes a failure. */
  const stage = <T>(failure: GuestFailure, work: () => T): T => {
    let result: T;
    try {
      result = work();
    } catch (error) {
      throw isExhausted(state) ? new Stop("FuelExhausted") : stopOf(error, failure);
    }
    // The engine cannot be trusted to pass an interrupt on: a promise may have swallowed it.
    if (isExhausted(state)) throw new Stop("FuelExhausted");
    return result;
  };

  const params = stage("ProgramTrapped", () => vm.callFunction(parse, vm.undefined, newText(vm, decode(job.params))));
  const inputs = vm.newObject();
  for (const [i, input] of job.inputs.entries()) {
    const text = stage("MemoryExceeded", () => newText(vm, texts[i] ?? ""));
    texts[i] = "";
    const value =
      input.format === "json" ? stage("InputMismatch", () => vm.callFunction(parse, vm.undefined, text)) : text;
    stage("MemoryExceeded", () => vm.setProp(inputs, input.name, value));
    if (value !== text) text.dispose();
    value.dispose();
  }

  const settle = async (promise: JSValueHandle): Promise<JSValueHandle> => {
    stage("ProgramTrapped", () => vm.executePendingJobs());
    if (promise.promiseState === 0) throw new Stop("ProgramTrapped"); // nothing is left that could settle it
    const settled = await vm.resolvePromise(promise);
    if ("error" in settled) throw stopOf(settled.error, "ProgramTrapped");
    return settled.value;
  };

  const entry = state.modules.get(job.entry) ?? "";
  const loaded = stage("ProgramTrapped", () => vm.evalCode(entry, job.entry, EvalFlags.TYPE_MODULE));
  const namespace = await settle(loaded);
  const program = stage("ProgramTrapped", () => namespace.getProp("default"));
  if (!program.isFunction) throw new Stop("ProgramTrapped");
  const returned = stage("ProgramTrapped", () => vm.callFunction(program, vm.undefined, inputs, params));
  const result = returned.isPromise ? await settle(returned) : returned;

  const rendered = stage("OutputRefused", () => vm.callFunction(render, vm.undefined, result));
  if (!rendered.isString) throw new Stop("OutputRefused");
  if (rendered.length > job.limits.outputBytes) throw new Stop("OutputTooLarge");
  return Buffer.from(rendered.toString(), "utf8");
}

/** Text of UTF-8, without a byte order mark. What is too long for a string is too long for the engine's memory. */
function decode(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Stop("InputMismatch");
  try {
    return new TextDecoder("utf-8").decode(bytes);
  } catch {
    throw new Stop("MemoryExceeded");
  }
}

/** A string in the engine; running out of memory there is a value, not an exception. */
function newText(vm: QuickJS, text: string): JSValueHandle {
  const handle = vm.newString(text);
  if (!handle.isString) throw new Stop("MemoryExceeded");
  return handle;
}

/** `console.*` has its arguments counted and hashed, and kept if the meter keeps anything. */
function installConsole(vm: QuickJS, state: State): void {
  const console = vm.newObject();
  for (const method of consoleMethods) {
    const print = vm.newFunction(`console.${method}`, (...args) => {
      state.meter?.print(args.map(printed).join(" "));
      return vm.undefined;
    });
    vm.setProp(console, method, print);
  }
  vm.setProp(vm.global, "console", console);
}

/** Strings and numbers as they are; of anything else its kind, for reading more would run the program's code. */
function printed(value: JSValueHandle): string {
  if (value.isString) return value.length > maxPrintedLength ? `[${value.length}]` : value.toString();
  return value.isNumber ? String(value.toNumber()) : `[${value.typeof}]`;
}

/** Relative to the importing file, and to one of the program's own files only. */
function resolveSpecifier(importer: string, specifier: string): string {
  if (!/^\.\.?\//.test(specifier)) throw new Error("Only ./ and ../ can be imported.");
  const path = importer.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (path.pop() === undefined) throw new Error("That is outside of the program.");
    } else if (part !== ".") path.push(part);
  }
  return path.join("/");
}

function loadModule(modules: ReadonlyMap<string, string>, path: string): string {
  const source = modules.get(path);
  if (source === undefined) throw new Error("That is not a file of the program.");
  return source;
}

function isExhausted(state: State): boolean {
  return state.ticks * fuelPerTick > state.fuel;
}

/** What was thrown, with its stack; empty if asking for that throws as well, or takes more than there is. */
function wordsOf(vm: QuickJS, explain: JSValueHandle, error: unknown): string {
  try {
    const thrown = error instanceof JSException ? error.handle : (error as JSValueHandle);
    return printed(vm.callFunction(explain, vm.undefined, thrown));
  } catch {
    return "";
  }
}

/** A program may fake "out of memory"; it may as well run out of it. */
function toStop(error: unknown, failure: GuestFailure): Stop {
  if (error instanceof Stop) return error;
  try {
    const handle = error instanceof JSException ? error.handle : (error as JSValueHandle);
    const message = handle.getOwnPropertyDescriptor("message")?.value;
    if (message?.isString && message.toString().startsWith("out of memory")) return new Stop("MemoryExceeded");
  } catch {
    // Not an exception of the engine, or one that cannot be read: no matter.
  }
  return new Stop(failure);
}
