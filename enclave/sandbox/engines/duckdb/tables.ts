/**
 * Room: enclave/sandbox/engines/duckdb. Shows input files as tables, with the columns and types of the manifest and
 * nothing guessed. Files are read where they lie, column by column as a statement needs them. Runs inside the sandbox
 * process only.
 */
import { type GuestInput, Stop } from "../../guest.ts";
import { execute, name, type Session, text } from "./native.ts";
import { schemaElements } from "./parquetSchema.ts";

/** Widest file: a header beyond it is no table. */
const maxFileColumns = 10_000;
/** Largest schema of a Parquet file: its columns, and groups around them. */
const maxSchemaElements = 2 * maxFileColumns;
/** Longest line of CSV and longest object of JSON, in bytes. The engine's buffers are some 32 times as large. */
const maxRowBytes = 1024 * 1024;

type Columns = NonNullable<GuestInput["columns"]>;
type Type = Columns[number]["type"];

/** Types of which the reader takes too much: it would round 1.5, and drop the zone of a time. */
const forms: Partial<Readonly<Record<Type, string>>> = {
  integer: "[+-]?[0-9]+",
  date: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
  timestamp: "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?Z?)?",
};

const sqlTypes: Readonly<Record<Type, string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
};

const readAs = (type: Type) => (forms[type] === undefined ? sqlTypes[type] : "VARCHAR");

/** Types of a Parquet file of which every value converts. */
const parquetTypes: Readonly<Record<Type, RegExp>> = {
  string: /^(VARCHAR|ENUM\(.*\))$/s,
  integer: /^U?(TINYINT|SMALLINT|INTEGER)$|^BIGINT$/,
  number: /^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$|^(FLOAT|DOUBLE)$|^DECIMAL\(\d+,\d+\)$/,
  boolean: /^BOOLEAN$/,
  date: /^DATE$/,
  timestamp: /^(TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|DATE)$/,
};

/**
 * Makes a view of an input.
 *
 * @throws {@link Stop} `InputMismatch` if the file is not of its format, or lacks a column.
 * @example
 * await showInput(session, input)
 */
export async function showInput(session: Session, input: GuestInput): Promise<void> {
  const { columns, path } = input;
  if (columns === undefined || path === undefined) throw new Stop("InputMismatch");
  const source = await sourceOf(session, input.format, path, columns);
  const list = columns.map(({ name: column, type }) => `${source.value(column, type)} AS ${name(column)}`);
  await execute(session, `CREATE VIEW ${name(input.name)} AS SELECT ${list.join(", ")} FROM ${source.from}`);
}

/**
 * Reads every value of an input, to tell a bad file from a program that fails on a good one.
 *
 * @throws the engine's error if a value cannot be read.
 * @example
 * await readWhole(session, input)
 */
export async function readWhole(session: Session, input: GuestInput): Promise<void> {
  // Counts would be answered from a file's statistics; this needs the values.
  const hashes = (input.columns ?? []).map((column) => `bit_xor(hash(${name(column.name)}))`);
  await execute(session, `SELECT CAST([${hashes.join(", ")}] AS VARCHAR) FROM ${name(input.name)}`);
}

type Source = { from: string; value(column: string, type: Type): string };

function sourceOf(session: Session, format: GuestInput["format"], path: string, columns: Columns): Promise<Source> {
  if (format === "csv") return csv(session, path, columns);
  if (format === "json") return json(session, path, columns);
  if (format === "parquet") return parquet(session, path, columns);
  throw new Stop("InputMismatch");
}

/** RFC 4180 with a header line, in UTF-8. An empty field is NULL, "" is the empty string. */
async function csv(session: Session, path: string, columns: Columns): Promise<Source> {
  const options = `auto_detect = false, strict_mode = true, max_line_size = ${maxRowBytes}`;
  const line = `{'line': 'VARCHAR'}, header = false, delim = '\x01', quote = '', escape = ''`;
  const [first] = await execute(
    session,
    `SELECT line FROM read_csv(${text(path)}, ${options}, columns = ${line}) LIMIT 1`,
  );
  const header = splitHeader(first?.[0] ?? "");
  requireColumns(header, columns);
  const fields = header.map((field, i) => {
    const column = columns.find((each) => each.name === field);
    return column === undefined ? `${text(`${i}`)}: 'VARCHAR'` : `${text(`c${field}`)}: ${text(readAs(column.type))}`;
  });
  const dialect = `header = true, delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false`;
  return {
    from: `read_csv(${text(path)}, ${options}, ${dialect}, columns = {${fields.join(", ")}})`,
    value: (column, type) => converted(name(`c${column}`), type),
  };
}

/** An array of objects. A key that an object lacks is NULL; the first object has them all. */
async function json(session: Session, path: string, columns: Columns): Promise<Source> {
  const options = `format = 'array', maximum_object_size = ${maxRowBytes}`;
  const keys = `CAST(json_keys(json) AS JSON)::VARCHAR`;
  const [first] = await execute(session, `SELECT ${keys} FROM read_json_objects(${text(path)}, ${options}) LIMIT 1`);
  requireColumns(JSON.parse(first?.[0] ?? "[]"), columns);
  const fields = columns.map((column) => `${text(column.name)}: ${text(readAs(column.type))}`);
  return {
    from: `read_json(${text(path)}, ${options}, auto_detect = false, columns = {${fields.join(", ")}})`,
    value: (column, type) => converted(name(column), type),
  };
}

async function parquet(session: Session, path: string, columns: Columns): Promise<Source> {
  if ((schemaElements(path) ?? Number.POSITIVE_INFINITY) > maxSchemaElements) throw new Stop("InputMismatch");
  const from = `read_parquet(${text(path)}, hive_partitioning = false)`;
  const described = await execute(session, `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${from})`);
  requireColumns(
    described.map(([column]) => column ?? ""),
    columns,
  );
  for (const [column, type] of described) {
    const declared = columns.find((each) => each.name === column);
    if (declared !== undefined && !parquetTypes[declared.type].test(type ?? "")) throw new Stop("InputMismatch");
  }
  return { from, value: (column, type) => `CAST(${name(column)} AS ${sqlTypes[type]})` };
}

/** Text of another form is an error. */
function converted(sql: string, type: Type): string {
  const form = forms[type];
  if (form === undefined) return sql;
  return `CAST(CASE WHEN ${sql} IS NULL OR regexp_full_match(${sql}, ${text(form)}) THEN ${sql} ELSE '-' END AS ${sqlTypes[type]})`;
}

function requireColumns(present: readonly string[], columns: Columns): void {
  if (present.length > maxFileColumns) throw new Stop("InputMismatch");
  for (const column of columns) {
    if (present.filter((each) => each === column.name).length !== 1) throw new Stop("InputMismatch");
  }
}

/** The fields of a line of RFC 4180. */
function splitHeader(line: string): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null || fields.length > maxFileColumns) throw new Stop("InputMismatch");
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return fields;
  }
}
