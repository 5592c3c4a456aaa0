/**
 * Room: enclave/sandbox/engines/wasm. The fuel pass: reads a WebAssembly module, refuses what is not known, and writes it
 * again with a meter in it (body.ts) and with the memory that its manifest allows at most. Pure. Source: WebAssembly Core
 * Specification 2.0, 5.5 "Modules". Custom sections are dropped.
 */
import { exported, importModule } from "./abi.ts";
import { type FunctionType, meterBody, type Surroundings } from "./body.ts";
import { Reader, Writer } from "./bytes.ts";
import { most, pageBytes, stackSlots } from "./limits.ts";
import { op, valueType } from "./opcodes.ts";
import {
  functionForm,
  functionReference,
  items,
  kind,
  preamble,
  readData,
  readElements,
  readExports,
  readFunctions,
  readGlobals,
  readImports,
  readMemory,
  readSections,
  readTable,
  readTypes,
  section,
} from "./sections.ts";

/** What the manifest allows. */
export type ModuleLimits = { fuel: number; memoryBytes: number };

/**
 * Puts the meter into a module.
 *
 * @param bytes - the program's entry; anything.
 * @param limits - fuel that the module starts with, and the most memory that it may grow to.
 * @returns a module that exports what abi.ts names; it is valid if the given one is.
 * @throws `ModuleRefusedError`; of those `ModuleTooLargeError` if its memory is larger from the start.
 * @example
 * const metered = meterModule(bytes, { fuel: 1_000_000, memoryBytes: 16 * 1024 * 1024 })
 */
export function meterModule(bytes: Uint8Array, limits: ModuleLimits): Uint8Array {
  const reader = new Reader(bytes);
  if (!Buffer.from(reader.take(preamble.length)).equals(preamble)) reader.refuse("is not WebAssembly 1");
  const sections = readSections(reader);
  /** The section's content, or that of an empty one. */
  const open = (id: number) => sections.get(id) ?? new Reader(Uint8Array.of(0));

  const types = readTypes(open(section.type));
  const imports = readImports(open(section.import), types);
  const own = readFunctions(open(section.function), types);
  const functions = [...imports.map((each) => each.type), ...own];
  const table = readTable(open(section.table));
  const pages = readMemory(open(section.memory), Math.floor(limits.memoryBytes / pageBytes));
  const globals = readGlobals(open(section.global));
  const isProcedure = (index: number) => {
    const type = types[functions[index] ?? -1];
    return type?.params.length === 0 && type.results.length === 0;
  };
  const run = readExports(open(section.export), {
    [kind.function]: functions.length,
    [kind.table]: table ? 1 : 0,
    [kind.memory]: 1,
    [kind.global]: globals.length,
  });
  if (!isProcedure(run)) open(section.export).refuse("does not export run as a function of no parameters and results");
  const start = sections.get(section.start);
  const startIndex = start?.u32();
  start?.close();
  if (start && startIndex !== undefined && !isProcedure(startIndex)) start.refuse("starts with no such function");
  const elements = readElements(open(section.element), functions.length, table);
  const counted = sections.get(section.dataCount);
  const dataCount = counted?.u32();
  counted?.close();

  const meter = { fuel: globals.length, stack: globals.length + 1, outOfMemory: globals.length + 2 };
  /** Types behind the program's own, with their index by what they say. */
  const added: FunctionType[] = [];
  const addedAt = new Map<string, number>();
  const typeOfResults = ({ results }: FunctionType) => {
    const key = results.join();
    const index = addedAt.get(key) ?? types.length + added.push({ params: [], results }) - 1;
    addedAt.set(key, index);
    return index;
  };
  const around: Surroundings = {
    ...{ types, functions, globals: globals.length, hasTable: table !== undefined, dataCount, meter, typeOfResults },
  };
  const bodies = readCode(open(section.code), own, around);
  const data = readData(open(section.data), dataCount);

  const out = new Writer().raw(preamble);
  const write = (id: number, items: readonly Uint8Array[]) => {
    if (items.length === 0) return;
    const content = new Writer().u32(items.length);
    for (const item of items) content.raw(item);
    out.byte(id).sized(content.view());
  };
  write(section.type, [...types, ...added].map(packType));
  write(
    section.import,
    imports.map(({ name, type }) => new Writer().name(importModule).name(name).byte(kind.function).u32(type).view()),
  );
  write(
    section.function,
    own.map((type) => new Writer().u32(type).view()),
  );
  if (table) write(section.table, [new Writer().byte(functionReference, 1).u32(table.min).u32(table.max).view()]);
  write(section.memory, [new Writer().byte(1).u32(pages.min).u32(pages.max).view()]);
  write(section.global, [
    ...globals,
    new Writer().byte(valueType.i64, 1, op.i64Const).signed(BigInt(limits.fuel)).byte(op.end).view(),
    new Writer().byte(valueType.i32, 1, op.i32Const).signed(BigInt(stackSlots)).byte(op.end).view(),
    new Writer().byte(valueType.i32, 1, op.i32Const).signed(0n).byte(op.end).view(),
  ]);
  const packExport = (name: string, what: number, index: number) =>
    new Writer().name(name).byte(what).u32(index).view();
  write(section.export, [
    packExport(exported.memory, kind.memory, 0),
    packExport(exported.run, kind.function, run),
    ...(startIndex === undefined ? [] : [packExport(exported.start, kind.function, startIndex)]),
    packExport(exported.fuel, kind.global, meter.fuel),
    packExport(exported.stack, kind.global, meter.stack),
    packExport(exported.outOfMemory, kind.global, meter.outOfMemory),
  ]);
  write(section.element, elements);
  if (dataCount !== undefined) out.byte(section.dataCount).sized(new Writer().u32(dataCount).view());
  write(section.code, bodies);
  write(section.data, data);
  return out.view().slice();
}

function packType({ params, results }: FunctionType): Uint8Array {
  return new Writer().byte(functionForm).sized(Uint8Array.from(params)).sized(Uint8Array.from(results)).view();
}

function readCode(reader: Reader, own: readonly number[], around: Surroundings): Uint8Array[] {
  let next = 0;
  let total = 0;
  const bodies = items(reader, most.functions, "function bodies", () => {
    const size = reader.u32();
    if (size > most.bodyBytes) reader.refuse(`has a function of ${size} bytes, limit ${most.bodyBytes}`);
    const type = own[next] ?? reader.refuse("has more bodies than functions");
    next += 1;
    const body = new Writer().sized(meterBody(reader.part(size), type, around)).view();
    total += body.length;
    if (total > most.rewrittenBytes) reader.refuse(`has over ${most.rewrittenBytes} bytes of code with its meter`);
    return body;
  });
  if (bodies.length !== own.length) reader.refuse("has fewer bodies than functions");
  return bodies;
}
