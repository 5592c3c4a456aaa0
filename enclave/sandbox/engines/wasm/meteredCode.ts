/**
 * Room: enclave/sandbox/engines/wasm. Writes one function body with the meter in it; body.ts tells it what was read. Pure.
 *
 * - Fuel lies in a global between functions and in a local inside of one. Each straight run of instructions is charged
 *   where it starts; function entries and loop heads stop below zero. Bulk memory is charged by its length before it runs.
 * - The stack that is left lies in a global too: a function that calls takes its frame off at its entry and tells so to
 *   those that it calls. So recursion ends at the same depth everywhere, long before the machine's own stack.
 * - A NaN that is stored, reinterpreted or whose sign is copied becomes the canonical one: elsewhere its bits do not show,
 *   and processors differ in them.
 */
import { bytesPerFuel } from "./abi.ts";
import { Writer } from "./bytes.ts";
import { frameSlots, pageBytes } from "./limits.ts";
import { op, valueType } from "./opcodes.ts";

/** Indices of globals that the pass adds behind the program's own. */
export type MeterGlobals = { fuel: number; stack: number; outOfMemory: number };

/** Type of a block without parameters and results. */
export const emptyBlock = 0x40;

/** Operands that the meter itself puts on the stack at most. */
const meterSlots = 4;

/** log2: units of fuel for a page, and bytes for a unit. */
const pageFuelShift = Math.log2(pageBytes / bytesPerFuel);
const byteFuelShift = Math.log2(bytesPerFuel);

/** Locals of the meter, behind the program's own. */
const scratchTypes = {
  fuel: valueType.i64,
  stack: valueType.i32,
  length: valueType.i32,
  f32: valueType.f32,
  f64: valueType.f64,
} as const;
type Scratch = keyof typeof scratchTypes;

const nan = {
  f32: { const: op.f32Const, eq: op.f32Eq, bytes: Uint8Array.of(0, 0, 0xc0, 0x7f) },
  f64: { const: op.f64Const, eq: op.f64Eq, bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f) },
} as const;

/** One function body being written. */
export class MeteredCode {
  private readonly globals: MeterGlobals;
  private readonly groups: { count: number; type: number }[] = [];
  /** Parameters and locals of the program. */
  private locals: number;
  private readonly scratch = new Map<Scratch, number>();
  /** Finished code, behind the entry. */
  private readonly out = new Writer();
  /** The straight run that is being written; its price is known when it ends. */
  private readonly run = new Writer();
  private runFuel = 1;
  private runIsChecked = true;

  constructor(params: number, globals: MeterGlobals) {
    this.locals = params;
    this.globals = globals;
  }

  /** Locals as declared; each costs one unit at the entry. Before any instruction. */
  declare(count: number, type: number): void {
    this.groups.push({ count, type });
    this.locals += count;
    this.runFuel += count;
  }

  /** An instruction of the program; its immediates are to be written behind it. */
  emit(fuel: number, opcode: number): Writer {
    this.runFuel += fuel;
    return this.run.byte(opcode);
  }

  /** The next instruction may be reached from elsewhere, or not be reached. `isLoop`: it is the head of a loop. */
  endRun(isLoop = false): void {
    if (this.runFuel > 0) {
      this.get(this.out, "fuel").byte(op.i64Const).signed(BigInt(this.runFuel)).byte(op.i64Sub);
      this.setFuel(this.out, this.runIsChecked);
      this.runIsChecked = false;
    }
    this.runIsChecked ||= isLoop;
    this.out.raw(this.run.view());
    this.run.clear();
    this.runFuel = 0;
  }

  /** Before a call: the globals say what this function's locals do. */
  beforeCall(): void {
    const { fuel, stack } = this.globals;
    this.get(this.run, "fuel").byte(op.globalSet).u32(fuel);
    this.get(this.run, "stack").byte(op.globalSet).u32(stack);
  }

  /** After a call: the callee has used fuel. */
  afterCall(): void {
    this.run.byte(op.globalGet).u32(this.globals.fuel);
    this.set(this.run, "fuel");
  }

  /** Charges the length on top of the operand stack, in bytes or pages, and stops at once if that was too much. */
  chargeLength(of: "bytes" | "pages"): void {
    this.tee(this.run, "length");
    this.get(this.run, "fuel");
    this.get(this.run, "length").byte(op.i64ExtendI32U, op.i64Const);
    if (of === "pages") this.run.signed(BigInt(pageFuelShift)).byte(op.i64Shl);
    else this.run.signed(BigInt(byteFuelShift)).byte(op.i64ShrU);
    this.run.byte(op.i64Sub);
    this.setFuel(this.run, true);
  }

  /** After memory.grow: a program never sees it fail, for that may depend on the machine. */
  stopUnlessGrown(): void {
    this.tee(this.run, "length").byte(op.i32Const).signed(-1n).byte(op.i32Eq, op.if, emptyBlock);
    this.run.byte(op.i32Const, 1, op.globalSet).u32(this.globals.outOfMemory).byte(op.unreachable, op.end);
    this.get(this.run, "length");
  }

  /** Makes a NaN on top of the operand stack the canonical one. */
  canonical(float: "f32" | "f64"): void {
    const { const: constant, eq, bytes } = nan[float];
    this.tee(this.run, float).byte(constant).raw(bytes);
    this.get(this.run, float);
    this.get(this.run, float).byte(eq, op.select);
  }

  /**
   * The whole body: locals, entry, code, and the fuel given back. Every way out leads there, for `return` is written as a
   * branch to the block around the code.
   *
   * @param highest - the most operands that the program has on the stack at once.
   * @param resultType - type of that block.
   */
  finish(highest: number, resultType: bigint): Uint8Array {
    const { fuel, stack } = this.globals;
    const entry = new Writer().byte(op.globalGet).u32(fuel);
    this.set(entry, "fuel");
    if (this.scratch.has("stack")) {
      const slots = this.locals + this.scratch.size + highest + meterSlots + frameSlots;
      entry.byte(op.globalGet).u32(stack).byte(op.i32Const).signed(BigInt(slots)).byte(op.i32Sub);
      this.tee(entry, "stack").byte(op.i32Const, 0, op.i32LtS, op.if, emptyBlock, op.unreachable, op.end);
    }
    const body = new Writer().u32(this.groups.length);
    for (const { count, type } of this.groups) body.u32(count).byte(type);
    body.raw(entry.view()).byte(op.block).signed(resultType).raw(this.out.view()).byte(op.end);
    this.get(body, "fuel").byte(op.globalSet).u32(fuel);
    return body.byte(op.end).view();
  }

  /** Keeps the fuel that is on the operand stack. */
  private setFuel(to: Writer, isChecked: boolean): void {
    if (!isChecked) {
      this.set(to, "fuel");
      return;
    }
    this.tee(to, "fuel").byte(op.i64Const, 0, op.i64LtS, op.if, emptyBlock);
    this.get(to, "fuel").byte(op.globalSet).u32(this.globals.fuel).byte(op.unreachable, op.end);
  }

  private get(to: Writer, name: Scratch): Writer {
    return to.byte(op.localGet).u32(this.scratchOf(name));
  }

  private set(to: Writer, name: Scratch): Writer {
    return to.byte(op.localSet).u32(this.scratchOf(name));
  }

  private tee(to: Writer, name: Scratch): Writer {
    return to.byte(op.localTee).u32(this.scratchOf(name));
  }

  private scratchOf(name: Scratch): number {
    const known = this.scratch.get(name);
    if (known !== undefined) return known;
    const index = this.locals + this.scratch.size;
    this.scratch.set(name, index);
    this.groups.push({ count: 1, type: scratchTypes[name] });
    return index;
  }
}
