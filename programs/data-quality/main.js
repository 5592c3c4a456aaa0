/**
 * A profile of one table: how many rows, which columns of which type, how much is missing, how many rows are repeated, and
 * the range of its dates. Reveals no other value of the table.
 */
import { readTable } from "./csv.js";

const missing = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]);

const types = [
  ["integer", /^[+-]?[0-9]{1,18}$/],
  ["number", /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/],
  ["boolean", /^(true|false|TRUE|FALSE|True|False)$/],
  ["date", /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/],
  ["timestamp", /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?$/],
];

/** The first type that all values have; text if there is none, or no value. */
function typeOf(values) {
  if (values.length === 0) return "text";
  return types.find(([, pattern]) => values.every((value) => pattern.test(value)))?.[0] ?? "text";
}

function profile(name, values) {
  const present = values.filter((value) => !missing.has(value));
  const type = typeOf(present);
  const column = { name, type, missing: values.length - present.length, constant: new Set(present).size <= 1 };
  if (type !== "date" && type !== "timestamp") return column;
  const days = present.map((value) => value.slice(0, 10)).sort();
  return { ...column, from: days[0], to: days.at(-1) };
}

export default function dataQuality({ data }) {
  const { names, rows } = readTable(data);
  const distinct = new Set(rows.map((row) => JSON.stringify(row))).size;
  return {
    rows: rows.length,
    repeatedRows: rows.length - distinct,
    columns: names.map((name, position) => profile(name, rows.map((row) => row[position]))),
  };
}
