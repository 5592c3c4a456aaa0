/**
 * Room: enclave/sandbox/engines. What an engine is, as the worker sees it. Each has a folder of its own beside this file:
 * `index.ts` exports an {@link Engine}, `guest.ts` is the module that drives it inside the sandbox process (see
 * ../guest.ts). engines.ts lists them; nothing else knows an engine by name.
 */
import type { FailureCode } from "../../../protocol/eip712.ts";
import type { Runtime } from "../../../protocol/engines.ts";
import type { Manifest, Program } from "../../../protocol/program.ts";

/** JavaScript source by import specifier; `guest` is the engine's guest.ts. */
export type GuestCode = Readonly<Record<string, string>>;

/** What a sandbox process of the engine is made of, read and checked against the pinned hash. */
export type EngineParts = {
  code: GuestCode;
  /** Bytes that the guest's `load` is given, in order: the engine's WebAssembly and the like. */
  artifacts: readonly Uint8Array[];
  /** Whether programs can have no WebAssembly but what is pinned: that need not be validated anew before it runs. */
  pinnedWasm: boolean;
  /** Native engines: files of this machine that the process may read and load. Absolute paths, checked by hash. */
  nativeFiles: readonly string[];
};

/** Memory that the process may use, in bytes. */
export type ProcessMemory = {
  /** Largest WebAssembly memory; 0 where there is none. */
  wasmBytes: number;
  /** Largest JavaScript heap around it. */
  heapBytes: number;
  /** What native code may allocate; 0 where there is none. */
  nativeBytes: number;
};

/** Runs one job of this engine in a disposable process without data: for `prepare`. The answer is not to be believed. */
export type RunWithoutData = (request: Uint8Array, limits: Manifest["limits"]) => Promise<Uint8Array | undefined>;

/** Outcome of {@link Engine.prepare}. `reason`: in words, for the program's author; tells nothing but the program. */
export type Prepared = { prepared: Uint8Array } | { failure: FailureCode; reason: string };

/** An engine. */
export type Engine = {
  runtime: Runtime;
  /** It runs machine code, which nothing but the operating system can hold: it is refused where no wall hides files. */
  native: boolean;
  /** Forms of input data that it takes. */
  formats: readonly Manifest["inputs"][number]["format"][];
  /** @throws `EngineMismatchError` if what is installed is not what is pinned. */
  load(): Promise<EngineParts>;
  memory(limits: Manifest["limits"], inputBytes: number): ProcessMemory;
  /**
   * What the worker itself checks, or rewrites, before a program runs, from the program alone: the statements of SQL, the
   * fuel meter in WebAssembly. Its outcome is kept by program id.
   *
   * @returns bytes for the guest (`GuestJob.prepared`), or why the program is not run.
   */
  prepare?(program: Program, run: RunWithoutData): Promise<Prepared>;
};
