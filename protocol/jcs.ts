/**
 * Room: protocol/jcs. Canonical JSON (RFC 8785), the only JSON that is hashed or signed here. Pure.
 */
import canonicalize from "canonicalize";
import { BaseError } from "./errors.ts";

/**
 * Canonical JSON of a value.
 *
 * @param value - JSON-compatible; no `undefined`, functions, NaN or infinities.
 * @returns the RFC 8785 text.
 * @throws {@link NotJsonError} if the value has no JSON form.
 *
 * @example
 * toJcs({ b: 1, a: 2 }) // '{"a":2,"b":1}'
 */
export function toJcs(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (cause) {
    throw new NotJsonError(cause);
  }
  if (text === undefined) throw new NotJsonError();
  return text;
}

/**
 * Canonical JSON as UTF-8 bytes.
 *
 * @example
 * toJcsBytes({}).length // 2
 */
export function toJcsBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(toJcs(value));
}

/** The value has no canonical JSON form. */
export class NotJsonError extends BaseError {
  override readonly name = "Jcs.NotJsonError";
  constructor(cause?: unknown) {
    super("The value has no JSON form.", {
      hint: "Use only objects, arrays, strings, finite numbers, booleans and null.",
      cause,
    });
  }
}
