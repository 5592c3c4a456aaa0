/**
 * Room: enclave/sandbox. One disposable process: started with no rights, fed one job, read once, and gone afterwards.
 * It has no environment, no files, no network and no children; what it writes to stderr is thrown away.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { BaseError } from "../../protocol/errors.ts";
import { bootstrap } from "./bootstrap.ts";
import type { EngineParts, ProcessMemory } from "./engines/engine.ts";
import { feed, type JobFeed } from "./feed.ts";
import { begunByte, packHead, readyByte } from "./frames.ts";
import { scratchDir } from "./privateRoot.ts";
import type { Wall } from "./wall.ts";

/** What a process may use. */
export type ProcessLimits = ProcessMemory & {
  /** What it may hold beside that: inputs as they come in, the output. */
  bufferBytes: number;
  /** Native engines: size of the folder for inputs. */
  scratchBytes: number;
  /** Longest run of a job that it can be given, in ms; bounds its CPU time where nobody is left to stop it. */
  wallMs: number;
};

/** How a job ended. `died`: it was not asked to, or wrote too much. `misfed`: an input was not of its size. `unused`: before it began. */
export type ChildEnd =
  | { end: "answered"; answer: Uint8Array }
  | { end: "timeout" }
  | { end: "died" }
  | { end: "misfed" }
  | { end: "unused" };

/** A process, ready for a job or about to be. */
export type SandboxProcess = {
  /** Whether it came up. */
  ready: Promise<boolean>;
  /** Settles when it will take no job any more. */
  over: Promise<unknown>;
  /**
   * Runs the one job of this process; afterwards it is gone.
   *
   * @param limits - wall clock in ms, from when the process has the head of the job; largest answer, in bytes.
   * @throws what the source of an input throws.
   */
  run(job: JobFeed, limits: { wallMs: number; answerBytes: number }): Promise<ChildEnd>;
  /** Ends it. When the promise settles, the process and its group are gone. */
  kill(): Promise<void>;
};

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Node and the engine have to be up within this time, whatever the program is. */
const startMs = 30_000;
/** A process that is up takes the head of a job within this time. */
const beginMs = 10_000;
/** After SIGKILL, how long to wait for the process to be reaped, in ms. */
const burialMs = 5_000;
const mebibyte = 1024 * 1024;
/** Node alone reserves about 450 MiB of writable address space. */
const nodeDataBytes = 768 * mebibyte;
/** Node has small WebAssembly modules of its own. */
const nodeWasmBytes = 16 * mebibyte;

/**
 * Starts a process and its engine; it then waits for a job.
 *
 * @param parts - `code` with the module `sandbox` (child.ts) in it.
 * @example
 * const child = startProcess(parts, limits, await findWall())
 */
export function startProcess(parts: EngineParts, limits: ProcessLimits, wall: Wall): SandboxProcess {
  const child = start(parts, limits, wall);
  const ready = Promise.withResolvers<boolean>();
  const begun = Promise.withResolvers<boolean>();
  const over = Promise.withResolvers<"closed" | "failed">();
  const reader = new AnswerReader([
    [readyByte, () => ready.resolve(true)],
    [begunByte, () => begun.resolve(true)],
  ]);
  const starting = setTimeout(() => over.resolve("failed"), startMs);
  void ready.promise.then(() => clearTimeout(starting));
  void over.promise.then(() => {
    ready.resolve(false);
    begun.resolve(false);
  });
  child.on("error", () => over.resolve("failed"));
  child.on("close", () => over.resolve("closed"));
  child.stdin.on("error", () => undefined); // it died while being fed: "close" follows
  child.stdout.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => reader.add(chunk) || over.resolve("failed"));
  child.stdin.write(packHead(parts.code));
  child.stdin.write(packHead({ artifactBytes: parts.artifacts.map((artifact) => artifact.length) }));
  for (const artifact of parts.artifacts) child.stdin.write(artifact);

  let burial: Promise<void> | undefined;
  const kill = () => {
    over.resolve("failed");
    burial ??= bury(child);
    return burial;
  };

  async function end(job: JobFeed, wallMs: number): Promise<ChildEnd> {
    child.stdin.write(job.head);
    if (!(await within(beginMs, begun.promise))) return { end: "unused" };
    const fed = feed(child.stdin, job).then((whole) => (whole ? over.promise : "misfed"));
    fed.catch(() => undefined); // it may come when all is over
    const how = await within(wallMs, Promise.race([over.promise, fed]));
    if (how === "closed") return { end: "answered", answer: reader.answer() };
    return { end: how === "failed" ? "died" : (how ?? "timeout") };
  }

  return {
    ready: ready.promise,
    over: over.promise,
    kill,
    async run(job, { wallMs, answerBytes }) {
      reader.limit = answerBytes;
      try {
        return await end(job, wallMs);
      } finally {
        await kill();
      }
    },
  };
}

/** What the promise settles to, or undefined if that takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function start({ nativeFiles }: EngineParts, limits: ProcessLimits, wall: Wall) {
  const { wasmBytes, heapBytes, nativeBytes, bufferBytes, scratchBytes, wallMs } = limits;
  const [file, ...args] = wall.wrap(
    [
      process.execPath,
      "--permission", // and no --allow-*: no file, socket, process, worker, addon, WASI or inspector
      ...(nativeFiles.length > 0 ? nativeRights(nativeFiles) : []),
      "--disallow-code-generation-from-strings",
      "--disable-sigusr1",
      "--no-warnings",
      "--stack-size=7000", // KiB: more than the engine's own stack limit can ever need, less than 8 MiB
      `--max-old-space-size=${Math.ceil(heapBytes / mebibyte)}`,
      `--wasm-max-mem-pages=${Math.ceil(Math.max(wasmBytes, nodeWasmBytes) / 65_536)}`,
      "--no-wasm-lazy-compilation", // compile while there is no job yet
      "--input-type=module",
      "-e",
      bootstrap,
    ],
    {
      cpuSeconds: Math.ceil((startMs + 4 * wallMs) / 1000), // threads: compilation and collection run beside
      dataBytes: nodeDataBytes + heapBytes + wasmBytes + nativeBytes + bufferBytes,
      files: nativeFiles,
      scratchBytes,
    },
  );
  return spawn(file, args, { stdio: ["pipe", "pipe", "ignore"], env: {}, cwd: "/", detached: true });
}

/** An addon escapes Node's permission model: of its engine alone, the wall holds what it does. */
function nativeRights(files: readonly string[]): string[] {
  return [
    "--allow-addons",
    ...[...files, scratchDir].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${scratchDir}`,
  ];
}

/**
 * Kills the process and waits until it is reaped. Behind a wall with namespaces it is the inner process that is killed,
 * the first one of its namespace, with which the kernel ends all others: the outer one then reaps it and goes by itself.
 * Killed together, the inner one would be left to whatever runs as process 1, which may never reap it.
 */
async function bury(child: Child): Promise<void> {
  child.stdin.destroy();
  child.stdout.destroy();
  const { pid } = child;
  if (pid === undefined || hasExited(child)) return;
  const inner = childrenOf(pid);
  for (const target of inner.length > 0 ? inner : [-pid]) kill(target);
  await exited(child, burialMs);
  if (!hasExited(child)) kill(-pid);
  await exited(child, burialMs); // one that the kernel will not let go is left to its limits
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return []; // not Linux, or gone already
  }
}

function kill(target: number): void {
  try {
    process.kill(target, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function hasExited(child: Child): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function exited(child: Child, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (hasExited(child)) return resolve();
    const timer = setTimeout(resolve, withinMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Collects stdout: first the marks, each once and in order, then the answer, up to a limit. */
class AnswerReader {
  /** Largest answer in bytes: none until there is a job. */
  limit = 0;
  private readonly marks: [byte: number, seen: () => void][];
  private readonly chunks: Uint8Array[] = [];
  private length = 0;
  constructor(marks: [byte: number, seen: () => void][]) {
    this.marks = marks;
  }
  /** False if the bytes are not what a sandbox process writes, or too many. */
  add(chunk: Uint8Array): boolean {
    let rest = chunk;
    for (let mark = this.marks[0]; mark !== undefined && rest.length > 0; mark = this.marks[0]) {
      if (rest[0] !== mark[0]) return false;
      mark[1]();
      this.marks.shift();
      rest = rest.subarray(1);
    }
    this.length += rest.length;
    if (this.length > this.limit) return false;
    this.chunks.push(rest);
    return true;
  }
  answer(): Uint8Array {
    return Buffer.concat(this.chunks);
  }
}

/** The sandbox process did not come up. */
export class SandboxStartError extends BaseError {
  override readonly name = "Sandbox.SandboxStartError";
  constructor(wall: Wall["name"]) {
    super(`The sandbox process did not start (wall: ${wall}).`, {
      hint: "Look at the machine's free memory and process limits; nothing of the data was used.",
      retryable: true,
    });
  }
}

/** The worker is stopping. */
export class SandboxStoppedError extends BaseError {
  override readonly name = "Sandbox.SandboxStoppedError";
  constructor() {
    super("The worker is stopping: the program was not run to its end.", {
      hint: "Start the worker again: it carries the job out anew.",
      retryable: true,
    });
  }
}
