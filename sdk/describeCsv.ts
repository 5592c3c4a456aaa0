/**
 * Room: sdk/describeCsv. Reads what a CSV file's public metadata say: columns and their types, number of records,
 * time range. Pure. Values other than the first and last date never leave this function.
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
const isoDate = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/;
const year = /^\d{4}$/;
const shapes: readonly (readonly [ColumnType, RegExp])[] = [
  ["integer", /^-?\d+$/],
  ["number", /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/],
  ["boolean", /^(true|false)$/i],
  ["date", isoDate],
];

/**
 * Describes a CSV file (RFC 4180, comma, header line, UTF-8).
 *
 * @throws {@link BadCsvError}
 * @example
 * describeCsv(bytes).records // 741
 */
export function describeCsv(bytes: Uint8Array): CsvDescription {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new BadCsvError("it is not UTF-8");
  }
  const rows = readRows(text);
  const header = rows.next().value;
  if (header === undefined) throw new BadCsvError("it is empty");
  if (header.length > maxColumns) throw new BadCsvError(`it has ${header.length} columns, limit ${maxColumns}`);
  const names = header.map((name) => name.trim());
  if (names.some((name) => name.length > 128)) throw new BadCsvError("a column's name is longer than 128 characters");
  const columns = names.map((name) => ({
    name,
    shapes: new Set<number>(shapes.keys()),
    range: { yearsFit: /year/i.test(name), fits: true, first: undefined, last: undefined } as Range,
  }));
  let records = 0;
  for (const row of rows) {
    records += 1;
    if (row.length !== names.length)
      throw new BadCsvError(`record ${records} has ${row.length} fields, the header ${names.length}`);
    row.forEach((value, i) => {
      const column = columns[i];
      if (column === undefined || value === "") return; // an empty field fits every type
      for (const shape of column.shapes) if (!shapes[shape]?.[1].test(value)) column.shapes.delete(shape);
      widen(column.range, value);
    });
  }
  const typed = columns.map((column) => ({ name: column.name, type: typeOf(column.shapes, records) }));
  const timeRange = columns.map((column) => boundsOf(column.range)).find((range) => range !== undefined);
  return { columns: typed, records, ...(timeRange === undefined ? {} : { timeRange }) };
}

function typeOf(left: ReadonlySet<number>, records: number): ColumnType {
  const [first] = left;
  return (records > 0 && first !== undefined && shapes[first]?.[0]) || "string";
}

/** First and last value of a column, as long as all are ISO dates, or years under a name that says so. */
type Range = { yearsFit: boolean; fits: boolean; first: string | undefined; last: string | undefined };

function widen(range: Range, value: string): void {
  range.fits &&= value.length <= 32 && (isoDate.test(value) || (range.yearsFit && year.test(value)));
  if (range.first === undefined || value < range.first) range.first = value;
  if (range.last === undefined || value > range.last) range.last = value;
}

function boundsOf({ fits, first, last }: Range): [string, string] | undefined {
  return fits && first !== undefined && last !== undefined ? [first, last] : undefined;
}

/** Yields rows of fields; blank lines are no rows. */
function* readRows(text: string): Generator<string[], undefined> {
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
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
      if (!closed) throw new BadCsvError("a quoted field does not end");
    } else {
      let end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
      field = text.slice(at, end);
      at = end;
    }
    row.push(field);
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      row.push(""); // the file ends with a comma: one more, empty field
    } else if (text[at] === "\r" && text[at + 1] === "\n") at += 2;
    else if (text[at] === "\n" || text[at] === "\r") at += 1;
    else if (at < text.length) throw new BadCsvError("text follows a quoted field");
    if (row.length > 1 || row[0] !== "") yield row;
    row = [];
  }
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
