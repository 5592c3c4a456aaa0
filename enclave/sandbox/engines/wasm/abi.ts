/**
 * Room: enclave/sandbox/engines/wasm. What a program and its host call each other: docs/PROGRAMS-WASM.md. Known to the
 * pass in the worker and to the guest in the sandbox process, so it imports nothing.
 */

/** Module name of all imports. */
export const importModule = "dcm";

/** What a program may import: so many parameters and results, all i32. */
export const importTypes = {
  input_size: { params: 1, results: 1 },
  input_read: { params: 4, results: 0 },
  input_refuse: { params: 0, results: 0 },
  params_size: { params: 0, results: 1 },
  params_read: { params: 3, results: 0 },
  output_write: { params: 2, results: 0 },
  print: { params: 2, results: 0 },
} as const;

/** Name of an import. */
export type ImportName = keyof typeof importTypes;

/** What the rewritten module exports, and nothing else; a program's other exports are dropped. */
export const exported = {
  /** The program's memory. */
  memory: "memory",
  /** The program: no parameters, no results. */
  run: "run",
  /** The program's start function, if it has one: called before `run`, where the format would call it too early. */
  start: "start",
  /** Mutable i64: fuel left. Below zero: exhausted. */
  fuel: "fuel",
  /** Mutable i32: slots of the stack left, as the last call found them. */
  stack: "stack",
  /** Mutable i32: 1 after a `memory.grow` that failed, which ends the run. */
  outOfMemory: "outOfMemory",
} as const;

/** Fuel of a call of the host, beside one unit per {@link bytesPerFuel} of what it moves. */
export const hostCallFuel = 100;

/** Bytes that are copied, filled or moved for one unit of fuel. */
export const bytesPerFuel = 8;
