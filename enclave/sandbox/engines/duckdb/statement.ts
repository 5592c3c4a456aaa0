/**
 * Room: enclave/sandbox/engines/duckdb. Checks a statement under its manifest's policy and writes it anew: minimum
 * group sizes are put in, rows are put in a total order, and nothing of the author's text is left. Pure.
 */
import type { Manifest } from "../../../../protocol/program.ts";
import { condition, expression, type Level, type Place, rowPlace, type Sql } from "./expressions.ts";
import { from } from "./from.ts";
import { ordering } from "./order.ts";
import {
  type Catalog,
  type Column,
  fold,
  makeCatalog,
  quote,
  type Relation,
  requireDistinct,
  resolve,
} from "./scope.ts";
import { child, flag, type Node, nodes, only, optional, readTree, refuse, strings, text } from "./tree.ts";

/** A checked SELECT. */
export type Query = { sql: string; columns: readonly Column[]; count: string | undefined };

/** What is known where a SELECT stands. */
export type Env = {
  catalog: Catalog;
  /** CTEs by lower-case name; a name is used once in a statement. */
  views: ReadonlyMap<string, Omit<Relation, "alias">>;
  /** Inputs with units, and CTE names, that were used before in the statement. */
  used: Set<string>;
};

/** Where every SELECT but the outermost stands. */
const inner = { outermost: false };

/**
 * Checks the statement of a program and writes what is run.
 *
 * @param tree - from DuckDB's `json_serialize_sql`, not believed.
 * @throws `StatementRefusedError` | `ColumnRefusedError`
 * @example
 * const sql = rewrite(program.manifest, tree)
 */
export function rewrite(manifest: Manifest, tree: Uint8Array): string {
  const catalog = makeCatalog(manifest);
  const query = writeQuery(readTree(tree), { catalog, views: new Map(), used: new Set() }, { outermost: true });
  if (catalog.group !== undefined && (query.count === undefined || fold(query.count) !== fold(catalog.group.count))) {
    refuse(`must return ${catalog.group.count} as counted in the SELECT that reads the inputs, or the minimum of it`);
  }
  return query.sql;
}

/** Writes a SELECT, or several under a set operation. */
export function writeQuery(node: Node, env: Env, { outermost }: { outermost: boolean }): Query {
  const views = new Map(env.views);
  const defined: string[] = [];
  const map = optional(node, "cte_map");
  if (map !== undefined) only(map, "map");
  for (const entry of map === undefined ? [] : nodes(map, "map")) {
    only(entry, "key", "value");
    const value = child(entry, "value");
    only(value, "query", "materialized");
    const name = text(entry, "key");
    if (env.catalog.tables.has(fold(name)) || env.used.has(fold(name))) refuse(`defines ${name.slice(0, 40)} again`);
    env.used.add(fold(name));
    const body = child(value, "query");
    only(body, "node");
    const query = writeQuery(child(body, "node"), { ...env, views: new Map(views) }, inner);
    views.set(fold(name), { of: "derived", columns: query.columns, bounded: false, count: query.count });
    defined.push(`${quote(name)} AS (${query.sql})`);
  }
  const scope = { ...env, views };
  const query =
    text(node, "type") === "SET_OPERATION_NODE" ? setOperation(node, scope, outermost) : select(node, scope, outermost);
  return defined.length === 0 ? query : { ...query, sql: `WITH ${defined.join(", ")} ${query.sql}` };
}

const setOperations = new Set(["UNION", "EXCEPT", "INTERSECT"]);

function setOperation(node: Node, env: Env, outermost: boolean): Query {
  only(node, "type", "modifiers", "cte_map", "setop_type", "left", "right", "setop_all");
  if (env.catalog.group?.omit === false) refuse("must be one SELECT where the policy fails runs with small groups");
  if (nodes(node, "modifiers").some((modifier) => text(modifier, "type") === "DISTINCT_MODIFIER")) {
    refuse("makes joined SELECTs distinct in a way that is not supported");
  }
  const word = text(node, "setop_type");
  if (!setOperations.has(word)) refuse("joins SELECTs in a way that is not supported");
  const [left, right] = [writeQuery(child(node, "left"), env, inner), writeQuery(child(node, "right"), env, inner)];
  if (left.columns.length !== right.columns.length) refuse("joins SELECTs with different numbers of columns");
  // The default of a set operation is ALL = true in the tree only for UNION ALL.
  const all = node.setop_all === undefined || flag(node, "setop_all") ? " ALL" : "";
  const columns = left.columns.map(({ name, kind }, i) => ({
    name,
    kind: kind === right.columns[i]?.kind ? kind : ("unknown" as const),
  }));
  const position = (of: Query) => of.columns.findIndex((column) => column.name === of.count);
  const count = left.count !== undefined && position(left) === position(right) ? left.count : undefined;
  const alias = (name: string) => columns.findIndex((column) => fold(column.name) === fold(name));
  const sql = `(${left.sql}) ${word}${all} (${right.sql})`;
  const order = (key: Node) =>
    refuse(`orders joined SELECTs by ${text(key, "class").slice(0, 20)}; use names or positions`);
  const ordered = ordering(node, { columns: columns.length, alias, write: order, outermost }, levelOf(env));
  return { sql: sql + ordered, columns, count };
}

const selectFields =
  "type modifiers cte_map select_list from_table where_clause group_expressions group_sets aggregate_handling " +
  "having qualify";

function select(node: Node, env: Env, outermost: boolean): Query {
  only(node, ...selectFields.split(" "));
  if (text(node, "type") !== "SELECT_NODE") refuse(`is a ${text(node, "type").slice(0, 30)}, which is not supported`);
  if (text(node, "aggregate_handling") !== "STANDARD_HANDLING") refuse("has GROUP BY ALL; name what it groups by");
  const { catalog } = env;
  const source = from(child(node, "from_table"), env);
  const reads = source.relations.filter((relation) => relation.of === "input");
  const units = source.relations.flatMap(({ alias, unit }) =>
    unit === undefined ? [] : [`${quote(alias)}.${quote(unit)}`],
  );
  if (catalog.group !== undefined && reads.length > 0 && units.length === 0)
    refuse("reads an input without units by itself");
  const group = catalog.group !== undefined && units.length > 0 ? { ...catalog.group, units } : undefined;
  if (catalog.group?.omit === false && !(outermost && group))
    refuse("must be one SELECT where the policy fails runs with small groups");
  const level: Level = {
    ...source,
    group,
    ...levelOf(env),
  };

  const items = selectList(node, level, source.relations);
  const where = optional(node, "where_clause");
  const whereSql = where === undefined ? "" : ` WHERE ${condition(where, level, rowPlace).sql}`;
  const groupBy = groups(node, level, items);
  const grouped = groupBy.length > 0 || items.some((item) => item.wide);
  const bounded = source.relations.some((relation) => relation.bounded);
  if (bounded && !grouped) refuse("gives out single rows where the policy bounds what units contribute");
  if (group !== undefined && !grouped) refuse("gives out single rows where the policy sets a minimum group size");
  const after: Place = {
    aggregates: true,
    windows: false,
    alias: (name) => items.find((item) => fold(item.name) === fold(name)),
  };
  const having = optional(node, "having");
  const wanted = having === undefined ? undefined : condition(having, level, after).sql;
  const qualify = optional(node, "qualify");
  if (qualify !== undefined && group !== undefined)
    refuse("has QUALIFY in the SELECT that reads guarded inputs; put it around");
  const final = qualify === undefined ? "" : ` QUALIFY ${condition(qualify, level, { ...after, windows: true }).sql}`;

  const count = group === undefined ? passedCount(level, items, catalog) : addCount(items, group);
  requireDistinct(items.map((item) => item.name));
  const alias = (name: string) => items.findIndex((item) => fold(item.name) === fold(name));
  const orderKey = (key: Node) => expression(key, level, { aggregates: true, windows: group === undefined }).sql;
  const sql = [
    `SELECT ${distinct(node, env)}${items.map((item) => `${item.sql} AS ${quote(item.name)}`).join(", ")}`,
    source.sql === "" ? "" : ` FROM ${source.sql}`,
    whereSql,
    groupBy.length === 0 ? "" : ` GROUP BY ${groupBy.join(", ")}`,
    havingSql(group, wanted, bounded && groupBy.length === 0),
    final,
    ordering(node, { columns: items.length, alias, write: orderKey, outermost }, level),
  ];
  return { sql: sql.join(""), columns: items.map(({ name, kind }) => ({ name, kind })), count };
}

function levelOf(env: Env): Pick<Level, "guarded" | "subquery"> {
  return { guarded: env.catalog.guarded, subquery: (query) => writeQuery(query, env, inner) };
}

type Item = Sql & { name: string };
type Group = NonNullable<Level["group"]> & { count: string; omit: boolean };

function selectList(node: Node, level: Level, relations: readonly Relation[]): Item[] {
  const place: Place = { aggregates: true, windows: true };
  return nodes(node, "select_list").flatMap((item): Item[] => {
    if (text(item, "class") !== "STAR") {
      const written = expression(item, level, place);
      const name = text(item, "alias") || strings(item, "column_names").at(-1);
      return [{ ...written, name: name ?? refuse("has a result column without a name; give it one with AS") }];
    }
    only(item, "class", "type", "relation_name");
    const of = text(item, "relation_name");
    const chosen = relations.filter((relation) => of === "" || fold(relation.alias) === fold(of));
    if (chosen.length === 0) refuse("has * without a table");
    return chosen.flatMap(({ alias, columns }) =>
      columns
        .filter((column) => of !== "" || !level.merged.has(column))
        .map(({ name }) => {
          const { sql, column } = resolve(chosen, [alias, name], "freely", new Set()) ?? refuse("has a bad *");
          return { sql, name: column.name, kind: column.kind, wide: false };
        }),
    );
  });
}

function groups(node: Node, level: Level, items: readonly Item[]): string[] {
  const keys = nodes(node, "group_expressions");
  const sets = node.group_sets ?? [];
  const [set, another] = Array.isArray(sets) ? sets : [undefined, 0];
  if (another !== undefined || (Array.isArray(set) ? set.length : 0) !== keys.length)
    refuse("has GROUPING SETS, ROLLUP or CUBE");
  return keys.map((key) => {
    const position = text(key, "class") === "CONSTANT" ? child(key, "value").value : undefined;
    const alias = (name: string) => items.find((item) => fold(item.name) === fold(name));
    const found = typeof position === "number" ? items[position - 1] : expression(key, level, { ...rowPlace, alias });
    if (found === undefined || found.wide) refuse("groups by something that is not a value of single rows");
    if (/^\(?[-0-9.e]+\)?$/.test(found.sql)) refuse("groups by a number"); // it would be read as a position
    return found.sql;
  });
}

function havingSql(group: Group | undefined, wanted: string | undefined, bounded: boolean): string {
  // With HAVING the engine gives out no single rows, whatever stands in the list: a window or a subquery groups none.
  if (group === undefined) return wanted === undefined && !bounded ? "" : ` HAVING ${wanted ?? "TRUE"}`;
  if (!group.omit) {
    if (wanted !== undefined) refuse("has HAVING where the policy fails runs with small groups");
    return "";
  }
  const enough = group.units.map((unit) => `count(DISTINCT ${unit}) >= ${group.k}`).join(" AND ");
  // What is wanted is not even computed for groups that are too small: it could fail on them.
  return ` HAVING ${wanted === undefined ? enough : `CASE WHEN ${enough} THEN ${wanted} ELSE FALSE END`}`;
}

/** The policy's count stands in every row, and it is ours whatever the statement says. */
function addCount(items: Item[], group: Group): string {
  const counts = group.units.map((unit) => `count(DISTINCT ${unit})`);
  const sql = counts.length === 1 ? counts.join("") : `least(${counts.join(", ")})`;
  const item: Item = { sql, kind: "number", wide: true, name: group.count };
  const at = items.findIndex((each) => fold(each.name) === fold(group.count));
  items.splice(at === -1 ? items.length : at, at === -1 ? 0 : 1, item);
  return group.count;
}

/** The result column that passes the count of a SELECT further in, or its minimum, on. */
function passedCount(level: Level, items: readonly Item[], { group }: Catalog): string | undefined {
  if (group === undefined) return undefined;
  const item = items.find((each) => each.name === group.count);
  const counts = level.relations.flatMap(({ alias, count }) =>
    count === undefined ? [] : [`${quote(alias)}.${quote(count)}`],
  );
  return item !== undefined && counts.some((count) => item.sql === count || item.sql === `min(${count})`)
    ? item.name
    : undefined;
}

function distinct(node: Node, env: Env): string {
  const cut = nodes(node, "modifiers").some((modifier) => text(modifier, "type") === "LIMIT_MODIFIER");
  if (cut && env.catalog.group?.omit === false) refuse("has LIMIT where the policy fails runs with small groups");
  const found = nodes(node, "modifiers").find((modifier) => text(modifier, "type") === "DISTINCT_MODIFIER");
  if (found === undefined) return "";
  only(found, "type");
  if (env.catalog.group?.omit === false) refuse("has DISTINCT where the policy fails runs with small groups");
  return "DISTINCT ";
}
