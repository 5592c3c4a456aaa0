/**
 * Room: enclave/sandbox/engines/duckdb. What a statement can name, and what it may do with it: the tables of a manifest
 * with their policy, and the columns that one SELECT sees. Nothing is looked up outside of that SELECT, so that a name
 * means one column or the statement is refused. Pure.
 */
import type { ColumnRole } from "../../../../protocol/policy.ts";
import type { Manifest } from "../../../../protocol/program.ts";
import { columnKinds, type Kind, sqlTypes } from "./functions.ts";
import { ColumnRefusedError, refuse } from "./tree.ts";

/** A column as a SELECT sees it. */
export type Column = { name: string; kind: Kind; role?: ColumnRole | undefined };

/** One row source of a FROM. */
export type Relation = {
  alias: string;
  columns: readonly Column[];
  of: "input" | "params" | "derived";
  /** Column that tells units apart: of inputs that the policy's minimum group size covers. */
  unit?: string | undefined;
  /** The input is cut to what one unit may contribute. */
  bounded: boolean;
  /** Of derived ones: the column that holds how many units are behind a row, counted by us. */
  count?: string | undefined;
};

/** A base table: how it is written in a FROM, without alias. */
export type Table = Omit<Relation, "alias"> & { sql: string };

/** The tables by lower-case name, and the policy's rule for groups. */
export type Catalog = {
  tables: ReadonlyMap<string, Table>;
  group: { k: number; count: string; omit: boolean } | undefined;
  /** A policy guards columns, groups or contributions: no error may tell of single rows. */
  guarded: boolean;
};

/** A column of the parameters' table. */
export type Param = { name: string; type: string };

const paramTypes: ReadonlyMap<unknown, string> = new Map(
  (["string", "integer", "number", "boolean"] as const).map((type) => [type, sqlTypes[type]]),
);

/**
 * A quoted identifier.
 *
 * @example
 * quote('a"b') // '"a""b"'
 */
export function quote(name: string): string {
  if (name === "" || name.length > 256 || name.includes("\0")) refuse("has a name that cannot be written");
  return `"${name.replaceAll('"', '""')}"`;
}

/** Identifiers are compared as the engine does: letters A to Z in either case. */
export function fold(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * The table `params`: a column per property of the parameters' schema, lists for arrays of scalars. Others are not seen.
 *
 * @example
 * paramColumns({ type: "object", properties: { year: { type: "integer" } } }) // [{ name: "year", type: "BIGINT" }]
 */
export function paramColumns(schema: Manifest["params"]): Param[] {
  const properties = schema.properties;
  if (typeof properties !== "object" || properties === null || Array.isArray(properties)) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    const { type, items } = property as { type?: unknown; items?: { type?: unknown } };
    const scalar = paramTypes.get(type === "array" ? items?.type : type);
    return scalar === undefined ? [] : [{ name, type: scalar + (type === "array" ? "[]" : "") }];
  });
}

/**
 * The tables of a manifest under its policy.
 *
 * @throws `StatementRefusedError` if the policy does not fit the columns, or names are ambiguous.
 * @example
 * const catalog = makeCatalog(program.manifest)
 */
export function makeCatalog(manifest: Manifest): Catalog {
  const { policy } = manifest.output;
  const tables = new Map<string, Table>();
  const add = (name: string, table: Table) => {
    requireDistinct(table.columns.map((column) => column.name));
    if (tables.has(fold(name))) refuse("has two tables of one name");
    tables.set(fold(name), table);
  };
  for (const input of manifest.inputs) {
    const { name } = input;
    const roles = own(policy?.columns, name);
    const unit = own(policy?.group?.units, name);
    const bounds = own(policy?.noise?.bounds, name);
    const declared = input.columns ?? refuse(`cannot be run without the columns of input ${name} in the manifest`);
    for (const column of [
      ...Object.keys(roles ?? {}),
      ...(unit === undefined ? [] : [unit]),
      ...(bounds ? [bounds.unit] : []),
    ]) {
      if (!declared.some((each) => each.name === column))
        refuse(`has a policy for ${name}.${column}, which is no column`);
    }
    const columns = declared.map((column) => {
      return { name: column.name, kind: columnKinds[column.type], role: own(roles, column.name) };
    });
    add(name, {
      of: "input",
      columns,
      unit,
      bounded: bounds !== undefined,
      sql: tableSql(name, columns, unit, bounds),
    });
  }
  const params = paramColumns(manifest.params);
  const kindOf = (type: string): Kind => (type === "VARCHAR" ? "string" : type === "BOOLEAN" ? "boolean" : "number");
  const columns = params.map(({ name, type }) => ({
    name,
    kind: type.endsWith("[]") ? ("unknown" as const) : kindOf(type),
  }));
  if (params.length > 0) add("params", { of: "params", columns, bounded: false, sql: quote("params") });

  const group = policy?.group;
  if (group !== undefined && group.rows !== "/rows") refuse("gives its rows at /rows, where the policy must name them");
  return {
    tables,
    group: group && { k: group.k, count: group.count, omit: group.otherwise === "omit" },
    guarded: policy?.columns !== undefined || group !== undefined || policy?.noise !== undefined,
  };
}

type Bounds = NonNullable<NonNullable<NonNullable<Manifest["output"]["policy"]>["noise"]>["bounds"]>[string];

/** Rows without a unit are not seen: they could not be counted. */
function tableSql(
  name: string,
  columns: readonly Column[],
  unit: string | undefined,
  bounds: Bounds | undefined,
): string {
  const present = [unit, bounds?.unit].flatMap((column) =>
    column === undefined ? [] : [`${quote(column)} IS NOT NULL`],
  );
  const where = present.length === 0 ? "" : ` WHERE ${present.join(" AND ")}`;
  if (bounds === undefined) return where === "" ? quote(name) : `(SELECT * FROM ${quote(name)}${where})`;
  for (const clamped of Object.keys(bounds.clamp ?? {})) {
    const column = columns.find((each) => each.name === clamped);
    if (column?.kind !== "number") refuse(`has bounds for ${name}.${clamped}, which is no column of numbers`);
  }
  const list = columns.map((column) => {
    const range = own(bounds.clamp, column.name);
    const value = quote(column.name);
    return range === undefined
      ? value
      : `CASE WHEN ${value} IS NOT NULL THEN least(greatest(${value}, ${range[0]}), ${range[1]}) END AS ${value}`;
  });
  // Which rows of a unit are kept depends on their values alone, not on the order of the file or on other units.
  const order = columns.map((column) => quote(column.name)).join(", ");
  const cut = `row_number() OVER (PARTITION BY ${quote(bounds.unit)} ORDER BY ${order}) <= ${bounds.rows}`;
  return `(SELECT ${list.join(", ")} FROM (SELECT * FROM ${quote(name)}${where} QUALIFY ${cut}))`;
}

/** What a column is used for. */
export type Use = "freely" | "in an aggregate" | "in a join" | "counted";

const allowed: Readonly<Record<ColumnRole, readonly Use[]>> = {
  aggregate: ["in an aggregate", "counted"],
  join: ["in a join", "counted"],
  hidden: [],
};

/**
 * The one column that a reference means.
 *
 * @param names - `[column]` or `[relation, column]`.
 * @param merged - columns joined by USING, which count once: those of the left side.
 * @returns undefined if there is no such column.
 * @throws `StatementRefusedError` if it could mean several; `ColumnRefusedError` if its role does not allow the use.
 * @example
 * const found = resolve(relations, ["people", "age"], "freely", merged)
 */
export function resolve(
  relations: readonly Relation[],
  names: readonly string[],
  use: Use,
  merged: ReadonlySet<Column>,
): { sql: string; column: Column; relation: Relation } | undefined {
  const [first = "", second] = names;
  if (names.length > 2) refuse("reaches into a column or another schema");
  const found = relations
    .filter((relation) => second === undefined || fold(relation.alias) === fold(first))
    .flatMap((relation) =>
      relation.columns
        .filter((column) => fold(column.name) === fold(second ?? first))
        .filter((column) => second !== undefined || !merged.has(column))
        .map((column) => ({ sql: `${quote(relation.alias)}.${quote(column.name)}`, column, relation })),
    );
  const [only, other] = found;
  if (other !== undefined) refuse(`could mean several columns by ${names.join(".").slice(0, 80)}`);
  const role = only?.column.role;
  if (only !== undefined && role !== undefined && !allowed[role].includes(use)) {
    throw new ColumnRefusedError(only.column.name, `has the role ${role} and is used ${use}`);
  }
  return only;
}

/** What a record says of a name, and not what every object does. */
function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Refuses names that differ in nothing, or in case only, and the one that a policy cannot hold. */
export function requireDistinct(names: readonly string[]): void {
  if (names.includes("__proto__")) refuse("has a column named __proto__, which readers of JSON lose");
  if (new Set(names.map(fold)).size !== names.length) refuse("has two columns of one name; give one another with AS");
}
