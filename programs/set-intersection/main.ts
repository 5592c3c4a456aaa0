// How many distinct values two columns have in common. AssemblyScript; compiled to main.wasm as the README says.
// Reveals three counts. Any table that is not well-formed CSV, or has not the column, stops the run.
import { input_read, input_refuse, input_size, output_write, params_read, params_size } from "./dcm";

const COMMA: u8 = 0x2c;
const QUOTE: u8 = 0x22;
const CR: u8 = 0x0d;
const LF: u8 = 0x0a;

/** Fewer distinct values than this on a side make its count a question about single values. */
const FEWEST: i32 = 20;

/** A place in memory. */
@unmanaged
class Span {
  at: usize = 0;
  length: i32 = 0;
}

/** Reads CSV field by field (RFC 4180), unquoting in place. */
class Csv {
  field: Span = new Span();
  /** The field was the last of its row. */
  lastOfRow: bool = false;

  constructor(
    private at: usize,
    private end: usize,
  ) {}

  get done(): bool {
    return this.at === this.end;
  }

  next(): void {
    if (this.at < this.end && load<u8>(this.at) === QUOTE) this.quoted();
    else this.plain();
    if (this.at === this.end) {
      this.lastOfRow = true;
      return;
    }
    const separator = load<u8>(this.at++);
    this.lastOfRow = separator !== COMMA;
    if (separator === CR && (this.at === this.end || load<u8>(this.at++) !== LF)) input_refuse();
  }

  private plain(): void {
    const from = this.at;
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte === COMMA || byte === CR || byte === LF) break;
      if (byte === QUOTE) input_refuse();
      this.at++;
    }
    this.field.at = from;
    this.field.length = i32(this.at - from);
  }

  private quoted(): void {
    const from = ++this.at;
    let to = from;
    while (true) {
      if (this.at === this.end) input_refuse();
      const byte = load<u8>(this.at++);
      if (byte === QUOTE) {
        if (this.at === this.end || load<u8>(this.at) !== QUOTE) break;
        this.at++;
      }
      store<u8>(to++, byte);
    }
    if (this.at < this.end) {
      const after = load<u8>(this.at);
      if (after !== COMMA && after !== CR && after !== LF) input_refuse();
    }
    this.field.at = from;
    this.field.length = i32(to - from);
  }
}

/** Byte strings, each once. Open addressing; the strings stay where they are. */
class Strings {
  size: i32 = 0;
  private slots: StaticArray<usize> = new StaticArray<usize>(2048);
  private lengths: StaticArray<i32> = new StaticArray<i32>(2048);

  /** @returns whether it was not there yet. */
  add(at: usize, length: i32): bool {
    const slot = this.find(at, length);
    if (unchecked(this.slots[slot]) !== 0) return false;
    this.slots[slot] = at;
    this.lengths[slot] = length;
    this.size++;
    if (2 * this.size > this.slots.length) this.grow();
    return true;
  }

  /** How many of the other's strings are here. */
  common(other: Strings): i32 {
    let count = 0;
    for (let i = 0; i < other.slots.length; i++) {
      const at = unchecked(other.slots[i]);
      if (at !== 0 && unchecked(this.slots[this.find(at, unchecked(other.lengths[i]))]) !== 0) count++;
    }
    return count;
  }

  private find(at: usize, length: i32): i32 {
    const mask = this.slots.length - 1;
    let slot = i32(hash(at, length)) & mask;
    while (true) {
      const there = unchecked(this.slots[slot]);
      if (there === 0) return slot;
      if (unchecked(this.lengths[slot]) === length && memory.compare(there, at, length) === 0) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private grow(): void {
    const slots = this.slots;
    const lengths = this.lengths;
    this.slots = new StaticArray<usize>(2 * slots.length);
    this.lengths = new StaticArray<i32>(2 * slots.length);
    for (let i = 0; i < slots.length; i++) {
      const at = unchecked(slots[i]);
      if (at === 0) continue;
      const length = unchecked(lengths[i]);
      const slot = this.find(at, length);
      this.slots[slot] = at;
      this.lengths[slot] = length;
    }
  }
}

/** FNV-1a, 64 bits, its halves folded: equal strings are found by comparison, not by it. */
function hash(at: usize, length: i32): u32 {
  let value = (u64(0xcbf29ce4) << 32) | 0x84222325;
  for (let i = 0; i < length; i++) value = (value ^ u64(load<u8>(at + i))) * 0x100000001b3;
  return u32(value ^ (value >> 32));
}

/** The distinct values of one column of an input; empty fields are none. */
function column(index: i32, name: Span): Strings {
  const size = input_size(index);
  const start = heap.alloc(size);
  input_read(index, start, 0, size);
  const csv = new Csv(start, start + size);

  let width = 0;
  let wanted = -1;
  do {
    csv.next();
    const field = csv.field;
    if (field.length === name.length && memory.compare(field.at, name.at, name.length) === 0) {
      if (wanted >= 0) input_refuse();
      wanted = width;
    }
    width++;
  } while (!csv.lastOfRow);
  if (wanted < 0) input_refuse();

  const values = new Strings();
  while (!csv.done) {
    for (let i = 0; i < width; i++) {
      csv.next();
      if (csv.lastOfRow !== (i === width - 1)) input_refuse();
      if (i === wanted && csv.field.length > 0) values.add(csv.field.at, csv.field.length);
    }
  }
  return values;
}

/**
 * The parameters {"left":"...","right":"..."}: canonical JSON that met the manifest's schema, so it has this form. Names of
 * columns with a backslash or a quote are refused: they would be escaped.
 */
function names(left: Span, right: Span): void {
  const size = params_size();
  const start = heap.alloc(size);
  params_read(start, 0, size);
  left.at = start + 9; // behind {"left":"
  left.length = upToQuote(left.at);
  right.at = left.at + left.length + 11; // behind ","right":"
  right.length = upToQuote(right.at);
  if (right.at + right.length + 2 !== start + size) unreachable();
}

function upToQuote(at: usize): i32 {
  let length = 0;
  for (; load<u8>(at + length) !== QUOTE; length++) if (load<u8>(at + length) === 0x5c) unreachable();
  return length;
}

export function run(): void {
  const leftName = new Span();
  const rightName = new Span();
  names(leftName, rightName);
  const left = column(0, leftName);
  const right = column(1, rightName);
  if (min(left.size, right.size) < FEWEST) unreachable();
  const both = left.common(right);
  const json = String.UTF8.encode(
    `{"both":${both.toString()},"left":${left.size.toString()},"right":${right.size.toString()}}`,
  );
  output_write(changetype<usize>(json), json.byteLength);
}
