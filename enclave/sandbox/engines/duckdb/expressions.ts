/**
 * Room: enclave/sandbox/engines/duckdb. Checks an expression of the syntax tree and writes it anew as SQL: what runs is
 * only ever text written here. Columns are written with their relation, so that nothing is left for the engine to look
 * up. Pure.
 */

import { aggregate, isAggregate } from "./aggregate.ts";
import { castType, constant } from "./constants.ts";
import { type Kind, operators, scalars } from "./functions.ts";
import { type Column, quote, type Relation, resolve } from "./scope.ts";
import { child, flag, type Node, nodes, only, optional, refuse, strings, text } from "./tree.ts";
import { overWindow } from "./window.ts";

/** An expression. `wide`: it depends on more than one row (an aggregate, a window, a subquery). */
export type Sql = { sql: string; kind: Kind; wide: boolean };

/** The SELECT that an expression stands in. */
export type Level = {
  relations: readonly Relation[];
  merged: ReadonlySet<Column>;
  /** Present if the policy's minimum group size binds this SELECT. */
  group: { k: number; units: readonly string[] } | undefined;
  guarded: boolean;
  /** Writes a SELECT inside of this one; it sees nothing of it. */
  subquery(node: Node): { sql: string; columns: readonly Column[] };
};

/** What may stand at a place beside plain expressions. `alias` gives the meaning of a name that is no column. */
export type Place = {
  aggregates: boolean;
  windows: boolean;
  alias?: (name: string) => Sql | undefined;
};

/** A place of conditions on single rows. */
export const rowPlace: Place = { aggregates: false, windows: false };

const comparisons = new Map(
  Object.entries({
    COMPARE_EQUAL: "=",
    COMPARE_NOTEQUAL: "<>",
    COMPARE_LESSTHAN: "<",
    COMPARE_GREATERTHAN: ">",
    COMPARE_LESSTHANOREQUALTO: "<=",
    COMPARE_GREATERTHANOREQUALTO: ">=",
    COMPARE_DISTINCT_FROM: "IS DISTINCT FROM",
    COMPARE_NOT_DISTINCT_FROM: "IS NOT DISTINCT FROM",
  }),
);

/**
 * Writes an expression.
 *
 * @throws `StatementRefusedError` | `ColumnRefusedError`
 * @example
 * const { sql } = expression(node, level, rowPlace)
 */
export function expression(node: Node, level: Level, place: Place): Sql {
  const write = (inner: Node) => expression(inner, level, place);
  const type = text(node, "type");
  switch (text(node, "class")) {
    case "COLUMN_REF":
      return column(node, level, place);
    case "CONSTANT":
      only(node, "class", "type", "alias", "value");
      return { ...constant(child(node, "value")), wide: false };
    case "CAST": {
      only(node, "class", "type", "alias", "child", "cast_type", "try_cast");
      const inner = write(child(node, "child"));
      const target = castType(child(node, "cast_type"));
      // Where rows are guarded, a value that does not convert is NULL: an error would tell of it.
      const cast = flag(node, "try_cast") || level.guarded ? "TRY_CAST" : "CAST";
      return { sql: `${cast}(${inner.sql} AS ${target.sql})`, kind: target.kind, wide: inner.wide };
    }
    case "COMPARISON": {
      only(node, "class", "type", "alias", "left", "right");
      const sign = comparisons.get(type) ?? refuse("compares in a way that is not supported");
      const [left, right] = [write(child(node, "left")), write(child(node, "right"))];
      return compare([left, right], `(${left.sql} ${sign} ${right.sql})`, level, place);
    }
    case "BETWEEN": {
      only(node, "class", "type", "alias", "input", "lower", "upper");
      const parts = ["input", "lower", "upper"].map((field) => write(child(node, field)));
      return compare(parts, `(${parts[0]?.sql} BETWEEN ${parts[1]?.sql} AND ${parts[2]?.sql})`, level, place);
    }
    case "CONJUNCTION": {
      only(node, "class", "type", "alias", "children");
      if (type !== "CONJUNCTION_AND" && type !== "CONJUNCTION_OR") refuse("has a conjunction that is not supported");
      const parts = nodes(node, "children").map((inner) => condition(inner, level, place));
      return join(
        parts,
        `(${parts.map((part) => part.sql).join(type === "CONJUNCTION_AND" ? " AND " : " OR ")})`,
        "boolean",
      );
    }
    case "OPERATOR":
      return operator(node, level, place);
    case "CASE": {
      only(node, "class", "type", "alias", "case_checks", "else_expr");
      const checks = nodes(node, "case_checks").map((check) => {
        only(check, "when_expr", "then_expr");
        return [condition(child(check, "when_expr"), level, place), write(child(check, "then_expr"))] as const;
      });
      const otherwise = write(child(node, "else_expr"));
      const sql = checks.map(([when, then]) => `WHEN ${when.sql} THEN ${then.sql}`).join(" ");
      const results = [...checks.map(([, then]) => then), otherwise];
      const kinds = new Set(results.filter((result) => result.sql !== "NULL").map((result) => result.kind));
      const [kind = "unknown"] = kinds;
      const parts = [...checks.flat(), otherwise];
      return fallible(
        join(parts, `CASE ${sql} ELSE ${otherwise.sql} END`, kinds.size === 1 ? kind : "unknown"),
        kinds.size > 1 || kind === "number",
        level,
        place,
      );
    }
    case "FUNCTION":
      if (isAggregate(text(node, "function_name"))) {
        if (!place.aggregates) refuse("has an aggregate where none can be, or one inside another");
        return aggregate(node, level);
      }
      return scalar(node, level, place);
    case "WINDOW":
      return overWindow(node, level, place);
    case "SUBQUERY":
      return subquery(node, level, place);
    default:
      return refuse(`uses ${text(node, "class").slice(0, 40) || "something"}, which is not supported`);
  }
}

/**
 * Writes an expression that is used as true or false.
 *
 * @example
 * const where = condition(node, level, rowPlace)
 */
export function condition(node: Node, level: Level, place: Place): Sql {
  return truth(expression(node, level, place), level);
}

function truth(written: Sql, level: Level): Sql {
  const converts = level.guarded && written.kind !== "boolean"; // text may not say true or false
  return converts ? { ...written, sql: `TRY_CAST(${written.sql} AS BOOLEAN)`, kind: "boolean" } : written;
}

/** Names of a column reference, checked. */
export function namesOf(node: Node): readonly string[] {
  only(node, "class", "type", "alias", "column_names");
  return strings(node, "column_names");
}

function column(node: Node, level: Level, place: Place): Sql {
  const names = namesOf(node);
  const found = resolve(level.relations, names, "freely", level.merged);
  if (found !== undefined) return { sql: found.sql, kind: found.column.kind, wide: false };
  const alias = names.length === 1 ? place.alias?.(names[0] ?? "") : undefined;
  return alias ?? refuse(`names ${names.join(".").slice(0, 80)}, which is no column of a table in the same SELECT`);
}

function operator(node: Node, level: Level, place: Place): Sql {
  only(node, "class", "type", "alias", "children");
  const parts = nodes(node, "children").map((inner) => expression(inner, level, place));
  const [first] = parts;
  if (first === undefined) refuse("has an operator without operands");
  const rest = parts.slice(1).map((part) => part.sql);
  switch (text(node, "type")) {
    case "OPERATOR_NOT":
      return join(parts, `(NOT ${truth(first, level).sql})`, "boolean");
    case "OPERATOR_IS_NULL":
      return join(parts, `(${first.sql} IS NULL)`, "boolean");
    case "OPERATOR_IS_NOT_NULL":
      return join(parts, `(${first.sql} IS NOT NULL)`, "boolean");
    case "OPERATOR_COALESCE": {
      const kind = parts.every((part) => part.kind === first.kind) ? first.kind : "unknown";
      return fallible(
        join(parts, `coalesce(${[first.sql, ...rest].join(", ")})`, kind),
        kind === "unknown" || kind === "number",
        level,
        place,
      );
    }
    case "COMPARE_IN":
      return compare(parts, `(${first.sql} IN (${rest.join(", ")}))`, level, place);
    case "COMPARE_NOT_IN":
      return compare(parts, `(${first.sql} NOT IN (${rest.join(", ")}))`, level, place);
    default:
      return refuse("uses an operator that is not supported");
  }
}

function scalar(node: Node, level: Level, place: Place): Sql {
  only(node, "class", "type", "alias", "function_name", "schema", "children", "order_bys", "is_operator");
  requireNoOrder(node);
  const name = text(node, "function_name");
  const known = scalars.get(name);
  if (known === undefined) refuse(`calls ${name.slice(0, 40)}, which is not on the list of functions`);
  const parts = nodes(node, "children").map((inner) => expression(inner, level, place));
  const [first, second] = parts.map((part) => part.sql);
  const infix = operators.has(name);
  if (infix && (first === undefined || parts.length > 2)) refuse("has an operator without operands");
  const sql = infix
    ? second === undefined
      ? `(${name} ${first})`
      : `(${first} ${name} ${second})`
    : `${name === "position" ? "strpos" : name}(${parts.map((part) => part.sql).join(", ")})`; // the one has a grammar of its own
  const numbers = parts.every((part) => part.kind === "number");
  const kind = known.kind === "unknown" && numbers && parts.length > 0 ? "number" : known.kind;
  return fallible(join(parts, sql, kind), known.fails, level, place);
}

function subquery(node: Node, level: Level, place: Place): Sql {
  only(node, "class", "type", "alias", "subquery_type", "subquery", "child", "comparison_type");
  const statement = child(node, "subquery");
  only(statement, "node");
  const { sql, columns } = level.subquery(child(statement, "node"));
  switch (text(node, "subquery_type")) {
    case "SCALAR":
      if (columns.length !== 1) refuse("has a subquery of several columns where one value is needed");
      return { sql: `(${sql})`, kind: "unknown", wide: true };
    case "EXISTS":
      return { sql: `EXISTS (${sql})`, kind: "boolean", wide: true };
    case "NOT_EXISTS":
      return { sql: `(NOT EXISTS (${sql}))`, kind: "boolean", wide: true };
    case "ANY": {
      if (text(node, "comparison_type") !== "COMPARE_EQUAL" || columns.length !== 1)
        refuse("has a subquery that is not supported");
      const searched = expression(child(node, "child"), level, place);
      if (level.guarded && (searched.kind === "unknown" || searched.kind !== columns[0]?.kind)) {
        refuse("has IN over a subquery of another type, or one that is not known; cast both");
      }
      if (level.guarded && searched.kind === "number") {
        // Of other types of numbers one may not convert to the other. There is no TRY around a subquery.
        const one = `SELECT CAST(${quote(columns[0]?.name ?? "")} AS DOUBLE) FROM (${sql})`;
        return { sql: `(CAST(${searched.sql} AS DOUBLE) IN (${one}))`, kind: "boolean", wide: true };
      }
      return { sql: `(${searched.sql} IN (${sql}))`, kind: "boolean", wide: true };
    }
    default:
      return refuse("has a subquery that is not supported");
  }
}

/** Refuses ORDER BY inside of a call. */
export function requireNoOrder(node: Node): void {
  const order = optional(node, "order_bys");
  if (order !== undefined) only(order, "type");
  const schema = text(node, "schema");
  if (schema !== "" && schema !== "main") refuse("calls a function of another schema");
}

function join(parts: readonly Sql[], sql: string, kind: Kind): Sql {
  return { sql, kind, wide: parts.some((part) => part.wide) };
}

/** Comparing text with a number converts the text, which can fail; so can a whole number with decimal places. */
function compare(parts: readonly Sql[], sql: string, level: Level, place: Place): Sql {
  const kinds = new Set(parts.filter((part) => part.sql !== "NULL").map((part) => part.kind));
  return fallible(
    join(parts, sql, "boolean"),
    kinds.size > 1 || kinds.has("unknown") || kinds.has("number"),
    level,
    place,
  );
}

/**
 * Where rows are guarded, an expression that fails on a row is NULL there: the failure of a run would tell of that
 * row.
 */
function fallible(written: Sql, fails: boolean, level: Level, place: Place): Sql {
  if (!fails || !level.guarded) return written;
  if (!written.wide) return { ...written, sql: `TRY(${written.sql})` };
  // The engine has no TRY around a subquery.
  if (!place.aggregates) refuse("computes with a subquery's value on single rows, where it can fail; use IN or a join");
  return written;
}
