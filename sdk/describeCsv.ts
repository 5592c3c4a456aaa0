/**
 * Room: sdk/describeCsv. Reads what a CSV file's public metadata say: columns and their types, number of records,
 * time range. Pure; a file may be given in pieces, and need not be in memory. Values other than the first and last date
 * never leave this room.
 */
import { BaseError } from "../protocol/errors.ts";
import type { Metadata } from "../protocol/metadata.ts";

/** The part of the metadata that a file can tell about itself. */
export type CsvDescription = Pick<Metadata, "timeRange"> & {
  columns: NonNullable<Metadata["columns"]>;
  records: number;
};

type ColumnType = CsvDescription["columns"][number]["type"];

const maxColumns = 256;
/** Longest record in UTF-16: a file is never held as a whole, a record is. */
const maxRecordLength = 1024 * 1024;
/** Short pieces, for a value keeps the piece that it is from alive. */
const pieceBytes = 64 * 1024;
const isoDate = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/;
const year = /^\d{4}$/;
const shapes: readonly (readonly [ColumnType, RegExp])[] = [
  ["integer", /^-?\d+$/],
  ["number", /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/],
  ["boolean", /^(true|false)$/i],
  ["date", isoDate],
];

/** Describes a file while it is read. */
export type CsvDescriber = {
  /** The next bytes. @throws {@link BadCsvError} */
  add(bytes: Uint8Array): void;
  /** To be called once, after the last bytes. @throws {@link BadCsvError} */
  end(): CsvDescription;
};

/**
 * Describes a CSV file (RFC 4180, comma, header line, UTF-8).
 *
 * @throws {@link BadCsvError}
 * @example
 * describeCsv(bytes).records // 741
 */
export function describeCsv(bytes: Uint8Array): CsvDescription {
  const describer = createCsvDescriber();
  describer.add(bytes);
  return describer.end();
}

/**
 * As {@link describeCsv}, for a file that comes in pieces.
 *
 * @example
 * const describer = createCsvDescriber()
 * for await (const piece of pieces) describer.add(piece)
 * const { records } = describer.end()
 */
export function createCsvDescriber(): CsvDescriber {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let columns: Column[] | undefined;
  let records = 0;
  let rest = "";

  function take(bytes: Uint8Array, isLast: boolean): void {
    try {
      rest += decoder.decode(bytes, { stream: !isLast });
    } catch {
      throw new BadCsvError("it is not UTF-8");
    }
    let at = 0;
    for (let row = readRow(rest, at, isLast); row !== undefined; row = readRow(rest, at, isLast)) {
      at = row.end;
      if (row.fields.length === 1 && row.fields[0] === "") continue; // a blank line
      if (columns === undefined) columns = columnsOf(row.fields);
      else count(columns, row.fields);
    }
    rest = rest.slice(at);
    if (rest.length > maxRecordLength) throw new BadCsvError(`a record is longer than ${maxRecordLength} characters`);
  }

  function count(described: Column[], fields: readonly string[]): void {
    records += 1;
    if (fields.length !== described.length)
      throw new BadCsvError(`record ${records} has ${fields.length} fields, the header ${described.length}`);
    for (const [i, { shapes: left, range }] of described.entries()) {
      const value = fields[i];
      if (value === undefined || value === "") continue; // an empty field fits every type
      for (const shape of left) if (!shapes[shape]?.[1].test(value)) left.delete(shape);
      widen(range, value);
    }
  }

  return {
    add(bytes) {
      for (let at = 0; at < bytes.length; at += pieceBytes) take(bytes.subarray(at, at + pieceBytes), false);
    },
    end() {
      take(new Uint8Array(), true);
      if (columns === undefined) throw new BadCsvError("it is empty");
      const typed = columns.map((column) => ({ name: column.name, type: typeOf(column.shapes, records) }));
      const timeRange = columns.map((column) => boundsOf(column.range)).find((range) => range !== undefined);
      return { columns: typed, records, ...(timeRange === undefined ? {} : { timeRange }) };
    },
  };
}

type Column = { name: string; shapes: Set<number>; range: Range };

function columnsOf(header: readonly string[]): Column[] {
  if (header.length > maxColumns) throw new BadCsvError(`it has ${header.length} columns, limit ${maxColumns}`);
  const names = header.map((name) => name.trim());
  if (names.some((name) => name.length > 128)) throw new BadCsvError("a column's name is longer than 128 characters");
  return names.map((name) => ({
    name,
    shapes: new Set<number>(shapes.keys()),
    range: { yearsFit: /year/i.test(name), fits: true, first: undefined, last: undefined },
  }));
}

function typeOf(left: ReadonlySet<number>, records: number): ColumnType {
  const [first] = left;
  return (records > 0 && first !== undefined && shapes[first]?.[0]) || "string";
}

/** First and last value of a column, as long as all are ISO dates, or years under a name that says so. */
type Range = { yearsFit: boolean; fits: boolean; first: string | undefined; last: string | undefined };

function widen(range: Range, value: string): void {
  range.fits &&= value.length <= 32 && (isoDate.test(value) || (range.yearsFit && year.test(value)));
  if (!range.fits) return;
  if (range.first === undefined || value < range.first) range.first = value;
  if (range.last === undefined || value > range.last) range.last = value;
}

function boundsOf({ fits, first, last }: Range): [string, string] | undefined {
  return fits && first !== undefined && last !== undefined ? [first, last] : undefined;
}

/**
 * The row that begins at `at`, and where the next one does.
 *
 * @returns undefined at the end of the text, or if the row may go on in what follows the text.
 */
function readRow(text: string, at: number, isLast: boolean): { fields: string[]; end: number } | undefined {
  const fields: string[] = [];
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      let closed = false;
      for (at += 1; at < text.length && !closed; ) {
        const quote = text.indexOf('"', at);
        if (quote === -1) break;
        field += text.slice(at, quote);
        closed = text[quote + 1] !== '"';
        if (!closed) field += '"';
        at = quote + (closed ? 1 : 2);
      }
      if (!closed && isLast) throw new BadCsvError("a quoted field does not end");
      if (!closed) return undefined;
    } else {
      let end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
      field = text.slice(at, end);
      at = end;
    }
    // What is the end so far may be the first half of `""` or of a line end.
    if (!isLast && at + 1 >= text.length) return undefined;
    fields.push(field);
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      fields.push(""); // the file ends with a comma: one more, empty field
    } else if (text[at] === "\r" && text[at + 1] === "\n") at += 2;
    else if (text[at] === "\n" || text[at] === "\r") at += 1;
    else if (at < text.length) throw new BadCsvError("text follows a quoted field");
    return { fields, end: at };
  }
  return undefined;
}

/** The file is not CSV that can be described. */
export class BadCsvError extends BaseError {
  override readonly name = "DescribeCsv.BadCsvError";
  constructor(fact: string) {
    super(`The file cannot be read as CSV: ${fact}.`, {
      hint: "It must be UTF-8, comma-separated, with a header line. For another format give --format text or json.",
    });
  }
}
