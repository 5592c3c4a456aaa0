/**
 * Room: enclave/sandbox/engines/wasm. The plain instructions that programs may use: what follows the opcode, how high the
 * operand stack gets, and what it costs. Control, variables and what is rewritten stand in body.ts. Pure.
 * Source: WebAssembly Core Specification 2.0, 5.4 "Instructions". Left out, and so refused: references, tables as values,
 * SIMD, threads, exceptions, garbage collection, tail calls.
 */

/** What is read after an opcode. */
export type Immediate = "none" | "memarg" | "zero" | "i32" | "i64" | "f32" | "f64";

/** An instruction without effect on control: `pops` operands, `pushes` results, `fuel` units. */
export type Plain = { immediate: Immediate; pops: number; pushes: number; fuel: number; alignment: number };

/** Operands on both sides of an instruction. */
const effects = { unary: [1, 1], binary: [2, 1], load: [1, 1], store: [2, 0], push: [0, 1], pop: [1, 0] } as const;

/** [first, last, effect, immediate]; in the order of the specification. */
const ranges: readonly (readonly [number, number, keyof typeof effects, Immediate])[] = [
  [0x1a, 0x1a, "pop", "none"], // drop
  [0x28, 0x35, "load", "memarg"],
  [0x36, 0x3e, "store", "memarg"],
  [0x3f, 0x3f, "push", "zero"], // memory.size
  [0x41, 0x41, "push", "i32"],
  [0x42, 0x42, "push", "i64"],
  [0x43, 0x43, "push", "f32"],
  [0x44, 0x44, "push", "f64"],
  [0x45, 0x45, "unary", "none"], // i32.eqz
  [0x46, 0x4f, "binary", "none"],
  [0x50, 0x50, "unary", "none"], // i64.eqz
  [0x51, 0x66, "binary", "none"],
  [0x67, 0x69, "unary", "none"], // i32.clz, ctz, popcnt
  [0x6a, 0x78, "binary", "none"],
  [0x79, 0x7b, "unary", "none"], // i64.clz, ctz, popcnt
  [0x7c, 0x8a, "binary", "none"],
  [0x8b, 0x91, "unary", "none"], // f32.abs to f32.sqrt
  [0x92, 0x98, "binary", "none"],
  [0x99, 0x9f, "unary", "none"], // f64.abs to f64.sqrt
  [0xa0, 0xa6, "binary", "none"],
  [0xa7, 0xc4, "unary", "none"], // conversions, sign extension
];

/** log2 of the bytes that loads and stores touch, from 0x28 on: the largest alignment that they may state. */
const widths = "23230011001122" + "232301012";

/** Division, remainder and square root take as long as many others. */
const slow = new Set([0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3]);
const slowFuel = 8;

const plain = new Map<number, Plain>();
for (const [first, last, effect, immediate] of ranges) {
  const [pops, pushes] = effects[effect];
  for (let opcode = first; opcode <= last; opcode += 1) {
    const fuel = slow.has(opcode) ? slowFuel : 1;
    const alignment = immediate === "memarg" ? Number(widths[opcode - 0x28]) : 0;
    plain.set(opcode, { immediate, pops, pushes, fuel, alignment });
  }
}

/**
 * A plain instruction of one byte; undefined if it is none, or not allowed.
 *
 * @example
 * plainOf(0x6a) // i32.add: { pops: 2, pushes: 1, fuel: 1, ... }
 */
export function plainOf(opcode: number): Plain | undefined {
  return plain.get(opcode);
}

/** Opcodes that body.ts knows by name. */
export const op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  f32Store: 0x38,
  f64Store: 0x39,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i64LtS: 0x53,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32LtS: 0x48,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Sub: 0x7d,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  f32Copysign: 0x98,
  f64Copysign: 0xa6,
  i64ExtendI32U: 0xad,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  /** The first byte of saturating conversions and bulk memory. */
  prefix: 0xfc,
} as const;

/** After {@link op.prefix}: conversions up to 7, then these; the rest works on tables. */
export const prefixed = { lastConversion: 7, memoryInit: 8, dataDrop: 9, memoryCopy: 10, memoryFill: 11 } as const;

/** Value types: i32, i64, f32, f64. */
export const valueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;

/** Whether a byte is one of {@link valueType}. */
export function isValueType(byte: number): boolean {
  return byte >= valueType.f64 && byte <= valueType.i32;
}
