/**
 * Reads CSV as RFC 4180 has it: a header, commas, quotes doubled inside quotes, LF or CRLF. Anything else stops the run.
 * The same file in every program that reads tables.
 */

/** @returns `{ names, rows }`: the header, and every row as an array of as many strings. */
export function readTable(text) {
  const rows = [];
  let at = 0;
  while (at < text.length) {
    const row = [];
    for (;;) {
      const field = text[at] === '"' ? quoted(text, at) : plain(text, at);
      row.push(field.value);
      at = field.end;
      if (text[at] !== ",") break;
      at += 1;
    }
    if (text[at] === "\r") at += 1;
    if (at < text.length && text[at] !== "\n") throw new Error("a line ends in the middle");
    at += 1;
    rows.push(row);
  }
  const names = rows.shift();
  if (names === undefined || new Set(names).size !== names.length) throw new Error("no header, or a column occurs twice");
  if (rows.some((row) => row.length !== names.length)) throw new Error("a row has another number of fields than the header");
  return { names, rows };
}

/** The position of a column. */
export function columnOf(table, name) {
  const position = table.names.indexOf(name);
  if (position < 0) throw new Error("a column is missing");
  return position;
}

/** A decimal number, with or without an exponent. */
export function numberOf(text) {
  if (!/^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) throw new Error("a value is not a number");
  const value = Number(text);
  if (value - value !== 0) throw new Error("a number is too large");
  return value;
}

const plainField = /[^",\r\n]*/y;

function plain(text, at) {
  plainField.lastIndex = at;
  const [value] = plainField.exec(text);
  return { value, end: at + value.length };
}

function quoted(text, start) {
  let value = "";
  let at = start + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw new Error("a quote is not closed");
    value += text.slice(at, end);
    if (text[end + 1] !== '"') return { value, end: end + 1 };
    value += '"';
    at = end + 2;
  }
}
