/**
 * Room: protocol/jsonSchema. The part of JSON Schema (2020-12) that manifests may use for parameters and outputs. Pure.
 * Allow-listed keywords only: nothing that loops (pattern), jumps ($ref) or branches (anyOf), so checking is linear.
 */
import { Validator } from "@cfworker/json-schema";
import { BaseError } from "./errors.ts";
import { toJcs } from "./jcs.ts";

/** A JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** A JSON object, and so a schema of the subset once {@link checkSchema} has passed it. */
export type JsonSchema = { [key: string]: JsonValue };

/** Largest canonical schema, in UTF-16 code units. */
export const maxSchemaLength = 16 * 1024;
/** Deepest schema, and deepest literal in `enum` or `const`, in levels. */
export const maxSchemaDepth = 16;
/** Deepest parameters and output, in levels of arrays and objects. */
export const maxValueDepth = 32;

const typeNames = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);

type Check = (value: JsonValue, at: string, depth: number) => void;

const checks: { readonly [keyword: string]: Check } = {
  title: isText,
  description: isText,
  type: (value, at) => {
    const names = Array.isArray(value) ? value : [value];
    const known = names.every((name) => typeof name === "string" && typeNames.has(name));
    need(known && names.length > 0 && new Set(names).size === names.length, at, "must name JSON types, each once");
  },
  properties: (value, at, depth) => {
    need(isObject(value), at, "must be an object");
    for (const [name, schema] of Object.entries(value)) {
      isSafeName(name, at);
      walk(schema, `${at}/${name}`, depth + 1);
    }
  },
  required: (value, at) => {
    need(Array.isArray(value) && new Set(value).size === value.length, at, "must list property names, each once");
    for (const name of value) isSafeName(name, at);
  },
  additionalProperties: (value, at) => need(typeof value === "boolean", at, "must be true or false"),
  items: (value, at, depth) => walk(value, at, depth + 1),
  minItems: isCount,
  maxItems: isCount,
  minLength: isCount,
  maxLength: isCount,
  minimum: (value, at) => need(typeof value === "number", at, "must be a number"),
  maximum: (value, at) => need(typeof value === "number", at, "must be a number"),
  enum: (value, at) => need(Array.isArray(value) && value.length > 0, at, "must list at least one value"),
  const: () => undefined,
};

/**
 * Checks that a schema is of the allowed subset: type, properties, required, additionalProperties (boolean), items,
 * minItems, maxItems, minLength, maxLength, minimum, maximum, enum, const, title, description.
 *
 * @param schema - anything.
 * @throws {@link UnsupportedSchemaError} naming the place and the fact.
 * @example
 * checkSchema({ type: "object", additionalProperties: false })
 */
export function checkSchema(schema: unknown): asserts schema is JsonSchema {
  let text: string;
  try {
    text = toJcs(schema);
  } catch (cause) {
    throw new UnsupportedSchemaError("", "is not JSON", cause);
  }
  need(text.length <= maxSchemaLength, "", `has ${text.length} characters, limit ${maxSchemaLength}`);
  // A fresh copy: what is checked is what is hashed, whatever getters or prototypes the argument has.
  const copy: JsonValue = JSON.parse(text);
  need(isPlainJson(copy, 2 * maxSchemaDepth), "", "is nested too deep or has a __proto__ key");
  walk(copy, "", 1);
}

/**
 * Whether a JSON value meets a schema.
 *
 * @param schema - one that {@link checkSchema} has passed.
 * @param value - as parsed from JSON; one that is not {@link isPlainJson} fails.
 * @example
 * validate({ type: "integer", minimum: 1 }, 0) // false
 */
export function validate(schema: JsonSchema, value: JsonValue): boolean {
  // The validator writes into the schema it is given.
  return isPlainJson(value, maxValueDepth) && new Validator(structuredClone(schema), "2020-12").validate(value).valid;
}

/**
 * Whether a parsed JSON value is at most `depth` levels deep and has no key `__proto__`, which too many readers of
 * JSON lose or obey.
 *
 * @example
 * isPlainJson([[1]], 1) // false
 */
export function isPlainJson(value: JsonValue, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0 || Object.hasOwn(value, "__proto__")) return false;
  return Object.values(value).every((inner) => isPlainJson(inner, depth - 1));
}

function walk(schema: JsonValue, at: string, depth: number): void {
  need(isObject(schema), at, "must be an object");
  need(depth <= maxSchemaDepth, at, `is nested deeper than ${maxSchemaDepth} levels`);
  for (const [keyword, value] of Object.entries(schema)) {
    const check = Object.hasOwn(checks, keyword) ? checks[keyword] : undefined;
    need(check !== undefined, at, `has the keyword "${keyword}", which is not supported`);
    check(value, `${at}/${keyword}`, depth);
  }
}

function isText(value: JsonValue, at: string): void {
  need(typeof value === "string", at, "must be a string");
}

function isCount(value: JsonValue, at: string): void {
  need(Number.isSafeInteger(value) && Number(value) >= 0, at, "must be a whole number");
}

/** The validator looks names up with `in`: a name that every object inherits would count as present. */
function isSafeName(name: JsonValue, at: string): void {
  need(typeof name === "string" && !(name in Object.prototype), at, "must not use a name that every object has");
}

function isObject(value: JsonValue): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function need(holds: boolean, at: string, fact: string): asserts holds {
  if (!holds) throw new UnsupportedSchemaError(at, fact);
}

/** The schema is not of the subset that manifests may use. */
export class UnsupportedSchemaError extends BaseError {
  override readonly name = "JsonSchema.UnsupportedSchemaError";
  constructor(at: string, fact: string, cause?: unknown) {
    super(`The schema at "${at.slice(0, 200) || "/"}" ${fact.slice(0, 200)}.`, {
      hint: "docs/PROGRAMS.md lists the keywords that a manifest's schemas may use.",
      cause,
    });
  }
}
