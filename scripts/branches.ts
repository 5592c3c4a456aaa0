/**
 * Makes the branches of Solidity code countable by a tool that counts lines: each condition goes through a function of its
 * own, which says on one line that it was true and on another that it was false. What the code does stays the same, and
 * so do its line numbers: the functions are appended. Pure.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };

/** What decides: `and` and `or` by their left operand, as the right one may not be asked. */
export type BranchKind = "if" | "loop" | "ternary" | "and" | "or" | "require" | "try";

/**
 * One of the ways that code may go on.
 *
 * @property line - of the condition, from 1.
 * @property where - function or modifier that it is in.
 * @property way - `true` or `false`; of a `try`, the number of its clause, of which 0 is success.
 * @property marker - line, in the marked source, that runs when this way is taken.
 */
export type Branch = { kind: BranchKind; line: number; where: string; text: string; way: string; marker: number };

/**
 * What was made of one file.
 *
 * @property statements - lines on which a statement starts, ascending, as they were.
 * @property uncounted - `if`, `for` and `switch` of inline assembly, from which nothing can be called.
 */
export type Marked = { source: string; branches: Branch[]; statements: Line[]; uncounted: number };

type Line = { line: number; where: string; text: string };

type Node = { nodeType: string; src: string; [key: string]: unknown };

/**
 * Marks the branches of one source file.
 *
 * @param source - text that compiles; its file name does not matter.
 * @param prefix - an identifier that no other file's is, as functions outside of contracts share one space of names.
 * @throws AssertionError if it is no Solidity; it says what the compiler says.
 *
 * @example
 * const { source, branches } = markBranches("function f(bool b) pure returns (uint256) { return b ? 1 : 2; }", "_f");
 */
export function markBranches(source: string, prefix: string): Marked {
  const bytes = Buffer.from(source);
  const starts = lineStarts(bytes);
  const lineOf = (offset: number) => starts.findLastIndex((start) => start <= offset) + 1;
  const texts = source.split("\n");
  const statements = new Map<number, Line>();
  const branches: Branch[] = [];
  const inserts: { at: number; text: string; span: number }[] = [];
  const tail: string[] = [];
  let uncounted = 0;
  let functions = 0;

  const insert = (at: number, text: string, span: number) => inserts.push({ at, text, span });
  /** Appends a function and says on which line of the marked source it begins. */
  const append = (...text: string[]) => {
    tail.push(...text);
    return starts.length + tail.length - text.length + 1;
  };
  const markCondition = (kind: BranchKind, where: string, condition: Node | null | undefined) => {
    if (!condition) return; // for (;;)
    const [from, length] = spanOf(condition);
    const name = `${prefix}${functions++}`;
    insert(from, `${name}(`, length);
    insert(from + length, ")", -length);
    const first = append(
      `function ${name}(bool condition) pure returns (bool) {`,
      "    if (condition) {",
      "        return true;",
      "    } else {",
      "        return false;",
      "    }",
      "}",
    );
    const text = bytes.toString("utf8", from, from + length).replaceAll(/\s+/g, " ");
    const branch = { kind, line: lineOf(from), where, text };
    branches.push({ ...branch, way: "true", marker: first + 2 }, { ...branch, way: "false", marker: first + 4 });
  };
  const markClause = (clause: Node, number: number, where: string, line: number) => {
    const name = `${prefix}${functions++}`;
    insert(spanOf(clause.block as Node)[0] + 1, ` ${name}();`, 0);
    const first = append(`function ${name}() pure {`, "    return;", "}");
    branches.push({ kind: "try", line, where, text: "try", way: String(number), marker: first + 1 });
  };

  /** `where` is empty outside of functions, where nothing can be marked. */
  const visit = (node: Node, where: string) => {
    const { nodeType } = node;
    if (/^Yul(If|ForLoop|Switch)$/.test(nodeType)) uncounted++;
    if (/^(Function|Modifier)Definition$/.test(nodeType)) where = String(node.name || node.kind);
    else if (where !== "") {
      const line = lineOf(spanOf(node)[0]);
      if (isStatement(nodeType)) statements.set(line, { line, where, text: (texts[line - 1] ?? "").trim() });
      if (nodeType === "IfStatement") markCondition("if", where, node.condition as Node);
      if (/^(While|DoWhile|For)Statement$/.test(nodeType)) markCondition("loop", where, node.condition as Node | null);
      if (nodeType === "Conditional") markCondition("ternary", where, node.condition as Node);
      if (nodeType === "BinaryOperation" && node.operator === "&&")
        markCondition("and", where, node.leftExpression as Node);
      if (nodeType === "BinaryOperation" && node.operator === "||")
        markCondition("or", where, node.leftExpression as Node);
      if (nodeType === "FunctionCall" && isCheck(node.expression as Node))
        markCondition("require", where, (node.arguments as Node[])[0]);
      if (nodeType === "TryStatement")
        for (const [number, clause] of (node.clauses as Node[]).entries()) markClause(clause, number, where, line);
    }
    for (const child of childrenOf(node)) visit(child, where);
  };
  visit(parse(source), "");

  // What is opened first is closed last; at one place, what closes comes before what opens.
  inserts.sort((a, b) => a.at - b.at || (a.span < 0 ? 0 : 1) - (b.span < 0 ? 0 : 1) || b.span - a.span);
  let marked = "";
  let done = 0;
  for (const { at, text } of inserts) {
    marked += bytes.toString("utf8", done, at) + text;
    done = at;
  }
  marked += bytes.toString("utf8", done);
  return {
    source: [marked, ...tail, ""].join("\n"),
    branches,
    statements: [...statements.values()].sort((a, b) => a.line - b.line),
    uncounted,
  };
}

function parse(source: string): Node {
  const settings = { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } };
  const input = { language: "Solidity", sources: { source: { content: source } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    errors?: { severity: string; formattedMessage: string }[];
    sources?: { source?: { ast?: Node } };
  };
  const error = output.errors?.find(({ severity }) => severity === "error");
  const ast = output.sources?.source?.ast;
  assert(ast !== undefined && error === undefined, error?.formattedMessage ?? "the compiler gave no tree");
  return ast;
}

/** Bytes: where it starts, and how many. */
function spanOf(node: Node): [from: number, length: number] {
  const [from, length] = node.src.split(":").map(Number) as [number, number];
  return [from, length];
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** Not of a block or a placeholder, of which nothing runs but what is in it. */
function isStatement(nodeType: string): boolean {
  return nodeType !== "PlaceholderStatement" && /(Statement|^Return|^Break|^Continue|^InlineAssembly)$/.test(nodeType);
}

function isCheck(called: Node): boolean {
  return called.nodeType === "Identifier" && (called.name === "require" || called.name === "assert");
}

/** Offsets in bytes. */
function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
  return starts;
}
