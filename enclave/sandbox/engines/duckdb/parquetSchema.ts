/**
 * Room: enclave/sandbox/engines/duckdb. How large the schema of a Parquet file says it is, read before the engine reads
 * it: for a million columns the engine takes gigabytes, and seconds. Runs inside the sandbox process only.
 * Source: parquet-format, "File Format" and parquet.thrift; Thrift's compact protocol.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** At the end of a file: length of the footer (4 bytes, little-endian) and "PAR1". */
const tailBytes = 8;
/** The footer begins with field 1, a number of at most five bytes, and field 2, a list whose length takes as many. */
const headBytes = 13;
const versionField = 0x15;
const schemaField = 0x19;
/** Type of the list's items: structs. In the upper half of that byte is how many, up to 14; else a number follows. */
const structs = 0x0c;
const longList = 0xf0;

/**
 * How many elements the schema has: a column is one, as is each group.
 *
 * @returns undefined if the file does not begin its footer as every writer does.
 * @example
 * schemaElements("/data/0") // 5
 */
export function schemaElements(path: string): number | undefined {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const tail = new Uint8Array(tailBytes);
    if (size < tailBytes + headBytes || readSync(file, tail, 0, tailBytes, size - tailBytes) < tailBytes)
      return undefined;
    const footerBytes = new DataView(tail.buffer).getUint32(0, true);
    const at = size - tailBytes - footerBytes;
    const head = new Uint8Array(headBytes);
    if (at < 0 || readSync(file, head, 0, headBytes, at) < headBytes) return undefined;
    return elementsIn(head);
  } finally {
    closeSync(file);
  }
}

function elementsIn(head: Uint8Array): number | undefined {
  if (head[0] !== versionField) return undefined;
  const version = varint(head, 1);
  if (version === undefined || head[version.end] !== schemaField) return undefined;
  const list = head[version.end + 1] ?? 0;
  if ((list & 0x0f) !== structs) return undefined;
  return (list & 0xf0) === longList ? varint(head, version.end + 2)?.value : list >> 4;
}

/** Unsigned LEB128 of at most five bytes. */
function varint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return undefined;
}
