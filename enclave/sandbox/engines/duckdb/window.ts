/**
 * Room: enclave/sandbox/engines/duckdb. Functions with OVER, and the direction of an ORDER BY. Pure.
 */
import { isAggregate } from "./aggregate.ts";
import { expression, type Level, type Place, type Sql } from "./expressions.ts";
import { windows } from "./functions.ts";
import { child, flag, type Node, nodes, only, optional, refuse, text } from "./tree.ts";

const ways = new Map(Object.entries({ ORDER_DEFAULT: "ASC", ASCENDING: "ASC", DESCENDING: "DESC" }));
const nullPlaces = new Map(Object.entries({ ORDER_DEFAULT: "LAST", NULLS_LAST: "LAST", NULLS_FIRST: "FIRST" }));

const fields =
  "class type alias function_name schema children partitions orders start end start_expr end_expr offset_expr " +
  "default_expr ignore_nulls filter_expr distinct";

/**
 * Writes a window function. Not in the SELECT that reads guarded inputs: it would look beyond its group.
 *
 * @throws `StatementRefusedError` | `ColumnRefusedError`
 * @example
 * const { sql } = overWindow(node, level, place)
 */
export function overWindow(node: Node, level: Level, place: Place): Sql {
  only(node, ...fields.split(" "));
  const name = text(node, "function_name");
  if (!place.windows) refuse("has a window function where none can be");
  if (level.group !== undefined) refuse("has a window function in the SELECT that reads guarded inputs; put it around");
  if (!windows.has(name) && !isAggregate(name))
    refuse(`calls ${name.slice(0, 40)}, which is not on the list of functions`);
  const inner: Place = { ...place, windows: false };
  const write = (part: Node) => expression(part, level, inner).sql;
  const given = [optional(node, "offset_expr"), optional(node, "default_expr")];
  const args = [...nodes(node, "children"), ...given.flatMap((part) => (part === undefined ? [] : [part]))].map(write);
  const partitions = nodes(node, "partitions").map(write);
  const orders = nodes(node, "orders").map((order) => `${write(child(order, "expression"))} ${direction(order)}`);
  const filter = optional(node, "filter_expr");
  const over = [
    partitions.length === 0 ? "" : `PARTITION BY ${partitions.join(", ")}`,
    orders.length === 0 ? "" : `ORDER BY ${orders.join(", ")}`,
    frame(node, write),
  ];
  const list = name === "count_star" ? "*" : `${flag(node, "distinct") ? "DISTINCT " : ""}${args.join(", ")}`;
  const nulls = flag(node, "ignore_nulls") ? " IGNORE NULLS" : "";
  const filtered = filter === undefined ? "" : ` FILTER (WHERE ${write(filter)})`;
  const called = name === "count_star" ? "count" : name;
  return {
    sql: `${called}(${list}${nulls})${filtered} OVER (${over.filter(Boolean).join(" ")})`,
    kind: "unknown",
    wide: true,
  };
}

/** ASC, DESC and where NULL stands; never left to a setting. */
export function direction(order: Node): string {
  only(order, "type", "null_order", "expression");
  const way = ways.get(text(order, "type"));
  const nulls = nullPlaces.get(text(order, "null_order"));
  if (way === undefined || nulls === undefined) refuse("orders in a way that is not supported");
  return `${way} NULLS ${nulls}`;
}

function frame(node: Node, write: (part: Node) => string): string {
  const [start, end] = [text(node, "start"), text(node, "end")];
  if (start === "UNBOUNDED_PRECEDING" && end === "CURRENT_ROW_RANGE") return "";
  const bound = (name: string, offset: Node | undefined) => {
    const [, words, unit] =
      /^(UNBOUNDED_PRECEDING|UNBOUNDED_FOLLOWING|CURRENT_ROW|EXPR_PRECEDING|EXPR_FOLLOWING)(_ROWS|_RANGE)?$/.exec(
        name,
      ) ?? [];
    if (words === undefined) refuse("has a window frame that is not supported");
    const way = words.replace("_", " ");
    return {
      sql: way.startsWith("EXPR")
        ? `${offset === undefined ? refuse("has a bad frame") : write(offset)}${way.slice(4)}`
        : way,
      unit,
    };
  };
  const from = bound(start, optional(node, "start_expr"));
  const to = bound(end, optional(node, "end_expr"));
  const unit = from.unit ?? to.unit ?? "_ROWS";
  return `${unit.slice(1)} BETWEEN ${from.sql} AND ${to.sql}`;
}
