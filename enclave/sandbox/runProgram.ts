/**
 * Room: enclave/sandbox. Runs an agreed program on opened inputs and checks what comes out. The program runs in a process
 * of its own (child.ts, behind sandboxProcess.ts); what decides about parameters and output stands here, outside of it.
 * Touches: starts processes, reads the engines' files. Must not import: keys, chain, store, logs.
 */
import type { FailureCode } from "../../protocol/eip712.ts";
import type { Runtime } from "../../protocol/engines.ts";
import { maxPrintsBytes } from "../../protocol/prints.ts";
import type { Program } from "../../protocol/program.ts";
import { SandboxStoppedError } from "./childProcess.ts";
import type { Engine } from "./engines/engine.ts";
import { quickjsEngine } from "./engines/quickjs/index.ts";
import { engines, findEngine } from "./engines.ts";
import type { InputStream } from "./feed.ts";
import { encodeChecked, failed, type RunOutcome, readAnswer } from "./outcome.ts";
import { here, type Place } from "./place.ts";
import { openPool, type Pool } from "./pool.ts";
import { createPreparer } from "./prepared.ts";
import { askEngine, runJob, type Source, startSmall } from "./runJob.ts";
import { findWall, type Wall } from "./wall.ts";

/** What to run. */
export type RunRequest = {
  /** As checkProgram returned it. */
  program: Program;
  /** The opened data, in the order of `manifest.inputs`: whole, or in chunks as the sandbox takes them. */
  inputs: readonly (Uint8Array | InputStream)[];
  /** Parsed JSON; must meet `manifest.params`. */
  params: unknown;
};

/** Runs programs; see {@link openSandbox}. */
export type Sandbox = {
  /** As {@link runProgram}. */
  run(request: RunRequest, signal?: AbortSignal): Promise<RunOutcome>;
  /** Ends the processes that wait. */
  close(): Promise<void>;
};

/** Largest canonical parameters, in bytes. */
export const maxParamsBytes = 64 * 1024;

/**
 * Opens a sandbox that keeps processes warm for small jobs.
 *
 * @param options - where processes run, or what to put around those that run here; `warm`: how many wait with the
 * JavaScript engine; of another one waits, once it was used, unless that is 0.
 * @throws {@link EngineMismatchError}
 * @example
 * const sandbox = await openSandbox({ place, warm: 2 })
 */
export async function openSandbox(options: { warm: number } & ({ place: Place } | { wall: Wall })): Promise<Sandbox> {
  const place = "place" in options ? options.place : here(options.wall);
  const prepare = createPreparer();
  const pools = new Map<Engine, Promise<Pool>>();
  const warm = async (engine: Engine) => {
    if (options.warm === 0) return undefined;
    const waiting = engine === quickjsEngine ? options.warm : 1;
    const pool = pools.get(engine) ?? startSmall(engine, place).then((start) => openPool(waiting, start));
    pools.set(engine, pool);
    return pool;
  };
  (await warm(quickjsEngine))?.refill();
  return {
    run: (request, signal) => runIn({ place, warm }, prepare, request, signal),
    async close() {
      const opened = await Promise.allSettled(pools.values());
      await Promise.all(opened.map((one) => one.status === "fulfilled" && one.value.close()));
    },
  };
}

/**
 * The engines that can run behind a wall.
 *
 * @example
 * const names = runnableEngines(await findWall()).map(({ engine }) => engine)
 */
export function runnableEngines(wall: Place["wall"]): Runtime[] {
  return engines.filter(({ native }) => wall.hides || !native).map(({ runtime }) => runtime);
}

/**
 * Whether a program's engine runs machine code, and no wall of this machine would hold it: running it would throw
 * {@link SandboxWallError}.
 *
 * @example
 * if (lacksWallFor(program, await findWall())) leaveToOthers(job)
 */
export function lacksWallFor({ manifest }: Pick<Program, "manifest">, wall: Pick<Wall, "hides">): boolean {
  return findEngine(manifest.runtime)?.native === true && !wall.hides;
}

/**
 * Whether the engine of a program would take it: its modules, its statements. Nothing is run.
 *
 * @returns why not, or undefined.
 * @throws as {@link runProgram}.
 * @example
 * const refusal = await checkRunnable(program)
 */
export async function checkRunnable(
  program: Program,
  wall?: Wall,
): Promise<{ failure: FailureCode; reason: string } | undefined> {
  const { runtime, inputs } = program.manifest;
  const engine = findEngine(runtime);
  if (engine === undefined)
    return { failure: "ProgramMismatch", reason: "The manifest names an engine that is not here." };
  const strange = inputs.find(({ format }) => !engine.formats.includes(format));
  if (strange !== undefined)
    return {
      failure: "InputMismatch",
      reason: `${runtime.engine} does not take ${strange.format} (input ${strange.name}).`,
    };
  const source = { place: await placeOf(wall) };
  const prepared = await engine.prepare?.(program, (bytes, limits) => askEngine(source, engine, bytes, limits));
  return prepared !== undefined && "failure" in prepared ? prepared : undefined;
}

/**
 * Runs a program. Whatever the program does is an outcome, never an exception, and carries no word of the program's but
 * where its policy says so.
 *
 * @param request - the program, its inputs and its parameters.
 * @param wall - what to put around the process; the strongest that works here unless given.
 * @param signal - aborting ends the run.
 * @returns the checked output, or a failure code that says no more than it must.
 * @throws {@link EngineMismatchError} | {@link SandboxWallError} | {@link SandboxStartError} if this machine cannot run
 * the program; `SandboxServiceError` if the service that runs it is gone; {@link SandboxStoppedError} if the signal aborted; what the source of an input throws.
 * @example
 * const outcome = await runProgram({ program, inputs: [csv], params: {} })
 */
export async function runProgram(request: RunRequest, wall?: Wall, signal?: AbortSignal): Promise<RunOutcome> {
  return runIn({ place: await placeOf(wall) }, createPreparer(), request, signal);
}

async function placeOf(wall: Wall | undefined): Promise<Place> {
  return here(wall ?? (await findWall()));
}

async function runIn(
  source: Source,
  prepare: ReturnType<typeof createPreparer>,
  request: RunRequest,
  signal: AbortSignal | undefined,
): Promise<RunOutcome> {
  if (signal?.aborted) throw new SandboxStoppedError();
  const { program, inputs } = request;
  const { manifest } = program;
  const engine = findEngine(manifest.runtime);
  if (engine === undefined) return failed("ProgramMismatch");
  const files = manifest.files.map(({ path }) => program.files.get(path));
  if (!files.every((file) => file !== undefined)) return failed("ProgramMismatch");
  const params = encodeChecked(manifest.params, request.params);
  if (params === undefined || params.bytes.length > maxParamsBytes) return failed("ParamsRefused");
  if (inputs.length !== manifest.inputs.length) return failed("InputMismatch");
  if (!manifest.inputs.every(({ format }) => engine.formats.includes(format))) return failed("InputMismatch");
  const sizes = inputs.map(sizeOf);
  const inputBytes = sizes.reduce((sum, size) => sum + size, 0);
  if (inputBytes > manifest.limits.memoryBytes) return failed("MemoryExceeded");

  const outcome = await prepare(engine, program, (bytes, limits) => askEngine(source, engine, bytes, limits, signal));
  if ("failure" in outcome) return failed(outcome.failure);
  const end = await runJob(
    source,
    engine,
    {
      head: {
        paramsBytes: params.bytes.length,
        preparedBytes: outcome.prepared.length,
        entry: manifest.entry,
        files: manifest.files.map(({ path }, i) => ({ path, size: files[i]?.length ?? 0 })),
        inputs: manifest.inputs.map((input, i) => ({ ...input, size: sizes[i] ?? 0 })),
        policy: manifest.output.policy ?? null,
      },
      blobs: [params.bytes, outcome.prepared, ...files],
      inputs,
      inputBytes,
      limits: manifest.limits,
      outputBytes: manifest.output.maxBytes,
      printsBytes: manifest.output.policy?.prints === undefined ? 0 : maxPrintsBytes,
    },
    signal,
  );
  if (end.end === "misfed") return failed("InputMismatch");
  if (end.end === "timeout") return failed("TimeExceeded");
  return end.end === "died" ? failed("ProgramTrapped") : readAnswer(manifest, end.answer);
}

function sizeOf(input: Uint8Array | InputStream): number {
  return input instanceof Uint8Array ? input.length : input.sizeBytes;
}
