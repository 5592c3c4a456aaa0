/**
 * Room: protocol/program. Program manifests, their ids, and the bundles that carry a program's files. Pure.
 * Both who consents and who runs compute the id themselves, from the same bytes.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex, keccak256 } from "viem";
import { z } from "zod";
import { BaseError } from "./errors.ts";
import { toJcs, toJcsBytes } from "./jcs.ts";
import { checkSchema, type JsonSchema, UnsupportedSchemaError } from "./jsonSchema.ts";
import { inputName, type Policy, policySchema } from "./policy.ts";
import { bytes32 } from "./schemas.ts";

const relativePath = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/, "must be a plain relative path");

/** The engines that a manifest can name; which versions of them there are: protocol/engines.ts. */
export const engineNames = ["quickjs", "duckdb", "wasm", "pyodide"] as const;

/** Forms of input data. `csv` and `text` are UTF-8; `bytes` is anything. */
export const inputFormats = ["csv", "json", "text", "parquet", "bytes"] as const;

/** Types of columns, as every engine can hold them. */
export const columnTypes = ["string", "integer", "number", "boolean", "date", "timestamp"] as const;

const column = z.strictObject({ name: z.string().min(1).max(128), type: z.enum(columnTypes) });

/** The schema itself, not a copy: it is hashed as it was given. */
const jsonSchemaObject = z.custom<JsonSchema>().superRefine((schema, context) => {
  try {
    checkSchema(schema);
  } catch (error) {
    if (!(error instanceof UnsupportedSchemaError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});

const input = z.strictObject({
  name: inputName,
  format: z.enum(inputFormats),
  /** Columns that a table must have, by name; others may be there and are not seen. SQL needs them. */
  columns: z.array(column).min(1).max(1024).optional(),
});

/** What a program is: everything in it is hashed into its id. */
export const manifestSchema = z
  .strictObject({
    v: z.literal(1),
    name: z.string().min(1).max(80),
    runtime: z.strictObject({ engine: z.enum(engineNames), version: z.string().max(32), artifactSha256: bytes32 }),
    entry: relativePath,
    files: z
      .array(z.strictObject({ path: relativePath, sha256: bytes32, size: z.int().min(0) }))
      .min(1)
      .max(64),
    params: jsonSchemaObject,
    inputs: z.array(input).min(1).max(16),
    output: z.strictObject({
      format: z.literal("json"),
      schema: jsonSchemaObject,
      maxBytes: z
        .int()
        .min(1)
        .max(64 * 1024 * 1024),
      policy: policySchema.optional(),
    }),
    limits: z.strictObject({
      fuel: z.int().min(1).max(100_000_000_000),
      memoryBytes: z
        .int()
        .min(1024 * 1024)
        .max(4 * 1024 * 1024 * 1024),
      wallMs: z.int().min(1).max(600_000),
    }),
  })
  .refine((m) => new Set(m.files.map((file) => file.path)).size === m.files.length, "file paths must differ")
  .refine((m) => new Set(m.inputs.map((input) => input.name)).size === m.inputs.length, "input names must differ")
  .refine((m) => m.files.some((file) => file.path === m.entry), "the entry must be one of the files")
  .refine((m) => policyInputs(m.output.policy).every((name) => m.inputs.some((input) => input.name === name)), {
    error: "the policy names an input that is not there",
    path: ["output", "policy"],
  })
  .refine((m) => policyColumns(m.output.policy).every(([input, column]) => hasColumn(m.inputs, input, column)), {
    error: "the policy names a column that its input does not have",
    path: ["output", "policy"],
  })
  .refine(({ runtime, output: { policy } }) => runtime.engine === "duckdb" || !needsSql(policy), {
    error: "roles of columns and bounds of contributions can be held in SQL only",
    path: ["output", "policy"],
  });

function policyInputs(policy: Policy | undefined): string[] {
  const parts = [policy?.columns, policy?.group?.units, policy?.noise?.bounds];
  return parts.flatMap((part) => Object.keys(part ?? {}));
}

/** Every column that a policy names, with its input: a rule about a misspelt one would hold nothing. */
function policyColumns(policy: Policy | undefined): [input: string, column: string][] {
  const { group, columns = {}, noise } = policy ?? {};
  const bounds = Object.entries(noise?.bounds ?? {});
  return [
    ...Object.entries(group?.units ?? {}),
    ...Object.entries(columns).flatMap(([input, roles]) => Object.keys(roles).map(ofInput(input))),
    ...bounds.flatMap(([input, { unit, clamp = {} }]) => [unit, ...Object.keys(clamp)].map(ofInput(input))),
  ];
}

function ofInput(input: string): (column: string) => [string, string] {
  return (column) => [input, column];
}

/** Of an input that lists no columns, nothing can be said. */
function hasColumn(inputs: readonly z.output<typeof input>[], name: string, column: string): boolean {
  const columns = inputs.find((each) => each.name === name)?.columns;
  return columns === undefined || columns.some((each) => each.name === column);
}

/** What other engines do with the columns of their inputs, nobody sees: a promise about it would be empty. */
function needsSql(policy: Policy | undefined): boolean {
  return policy?.columns !== undefined || policy?.noise?.bounds !== undefined;
}

/** A checked manifest. */
export type Manifest = z.output<typeof manifestSchema>;

/** Largest program bundle in bytes of JSON. */
export const maxBundleBytes = 1024 * 1024;

const bundleSchema = z.strictObject({
  manifest: manifestSchema,
  files: z.record(relativePath, z.base64()),
});

/** A program with its files, checked against its manifest. */
export type Program = { id: Hex; manifest: Manifest; files: ReadonlyMap<string, Uint8Array> };

/**
 * The program id: keccak256 of the canonical manifest.
 *
 * @example
 * const programId = programIdOf(manifest)
 */
export function programIdOf(manifest: Manifest): Hex {
  return keccak256(toJcsBytes(manifest));
}

/**
 * Hash of the output rules that a receipt says were enforced.
 *
 * @example
 * policyHashOf(program.manifest)
 */
export function policyHashOf(manifest: Manifest): Hex {
  return keccak256(toJcsBytes(manifest.output));
}

/**
 * Checks a manifest and its files against each other.
 *
 * @param manifest - anything; typically parsed JSON.
 * @param files - content by path.
 * @throws {@link BadManifestError} | {@link FileMismatchError}
 * @example
 * const program = checkProgram(JSON.parse(text), files)
 */
export function checkProgram(manifest: unknown, files: ReadonlyMap<string, Uint8Array>): Program {
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) throw new BadManifestError(z.prettifyError(parsed.error));
  const listed = new Set(parsed.data.files.map((file) => file.path));
  for (const path of files.keys()) if (!listed.has(path)) throw new FileMismatchError(path, "is not in the manifest");
  for (const file of parsed.data.files) {
    const bytes = files.get(file.path);
    if (bytes === undefined) throw new FileMismatchError(file.path, "is missing");
    if (bytes.length !== file.size)
      throw new FileMismatchError(file.path, `has ${bytes.length} bytes, not ${file.size}`);
    if (bytesToHex(sha256(bytes)) !== file.sha256) throw new FileMismatchError(file.path, "has another SHA-256");
    const isCode = parsed.data.runtime.engine === "wasm" && file.path === parsed.data.entry;
    if (!isCode && !isUtf8(bytes)) throw new FileMismatchError(file.path, "is not UTF-8 text");
  }
  return { id: programIdOf(parsed.data), manifest: parsed.data, files };
}

/**
 * Writes a program as one JSON file that can be stored and fetched by hash.
 *
 * @example
 * const bytes = packProgram(program)
 */
export function packProgram(program: Program): Uint8Array {
  const files = Object.fromEntries([...program.files].map(([path, bytes]) => [path, toBase64(bytes)]));
  return toJcsBytes({ manifest: program.manifest, files });
}

/**
 * Reads a program bundle and checks it.
 *
 * @param bytes - at most {@link maxBundleBytes}.
 * @throws {@link BadManifestError} | {@link FileMismatchError}
 * @example
 * const program = unpackProgram(bytes)
 */
export function unpackProgram(bytes: Uint8Array): Program {
  if (bytes.length > maxBundleBytes)
    throw new BadManifestError(`bundle of ${bytes.length} bytes, limit ${maxBundleBytes}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BadManifestError("not UTF-8 JSON", cause);
  }
  const bundle = bundleSchema.safeParse(json);
  if (!bundle.success) throw new BadManifestError(z.prettifyError(bundle.error));
  const files = new Map(Object.entries(bundle.data.files).map(([path, text]) => [path, fromBase64(text)] as const));
  return checkProgram(bundle.data.manifest, files);
}

/**
 * Canonical parameters and their hash.
 *
 * @returns bytes to send with the order, and keccak256 of them for `paramsHash`.
 * @example
 * const { bytes, hash } = encodeParams({ year: 2000 })
 */
export function encodeParams(params: unknown): { bytes: Uint8Array; hash: Hex } {
  const bytes = new TextEncoder().encode(toJcs(params));
  return { bytes, hash: keccak256(bytes) };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}

/** The manifest, or the bundle around it, is not well formed. */
export class BadManifestError extends BaseError {
  override readonly name = "Program.BadManifestError";
  constructor(detail: string, cause?: unknown) {
    super(`The program manifest is not valid: ${detail.slice(0, 1000)}`, {
      hint: "Compare it with docs/PROGRAMS.md; unknown fields are refused.",
      cause,
    });
  }
}

/** A program file is not what the manifest says. */
export class FileMismatchError extends BaseError {
  override readonly name = "Program.FileMismatchError";
  constructor(path: string, fact: string) {
    super(`Program file ${path} ${fact}.`, { hint: "Rebuild the manifest with `dcm program id DIR --write`." });
  }
}
