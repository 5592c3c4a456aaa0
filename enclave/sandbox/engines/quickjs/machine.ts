/**
 * Room: enclave/sandbox/engines/quickjs. The engine as every program finds it: what it is made with, what it may ask of its
 * host, and its memory as it is before any program. That is made once, by whoever starts sandbox processes, from the pinned
 * engine alone: processes that start from it spare themselves half of the engine's start.
 */
import { Intrinsics, type JSValueHandle, QuickJS, type QuickJSOptions } from "quickjs-wasi";
import type { Meter } from "../../guest.ts";

/** The engine asks whether to go on once per this many loop turns and calls; QuickJS's JS_INTERRUPT_COUNTER_INIT. */
export const fuelPerTick = 10_000;

/**
 * Bytes of the engine's own stack, about 1,000 calls deep. It must overflow before the host's does, so that programs
 * fail at the same depth everywhere: the worst case tried needs 4,000 of the 7,000 KiB that childProcess.ts gives.
 */
const guestStackBytes = 256 * 1024;

/** Of longer strings only their length is hashed: printing them must not cost more than making them. */
const maxPrintedLength = 64 * 1024;

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
export type State = { ticks: number; fuel: number; modules: Map<string, string>; meter: Meter | undefined };

const tools = ["parse", "render", "explain"] as const;
type Tools = [parse: JSValueHandle, render: JSValueHandle, explain: JSValueHandle];

/** The engine, and what the prelude has made in it. */
export type Machine = { vm: QuickJS; state: State } & Record<(typeof tools)[number], JSValueHandle>;

/** How an image is to be put back. Its first `from` bytes, the engine's stack, are zeros and not in it. */
export type ImageHead = { from: number; stackPointer: number; runtimePtr: number; contextPtr: number };

/**
 * Makes the engine's memory as it is before any program.
 *
 * @param wasm - the pinned engine.
 * @example
 * const { memory, head } = await takeImage(wasm)
 */
export async function takeImage(wasm: Uint8Array<ArrayBuffer>): Promise<{ memory: Uint8Array; head: ImageHead }> {
  const vm = await QuickJS.create(optionsOf(wasm, newState()));
  const console = vm.newObject();
  for (const method of consoleMethods)
    vm.setProp(
      console,
      method,
      vm.newFunction(consoleName(method), () => vm.undefined),
    );
  vm.setProp(vm.global, "console", console);
  const { memory, stackPointer, runtimePtr, contextPtr } = vm.snapshot();
  const from = memory.findIndex((byte) => byte !== 0);
  return { memory: memory.subarray(from), head: { from, stackPointer, runtimePtr, contextPtr } };
}

/**
 * Makes an engine that stands where the image was taken, and runs the prelude in it: what every program needs of the
 * engine's code is compiled by then.
 *
 * @param state - of this engine; its functions look at it.
 * @param onTick - called whenever the engine asks whether to go on.
 * @example
 * const { vm, parse } = await restoreMachine(wasm, memory, head, newState(), () => undefined)
 */
export async function restoreMachine(
  wasm: Uint8Array<ArrayBuffer>,
  image: Uint8Array,
  { from, stackPointer, runtimePtr, contextPtr }: ImageHead,
  state: State,
  onTick: () => void,
): Promise<Machine> {
  const memory = new Uint8Array(from + image.length);
  memory.set(image, from);
  const snapshot = { memory, stackPointer, runtimePtr, contextPtr, extensions: [] };
  const vm = await QuickJS.restore(snapshot, optionsOf(wasm, state, onTick));
  for (const method of consoleMethods)
    vm.registerHostCallback(consoleName(method), (...args) => {
      state.meter?.print(args.map(printed).join(" "));
      return vm.undefined;
    });
  const made = vm.evalCode(prelude, "prelude");
  const [parse, render, explain] = tools.map((name) => made.getProp(name)) as Tools;
  const nothing = vm.newString("{}");
  vm.callFunction(render, vm.undefined, vm.callFunction(parse, vm.undefined, nothing)).dispose();
  return { vm, state, parse, render, explain };
}

/**
 * Of an engine without a job.
 *
 * @example
 * const state = newState()
 */
export function newState(): State {
  return { ticks: 0, fuel: Number.POSITIVE_INFINITY, modules: new Map(), meter: undefined };
}

/** `console.*` has its arguments counted and hashed, and kept if the meter keeps anything. */
function consoleName(method: (typeof consoleMethods)[number]): string {
  return `console.${method}`;
}

function optionsOf(wasm: Uint8Array<ArrayBuffer>, state: State, onTick = () => {}): QuickJSOptions {
  return {
    wasm,
    intrinsics,
    maxStackSize: guestStackBytes,
    timezoneOffset: 0,
    interruptHandler: () => {
      onTick();
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

/**
 * Strings and numbers as they are; of anything else its kind, for reading more would run the program's code.
 *
 * @example
 * meter.print(printed(value))
 */
export function printed(value: JSValueHandle): string {
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

/**
 * Whether a program has used up its fuel.
 *
 * @example
 * if (isExhausted(state)) throw new Stop("FuelExhausted")
 */
export function isExhausted(state: State): boolean {
  return state.ticks * fuelPerTick > state.fuel;
}
