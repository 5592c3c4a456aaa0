/** A module that computes in floating point over its input, byte by byte, and returns the bits of what comes out. */
import { exportOf, f64, i32, i32Const, i64, i64Const, imported, u32, wasmModule } from "../support/wasmModule.ts";

/** Opcodes of WebAssembly 1.0. */
const op = {
  ...{
    block: 0x02,
    loop: 0x03,
    if: 0x04,
    end: 0x0b,
    br: 0x0c,
    brIf: 0x0d,
    call: 0x10,
    get: 0x20,
    set: 0x21,
    tee: 0x22,
  },
  ...{ load8: 0x2d, store8: 0x3a, f64Const: 0x44, i32GeU: 0x4f, f64Ne: 0x62, i32Add: 0x6a, empty: 0x40 },
  ...{ i64And: 0x83, i64Xor: 0x85, i64ShrU: 0x88, i64Rotl: 0x89, i32OfI64: 0xa7, i64BitsOfF64: 0xbd },
  ...{ f64Sqrt: 0x9f, f64Add: 0xa0, f64Sub: 0xa1, f64Mul: 0xa2, f64Div: 0xa3 },
  ...{ f32OfF64: 0xb6, f64OfI32: 0xb7, f64OfF32: 0xbb },
} as const;

const f64Const = (value: number) => [op.f64Const, ...new Uint8Array(new Float64Array([value]).buffer)];

/** Locals: size, position, sum, hash. */
const [size, at, sum, hash] = [0, 1, 2, 3] as const;
/** Where the input lies in memory; the output is before it. */
const input = 1024;

/**
 * The module: reads input 0; for each byte `sum = sqrt(sum * 1.1 + (byte - 90)) / 3`, through 32 bits and back, and
 * `hash = rotl(hash, 7) ^ bits(sum)`. At times `sum` is NaN: its bits go into the hash, and `sum` is the position then.
 * Writes 16 letters from `a` to `p` in quotes.
 */
export function f64Hash(): Uint8Array {
  const letters = Array.from({ length: 16 }, (_, i) => [
    ...[...i32Const(1 + i), op.get, hash, ...i64Const(BigInt(4 * i)), op.i64ShrU, ...i64Const(15n), op.i64And],
    ...[op.i32OfI64, ...i32Const(0x61), op.i32Add, op.store8, 0, 0],
  ]).flat();
  const quote = (place: number) => [...i32Const(place), ...i32Const(0x22), op.store8, 0, 0];
  const code = [
    ...[...i32Const(0), op.call, 0, op.set, size],
    ...[...i32Const(0), ...i32Const(input), ...i32Const(0), op.get, size, op.call, 1],
    ...[op.block, op.empty, op.loop, op.empty, op.get, at, op.get, size, op.i32GeU, op.brIf, 1],
    ...[op.get, sum, ...f64Const(1.1), op.f64Mul, op.get, at, op.load8, 0, ...u32(input), op.f64OfI32],
    ...[...f64Const(90), op.f64Sub, op.f64Add, op.f64Sqrt, ...f64Const(3), op.f64Div],
    ...[op.f32OfF64, op.f64OfF32, op.tee, sum, op.i64BitsOfF64],
    ...[op.get, hash, ...i64Const(7n), op.i64Rotl, op.i64Xor, op.set, hash],
    ...[op.get, sum, op.get, sum, op.f64Ne, op.if, op.empty, op.get, at, op.f64OfI32, op.set, sum, op.end],
    ...[op.get, at, ...i32Const(1), op.i32Add, op.set, at, op.br, 0, op.end, op.end],
    ...[...quote(0), ...letters, ...quote(17), ...i32Const(0), ...i32Const(18), op.call, 2],
  ];
  const locals = [[2, i32] as const, [1, f64] as const, [1, i64] as const];
  return wasmModule({
    types: [
      [[], []],
      [[i32], [i32]],
      [[i32, i32, i32, i32], []],
      [[i32, i32], []],
    ],
    imports: [imported("dcm", "input_size", 1), imported("dcm", "input_read", 2), imported("dcm", "output_write", 3)],
    functions: [{ locals, code }],
    memories: [[0, 4]],
    exports: [exportOf("memory", 2, 0), exportOf("run", 0, 3)],
  });
}
