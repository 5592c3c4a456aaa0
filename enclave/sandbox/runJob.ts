/**
 * Room: enclave/sandbox. Gives each job a process of its engine: a warm one if the job is small, else one that is started
 * for it. Small jobs get the same limits in either, so that it makes no difference to the program.
 */
import { BaseError } from "../../protocol/errors.ts";
import type { Manifest } from "../../protocol/program.ts";
import { type ProcessLimits, SandboxStartError, SandboxStoppedError } from "./childProcess.ts";
import type { Engine } from "./engines/engine.ts";
import type { JobFeed } from "./feed.ts";
import { type JobHead, lengthFieldBytes, maxAnswerHeadBytes, packHead, unpackFrame } from "./frames.ts";
import type { Place } from "./place.ts";
import type { Pool } from "./pool.ts";
import type { ChildEnd, SandboxProcess } from "./sandboxProcess.ts";
import { SandboxServiceError } from "./serviceClient.ts";
import type { Wall } from "./wall.ts";

/** A job for a process; sizes in bytes. */
export type Job = Omit<JobFeed, "head"> & {
  head: Omit<JobHead, "limits" | "inputFiles">;
  inputBytes: number;
  limits: Manifest["limits"];
  outputBytes: number;
  /** Most that is kept of what is printed; not given: nothing. */
  printsBytes?: number;
};

/** Where processes come from: `warm` ones wait there, as {@link startSmall} starts them. */
export type Source = { place: Place; warm?: WarmPools };

/** The pool of an engine, made when it is first asked for; undefined: none of that engine waits. */
export type WarmPools = (engine: Engine) => Promise<Pool | undefined>;

const mebibyte = 1024 * 1024;

/** What a small job may use at most. */
const small = {
  limits: { fuel: 1, memoryBytes: 256 * mebibyte, wallMs: 60_000 },
  inputBytes: 16 * mebibyte,
  outputBytes: 4 * mebibyte,
};

/** Largest answer of an engine to a request of its own `prepare`, in bytes. */
const maxPreparedBytes = 16 * mebibyte;

/** One that died while it waited is not the job's fault; this many in a row are the machine's. */
const maxStarts = 4;

/**
 * Runs one job in a process of its own, which is gone afterwards.
 *
 * @throws {@link SandboxWallError} | {@link SandboxStartError} | {@link SandboxStoppedError} | {@link SandboxServiceError};
 * what the source of an input throws.
 * @example
 * const end = await runJob({ place: here(wall) }, engine, job, signal)
 */
export async function runJob({ place, warm }: Source, engine: Engine, job: Job, signal?: AbortSignal) {
  requireWall(engine, place.wall);
  const start = await place.open(engine);
  const limits = limitsOf(engine, job);
  const { fuel, memoryBytes, wallMs } = job.limits;
  const { outputBytes, printsBytes = 0 } = job;
  const head = packHead({
    ...job.head,
    inputFiles: engine.native,
    limits: { fuel, memoryBytes, outputBytes, printsBytes },
  } satisfies JobHead);
  const answerBytes = lengthFieldBytes + maxAnswerHeadBytes + printsBytes + outputBytes;
  const pool = isSmall(engine, limits) ? await warm?.(engine) : undefined;
  let isLost = false;
  for (let starts = 0; starts < maxStarts; starts++) {
    const process = pool?.take() ?? start(limits);
    try {
      const end = await runIn(process, { ...job, head }, { wallMs, answerBytes }, signal);
      // Its program may not even have run: what took the process away is not its failure.
      if (end.end === "lost") throw new SandboxServiceError();
      if (end.end !== "unused") return end;
      isLost = (await process.over) === "lost";
    } finally {
      pool?.refill();
    }
  }
  throw isLost ? new SandboxServiceError() : new SandboxStartError(place.wall.name);
}

/**
 * Has an engine answer a request of its own `prepare`, in a process without data.
 *
 * @returns undefined if there was no answer, or a failure: which, is the engine's to tell within an answer.
 * @throws as {@link runJob}
 * @example
 * const tree = await askEngine({ place }, engine, sql, limits)
 */
export async function askEngine(
  source: Source,
  engine: Engine,
  request: Uint8Array,
  limits: Manifest["limits"],
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const head = { paramsBytes: 0, preparedBytes: request.length, entry: "", files: [], inputs: [], policy: null };
  const job = { head, blobs: [request], inputs: [], inputBytes: 0, limits, outputBytes: maxPreparedBytes };
  const end = await runJob(source, engine, job, signal);
  const frame = end.end === "answered" ? unpackFrame(end.answer) : undefined;
  return (frame?.head as { result?: unknown } | null | undefined)?.result === "ok" ? frame?.body : undefined;
}

/**
 * What starts processes for small jobs of an engine.
 *
 * @throws `EngineMismatchError`; {@link SandboxWallError}
 * @example
 * const pool = openPool(2, await startSmall(engine, place))
 */
export async function startSmall(engine: Engine, place: Place): Promise<() => SandboxProcess> {
  requireWall(engine, place.wall);
  const start = await place.open(engine);
  return () => start(limitsOf(engine, small));
}

async function runIn(
  process: SandboxProcess,
  job: JobFeed,
  limits: Parameters<SandboxProcess["run"]>[1],
  signal: AbortSignal | undefined,
): Promise<ChildEnd> {
  const stop = () => void process.kill();
  signal?.addEventListener("abort", stop);
  try {
    if (signal?.aborted) stop();
    const end: ChildEnd = (await process.ready) ? await process.run(job, limits) : { end: "unused" };
    // What ends the worker may have ended the sandbox process as well: that is not the program's failure.
    if (signal?.aborted) throw new SandboxStoppedError();
    return end;
  } finally {
    signal?.removeEventListener("abort", stop);
    await process.kill();
  }
}

function limitsOf(engine: Engine, job: Pick<Job, "limits" | "inputBytes" | "outputBytes">): ProcessLimits {
  const own = needs(engine, job);
  const shared = needs(engine, small);
  return isWithin(own, shared) ? shared : own;
}

function isSmall(engine: Engine, limits: ProcessLimits): boolean {
  return isWithin(limits, needs(engine, small));
}

function needs(
  engine: Engine,
  { limits, inputBytes, outputBytes }: Pick<Job, "limits" | "inputBytes" | "outputBytes">,
): ProcessLimits {
  const memory = engine.memory(limits, inputBytes);
  return {
    ...memory,
    heapBytes: memory.heapBytes + 4 * outputBytes,
    bufferBytes: 32 * mebibyte + 4 * (inputBytes + outputBytes),
    scratchBytes: engine.native ? inputBytes + mebibyte : 0,
    wallMs: limits.wallMs,
  };
}

function isWithin(a: ProcessLimits, b: ProcessLimits): boolean {
  return (Object.keys(b) as (keyof ProcessLimits)[]).every((key) => a[key] <= b[key]);
}

function requireWall(engine: Engine, wall: Place["wall"]): void {
  if (engine.native && !wall.hides) throw new SandboxWallError(engine.runtime.engine, wall.name);
}

/** The engine runs machine code, and no wall of this machine hides files and network from it. */
export class SandboxWallError extends BaseError {
  override readonly name = "Sandbox.SandboxWallError";
  constructor(engine: string, wall: Wall["name"]) {
    super(`Programs for ${engine} are not run here: the wall around the sandbox (${wall}) does not hide files.`, {
      hint: "Install bubblewrap, or allow user namespaces: docs/PROGRAMS.md says what each wall needs.",
    });
  }
}
