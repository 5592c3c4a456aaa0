/**
 * Parquet files that no writer would make: a footer in Thrift's compact protocol, byte by byte, and no pages.
 * Source: parquet-format, src/main/thrift/parquet.thrift (FileMetaData, SchemaElement).
 */

/** Unsigned LEB128. */
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
/** A whole number that is not negative, zigzagged as Thrift has it. */
const int = (value: number) => varint(2 * value);
const text = (value: string) => [...varint(value.length), ...Buffer.from(value, "latin1")];

/** Fields of type i32 and i64, binary and list; the first byte says by how much the field's number grows. */
const field = { i32: 0x05, i64: 0x06, binary: 0x08, list: 0x09 } as const;
const stop = 0x00;

/** A column of doubles that may be missing. */
const column = (name: string) => [
  0x10 | field.i32,
  ...int(5),
  0x20 | field.i32,
  ...int(1),
  0x10 | field.binary,
  ...text(name),
  stop,
];
/** A group of so many children. */
const group = (name: string, children: number) => [
  ...[0x30 | field.i32, ...int(0), 0x10 | field.binary, ...text(name)],
  ...[0x10 | field.i32, ...int(children), stop],
];

function parquetFile(schema: readonly (readonly number[])[]): Uint8Array {
  const elements = schema.length < 15 ? [(schema.length << 4) | 0x0c] : [0xfc, ...varint(schema.length)];
  const parts = [
    Buffer.from([0x10 | field.i32, ...int(1), 0x10 | field.list, ...elements]),
    ...schema.map((element) => Buffer.from(element)),
    Buffer.from([0x10 | field.i64, ...int(0), 0x10 | field.list, 0x0c, stop]),
  ];
  const footer = Buffer.concat(parts);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from("PAR1"), footer, size, Buffer.from("PAR1")]);
}

/**
 * A file of so many columns and no rows.
 *
 * @example
 * const bytes = wideParquet(1_000_000)
 */
export function wideParquet(columns: number): Uint8Array {
  const names = Array.from({ length: columns }, (_, i) => column(`c${i}`));
  return parquetFile([group("schema", columns), ...names]);
}

/**
 * A file whose one column is so many groups deep.
 *
 * @example
 * const bytes = deepParquet(100_000)
 */
export function deepParquet(levels: number): Uint8Array {
  return parquetFile([...Array.from({ length: levels }, () => group("g", 1)), column("c")]);
}
