/**
 * Room: enclave/sandbox. Runs an agreed program on opened inputs and checks what comes out. The program runs in a process
 * of its own (child.ts, behind childProcess.ts); what decides about parameters and output stands here, outside of it.
 * Touches: starts processes, reads the engine's files. Must not import: keys, chain, store, logs.
 */
import { isUtf8 } from "node:buffer";
import { quickjs, sameRuntime } from "../../protocol/engines.ts";
import type { Manifest, Program } from "../../protocol/program.ts";
import { type ChildLimits, runChild, SandboxStoppedError } from "./childProcess.ts";
import { loadEngine } from "./engine.ts";
import { lengthFieldBytes, maxAnswerHeadBytes, packHead, type RunHead } from "./frames.ts";
import { encodeChecked, failed, type RunOutcome, readAnswer } from "./outcome.ts";
import { findWall, type Wall } from "./wall.ts";

/** What to run. */
export type RunRequest = {
  /** As checkProgram returned it. */
  program: Program;
  /** The opened data, in the order of `manifest.inputs`. */
  inputs: readonly Uint8Array[];
  /** Parsed JSON; must meet `manifest.params`. */
  params: unknown;
};

/** Largest canonical parameters, in bytes. */
export const maxParamsBytes = 64 * 1024;

const mebibyte = 1024 * 1024;

/**
 * Runs a program. Whatever the program does is an outcome, never an exception, and carries no word of the program's.
 *
 * @param request - the program, its inputs and its parameters.
 * @param wall - what to put around the process; the strongest that works here unless given.
 * @param signal - aborting ends the run.
 * @returns the checked output, or a failure code that says no more than it must.
 * @throws {@link EngineMismatchError} | {@link SandboxStartError} if this machine cannot run programs;
 * {@link SandboxStoppedError} if the signal aborted.
 * @example
 * const outcome = await runProgram({ program, inputs: [csv], params: {} })
 */
export async function runProgram(request: RunRequest, wall?: Wall, signal?: AbortSignal): Promise<RunOutcome> {
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
  const end = await runChild(code, payload, limitsOf(manifest, inputBytes), wall ?? (await findWall()), signal);
  // What ends the worker may have ended the sandbox process as well: that is not the program's failure.
  if (signal?.aborted) throw new SandboxStoppedError();
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
