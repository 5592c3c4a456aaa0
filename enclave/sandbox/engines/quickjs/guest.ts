/**
 * Room: enclave/sandbox/engines/quickjs. Runs one JavaScript program in QuickJS. Executed only inside the sandbox process.
 */
import { EvalFlags, JSException, type JSValueHandle, type QuickJS } from "quickjs-wasi";
import { type GuestFailure, type GuestJob, type LoadGuest, type Meter, Stop } from "../../guest.ts";
import {
  fuelPerTick,
  type ImageHead,
  isExhausted,
  type Machine,
  newState,
  printed,
  restoreMachine,
} from "./machine.ts";

const worker = process.ppid;
const { isUtf8 } = process.getBuiltinModule("node:buffer"); // see bootstrap.ts

/** See {@link LoadGuest}. */
export const load: LoadGuest = async ([wasm, memory, head]) => {
  if (wasm === undefined || memory === undefined || head === undefined) throw new Error("The engine is missing.");
  const image = JSON.parse(new TextDecoder().decode(head)) as ImageHead;
  const machine = await restoreMachine(wasm as Uint8Array<ArrayBuffer>, memory, image, newState(), () => {
    if (process.ppid !== worker) process.exit(1); // nobody is left to answer, or to kill this process in time
  });
  return async (job, meter) => {
    try {
      return await run(machine, job, meter);
    } finally {
      meter.fuel = machine.state.ticks * fuelPerTick;
    }
  };
};

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
