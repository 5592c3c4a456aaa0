/**
 * Room: enclave/sandbox/engines/wasm. Reads one function body, instruction by instruction, refuses what is not known, and
 * has it written again with the meter in it (meteredCode.ts). What comes out is written from what was understood, never
 * copied, so that the engine cannot read it otherwise. Types are left to the engine: what is put in changes none, so a
 * body that is not valid stays so, and is refused by the engine in the sandbox. Pure.
 */
import type { Reader } from "./bytes.ts";
import { most } from "./limits.ts";
import { emptyBlock, MeteredCode, type MeterGlobals } from "./meteredCode.ts";
import { isValueType, op, type Plain, plainOf, prefixed } from "./opcodes.ts";

/** A function type: value types. */
export type FunctionType = { params: readonly number[]; results: readonly number[] };

/** What a body may refer to, and where the meter lies. */
export type Surroundings = {
  types: readonly FunctionType[];
  /** Type index by function index, imports first. */
  functions: readonly number[];
  globals: number;
  hasTable: boolean;
  /** From the data count section; undefined without one. */
  dataCount: number | undefined;
  meter: MeterGlobals;
  /** Index of a type without parameters that has these results. */
  typeOfResults: (type: FunctionType) => number;
};

/** An open block: height of the operand stack below it, and what it takes and leaves. */
type Frame = { opcode: number; base: number; params: number; results: number };

const callFuel = 4;
const indirectCallFuel = 8;

/** Instructions that show the bits of the float on top of the stack. */
const showsBits: ReadonlyMap<number, "f32" | "f64"> = new Map([
  [op.f32Store, "f32"],
  [op.f64Store, "f64"],
  [op.f32Copysign, "f32"],
  [op.f64Copysign, "f64"],
  [op.i32ReinterpretF32, "f32"],
  [op.i64ReinterpretF64, "f64"],
]);

/**
 * Rewrites a body.
 *
 * @param reader - the body, without its length.
 * @param typeIndex - the function's own type.
 * @returns the new body, without its length.
 * @throws `ModuleRefusedError`
 * @example
 * const body = meterBody(reader.part(reader.u32()), 0, around)
 */
export function meterBody(reader: Reader, typeIndex: number, around: Surroundings): Uint8Array {
  return new Body(reader, typeIndex, around).rewrite();
}

/** One body being read. */
class Body {
  private readonly reader: Reader;
  private readonly around: Surroundings;
  private readonly typeIndex: number;
  private readonly type: FunctionType;
  private readonly code: MeteredCode;
  private locals: number;
  private readonly frames: Frame[] = [];
  /** Operands on the stack: never fewer than there are, if the body is valid. */
  private height = 0;
  private highest = 0;

  constructor(reader: Reader, typeIndex: number, around: Surroundings) {
    this.reader = reader;
    this.around = around;
    this.typeIndex = typeIndex;
    this.type = this.typeAt(typeIndex);
    this.locals = this.type.params.length;
    this.code = new MeteredCode(this.locals, around.meter);
  }

  rewrite(): Uint8Array {
    this.readLocals();
    this.frames.push({ opcode: op.block, base: 0, params: 0, results: this.type.results.length });
    while (this.frames.length > 0) this.instruction(this.reader.byte());
    this.reader.close();
    return this.code.finish(this.highest, this.resultType());
  }

  private readLocals(): void {
    const { reader } = this;
    let declared = 0;
    for (let groups = reader.count(most.locals, "groups of locals"); groups > 0; groups -= 1) {
      const count = reader.u32();
      declared += count;
      if (declared > most.locals) reader.refuse(`has a function of over ${most.locals} locals`);
      this.code.declare(count, this.readValueType());
    }
    this.locals += declared;
  }

  private instruction(opcode: number): void {
    const plain = plainOf(opcode);
    if (plain) this.plain(opcode, plain);
    else if (opcode >= op.localGet && opcode <= op.globalSet) this.variable(opcode);
    else if (opcode === op.select || opcode === op.selectTyped) this.select(opcode);
    else if (opcode === op.memoryGrow) this.grow();
    else if (opcode === op.prefix) this.prefixed();
    else this.control(opcode);
  }

  private plain(opcode: number, { immediate, pops, pushes, fuel, alignment }: Plain): void {
    const { reader } = this;
    const float = showsBits.get(opcode);
    if (float) this.code.canonical(float);
    this.moves(pops, pushes);
    const code = this.code.emit(fuel, opcode);
    if (immediate === "i32") code.signed(reader.signed(32));
    else if (immediate === "i64") code.signed(reader.signed(64));
    else if (immediate === "f32") code.raw(reader.take(4));
    else if (immediate === "f64") code.raw(reader.take(8));
    else if (immediate === "zero") code.byte(this.readZero());
    else if (immediate === "memarg") {
      const stated = reader.u32();
      if (stated > alignment) reader.refuse("states an alignment that is too large");
      code.u32(stated).u32(reader.u32());
    }
  }

  private variable(opcode: number): void {
    const isGlobal = opcode === op.globalGet || opcode === op.globalSet;
    // The meter's own lie behind the program's: these bounds keep it out of reach.
    const index = isGlobal ? this.readIndex(this.around.globals, "global") : this.readIndex(this.locals, "local");
    const pops = opcode === op.localGet || opcode === op.globalGet ? 0 : 1;
    this.moves(pops, opcode === op.localSet || opcode === op.globalSet ? 0 : 1);
    this.code.emit(1, opcode).u32(index);
  }

  private select(opcode: number): void {
    this.moves(3, 1);
    const code = this.code.emit(1, opcode);
    if (opcode === op.select) return;
    if (this.reader.u32() !== 1) this.reader.refuse("selects other than one value");
    code.u32(1).byte(this.readValueType());
  }

  /* CONTROL */

  private control(opcode: number): void {
    switch (opcode) {
      case op.nop:
        this.code.emit(1, opcode);
        break;
      case op.unreachable:
        this.code.emit(1, opcode);
        this.never();
        break;
      case op.block:
      case op.loop:
      case op.if:
        this.open(opcode);
        break;
      case op.else:
        this.otherwise();
        break;
      case op.end:
        this.end();
        break;
      case op.br:
        this.code.emit(1, opcode).u32(this.readLabel());
        this.never();
        break;
      case op.brIf:
        this.moves(1, 0);
        this.code.emit(1, opcode).u32(this.readLabel());
        this.code.endRun();
        break;
      case op.brTable:
        this.branchTable();
        break;
      case op.return: // to the outermost block, behind which the fuel is given back
        this.code.emit(1, op.br).u32(this.frames.length - 1);
        this.never();
        break;
      case op.call:
        this.call();
        break;
      case op.callIndirect:
        this.callIndirect();
        break;
      default:
        this.reader.refuse(`uses instruction 0x${opcode.toString(16).padStart(2, "0")}, which is not offered`);
    }
  }

  private open(opcode: number): void {
    const { reader } = this;
    if (this.frames.length > most.nesting) reader.refuse(`nests over ${most.nesting} blocks`);
    if (opcode === op.if) this.moves(1, 0);
    const encoded = reader.signed(33);
    const { params, results } = this.blockType(encoded);
    this.moves(params.length, params.length);
    const base = Math.max(0, this.height - params.length);
    this.frames.push({ opcode, base, params: params.length, results: results.length });
    this.code.emit(1, opcode).signed(encoded);
    if (opcode !== op.block) this.code.endRun(opcode === op.loop);
  }

  private blockType(encoded: bigint): FunctionType {
    if (encoded >= 0n) return this.typeAt(Number(encoded));
    const byte = Number(encoded & 0x7fn);
    if (encoded < -64n || (byte !== emptyBlock && !isValueType(byte)))
      this.reader.refuse("has a block of no known type");
    return { params: [], results: byte === emptyBlock ? [] : [byte] };
  }

  private otherwise(): void {
    const frame = this.frames.at(-1);
    if (frame?.opcode !== op.if) this.reader.refuse("has an else without an if");
    frame.opcode = op.else;
    this.code.emit(0, op.else);
    this.code.endRun();
    this.height = frame.base;
    this.moves(0, frame.params);
  }

  private end(): void {
    const frame = this.frames.pop();
    this.height = frame?.base ?? 0;
    this.moves(0, frame?.results ?? 0);
    if (this.frames.length > 0) this.code.emit(0, op.end); // the last one is written with what follows it
    this.code.endRun();
  }

  private branchTable(): void {
    this.moves(1, 0);
    const count = this.reader.count(most.branchTargets, "targets of one br_table");
    const code = this.code.emit(1, op.brTable).u32(count);
    for (let i = 0; i <= count; i += 1) code.u32(this.readLabel());
    this.never();
  }

  private call(): void {
    const index = this.readIndex(this.around.functions.length, "function");
    const type = this.typeAt(this.around.functions[index] ?? -1);
    this.moves(type.params.length, type.results.length);
    this.code.beforeCall();
    this.code.emit(callFuel, op.call).u32(index);
    this.code.afterCall();
  }

  private callIndirect(): void {
    const { reader } = this;
    const index = reader.u32();
    const type = this.typeAt(index);
    if (reader.u32() !== 0 || !this.around.hasTable) reader.refuse("calls through a table that is not there");
    this.moves(type.params.length + 1, type.results.length);
    this.code.beforeCall();
    this.code.emit(indirectCallFuel, op.callIndirect).u32(index).u32(0);
    this.code.afterCall();
  }

  /* MEMORY */

  private grow(): void {
    this.moves(1, 1);
    this.code.chargeLength("pages");
    this.code.emit(1, op.memoryGrow).byte(this.readZero());
    this.code.stopUnlessGrown();
  }

  private prefixed(): void {
    const opcode = this.reader.u32();
    if (opcode <= prefixed.lastConversion) {
      this.moves(1, 1);
      this.code.emit(1, op.prefix).u32(opcode);
    } else if (opcode === prefixed.dataDrop) {
      const segment = this.readSegment();
      this.code.emit(1, op.prefix).u32(opcode).u32(segment);
    } else if (opcode <= prefixed.memoryFill) this.bulk(opcode);
    else this.reader.refuse(`uses instruction 0xfc ${opcode}, which is not offered`);
  }

  private bulk(opcode: number): void {
    this.moves(3, 0);
    const segment = opcode === prefixed.memoryInit ? this.readSegment() : undefined;
    this.code.chargeLength("bytes");
    const code = this.code.emit(1, op.prefix).u32(opcode);
    if (segment !== undefined) code.u32(segment);
    code.byte(this.readZero());
    if (opcode === prefixed.memoryCopy) code.byte(this.readZero());
  }

  /* WHAT IS REFERRED TO */

  private moves(pops: number, pushes: number): void {
    const floor = this.frames.at(-1)?.base ?? 0;
    this.height = Math.max(floor, this.height - pops) + pushes;
    this.highest = Math.max(this.highest, this.height);
  }

  /** What follows is not reached: nothing of the block is on the operand stack. */
  private never(): void {
    this.height = this.frames.at(-1)?.base ?? 0;
    this.code.endRun();
  }

  private resultType(): bigint {
    const { params, results } = this.type;
    const [first] = results;
    if (first === undefined) return BigInt(emptyBlock) - 128n;
    if (results.length === 1) return BigInt(first) - 128n;
    return BigInt(params.length === 0 ? this.typeIndex : this.around.typeOfResults(this.type));
  }

  private readSegment(): number {
    const { dataCount } = this.around;
    if (dataCount === undefined) this.reader.refuse("uses data segments without having counted them");
    return this.readIndex(dataCount, "data segment");
  }

  private readIndex(count: number, what: string): number {
    const index = this.reader.u32();
    if (index >= count) this.reader.refuse(`refers to ${what} ${index} of ${count}`);
    return index;
  }

  private readLabel(): number {
    return this.readIndex(this.frames.length, "block");
  }

  private readZero(): number {
    if (this.reader.byte() !== 0) this.reader.refuse("uses a second memory");
    return 0;
  }

  private readValueType(): number {
    const type = this.reader.byte();
    if (!isValueType(type)) this.reader.refuse("uses a type that is not a number");
    return type;
  }

  private typeAt(index: number): FunctionType {
    const type = this.around.types[index];
    if (type === undefined) this.reader.refuse(`refers to type ${index} of ${this.around.types.length}`);
    return type;
  }
}
