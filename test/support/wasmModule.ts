/** Writes small WebAssembly modules, well-formed or not, byte by byte. */

/** Section ids. */
export const sectionId = {
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

export const i32 = 0x7f;
export const i64 = 0x7e;
export const f32 = 0x7d;
export const f64 = 0x7c;

type Bytes = readonly number[];

/** A function: index of its type, groups of locals, and code without the last `end`. */
export type Body = { type?: number; locals?: readonly (readonly [number, number])[]; code: Bytes };

/** A module. Left out: one type without parameters and results, one page of memory, and function `run`. */
export type ModuleSpec = {
  types?: readonly (readonly [Bytes, Bytes])[];
  imports?: readonly Bytes[];
  functions: readonly Body[];
  /** Bodies instead of those of `functions`. */
  bodies?: readonly Bytes[];
  tables?: readonly Bytes[];
  memories?: readonly Bytes[];
  globals?: readonly Bytes[];
  exports?: readonly Bytes[];
  start?: number;
  elements?: readonly Bytes[];
  dataCount?: number;
  data?: readonly Bytes[];
  /** Put before section `id`, or at the end. */
  extra?: readonly { before?: number; bytes: Bytes }[];
};

/** What a module begins with. */
export const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const;

/** Unsigned LEB128. */
export function u32(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...u32(Math.floor(value / 128))];
}

/** Signed LEB128. */
export function signed(value: number | bigint): number[] {
  const rest = BigInt(value);
  return rest >= -64n && rest < 64n ? [Number(rest & 127n)] : [Number(rest & 127n) | 128, ...signed(rest >> 7n)];
}

/** The value, as an instruction. */
export const i32Const = (value: number) => [0x41, ...signed(value | 0)];
export const i64Const = (value: bigint) => [0x42, ...signed(BigInt.asIntN(64, value))];

/** A length and so many items. */
export const vector = (items: readonly Bytes[]) => [...u32(items.length), ...items.flat()];

/** A length and the bytes of a text. */
export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...u32(bytes.length), ...bytes];
}

/** A section. */
export const section = (id: number, content: Bytes) => [id, ...u32(content.length), ...content];

/** An import of a function. */
export const imported = (from: string, field: string, type: number) => [...name(from), ...name(field), 0, ...u32(type)];

/** An export: kind 0 function, 1 table, 2 memory, 3 global. */
export const exportOf = (text: string, kind: number, index: number) => [...name(text), kind, ...u32(index)];

/** A function body with its length. */
export function body({ locals = [], code }: Body): number[] {
  const content = [...vector(locals.map(([count, type]) => [...u32(count), type])), ...code, 0x0b];
  return [...u32(content.length), ...content];
}

/** All of a module. */
export function wasmModule(spec: ModuleSpec): Uint8Array {
  const imports = spec.imports ?? [];
  const exports = spec.exports ?? [exportOf("memory", 2, 0), exportOf("run", 0, imports.length)];
  const parts: readonly (readonly [number, number[] | undefined])[] = [
    [
      1,
      vector(
        (spec.types ?? [[[], []]]).map(([from, to]) => [0x60, ...u32(from.length), ...from, ...u32(to.length), ...to]),
      ),
    ],
    [2, imports.length > 0 ? vector(imports) : undefined],
    [3, vector(spec.functions.map(({ type = 0 }) => u32(type)))],
    [4, spec.tables && vector(spec.tables)],
    [5, vector(spec.memories ?? [[0, 1]])],
    [6, spec.globals && vector(spec.globals)],
    [7, vector(exports)],
    [8, spec.start === undefined ? undefined : u32(spec.start)],
    [9, spec.elements && vector(spec.elements)],
    [12, spec.dataCount === undefined ? undefined : u32(spec.dataCount)],
    [10, vector(spec.bodies ?? spec.functions.map(body))],
    [11, spec.data && vector(spec.data)],
  ];
  const extra = spec.extra ?? [];
  const sections = parts.flatMap(([id, content]) => [
    ...extra.filter(({ before }) => before === id).flatMap(({ bytes }) => bytes),
    ...(content ? section(id, content) : []),
  ]);
  const last = extra.filter(({ before }) => before === undefined).flatMap(({ bytes }) => bytes);
  return Uint8Array.from([...preamble, ...sections, ...last]);
}
