/**
 * Room: enclave/sandbox. Runs one program in QuickJS. This file is executed only inside the sandbox process, which can
 * read no file: its source, the engine and the data all come over stdin (see bootstrap.ts).
 * Nothing of the program's data leaves but the output; of its exceptions and prints, only that they happened.
 */
import { EvalFlags, Intrinsics, JSException, type JSValueHandle, QuickJS, type QuickJSOptions } from "quickjs-wasi";
import { type AnswerHead, packHead, type RunHead, readyByte, unpackFrame } from "./frames.ts";

type Failure = Exclude<AnswerHead["result"], "ok">;

/** The engine asks whether to go on once per this many loop turns and calls; QuickJS's JS_INTERRUPT_COUNTER_INIT. */
const fuelPerTick = 10_000;

/**
 * Bytes of the engine's own stack, about 1,000 calls deep. It must overflow before the host's does, so that programs
 * fail at the same depth everywhere: the worst case tried needs 4,000 of the 7,000 KiB that childProcess.ts gives.
 */
const guestStackBytes = 256 * 1024;

const worker = process.ppid;

const consoleMethods = ["debug", "error", "info", "log", "trace", "warn"] as const;

/** Everything but a clock and what shows when garbage is collected. */
const intrinsics = Intrinsics.ALL & ~Intrinsics.PERFORMANCE & ~Intrinsics.WEAK_REF;

/**
 * Evaluated before the program, so that it holds the real JSON whatever the program does to the globals.
 * `render` refuses what JSON.stringify would silently drop or turn into null.
 */
const prelude = `(() => {
  "use strict";
  const { parse, stringify } = JSON;
  const strict = (key, value) => {
    const type = typeof value;
    if (type === "number" ? value - value !== 0 : type !== "string" && type !== "boolean" && type !== "object") throw 0;
    return value;
  };
  return { parse, render: (value) => stringify(value, strict) };
})()`;

/**
 * Entry point, called by the bootstrap.
 *
 * @param payload - one frame with a {@link RunHead}.
 * @param send - writes bytes to stdout.
 * @example
 * await main(stdin, (bytes) => writeSync(1, bytes))
 */
export async function main(payload: Uint8Array, send: (bytes: Uint8Array) => void): Promise<void> {
  const frame = unpackFrame(payload);
  if (frame === undefined) return;
  const head = frame.head as RunHead; // from the worker, which is trusted here
  const blobs = new Blobs(frame.body);
  const modules: Modules = new Map();
  const meter: Meter = { ticks: 0, lines: 0, bytes: 0 };
  const answer = (result: AnswerHead["result"]) =>
    packHead({
      result,
      fuel: Math.min(meter.ticks * fuelPerTick, head.limits.fuel),
      console: { lines: meter.lines, bytes: meter.bytes },
    } satisfies AnswerHead);
  try {
    const vm = await createVm(blobs.take(head.engineBytes), head, modules, meter);
    send(Uint8Array.of(readyByte));
    const output = await run(vm, head, blobs, modules, meter);
    send(answer("ok"));
    send(output);
  } catch (error) {
    if (error instanceof Stop) send(answer(error.failure));
    // Anything else is a fault of ours: no answer is an answer the worker understands.
  }
}

/** Source by path. */
type Modules = Map<string, string>;
type Meter = { ticks: number; lines: number; bytes: number };

function createVm(engine: Uint8Array, head: RunHead, modules: Modules, meter: Meter): Promise<QuickJS> {
  const options: QuickJSOptions = {
    wasm: Uint8Array.from(engine),
    intrinsics,
    memoryLimit: head.limits.memoryBytes,
    maxStackSize: guestStackBytes,
    timezoneOffset: 0,
    interruptHandler: () => {
      if (process.ppid !== worker) process.exit(1); // nobody is left to answer, or to kill this process in time
      meter.ticks += 1;
      return isExhausted(head, meter);
    },
    moduleLoader: { normalize: resolveSpecifier, load: (path) => loadModule(modules, path) },
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
  return QuickJS.create(options);
}

async function run(vm: QuickJS, head: RunHead, blobs: Blobs, modules: Modules, meter: Meter): Promise<Uint8Array> {
  /** Runs one stage; whatever is thrown in it becomes a failure without words. */
  const stage = <T>(failure: Failure, work: () => T): T => {
    let result: T;
    try {
      result = work();
    } catch (error) {
      throw isExhausted(head, meter) ? new Stop("FuelExhausted") : toStop(error, failure);
    }
    // The engine cannot be trusted to pass an interrupt on: a promise may have swallowed it.
    if (isExhausted(head, meter)) throw new Stop("FuelExhausted");
    return result;
  };

  const { parse, render } = stage("ProgramTrapped", () => {
    installConsole(vm, meter);
    const tools = vm.evalCode(prelude, "prelude");
    return { parse: tools.getProp("parse"), render: tools.getProp("render") };
  });
  const params = stage("ProgramTrapped", () =>
    vm.callFunction(parse, vm.undefined, newText(vm, blobs.takeText(head.paramsBytes))),
  );
  for (const file of head.files) modules.set(file.path, blobs.takeText(file.size));

  const inputs = vm.newObject();
  for (const input of head.inputs) {
    const text = stage("MemoryExceeded", () => newText(vm, blobs.takeText(input.size)));
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
    if ("error" in settled) throw toStop(settled.error, "ProgramTrapped");
    return settled.value;
  };

  const entry = modules.get(head.entry) ?? "";
  const loaded = stage("ProgramTrapped", () => vm.evalCode(entry, head.entry, EvalFlags.TYPE_MODULE));
  const namespace = await settle(loaded);
  const program = stage("ProgramTrapped", () => namespace.getProp("default"));
  if (!program.isFunction) throw new Stop("ProgramTrapped");
  const returned = stage("ProgramTrapped", () => vm.callFunction(program, vm.undefined, inputs, params));
  const result = returned.isPromise ? await settle(returned) : returned;

  const rendered = stage("OutputRefused", () => vm.callFunction(render, vm.undefined, result));
  if (!rendered.isString) throw new Stop("OutputRefused");
  if (rendered.length > head.limits.outputBytes) throw new Stop("OutputTooLarge");
  const output = Buffer.from(rendered.toString(), "utf8");
  if (output.length > head.limits.outputBytes) throw new Stop("OutputTooLarge");
  return output;
}

/** A string in the engine; running out of memory there is a value, not an exception. */
function newText(vm: QuickJS, text: string): JSValueHandle {
  const handle = vm.newString(text);
  if (!handle.isString) throw new Stop("MemoryExceeded");
  return handle;
}

/** `console.*` counts calls and the bytes of strings in UTF-16, and keeps nothing. */
function installConsole(vm: QuickJS, meter: Meter): void {
  const console = vm.newObject();
  for (const method of consoleMethods) {
    const count = vm.newFunction(`console.${method}`, (...args) => {
      meter.lines += 1;
      for (const arg of args) if (arg.isString) meter.bytes += 2 * arg.length;
      return vm.undefined;
    });
    vm.setProp(console, method, count);
  }
  vm.setProp(vm.global, "console", console);
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

function loadModule(modules: Modules, path: string): string {
  const source = modules.get(path);
  if (source === undefined) throw new Error("That is not a file of the program.");
  return source;
}

function isExhausted(head: RunHead, meter: Meter): boolean {
  return meter.ticks * fuelPerTick > head.limits.fuel;
}

/** A program may fake "out of memory"; it may as well run out of it. */
function toStop(error: unknown, failure: Failure): Stop {
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

/** Cuts the body of a request into its blobs, in order. */
class Blobs {
  private readonly body: Uint8Array;
  private at = 0;
  constructor(body: Uint8Array) {
    this.body = body;
  }
  take(size: number): Uint8Array {
    this.at += size;
    return this.body.subarray(this.at - size, this.at);
  }
  takeText(size: number): string {
    return new TextDecoder("utf-8").decode(this.take(size));
  }
}

/** The run is over, with a failure and without words. Never leaves this process. */
class Stop extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}
