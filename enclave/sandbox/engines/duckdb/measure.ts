/**
 * Room: enclave/sandbox/engines/duckdb. Arguments of aggregates over guarded data: a column, or a sum of at most two
 * columns with constant factors. No products of columns: a column that is 0 for all units but one would pick that one.
 * What is computed is computed of the columns' totals, never of single rows: a float of one row that is rounded away, or
 * not, would say whether its value is above a bound. Pure.
 */
import { constant } from "./constants.ts";
import { type Level, namesOf, requireNoOrder } from "./expressions.ts";
import { type Column, resolve, type Use } from "./scope.ts";
import { child, type Node, nodes, only, text } from "./tree.ts";

/** What a sum, or a mean, is computed of. `rows`: what a constant in it counts for; undefined: once. */
export type Totals = { of(column: string): string; rows: string | undefined };

/** An argument: its columns and their roles. `computed`: it is more than a column; writes it, in DOUBLE, of totals. */
export type Measure = {
  columns: readonly string[];
  roles: readonly Column["role"][];
  computed: ((totals: Totals) => string) | undefined;
  numeric: boolean;
};

const maxColumns = 2;
/** Constants in one argument, and the largest of each, or of its inverse. */
const maxConstants = 4;
const maxFactor = 1e6;

/** A part of a sum. */
type Part = Pick<Measure, "columns" | "roles"> & { write(totals: Totals): string; constants: number; value?: number };

/**
 * Writes an argument.
 *
 * @returns undefined if it is something else.
 * @throws `ColumnRefusedError` | `StatementRefusedError`
 * @example
 * const found = measure(node, level, "in an aggregate")
 */
export function measure(node: Node, level: Level, use: Use): Measure | undefined {
  if (text(node, "class") === "COLUMN_REF") {
    const found = resolve(level.relations, namesOf(node), use, level.merged);
    if (found === undefined) return undefined;
    const { role, kind } = found.column;
    return { columns: [found.sql], roles: [role], computed: undefined, numeric: kind === "number" };
  }
  const sum = part(node, level, use);
  if (sum === undefined || sum.roles.length === 0) return undefined;
  if (sum.roles.length > maxColumns || sum.constants > maxConstants) return undefined;
  return { columns: sum.columns, roles: sum.roles, computed: sum.write, numeric: true };
}

function part(node: Node, level: Level, use: Use): Part | undefined {
  switch (text(node, "class")) {
    case "COLUMN_REF": {
      const found = resolve(level.relations, namesOf(node), use, level.merged);
      if (found?.column.kind !== "number") return undefined;
      const { sql } = found;
      return {
        columns: [sql],
        roles: [found.column.role],
        write: ({ of }) => `CAST(${of(sql)} AS DOUBLE)`,
        constants: 0,
      };
    }
    case "CONSTANT": {
      only(node, "class", "type", "alias", "value");
      const { number: value } = constant(child(node, "value"));
      if (value === undefined || Math.abs(value) > maxFactor) return undefined;
      return { columns: [], roles: [], write: () => `CAST(${value} AS DOUBLE)`, constants: 1, value };
    }
    case "FUNCTION":
      return operation(node, level, use);
    default:
      return undefined;
  }
}

function operation(node: Node, level: Level, use: Use): Part | undefined {
  const sign = text(node, "function_name");
  const parts = nodes(node, "children").map((inner) => part(inner, level, use));
  const [left, right, more] = parts;
  if (!["+", "-", "*", "/"].includes(sign) || more !== undefined || left === undefined) return undefined;
  only(node, "class", "type", "alias", "function_name", "schema", "children", "order_bys", "is_operator");
  requireNoOrder(node);
  if (parts.length === 1) {
    const value = left.value === undefined ? {} : { value: -left.value };
    return sign === "-" ? { ...left, ...value, write: (totals) => `(- ${left.write(totals)})` } : undefined;
  }
  if (right === undefined) return undefined;
  if (sign === "*" && left.value === undefined && right.value === undefined) return undefined;
  if (sign === "/" && (right.value === undefined || Math.abs(right.value) < 1 / maxFactor)) return undefined;
  const adds = sign === "+" || sign === "-";
  const isMixed = (left.roles.length === 0) !== (right.roles.length === 0);
  const write = (side: Part, totals: Totals) => {
    const sql = side.write(totals);
    return adds && isMixed && side.roles.length === 0 && totals.rows !== undefined ? `(${sql} * ${totals.rows})` : sql;
  };
  return {
    columns: [...left.columns, ...right.columns],
    roles: [...left.roles, ...right.roles],
    write: (totals) => `(${write(left, totals)} ${sign} ${write(right, totals)})`,
    constants: left.constants + right.constants,
  };
}
