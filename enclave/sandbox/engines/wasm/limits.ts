/**
 * Room: enclave/sandbox/engines/wasm. How large a module may be, beside the 1 MiB of all files of a program: what bounds
 * the work of the pass, of V8's compiler, and the height of the stack.
 */

/** Most of each; a module with more is refused. */
export const most = {
  types: 2_000,
  /** Of one type. */
  parameters: 64,
  /** Of one type. */
  results: 16,
  functions: 10_000,
  globals: 1_000,
  exports: 1_000,
  /** Entries of the table. */
  tableEntries: 65_536,
  elementSegments: 1_000,
  dataSegments: 10_000,
  /** Of one function, in bytes as they come in. */
  bodyBytes: 131_072,
  /** Of one function, beside its parameters. */
  locals: 2_000,
  /** Blocks in blocks. */
  nesting: 500,
  /** Targets of one br_table. */
  branchTargets: 4_096,
  /** All bodies with the meter in them. */
  rewrittenBytes: 4 * 1024 * 1024,
} as const;

/** Bytes of a page of memory. */
export const pageBytes = 65_536;

/**
 * Stack of all nested calls, in slots of 8 bytes. A call takes its parameters, locals and the highest that its operand
 * stack gets, and {@link frameSlots}; V8 may need some three times that, of the 7,000 KiB that childProcess.ts gives.
 */
export const stackSlots = 262_144;

/** Slots that each call takes beside what it holds. */
export const frameSlots = 16;
