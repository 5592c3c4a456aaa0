/**
 * Room: enclave/sandbox/engines/duckdb. Turns result rows into JSON, without silent loss: a value that JSON would
 * round, or has no word for, ends the run. Runs inside the sandbox process only.
 */
import type * as Addon from "@duckdb/node-bindings";
import { Stop } from "../../guest.ts";
import { type Duckdb, readNulls, readText, varchar } from "./native.ts";

type Read = (row: number) => string;

/** Type numbers of duckdb.h. */
const type = {
  boolean: 1,
  float: 10,
  double: 11,
  timestamp: 12,
  date: 13,
  hugeint: 16,
  decimal: 19,
  sqlNull: 36,
} as const;
/** Whole numbers: bytes, and whether they are signed. */
const integers: Readonly<Record<number, readonly [bytes: number, signed: boolean]>> = {
  2: [1, true],
  3: [2, true],
  4: [4, true],
  5: [8, true],
  6: [1, false],
  7: [2, false],
  8: [4, false],
  9: [8, false],
  16: [16, true],
};
/** Decimals are stored as whole numbers of these types. */
const maxExact = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Writes a result as `{"rows":[{...},...]}`.
 *
 * @param maxBytes - largest text, in UTF-16 code units at most.
 * @throws {@link Stop} `OutputTooLarge` | `OutputRefused`
 * @example
 * const json = await writeRows(duckdb, result, 1024)
 */
export async function writeRows(duckdb: Duckdb, result: Addon.Result, maxBytes: number): Promise<string> {
  const columns = Array.from({ length: duckdb.column_count(result) }, (_, i) => ({
    key: `${JSON.stringify(duckdb.column_name(result, i))}:`,
    type: duckdb.column_logical_type(result, i),
  }));
  const rows: string[] = [];
  let length = 11;
  for (let chunk = await duckdb.fetch_chunk(result); chunk !== null; chunk = await duckdb.fetch_chunk(result)) {
    const size = duckdb.data_chunk_get_size(chunk);
    if (size === 0) break;
    const readers = columns.map((column, i) =>
      reader(duckdb, column.type, duckdb.data_chunk_get_vector(chunk, i), size),
    );
    for (let row = 0; row < size; row++) {
      const written = `{${columns.map(({ key }, i) => key + readers[i]?.(row)).join(",")}}`;
      length += written.length + 1;
      if (length > maxBytes + 1) throw new Stop("OutputTooLarge");
      rows.push(written);
    }
  }
  return `{"rows":[${rows.join(",")}]}`;
}

function reader(duckdb: Duckdb, logical: Addon.LogicalType, vector: Addon.Vector, size: number): Read {
  const isNull = readNulls(duckdb, vector, size);
  const read = plainReader(duckdb, logical, vector, size);
  return (row) => (isNull(row) ? "null" : read(row));
}

function plainReader(duckdb: Duckdb, logical: Addon.LogicalType, vector: Addon.Vector, size: number): Read {
  const id: number = duckdb.get_type_id(logical);
  const view = (bytes: number) => {
    const data = duckdb.vector_get_data(vector, size * bytes);
    return new DataView(data.buffer, data.byteOffset, data.byteLength);
  };
  if (id === varchar) {
    const read = readText(duckdb, vector, size);
    return (row) => JSON.stringify(read(row));
  }
  if (id === type.sqlNull) return () => "null";
  if (id === type.boolean) {
    const data = view(1);
    return (row) => (data.getUint8(row) === 0 ? "false" : "true");
  }
  if (id === type.float || id === type.double) {
    const data = view(id === type.float ? 4 : 8);
    return (row) => finite(id === type.float ? data.getFloat32(row * 4, true) : data.getFloat64(row * 8, true));
  }
  if (id === type.date) {
    const data = view(4);
    return (row) => JSON.stringify(day(BigInt(data.getInt32(row * 4, true))));
  }
  if (id === type.timestamp) {
    const data = view(8);
    return (row) => JSON.stringify(moment(data.getBigInt64(row * 8, true)));
  }
  const isDecimal = id === type.decimal;
  const layout = integers[isDecimal ? duckdb.decimal_internal_type(logical) : id];
  if (layout === undefined) throw new Stop("OutputRefused"); // lists, intervals and the like have no one form in JSON
  const scale = isDecimal ? duckdb.decimal_scale(logical) : 0;
  const data = view(layout[0]);
  return (row) => whole(readInteger(data, row, ...layout), scale);
}

function readInteger(data: DataView, row: number, bytes: number, signed: boolean): bigint {
  const at = row * bytes;
  if (bytes === 1) return BigInt(signed ? data.getInt8(at) : data.getUint8(at));
  if (bytes === 2) return BigInt(signed ? data.getInt16(at, true) : data.getUint16(at, true));
  if (bytes === 4) return BigInt(signed ? data.getInt32(at, true) : data.getUint32(at, true));
  if (bytes === 8) return signed ? data.getBigInt64(at, true) : data.getBigUint64(at, true);
  return (data.getBigInt64(at + 8, true) << 64n) + data.getBigUint64(at, true);
}

/** A number of up to 2^53, or of up to 15 digits with decimal places: those come back from JSON as they were. */
function whole(unscaled: bigint, scale: number): string {
  const digits = unscaled < 0n ? -unscaled : unscaled;
  if (scale === 0 ? digits > maxExact : digits >= 10n ** 15n) throw new Stop("OutputRefused");
  if (scale === 0) return unscaled.toString();
  const padded = digits.toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** What has no value, such as the correlation of equal values, is NULL; an infinity is an error. */
function finite(value: number): string {
  if (Number.isNaN(value)) return "null";
  if (!Number.isFinite(value)) throw new Stop("OutputRefused");
  return JSON.stringify(value);
}

/** YYYY-MM-DD of a day counted from 1970-01-01, in the years 1 to 9999. */
function day(days: bigint): string {
  const date = new Date(Number(days) * 86_400_000);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new Stop("OutputRefused");
  return date.toISOString().slice(0, 10);
}

/** YYYY-MM-DDThh:mm:ss, with six places if there are parts of a second; no zone, as the column has none. */
function moment(micros: bigint): string {
  const perDay = 86_400_000_000n;
  const ofDay = ((micros % perDay) + perDay) % perDay;
  const date = day((micros - ofDay) / perDay);
  const time = new Date(Number(ofDay / 1_000_000n) * 1000).toISOString().slice(11, 19);
  const parts = ofDay % 1_000_000n;
  return `${date}T${time}${parts === 0n ? "" : `.${parts.toString().padStart(6, "0")}`}`;
}
