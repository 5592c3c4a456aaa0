/**
 * Room: enclave/sandbox/engines/wasm. Reads the sections of a module, all but the code, and refuses what is not known.
 * What comes out is either numbers or an item written anew. Pure. Source: WebAssembly Core Specification 2.0, 5.5 "Modules".
 */
import { exported, importModule, importTypes } from "./abi.ts";
import type { FunctionType } from "./body.ts";
import { ModuleRefusedError, type Reader, Writer } from "./bytes.ts";
import { most } from "./limits.ts";
import { isValueType, op, valueType } from "./opcodes.ts";

/** Section ids. */
export const section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The order in which sections stand. */
const order: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

/** "\0asm" and version 1. */
export const preamble = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** What is imported and exported. */
export const kind = { function: 0, table: 1, memory: 2, global: 3 } as const;
/** What a function type begins with. */
export const functionForm = 0x60;
/** The type of a table of functions. */
export const functionReference = 0x70;

/** Each section at most once, in order. */
export function readSections(reader: Reader): Map<number, Reader> {
  const sections = new Map<number, Reader>();
  let last = -1;
  while (!reader.done) {
    const id = reader.byte();
    const content = reader.part(reader.u32());
    if (id === section.custom) {
      content.name();
      continue;
    }
    const place = order.indexOf(id);
    if (place <= last) reader.refuse(`has section ${id} where it may not be`);
    last = place;
    sections.set(id, content);
  }
  return sections;
}

export function readTypes(reader: Reader): FunctionType[] {
  const values = (limit: number, what: string) =>
    Array.from({ length: reader.count(limit, what) }, () => {
      const type = reader.byte();
      if (!isValueType(type)) reader.refuse("uses a type that is not a number");
      return type;
    });
  return items(reader, most.types, "types", () => {
    if (reader.byte() !== functionForm) reader.refuse("has a type that is not a function's");
    return { params: values(most.parameters, "parameters"), results: values(most.results, "results") };
  });
}

export function readImports(reader: Reader, types: readonly FunctionType[]) {
  return items(reader, most.functions, "imports", () => {
    const from = reader.name();
    const name = reader.name();
    if (from !== importModule || !Object.hasOwn(importTypes, name)) reader.refuse("imports what is not offered");
    if (reader.byte() !== kind.function) reader.refuse("imports what is not a function");
    const wanted = importTypes[name as keyof typeof importTypes]; // it is one of them: see above
    const type = reader.u32();
    const { params, results } = types[type] ?? reader.refuse(`refers to type ${type} of ${types.length}`);
    const fits = params.length === wanted.params && results.length === wanted.results;
    if (!fits || [...params, ...results].some((value) => value !== valueType.i32))
      reader.refuse(`imports ${name} with another type`);
    return { name, type };
  });
}

export function readFunctions(reader: Reader, types: readonly FunctionType[]): number[] {
  return items(reader, most.functions, "functions", () => {
    const type = reader.u32();
    if (type >= types.length) reader.refuse(`refers to type ${type} of ${types.length}`);
    return type;
  });
}

type Range = { min: number; max: number };

function readRange(reader: Reader): { min: number; max: number | undefined } {
  const flags = reader.byte();
  if (flags > 1) reader.refuse("has a table or memory that is shared or of 64 bits");
  const min = reader.u32();
  const max = flags === 1 ? reader.u32() : undefined;
  if (max !== undefined && max < min) reader.refuse("has a table or memory whose maximum is below its minimum");
  return { min, max };
}

export function readTable(reader: Reader): Range | undefined {
  const [table] = items(reader, 1, "tables", () => {
    if (reader.byte() !== functionReference) reader.refuse("has a table of other things than functions");
    const { min } = readRange(reader);
    if (min > most.tableEntries) reader.refuse(`has a table of ${min} entries, limit ${most.tableEntries}`);
    return { min, max: min }; // nothing can grow it
  });
  return table;
}

export function readMemory(reader: Reader, mostPages: number): Range {
  const [memory] = items(reader, 1, "memories", () => readRange(reader));
  if (memory === undefined) reader.refuse("has no memory of its own");
  const { min, max = 65_536 } = memory;
  if (min > 65_536 || max > 65_536) reader.refuse("has a memory of over 4 GiB");
  if (min > mostPages) throw new ModuleTooLargeError(min, mostPages);
  return { min, max: Math.min(max, mostPages) };
}

export function readGlobals(reader: Reader): Uint8Array[] {
  return items(reader, most.globals, "globals", () => {
    const type = reader.byte();
    const mutable = reader.byte();
    if (!isValueType(type) || mutable > 1) reader.refuse("has a global of no known type");
    return new Writer().byte(type, mutable).raw(readConstant(reader, type)).view();
  });
}

/** A constant expression: one constant, for there are no imported globals. */
function readConstant(reader: Reader, type: number): Uint8Array {
  const out = new Writer();
  const opcode = reader.byte();
  if (opcode !== op.i32Const + (valueType.i32 - type))
    reader.refuse("has an initial value that is no constant of its type");
  out.byte(opcode);
  if (opcode === op.i32Const) out.signed(reader.signed(32));
  else if (opcode === op.i64Const) out.signed(reader.signed(64));
  else out.raw(reader.take(opcode === op.f32Const ? 4 : 8));
  if (reader.byte() !== op.end) reader.refuse("has an initial value that is no constant");
  return out.byte(op.end).view();
}

/**
 * Names once each, indices that exist; the memory and `run` must be there.
 *
 * @returns the function index of `run`.
 */
export function readExports(reader: Reader, counts: Readonly<Record<number, number>>): number {
  const names = new Map<string, { what: number; index: number }>();
  items(reader, most.exports, "exports", () => {
    const name = reader.name();
    const what = reader.byte();
    const index = reader.u32();
    if (index >= (counts[what] ?? 0)) reader.refuse("exports what is not there");
    if (names.has(name)) reader.refuse("exports one name twice");
    names.set(name, { what, index });
  });
  const run = names.get(exported.run);
  if (names.get(exported.memory)?.what !== kind.memory) reader.refuse("does not export its memory as memory");
  if (run?.what !== kind.function) reader.refuse("does not export run as a function");
  return run.index;
}

export function readElements(reader: Reader, functions: number, table: Range | undefined): Uint8Array[] {
  return items(reader, most.elementSegments, "element segments", () => {
    const flags = reader.u32();
    if (flags !== 0 && flags !== 2) reader.refuse("has an element segment that is not written at the start");
    if ((flags === 2 && reader.u32() !== 0) || table === undefined) reader.refuse("fills a table that is not there");
    const out = new Writer().u32(0).raw(readConstant(reader, valueType.i32));
    if (flags === 2 && reader.byte() !== kind.function) reader.refuse("has an element segment of other things");
    const count = reader.count(most.tableEntries, "entries of one element segment");
    out.u32(count);
    for (let i = 0; i < count; i += 1) {
      const index = reader.u32();
      if (index >= functions) reader.refuse(`refers to function ${index} of ${functions}`);
      out.u32(index);
    }
    return out.view();
  });
}

export function readData(reader: Reader, dataCount: number | undefined): Uint8Array[] {
  const segments = items(reader, most.dataSegments, "data segments", () => {
    const flags = reader.u32();
    const out = new Writer();
    if (flags > 2) reader.refuse("has a data segment of no known kind");
    if (flags === 2 && reader.u32() !== 0) reader.refuse("uses a second memory");
    if (flags === 1) out.u32(1);
    else out.u32(0).raw(readConstant(reader, valueType.i32));
    return out.sized(reader.take(reader.u32())).view();
  });
  if (dataCount !== undefined && dataCount !== segments.length) reader.refuse("counts its data segments wrongly");
  return segments;
}

/** Reads a section of so many equal things, to its end. */
export function items<T>(reader: Reader, limit: number, what: string, read: () => T): T[] {
  const found: T[] = [];
  for (let left = reader.count(limit, what); left > 0; left -= 1) found.push(read());
  reader.close();
  return found;
}

/** Its memory is larger from the start than the manifest allows. */
export class ModuleTooLargeError extends ModuleRefusedError {
  constructor(pages: number, limit: number) {
    super(`starts with ${pages} pages of memory, limit ${limit}`, 0);
  }
}
