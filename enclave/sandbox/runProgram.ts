/**
 * Room: enclave/sandbox. Runs an agreed program on opened inputs and checks what comes out. The program runs in a process
 * of its own (child.ts, behind childProcess.ts); what decides about parameters and output stands here, outside of it.
 * Touches: starts processes, reads the engine's files. Must not import: keys, chain, store, logs.
 */
import { isUtf8 } from "node:buffer";
import { z } from "zod";
import type { FailureCode } from "../../protocol/eip712.ts";
import { quickjs, sameRuntime } from "../../protocol/engines.ts";
import { NotJsonError, toJcsBytes } from "../../protocol/jcs.ts";
import { isPlainJson, type JsonSchema, type JsonValue, maxValueDepth, validate } from "../../protocol/jsonSchema.ts";
import type { Manifest, Program } from "../../protocol/program.ts";
import { type ChildLimits, runChild } from "./childProcess.ts";
import { loadEngine } from "./engine.ts";
import { childFailures, lengthFieldBytes, maxAnswerHeadBytes, packHead, type RunHead, unpackFrame } from "./frames.ts";
import { findWall } from "./wall.ts";

/** What to run. */
export type RunRequest = {
  /** As checkProgram returned it. */
  program: Program;
  /** The opened data, in the order of `manifest.inputs`. */
  inputs: readonly Uint8Array[];
  /** Parsed JSON; must meet `manifest.params`. */
  params: unknown;
};

/** How a run ended. Counts are rounded up to powers of two: exact ones would let a program count the data out. */
export type RunOutcome =
  | {
      status: "ok";
      output: JsonValue;
      /** The output as canonical JSON. */
      outputBytes: Uint8Array;
      /** Loop turns and calls, see docs/PROGRAMS.md; rounded up. */
      fuelUsed: number;
      /** What the program printed, rounded up: calls, and UTF-16 code units of strings. */
      console: { lines: number; chars: number };
    }
  | {
      status: "failed";
      failure: FailureCode;
      /** Rounded up; 0 if it is not known. */
      fuelUsed: number;
    };

/** Largest canonical parameters, in bytes. */
export const maxParamsBytes = 64 * 1024;

const mebibyte = 1024 * 1024;

const answerSchema = z.strictObject({
  result: z.enum(["ok", ...childFailures]),
  fuel: z.int().min(0),
  console: z.strictObject({ lines: z.int().min(0), chars: z.int().min(0) }),
});

/**
 * Runs a program. Whatever the program does is an outcome, never an exception, and carries no word of the program's.
 *
 * @param request - the program, its inputs and its parameters.
 * @returns the checked output, or a failure code that says no more than it must.
 * @throws {@link EngineMismatchError} | {@link SandboxStartError} if this machine cannot run programs.
 * @example
 * const outcome = await runProgram({ program, inputs: [csv], params: {} })
 */
export async function runProgram(request: RunRequest): Promise<RunOutcome> {
  const { manifest, files } = request.program;
  if (!sameRuntime(manifest.runtime, quickjs)) return failed("ProgramMismatch");
  const sources = manifest.files.map((file) => files.get(file.path));
  if (!sources.every((source) => source !== undefined)) return failed("ProgramMismatch");
  const params = encodeChecked(manifest.params, request.params);
  if (params === undefined || params.bytes.length > maxParamsBytes) return failed("ParamsRefused");
  if (request.inputs.length !== manifest.inputs.length || !request.inputs.every(isUtf8)) return failed("InputMismatch");
  const inputBytes = request.inputs.reduce((sum, input) => sum + input.length, 0);
  if (inputBytes > manifest.limits.memoryBytes) return failed("MemoryExceeded");

  const { wasm, code } = await loadEngine();
  const head: RunHead = {
    engineBytes: wasm.length,
    paramsBytes: params.bytes.length,
    entry: manifest.entry,
    files: manifest.files.map((file, i) => ({ path: file.path, size: sources[i]?.length ?? 0 })),
    inputs: manifest.inputs.map((input, i) => ({ ...input, size: request.inputs[i]?.length ?? 0 })),
    limits: {
      fuel: manifest.limits.fuel,
      memoryBytes: manifest.limits.memoryBytes,
      outputBytes: manifest.output.maxBytes,
    },
  };
  const payload = [packHead(head), wasm, params.bytes, ...sources, ...request.inputs];
  const end = await runChild(code, payload, limitsOf(manifest, inputBytes), await findWall());
  if (end.end === "timeout") return failed("TimeExceeded");
  return end.end === "died" ? failed("ProgramTrapped") : readAnswer(manifest, end.answer);
}

/** The engine may hold the text once more while it comes in; fragmentation takes up to as much again. */
function limitsOf(manifest: Manifest, inputBytes: number): ChildLimits {
  const { memoryBytes, wallMs } = manifest.limits;
  return {
    wallMs,
    answerBytes: lengthFieldBytes + maxAnswerHeadBytes + manifest.output.maxBytes,
    engineBytes: 32 * mebibyte + 2 * memoryBytes + 2 * inputBytes,
    heapBytes: 128 * mebibyte + 4 * inputBytes + 4 * manifest.output.maxBytes,
  };
}

/** Reads what the process answered. It may have been taken over by the program: nothing in it is believed. */
function readAnswer(manifest: Manifest, bytes: Uint8Array): RunOutcome {
  const frame = unpackFrame(bytes);
  const head = answerSchema.safeParse(frame?.head);
  if (frame === undefined || !head.success) return failed("ProgramTrapped");
  const fuelUsed = roundUp(Math.min(head.data.fuel, manifest.limits.fuel));
  if (head.data.result !== "ok") return failed(head.data.result, fuelUsed);
  if (frame.body.length > manifest.output.maxBytes) return failed("OutputTooLarge", fuelUsed);
  const output = parseJson(frame.body);
  const checked = output === undefined ? undefined : encodeChecked(manifest.output.schema, output);
  if (checked === undefined) return failed("OutputRefused", fuelUsed);
  if (checked.bytes.length > manifest.output.maxBytes) return failed("OutputTooLarge", fuelUsed);
  const { lines, chars } = head.data.console;
  return {
    status: "ok",
    output: checked.value,
    outputBytes: checked.bytes,
    fuelUsed,
    console: { lines: roundUp(lines), chars: roundUp(chars) },
  };
}

/** The canonical bytes of a value that meets a schema, and the value that they say. */
function encodeChecked(schema: JsonSchema, value: unknown): { bytes: Uint8Array; value: JsonValue } | undefined {
  try {
    const bytes = toJcsBytes(value);
    const canonical = parseJson(bytes);
    if (canonical === undefined || !isPlainJson(canonical, maxValueDepth)) return undefined;
    return validate(schema, canonical) ? { bytes, value: canonical } : undefined;
  } catch (error) {
    if (error instanceof NotJsonError) return undefined;
    throw error;
  }
}

function parseJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function failed(failure: FailureCode, fuelUsed = 0): RunOutcome {
  return { status: "failed", failure, fuelUsed };
}

/** The next power of two, 0 for 0. */
function roundUp(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return count === 0 ? 0 : power;
}
