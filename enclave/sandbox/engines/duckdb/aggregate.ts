/**
 * Room: enclave/sandbox/engines/duckdb. Aggregates. Over guarded data an aggregate blends values and cannot pick one:
 * its argument is a column, or a short sum of columns, without condition; and it is NULL where fewer than k units have
 * a value. A sum of columns is computed of their sums. Pure.
 */
import { condition, expression, type Level, requireNoOrder, rowPlace, type Sql } from "./expressions.ts";
import { aggregates, blending } from "./functions.ts";
import { type Measure, measure } from "./measure.ts";
import type { Use } from "./scope.ts";
import { flag, type Node, nodes, only, optional, refuse, text } from "./tree.ts";

/** Whether a function is an aggregate. */
export function isAggregate(name: string): boolean {
  return aggregates.has(name);
}

/**
 * Writes an aggregate.
 *
 * @throws `StatementRefusedError` | `ColumnRefusedError`
 * @example
 * const { sql } = aggregate(node, level)
 */
export function aggregate(node: Node, level: Level): Sql {
  only(node, "class", "type", "alias", "function_name", "schema", "children", "order_bys", "distinct", "filter");
  requireNoOrder(node);
  const name = text(node, "function_name");
  const distinct = flag(node, "distinct");
  const args = nodes(node, "children");
  const filter = optional(node, "filter");
  const wide = true;
  if (name === "count_star" || (name === "count" && args.length === 0)) {
    if (distinct || args.length > 0) refuse("counts in a way that is not supported");
    return { sql: `count(*)${filterSql(filter, level)}`, kind: "number", wide };
  }
  const use: Use = name === "count" && distinct ? "counted" : "in an aggregate";
  const measures = blending.has(name) ? args.map((arg) => measure(arg, level, use)) : [];
  const taken = measures.flatMap((found) => (found === undefined ? [] : [found]));
  const blends = taken.length === args.length && args.length > 0;
  if (level.group === undefined && !(blends && taken.some(({ roles }) => roles.some((role) => role !== undefined)))) {
    const list = args.map((arg) => expression(arg, level, rowPlace).sql).join(", ");
    return { sql: `${name}(${distinct ? "DISTINCT " : ""}${list})${filterSql(filter, level)}`, kind: "unknown", wide };
  }
  if (!blending.has(name)) refuse(`has ${name} over guarded data, which gives single values`);
  if (!blends) refuse(`has something else than columns, or a short sum of them, in ${name} over guarded data`);
  if (distinct && name !== "count") refuse(`has ${name} over distinct values of guarded data`);
  if (name !== "count" && taken.some((found) => !found.numeric)) refuse(`has ${name} of something else than numbers`);
  const columns = taken.flatMap((found) => found.columns);
  const present = columns.map((column) => `${column} IS NOT NULL`).join(" AND ");
  const computed = taken.find((found) => found.computed !== undefined)?.computed;
  const plain = `${name}(${distinct ? "DISTINCT " : ""}${columns.join(", ")})`;
  const call = computed === undefined ? plain : ofTotals(name, computed, present, filter, level);
  if (level.group === undefined) {
    const suffix = computed === undefined ? filterSql(filter, level) : "";
    return { sql: `${call}${suffix}`, kind: "number", wide };
  }
  // With a column that is 1 for one unit and 0 for all others, these two would tell what the other column says of it.
  if (taken.length > 1 && !taken.every(({ roles }) => roles[0] === "aggregate")) {
    refuse(`has ${name} of columns of which one has not the role aggregate`);
  }
  const { k, units } = level.group;
  const enough = units.map((unit) => `count(DISTINCT ${unit}) FILTER (WHERE ${present}) >= ${k}`).join(" AND ");
  if (filter !== undefined) refuse("has FILTER in the SELECT that reads guarded inputs; use WHERE");
  return { sql: `CASE WHEN ${enough} THEN ${call} END`, kind: "number", wide };
}

/** A sum or mean of what is computed, over the rows where all its columns have values. */
function ofTotals(
  name: string,
  computed: NonNullable<Measure["computed"]>,
  present: string,
  filter: Node | undefined,
  level: Level,
): string {
  if (!["sum", "avg", "mean"].includes(name)) refuse(`computes inside of ${name} over guarded data; sum and avg may`);
  const wanted =
    filter === undefined || level.group !== undefined ? "" : ` AND ${condition(filter, level, rowPlace).sql}`;
  const rows = ` FILTER (WHERE ${present}${wanted})`;
  return computed({
    of: (column) => `${name}(${column})${rows}`,
    rows: name === "sum" ? `count(*)${rows}` : undefined,
  });
}

function filterSql(filter: Node | undefined, level: Level): string {
  if (filter === undefined) return "";
  if (level.group !== undefined) refuse("has FILTER in the SELECT that reads guarded inputs; use WHERE");
  return ` FILTER (WHERE ${expression(filter, level, rowPlace).sql})`;
}
