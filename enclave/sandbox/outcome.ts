/**
 * Room: enclave/sandbox. How a run ended, and the check of what the sandbox process says about it. Pure.
 * The process may have been taken over by the program, so nothing in its answer is believed.
 */
import { createHash } from "node:crypto";
import type { Hex } from "viem";
import { z } from "zod";
import type { FailureCode } from "../../protocol/eip712.ts";
import { NotJsonError, toJcsBytes } from "../../protocol/jcs.ts";
import { type JsonSchema, type JsonValue, validate } from "../../protocol/jsonSchema.ts";
import { maxPrintsBytes, type Prints } from "../../protocol/prints.ts";
import type { Manifest } from "../../protocol/program.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { childFailures, unpackFrame } from "./frames.ts";

/** How a run ended. Counts are rounded up to powers of two: exact ones would let a program count the data out. */
export type RunOutcome =
  | {
      status: "ok";
      output: JsonValue;
      /** The output as canonical JSON. */
      outputBytes: Uint8Array;
      /** Loop turns and calls, see docs/PROGRAMS.md; rounded up. */
      fuelUsed: number;
      /** What the program printed, rounded up: lines, and their bytes in UTF-8. */
      console: { lines: number; bytes: number };
      /** SHA-256 of those lines. Whoever has it can check a guess of what they say: for sealed or salted use only. */
      printsHash: Hex;
      /** What it printed, if its policy has that kept. */
      prints?: Prints;
    }
  | {
      status: "failed";
      failure: FailureCode;
      /** Rounded up; 0 if it is not known. */
      fuelUsed: number;
      /** What it printed until then, if its policy has that kept and the process could tell. */
      prints?: Prints;
    };

/** Most values of an output, the nested ones included: parsed, a short one takes 50 times its text in this process. */
export const maxOutputValues = 4_000_000;

const answerSchema = z.strictObject({
  result: z.enum(["ok", ...childFailures]),
  fuel: z.int().min(0),
  outputBytes: z.int().min(0),
  console: z.strictObject({ lines: z.int().min(0), bytes: z.int().min(0) }),
  printsHash: bytes32,
  kept: z.strictObject({ bytes: z.int().min(0).max(maxPrintsBytes), cut: z.boolean() }).optional(),
});

/**
 * Reads the answer of a sandbox process and enforces the manifest's output rules on it.
 *
 * @param answer - what it wrote, at most a head, kept prints and `manifest.output.maxBytes`.
 * @example
 * const outcome = readAnswer(manifest, end.answer)
 */
export function readAnswer(manifest: Manifest, answer: Uint8Array): RunOutcome {
  const frame = unpackFrame(answer);
  const head = answerSchema.safeParse(frame?.head);
  if (frame === undefined || !head.success) return failed("ProgramTrapped");
  const prints = readPrints(manifest, head.data, frame.body);
  if (prints === "wrong") return failed("ProgramTrapped");
  const fuelUsed = roundUp(Math.min(head.data.fuel, manifest.limits.fuel));
  const fail = (failure: FailureCode) => failed(failure, fuelUsed, prints);
  if (head.data.result !== "ok") return fail(head.data.result);
  const body = frame.body.subarray(head.data.kept?.bytes ?? 0);
  if (body.length !== head.data.outputBytes) return fail("ProgramTrapped");
  if (body.length > manifest.output.maxBytes) return fail("OutputTooLarge");
  if (valuesIn(body) > maxOutputValues) return fail("OutputTooLarge");
  const checked = encodeChecked(manifest.output.schema, parseJson(body));
  if (checked === undefined) return fail("OutputRefused");
  if (checked.bytes.length > manifest.output.maxBytes) return fail("OutputTooLarge");
  const { lines, bytes } = head.data.console;
  return {
    status: "ok",
    output: checked.value,
    outputBytes: checked.bytes,
    fuelUsed,
    console: { lines: roundUp(lines), bytes: roundUp(bytes) },
    printsHash: head.data.printsHash,
    ...(prints !== undefined && { prints }),
  };
}

/** The kept prints before the output. Kept where nothing is to be kept, or of another hash: the process was taken over. */
function readPrints(
  { output: { policy } }: Manifest,
  { kept, printsHash: hash }: z.output<typeof answerSchema>,
  body: Uint8Array,
): Prints | undefined | "wrong" {
  if ((kept !== undefined) !== (policy?.prints !== undefined)) return "wrong";
  if (kept === undefined) return undefined;
  const { bytes, cut } = kept;
  if (bytes > body.length) return "wrong";
  const text = body.slice(0, bytes);
  const isWhole = cut || hash === `0x${createHash("sha256").update(text).digest("hex")}`;
  return isWhole ? { text, cut, hash } : "wrong";
}

/**
 * The canonical bytes of a value and the value that they say; undefined if it has no JSON form, is nested too deep or
 * does not meet the schema.
 *
 * @example
 * encodeChecked(manifest.params, params)?.bytes
 */
export function encodeChecked(schema: JsonSchema, value: unknown): { bytes: Uint8Array; value: JsonValue } | undefined {
  try {
    const bytes = toJcsBytes(value);
    const canonical = parseJson(bytes);
    return canonical !== undefined && validate(schema, canonical) ? { bytes, value: canonical } : undefined;
  } catch (error) {
    if (error instanceof NotJsonError) return undefined;
    throw error;
  }
}

/**
 * A failed run.
 *
 * @param fuelUsed - rounded up already.
 * @param prints - what it printed before.
 * @example
 * return failed("ParamsRefused")
 */
export function failed(failure: FailureCode, fuelUsed = 0, prints?: Prints): RunOutcome {
  return { status: "failed", failure, fuelUsed, ...(prints !== undefined && { prints }) };
}

function parseJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** At least as many values as the text would be parsed into. */
function valuesIn(json: Uint8Array): number {
  let values = 1;
  let isQuoted = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === 0x22) isQuoted = !isQuoted;
    else if (isQuoted) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values++; // , [ {
  }
  return values;
}

/** The next power of two, 0 for 0. */
function roundUp(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return count === 0 ? 0 : power;
}
