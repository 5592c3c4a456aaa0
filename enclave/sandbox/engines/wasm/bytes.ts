/**
 * Room: enclave/sandbox/engines/wasm. Reads and writes the primitives of the WebAssembly binary format. Pure.
 * What is read comes from anybody: every length is checked against what is left before it is used.
 * Source: WebAssembly Core Specification 2.0, 5.2 "Values".
 */
import { BaseError } from "../../../../protocol/errors.ts";

/** Reads a range of bytes, once and forwards. */
export class Reader {
  at: number;
  readonly end: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at === this.end;
  }

  /** Stops the whole pass. */
  refuse(fact: string): never {
    throw new ModuleRefusedError(fact, this.at);
  }

  byte(): number {
    const byte = this.at < this.end ? this.bytes[this.at] : undefined;
    if (byte === undefined) this.refuse("ends too early");
    this.at += 1;
    return byte;
  }

  /** An unsigned integer in at most 5 bytes; overlong forms are legal, as linkers use them. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break; // more than 32 bits, or a sixth byte
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.refuse("has an integer of more than 32 bits");
  }

  /** A signed integer of `bits` bits, in at most ceil(bits / 7) bytes. */
  signed(bits: 32 | 33 | 64): bigint {
    let value = 0n;
    const most = Math.ceil(bits / 7);
    for (let i = 0; i < most; i += 1) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte >= 0x80) continue;
      const extended = BigInt.asIntN(7 * (i + 1), value);
      if (BigInt.asIntN(bits, extended) !== extended) break;
      return extended;
    }
    this.refuse(`has an integer of more than ${bits} bits`);
  }

  /** A count of things, each of which takes at least one byte. */
  count(most: number, what: string): number {
    const count = this.u32();
    if (count > most) this.refuse(`has ${count} ${what}, limit ${most}`);
    if (count > this.end - this.at) this.refuse(`has fewer ${what} than it says`);
    return count;
  }

  /** @returns a view. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) this.refuse("ends too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A part of its own, which must be read to its end. */
  part(length: number): Reader {
    this.take(length);
    return new Reader(this.bytes, this.at - length, this.at);
  }

  name(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(this.u32()));
    } catch (error) {
      if (error instanceof ModuleRefusedError) throw error;
      this.refuse("has a name that is not UTF-8");
    }
  }

  /** Nothing may be left over. */
  close(): void {
    if (!this.done) this.refuse("has bytes left over");
  }
}

/** Writes bytes, growing as it goes. */
export class Writer {
  length = 0;
  private bytes = new Uint8Array(256);

  byte(...values: readonly number[]): this {
    this.reserve(values.length);
    for (const value of values) {
      this.bytes[this.length] = value;
      this.length += 1;
    }
    return this;
  }

  u32(value: number): this {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    return this.byte(rest);
  }

  signed(value: bigint): this {
    let rest = value;
    for (; rest < -64n || rest > 63n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    return this.byte(Number(rest & 0x7fn));
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** The length of what follows, then that. */
  sized(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  name(text: string): this {
    return this.sized(new TextEncoder().encode(text));
  }

  /** @returns a view. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.length + more));
    grown.set(this.view());
    this.bytes = grown;
  }
}

/** The module is malformed, or uses what is not offered here. */
export class ModuleRefusedError extends BaseError {
  override readonly name = "Wasm.ModuleRefusedError";
  constructor(fact: string, offset: number) {
    super(`The WebAssembly module ${fact} (at byte ${offset}).`, {
      hint: "Compile for WebAssembly 1.0 with bulk memory; what is allowed stands in docs/PROGRAMS-WASM.md.",
    });
  }
}
