/**
 * Room: enclave/http. Reads what clients send: path and query parameters, JSON bodies, uploads. Everything is bounded,
 * unknown fields are refused. Not @koa/bodyparser: that inflates compressed bodies and takes what is no JSON.
 */
import type { Context } from "koa";
import { z } from "zod";
import { collectBytes } from "../fetch/collectBytes.ts";
import { HttpError } from "./problem.ts";

/** Largest JSON body in bytes. */
export const maxJsonBytes = 64 * 1024;
/** Deepest nesting of objects and arrays in a JSON body. */
export const maxJsonDepth = 16;

/**
 * Checks path and query parameters.
 *
 * @throws {@link BadParameterError} if one is missing, malformed, or unknown.
 * @example
 * const { id } = readParameters(z.strictObject({ id: bytes32 }), ctx.params)
 */
export function readParameters<T>(schema: z.ZodType<T>, values: unknown): T {
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new BadParameterError(z.prettifyError(parsed.error));
  return parsed.data;
}

/**
 * Refuses a request that has a body where none belongs.
 *
 * @throws {@link BodyTooLargeError}
 * @example
 * refuseBody(ctx)
 */
export function refuseBody(ctx: Context): void {
  if (ctx.req.headers["transfer-encoding"] !== undefined || declaredBytes(ctx) > 0) throw new BodyTooLargeError(0);
}

/**
 * Reads and checks a JSON body.
 *
 * @throws {@link MediaTypeError} | {@link ContentEncodingError} | {@link BodyTooLargeError} | {@link BadJsonError} |
 * {@link BadBodyError} | {@link BodyInterruptedError}
 * @example
 * const grantPackage = await readJson(ctx, grantPackageSchema)
 */
export async function readJson<T>(ctx: Context, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json(; ?charset="?utf-8"?)?$/i.test(ctx.get("Content-Type").trim())) throw new MediaTypeError();
  if (declaredBytes(ctx) > maxJsonBytes) throw new BodyTooLargeError(maxJsonBytes);
  const bytes = await collectBytes(readBody(ctx), maxJsonBytes, () => new BodyTooLargeError(maxJsonBytes));
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new BadBodyError(z.prettifyError(parsed.error));
  return parsed.data;
}

/**
 * The body as it comes, of any type but not compressed.
 *
 * @throws {@link ContentEncodingError} at once, {@link BodyInterruptedError} while reading.
 * @example
 * await blobs.put(sha256, readBody(ctx), declaredBytes(ctx))
 */
export function readBody(ctx: Context): AsyncGenerator<Uint8Array> {
  const encoding = ctx.get("Content-Encoding");
  if (encoding !== "" && encoding.toLowerCase() !== "identity") throw new ContentEncodingError();
  return chunks(ctx);
}

/**
 * Content-Length, or 0 when there is none. A claim, not a fact.
 *
 * @example
 * if (declaredBytes(ctx) > limitBytes) throw new BodyTooLargeError(limitBytes)
 */
export function declaredBytes(ctx: Context): number {
  return ctx.request.length ?? 0;
}

async function* chunks(ctx: Context): AsyncGenerator<Uint8Array> {
  try {
    // Not destroyed when the reader stops early: that would cut the connection before it has its answer.
    yield* ctx.req.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new BodyInterruptedError(cause);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const json: unknown = JSON.parse(text);
    if (depthOf(text) <= maxJsonDepth) return json;
  } catch (cause) {
    throw new BadJsonError("is not UTF-8 JSON", cause);
  }
  throw new BadJsonError(`is nested deeper than ${maxJsonDepth} levels`);
}

/** Deepest nesting of a text that is known to be JSON. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}

/** A parameter in the path or the query is wrong. */
export class BadParameterError extends HttpError {
  override readonly name = "Http.BadParameterError";
  override readonly status = 400;
  constructor(detail: string) {
    super(`A parameter in the URL is not valid: ${detail}`, {
      hint: "See docs/HTTP.md; unknown parameters are refused.",
    });
  }
}

/** There is more body than allowed. */
export class BodyTooLargeError extends HttpError {
  override readonly name = "Http.BodyTooLargeError";
  override readonly status = 413;
  constructor(limitBytes: number) {
    super(`The request body is larger than ${limitBytes} bytes.`, { hint: "Send less; docs/HTTP.md has the limits." });
  }
}

/** The body is not declared as JSON. */
export class MediaTypeError extends HttpError {
  override readonly name = "Http.MediaTypeError";
  override readonly status = 415;
  constructor() {
    super("The request body must be application/json.", { hint: "Send Content-Type: application/json." });
  }
}

/** The body is compressed. */
export class ContentEncodingError extends HttpError {
  override readonly name = "Http.ContentEncodingError";
  override readonly status = 415;
  constructor() {
    super("Compressed request bodies are not read.", { hint: "Send the bytes as they are, without Content-Encoding." });
  }
}

/** The body is not JSON, or too deep. */
export class BadJsonError extends HttpError {
  override readonly name = "Http.BadJsonError";
  override readonly status = 400;
  constructor(fact: string, cause?: unknown) {
    super(`The request body ${fact}.`, { hint: "Send one JSON value in UTF-8.", cause });
  }
}

/** The JSON is not what the route takes. */
export class BadBodyError extends HttpError {
  override readonly name = "Http.BadBodyError";
  override readonly status = 422;
  constructor(detail: string) {
    super(`The request body is not valid: ${detail}`, { hint: "See docs/HTTP.md; unknown fields are refused." });
  }
}

/** The client went away in the middle of its body. */
export class BodyInterruptedError extends HttpError {
  override readonly name = "Http.BodyInterruptedError";
  override readonly status = 400;
  constructor(cause: unknown) {
    super("The request body ended too early.", { hint: "Send it again.", cause });
  }
}
