/**
 * Room: enclave/sandbox/engines/duckdb. Writes the constants and types of a syntax tree as SQL. Pure.
 */
import { castKinds, type Kind } from "./functions.ts";
import { child, flag, type Node, only, optional, refuse, text } from "./tree.ts";

const integers = new Set(["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"]);

/** A constant: its SQL, and its value if it is a number that fits one. */
export type Constant = { sql: string; kind: Kind; number?: number };

/**
 * Writes a constant.
 *
 * @param value - the `value` of a constant's node.
 * @example
 * constant(child(node, "value")).sql // "'it''s'"
 */
export function constant(value: Node): Constant {
  only(value, "type", "is_null", "value");
  const type = child(value, "type");
  if (flag(value, "is_null")) return { sql: "NULL", kind: "unknown" };
  const id = text(type, "id");
  const content = value.value;
  if (id === "VARCHAR" && typeof content === "string") return { sql: literal(content), kind: "string" };
  if (id === "BOOLEAN" && typeof content === "boolean") return { sql: content ? "TRUE" : "FALSE", kind: "boolean" };
  if (integers.has(id)) return numeric(`${wholeNumber(content)}`);
  if (id === "DOUBLE" && typeof content === "number" && Number.isFinite(content)) {
    const digits = String(content);
    return numeric(digits.includes("e") ? digits : `${digits}e0`);
  }
  if (id === "DECIMAL") {
    const { scale } = decimalInfo(type);
    const unscaled = wholeNumber(content);
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
    const point = digits.length - scale;
    return numeric(`${unscaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`);
  }
  return refuse("has a constant that is not supported");
}

/**
 * Writes the type of a cast.
 *
 * @example
 * castType(child(node, "cast_type")).sql // "DECIMAL(10,2)"
 */
export function castType(type: Node): { sql: string; kind: Kind } {
  only(type, "id", "type_info");
  const id = text(type, "id");
  if (id === "DECIMAL") {
    const { width, scale } = decimalInfo(type);
    return { sql: `DECIMAL(${width},${scale})`, kind: "number" };
  }
  const kind = castKinds.get(id);
  if (kind === undefined || type.type_info !== undefined) refuse("casts to a type that is not supported");
  return { sql: id, kind };
}

/** A quoted string. */
export function literal(content: string): string {
  if (content.includes("\0")) refuse("has a string with a zero byte");
  return `'${content.replaceAll("'", "''")}'`;
}

function numeric(sql: string): Constant {
  return { sql: sql.startsWith("-") ? `(${sql})` : sql, kind: "number", number: Number(sql) };
}

/** A number, or the halves of one of 128 bits. */
function wholeNumber(content: unknown): bigint {
  if (typeof content === "bigint" || Number.isSafeInteger(content)) return BigInt(content as bigint | number);
  if (typeof content === "object" && content !== null && "upper" in content && "lower" in content) {
    return (wholeNumber(content.upper) << 64n) + wholeNumber(content.lower);
  }
  return refuse("has a number that cannot be read");
}

function decimalInfo(type: Node): { width: number; scale: number } {
  const info = optional(type, "type_info");
  const width = info?.width;
  const scale = info?.scale ?? 0;
  const fits =
    Number.isInteger(width) && Number.isInteger(scale) && Number(width) <= 38 && Number(scale) <= Number(width);
  if (!fits || Number(scale) < 0) refuse("has a decimal type that cannot be read");
  return { width: Number(width), scale: Number(scale) };
}
