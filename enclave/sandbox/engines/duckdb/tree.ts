/**
 * Room: enclave/sandbox/engines/duckdb. Reads the syntax tree that DuckDB makes of a statement, as JSON, without
 * believing it: a field that is not expected is a refusal, never a field overlooked. Pure.
 */
import type { FailureCode } from "../../../../protocol/eip712.ts";
import { BaseError } from "../../../../protocol/errors.ts";

/** A node of the tree; its fields are unchecked. */
export type Node = Readonly<Record<string, unknown>>;

/** Longest statement in bytes, and most nodes and levels of its tree: bounds for IN lists, CTEs and brackets. */
export const maxStatementBytes = 64 * 1024;
const maxNodes = 20_000;
const maxDepth = 200;

/** In every node, and of no meaning here. */
const ignored = new Set(["query_location", "error"]);

/**
 * Parses the answer of the process that parsed the statement. Whole numbers beyond 2^53 become bigint.
 *
 * @returns the node of its one SELECT.
 * @throws {@link StatementRefusedError}
 * @example
 * const select = readTree(answer)
 */
export function readTree(answer: Uint8Array): Node {
  let tree: unknown;
  try {
    tree = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer), exact);
  } catch {
    refuse("is not one that can be read");
  }
  checkSize(tree, { left: maxNodes }, 0);
  if (!isNode(tree) || tree.error !== false) refuse("is not a SELECT, or has a syntax error");
  const statements = nodes(tree, "statements");
  const [statement] = statements;
  if (statement === undefined || statements.length !== 1) refuse(`holds ${statements.length} statements, not one`);
  only(statement, "node");
  return child(statement, "node");
}

/** Refuses a node with any field but these, unless it is empty. */
export function only(node: Node, ...fields: readonly string[]): void {
  for (const field of Object.keys(node)) {
    if (fields.includes(field) || ignored.has(field) || isEmpty(node[field])) continue;
    refuse(`uses ${field.slice(0, 40)} where it is not supported`);
  }
}

/** A field that must be a node. */
export function child(node: Node, field: string): Node {
  const value = node[field];
  return isNode(value) ? value : refuse(`lacks ${field}`);
}

/** A field that may be absent. */
export function optional(node: Node, field: string): Node | undefined {
  return node[field] === undefined ? undefined : child(node, field);
}

/** A list of nodes; empty if the field is absent. */
export function nodes(node: Node, field: string): readonly Node[] {
  const value = node[field] ?? [];
  if (!Array.isArray(value) || !value.every(isNode)) refuse(`has a bad ${field}`);
  return value;
}

/** A list of strings; empty if the field is absent. */
export function strings(node: Node, field: string): readonly string[] {
  const value = node[field] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) refuse(`has a bad ${field}`);
  return value;
}

/** A string; "" if the field is absent. */
export function text(node: Node, field: string): string {
  const value = node[field] ?? "";
  return typeof value === "string" ? value : refuse(`has a bad ${field}`);
}

/** A flag; false if the field is absent. */
export function flag(node: Node, field: string): boolean {
  const value = node[field] ?? false;
  return typeof value === "boolean" ? value : refuse(`has a bad ${field}`);
}

/** Stops with {@link StatementRefusedError}. */
export function refuse(fact: string): never {
  throw new StatementRefusedError(fact);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return /^-?[0-9]{1,40}$/.test(source) ? BigInt(source) : value;
}

function checkSize(value: unknown, budget: { left: number }, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  budget.left -= 1;
  if (budget.left < 0) refuse(`has more than ${maxNodes} nodes`);
  if (depth > maxDepth) refuse(`is nested deeper than ${maxDepth} levels`);
  for (const inner of Object.values(value)) checkSize(inner, budget, depth + 1);
}

/** A refusal of a statement; `failure` is what the receipt says. */
export type Refusal = StatementRefusedError | ColumnRefusedError;

/** The statement is not of the allowed kind. */
export class StatementRefusedError extends BaseError {
  override readonly name = "Sql.StatementRefusedError";
  readonly failure: FailureCode = "StatementRefused";
  constructor(fact: string) {
    super(`The statement ${fact}.`, { hint: "docs/PROGRAMS-SQL.md says what a statement may hold." });
  }
}

/** The statement uses a column for what its role does not allow. */
export class ColumnRefusedError extends BaseError {
  override readonly name = "Sql.ColumnRefusedError";
  readonly failure: FailureCode = "ColumnRefused";
  constructor(column: string, fact: string) {
    super(`Column ${column.slice(0, 128)} ${fact}.`, {
      hint: "The manifest's policy says by column what it may be used for; see docs/PROGRAMS-SQL.md.",
    });
  }
}
