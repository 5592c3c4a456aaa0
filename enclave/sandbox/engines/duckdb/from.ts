/**
 * Room: enclave/sandbox/engines/duckdb. The FROM of a SELECT: inputs, parameters, CTEs and subqueries, and how they are
 * joined. Pure.
 */
import { expression, type Level, namesOf, rowPlace } from "./expressions.ts";
import { type Column, fold, quote, type Relation, resolve } from "./scope.ts";
import { type Env, writeQuery } from "./statement.ts";
import { child, type Node, only, optional, refuse, strings, text } from "./tree.ts";

/** A checked FROM; `sql` is "" if there is none. */
export type Source = { sql: string; relations: readonly Relation[]; merged: ReadonlySet<Column> };

const joins = new Map([
  ["INNER", "JOIN"],
  ["LEFT", "LEFT JOIN"],
  ["RIGHT", "RIGHT JOIN"],
  ["FULL", "FULL JOIN"],
  ["SEMI", "SEMI JOIN"],
  ["ANTI", "ANTI JOIN"],
]);

/**
 * Writes a FROM.
 *
 * @throws `StatementRefusedError` | `ColumnRefusedError`
 * @example
 * const { sql, relations } = from(child(node, "from_table"), env)
 */
export function from(node: Node, env: Env): Source {
  switch (text(node, "type")) {
    case "EMPTY":
      only(node, "type");
      return { sql: "", relations: [], merged: new Set() };
    case "BASE_TABLE":
      return table(node, env);
    case "SUBQUERY": {
      only(node, "type", "alias", "subquery");
      const alias = text(node, "alias");
      const body = child(node, "subquery");
      only(body, "node");
      const query = writeQuery(child(body, "node"), env, { outermost: false });
      const relation: Relation = { alias, of: "derived", columns: query.columns, bounded: false, count: query.count };
      return { sql: `(${query.sql}) AS ${quote(alias)}`, relations: [relation], merged: new Set() };
    }
    case "JOIN":
      return joined(node, env);
    default:
      return refuse(
        `reads from a ${text(node, "type").slice(0, 30)}; only inputs, params, CTEs and subqueries can be read`,
      );
  }
}

function table(node: Node, env: Env): Source {
  only(node, "type", "alias", "table_name");
  const name = text(node, "table_name");
  const alias = text(node, "alias") || name;
  const view = env.views.get(fold(name));
  if (view !== undefined) {
    return { sql: `${quote(name)} AS ${quote(alias)}`, relations: [named(view, alias)], merged: new Set() };
  }
  const found =
    env.catalog.tables.get(fold(name)) ?? refuse(`reads ${name.slice(0, 40)}, which is no input, params or CTE`);
  const { sql, ...relation } = found;
  if (relation.unit !== undefined || relation.bounded) {
    // Twice the same units under two conditions, and the difference is about few of them.
    if (env.used.has(fold(name))) refuse(`reads ${name.slice(0, 40)} twice where the policy guards its units`);
    env.used.add(fold(name));
  }
  return { sql: `${sql} AS ${quote(alias)}`, relations: [named(relation, alias)], merged: new Set() };
}

/** With columns of its own: a table can be there twice. */
function named(relation: Omit<Relation, "alias">, alias: string): Relation {
  return { ...relation, alias, columns: relation.columns.map((column) => ({ ...column })) };
}

function joined(node: Node, env: Env): Source {
  only(node, "type", "alias", "left", "right", "join_type", "ref_type", "condition", "using_columns");
  if (text(node, "alias") !== "") refuse("gives a join a name of its own");
  const [left, right] = [from(child(node, "left"), env), from(child(node, "right"), env)];
  const relations = [...left.relations, ...right.relations];
  const merged = new Set([...left.merged, ...right.merged]);
  if (new Set(relations.map((relation) => fold(relation.alias))).size !== relations.length)
    refuse("has two tables of one name in a FROM");
  const guarded = relations.some((relation) => relation.unit !== undefined);
  const rows = relations.filter((relation) => relation.of !== "params");
  if (rows.length > 1 && rows.some((relation) => relation.bounded)) {
    refuse("joins an input whose units' contributions are bounded");
  }
  if (guarded && rows.some((relation) => relation.of === "derived")) {
    refuse("joins an input with units to a result of its own");
  }
  const word = text(node, "ref_type");
  if (word === "CROSS") {
    if (guarded && rows.length > 1) refuse("joins an input with units without a condition in ON or USING");
    return { sql: `${left.sql} CROSS JOIN ${right.sql}`, relations, merged };
  }
  if (word !== "REGULAR") refuse(`has a ${word.slice(0, 20)} join`);
  const kind = text(node, "join_type");
  const joinSql = joins.get(kind) ?? refuse("joins in a way that is not supported");
  if (guarded && kind !== "INNER" && kind !== "LEFT") refuse(`has a ${kind} join of an input with units`);
  if (env.catalog.group !== undefined && (kind === "SEMI" || kind === "ANTI")) refuse(`has a ${kind} join`);
  const using = strings(node, "using_columns");
  const on = optional(node, "condition");
  const conditions = using.map((name) => {
    if (kind !== "INNER" && kind !== "LEFT") refuse("has USING in a join that is not inner or left; use ON");
    const [one, other] = [side(left, name), side(right, name)];
    merged.add(other.column);
    return equal(one, other);
  });
  if (on !== undefined) conditions.push(...condition(on, { ...left, relations, merged }, env, guarded));
  if (conditions.length === 0) refuse("joins without a condition");
  const sql = `${left.sql} ${joinSql} ${right.sql} ON ${conditions.join(" AND ")}`;
  return kind === "SEMI" || kind === "ANTI"
    ? { sql, relations: left.relations, merged: left.merged }
    : { sql, relations, merged };
}

type Found = NonNullable<ReturnType<typeof resolve>>;

function side(source: Source, name: string): Found {
  return (
    resolve(source.relations, [name], "in a join", source.merged) ??
    refuse(`joins using ${name.slice(0, 40)}, which one side lacks`)
  );
}

/**
 * The parts of an AND. Over inputs with units each compares two columns: anything else could weigh one unit over
 * others.
 */
function condition(node: Node, source: Source, env: Env, guarded: boolean): string[] {
  if (text(node, "class") === "CONJUNCTION" && text(node, "type") === "CONJUNCTION_AND") {
    only(node, "class", "type", "children");
    const parts = node.children;
    if (!Array.isArray(parts)) refuse("has a bad condition");
    return parts.flatMap((each) => condition(each as Node, source, env, guarded));
  }
  const [left, right] = [optional(node, "left"), optional(node, "right")];
  const isColumn = (each: Node | undefined): each is Node => each !== undefined && text(each, "class") === "COLUMN_REF";
  if (text(node, "type") === "COMPARE_EQUAL" && isColumn(left) && isColumn(right)) {
    only(node, "class", "type", "left", "right");
    const find = (column: Node) =>
      resolve(source.relations, namesOf(column), "in a join", source.merged) ??
      refuse("joins on a column that is not there");
    return [equal(find(left), find(right))];
  }
  if (guarded) refuse("joins an input with units on something else than equal columns");
  const level: Level = {
    ...source,
    group: undefined,
    guarded: env.catalog.guarded,
    subquery: () => refuse("has a subquery in a join condition"),
  };
  const written = expression(node, level, rowPlace);
  return [written.kind === "boolean" ? written.sql : refuse("joins on something that is not a comparison")];
}

/** A `join` column meets a column of another input, not a value that the requester or the program chooses. */
function equal(one: Found, other: Found): string {
  const roles = [one, other].some(({ column }) => column.role === "join");
  if (one.relation === other.relation) refuse("joins a table to itself on its own columns");
  if (roles && (one.relation.of !== "input" || other.relation.of !== "input")) {
    refuse(`joins ${one.column.name.slice(0, 40)} to something that is no column of another input`);
  }
  if (one.column.kind !== other.column.kind)
    refuse("joins columns of different types; the manifest says which they have");
  return `${one.sql} = ${other.sql}`;
}
