/**
 * Room: sdk/bundle/readBundle. A bundle's bytes. They come from anybody: of any size, in any shape. Pure.
 */
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { toJcsBytes } from "../../protocol/jcs.ts";
import { sameBytes } from "../../protocol/sameBytes.ts";
import { type Bundle, type BundleJson, bundleSchema, maxJobBundleBytes } from "./bundleSchema.ts";

/** Deepest nesting of a bundle, in braces and brackets: a program's schema and the like lie in it as bytes. */
const maxDepth = 12;

/**
 * Reads a bundle. Verifies nothing: `auditBundle` does.
 *
 * @param bytes - at most {@link maxJobBundleBytes}; canonical JSON (RFC 8785).
 * @throws {@link BadBundleError}
 * @example
 * const bundle = readBundle(await readFile("job.dcb"))
 */
export function readBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > maxJobBundleBytes)
    throw new BadBundleError(`it has ${bytes.length} bytes, the limit is ${maxJobBundleBytes}`);
  if (depthOf(bytes) > maxDepth) throw new BadBundleError(`it is nested deeper than ${maxDepth}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new BadBundleError("it is not JSON", cause);
  }
  const parsed = bundleSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadBundleError(`${issue?.path.join(".") || "the file"}: ${(issue?.message ?? "bad form").slice(0, 200)}`);
  }
  for (const part of ["order", "receipt", "leaf", "log"])
    if (hasCapitals((json as Record<string, unknown>)[part]))
      throw new BadBundleError(`${part}: hex must be lowercase`);
  // One spelling: doubled keys, other spaces and orders are other files, and nobody can tell them apart later.
  if (!sameBytes(toJcsBytes(json), bytes)) throw new BadBundleError("it is not canonical JSON (RFC 8785)");
  return parsed.data;
}

/**
 * The bytes of a bundle: the same for the same content.
 *
 * @throws {@link BadBundleError} if it is too large.
 * @example
 * await writeFile("job.dcb", writeBundle(await makeBundle(options)))
 */
export function writeBundle(bundle: BundleJson): Uint8Array {
  const bytes = toJcsBytes(z.json().parse(bundle));
  if (bytes.length > maxJobBundleBytes)
    throw new BadBundleError(`it would have ${bytes.length} bytes, the limit is ${maxJobBundleBytes}`);
  return bytes;
}

/** Whether some hex is written in capitals, as checksummed addresses are. */
function hasCapitals(value: unknown): boolean {
  if (typeof value === "string") return value.startsWith("0x") && /[A-F]/.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hasCapitals);
}

/** Deepest nesting, strings apart. Looked at before parsing: parsers and canonicalizers recurse. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, inString, escaped] = [0, 0, false, false];
  for (const byte of bytes) {
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === 0x5c) escaped = true;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}

/** The file is no bundle, or was changed. */
export class BadBundleError extends BaseError {
  override readonly name = "Bundle.BadBundleError";
  constructor(fact: string, cause?: unknown) {
    super(`This is not a bundle of a job: ${fact}.`, {
      hint: "Have it made anew with `dcm bundle`; docs/BUNDLE.md describes the format.",
      cause,
    });
  }
}
