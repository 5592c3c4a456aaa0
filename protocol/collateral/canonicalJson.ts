/**
 * Room: protocol/collateral. Reads the signed JSON that Intel publishes, strictly, and the field forms it is made of. Pure.
 * Two readers must never see two things in the same signed bytes: no duplicated key, no unknown key, no other spelling.
 */
import { z } from "zod";
import { BaseError } from "../errors.ts";

/** Longest JSON that is read, in bytes; real ones have 0.5 to 5.5 KB. */
export const maxJsonSize = 65_536;
/** Most levels, identities or advisories in one list; real ones have at most a dozen. */
export const maxListLength = 64;

/** Hex of a fixed size, in either case; becomes bytes. */
export const hexBytes = (size: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${size * 2}}$`))
    .transform((hex) => Uint8Array.fromHex(hex));

/** A time in UTC, to the second; becomes Unix seconds. */
export const utcTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine((text) => {
    const time = Date.parse(text);
    // Date.parse rolls 31 February over to March; a time that comes out otherwise than it went in is no time.
    // Nor one before 1970, which the contracts do not read.
    return time >= 0 && new Date(time).toISOString() === text.replace("Z", ".000Z");
  }, "no such time")
  .transform((text) => Date.parse(text) / 1000);

/** A whole number of at most so many bytes. */
export const unsigned = (bytes: 1 | 2 | 4) =>
  z
    .int()
    .min(0)
    .max(2 ** (8 * bytes) - 1);

/** Ids of Intel's security advisories. */
export const advisoryIds = z
  .array(z.string().regex(/^[A-Za-z0-9-]{1,32}$/))
  .max(maxListLength)
  .default([]);

/**
 * Reads JSON that is written as Intel writes it: UTF-8, without white space, no key twice.
 *
 * @param what - names the document in errors.
 * @param schema - of strict objects: an unknown key is refused.
 * @throws {@link MalformedCollateralError}
 * @example
 * const info = readCanonicalJson("TCB info", bytes, schema)
 */
export function readCanonicalJson<Schema extends z.ZodType>(
  what: string,
  bytes: Uint8Array,
  schema: Schema,
): z.output<Schema> {
  requireJsonSize(what, bytes);
  const value = parse(what, bytes);
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const path = issue?.path.join(".").slice(0, 100) || "it";
  throw new MalformedCollateralError(what, `${path}: ${issue?.message.slice(0, 200) ?? "malformed"}`, read.error);
}

/**
 * Refuses what is too long to be read, or to be hashed for its signature.
 *
 * @throws {@link MalformedCollateralError}
 * @example
 * requireJsonSize("TCB info", bytes)
 */
export function requireJsonSize(what: string, bytes: Uint8Array): void {
  if (bytes.length > maxJsonSize)
    throw new MalformedCollateralError(what, `${bytes.length} bytes, limit ${maxJsonSize}`);
}

function parse(what: string, bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  let rewritten: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    rewritten = JSON.stringify(value);
  } catch (cause) {
    throw new MalformedCollateralError(what, "not JSON", cause);
  }
  // JSON.parse keeps the last of two equal keys and every spelling of a number: writing it anew shows both.
  if (rewritten !== text)
    throw new MalformedCollateralError(what, "a key stands twice, or it is not written without white space");
  return value;
}

/** A signed document of Intel's, or what is given for one, cannot be read. */
export class MalformedCollateralError extends BaseError {
  override readonly name = "Collateral.MalformedCollateralError";
  constructor(what: string, fact: string, cause?: unknown) {
    super(`${what} is malformed: ${fact}.`, {
      hint: "Fetch it again from Intel, for TDX and API version 4, and keep its bytes as they are.",
      cause,
    });
  }
}
