/**
 * Room: enclave/sandbox/engines/duckdb. The order of rows: rows that leave, or of which some are cut off, are in a
 * total order, by what is asked for and then by every column, so that the same ones leave in every run. Pure.
 */
import { expression, type Level, rowPlace } from "./expressions.ts";
import { child, type Node, nodes, only, optional, refuse, strings, text } from "./tree.ts";
import { direction } from "./window.ts";

/** A SELECT to order: its number of columns, where a name stands among them (-1: nowhere), what writes other keys. */
export type Ordered = {
  columns: number;
  alias: (name: string) => number;
  write: (key: Node) => string;
  outermost: boolean;
};

type LimitLevel = Pick<Level, "guarded" | "subquery">;

/**
 * Writes ORDER BY, LIMIT and OFFSET. Inside, rows are ordered where they are cut only.
 *
 * @throws `StatementRefusedError`
 * @example
 * const sql = ordering(node, { columns: 2, alias: () => -1, write, outermost: true }, level)
 */
export function ordering(node: Node, { columns, alias, write, outermost }: Ordered, level: LimitLevel): string {
  const modifiers = nodes(node, "modifiers");
  const of = (type: string) => modifiers.filter((modifier) => text(modifier, "type") === type);
  const [order, limit] = [of("ORDER_MODIFIER"), of("LIMIT_MODIFIER")];
  if (order.length > 1 || limit.length > 1) refuse("is ordered or cut twice");
  if (order.length + limit.length + of("DISTINCT_MODIFIER").length !== modifiers.length) refuse("has LIMIT in percent");
  for (const each of order) only(each, "type", "orders");
  const keys = order
    .flatMap((each) => nodes(each, "orders"))
    .map((each) => {
      const key = child(each, "expression");
      const names = text(key, "class") === "COLUMN_REF" ? strings(key, "column_names") : [];
      const position = names.length === 1 ? alias(names[0] ?? "") + 1 : 0;
      const number = text(key, "class") === "CONSTANT" ? child(key, "value").value : undefined;
      if (number !== undefined && !(typeof number === "number" && number >= 1 && number <= columns))
        refuse("has a bad position in ORDER BY");
      return `${number ?? (position > 0 ? position : write(key))} ${direction(each)}`;
    });
  const [cut] = limit;
  if (!outermost && cut === undefined) return "";
  const all = Array.from({ length: columns }, (_, i) => `${i + 1} ASC NULLS LAST`);
  return ` ORDER BY ${[...keys, ...all].join(", ")}${cut === undefined ? "" : limitSql(cut, level)}`;
}

function limitSql(node: Node, { guarded, subquery }: LimitLevel): string {
  only(node, "type", "limit", "offset");
  const level: Level = { relations: [], merged: new Set(), group: undefined, guarded, subquery };
  const part = (word: string, field: string) => {
    const value = optional(node, field);
    return value === undefined ? "" : ` ${word} ${expression(value, level, rowPlace).sql}`;
  };
  return part("LIMIT", "limit") + part("OFFSET", "offset");
}
