/**
 * Room: enclave/sandbox. One disposable process: started with no rights, fed once, read once, and gone afterwards.
 * It has no environment, no files, no network and no children; what it writes to stderr is thrown away.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { BaseError } from "../../protocol/errors.ts";
import { bootstrap } from "./bootstrap.ts";
import type { ChildCode } from "./engine.ts";
import { packHead, readyByte } from "./frames.ts";
import type { Wall } from "./wall.ts";

/** What the process may use. */
export type ChildLimits = {
  /** From the moment it is ready, in ms; then it is killed. */
  wallMs: number;
  /** Largest answer after the ready byte, in bytes. */
  answerBytes: number;
  /** Largest WebAssembly memory, in bytes. */
  engineBytes: number;
  /** Largest heap of the host around it, in bytes. */
  heapBytes: number;
};

/** How it ended. `died` is every end without having been asked to: a crash, an answer too long. */
export type ChildEnd = { end: "answered"; answer: Uint8Array } | { end: "timeout" } | { end: "died" };

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Node and the engine have to be up within this time, whatever the program is. */
const startMs = 30_000;
/** After SIGKILL, how long to wait for the process to be reaped, in ms. */
const burialMs = 5_000;
const mebibyte = 1024 * 1024;
/** Node alone reserves about 450 MiB of writable address space. */
const nodeDataBytes = 768 * mebibyte;

/**
 * Runs code in a process of its own. When the promise settles, that process and its group are gone.
 *
 * @param code - what to run; its module `sandbox` exports `main(payload, send)` and first sends {@link readyByte}.
 * @param payload - what `main` is given, in pieces.
 * @param signal - aborting kills the process.
 * @throws {@link SandboxStoppedError} if the signal aborted; {@link SandboxStartError} if it could not be started; the payload has then not been worked on.
 * @example
 * const end = await runChild(engine.code, [head, ...blobs], limits, await findWall())
 */
export async function runChild(
  code: ChildCode,
  payload: readonly Uint8Array[],
  limits: ChildLimits,
  wall: Wall,
  signal?: AbortSignal,
): Promise<ChildEnd> {
  if (signal?.aborted) throw new SandboxStoppedError();
  const child = start(limits, payload, wall);
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const reader = new AnswerReader(limits.answerBytes);
  try {
    const end = await new Promise<"closed" | "timeout" | "failed" | "stopped">((resolve) => {
      stop = () => resolve("stopped");
      signal?.addEventListener("abort", stop);
      timer = setTimeout(() => resolve("timeout"), startMs);
      child.on("error", () => resolve("failed"));
      child.on("close", () => resolve("closed"));
      child.stdin.on("error", () => undefined); // it died while being fed: "close" follows
      child.stdout.on("error", () => undefined);
      child.stdout.on("data", (chunk: Buffer) => {
        const wasReady = reader.ready;
        if (!reader.add(chunk)) return resolve("failed");
        if (wasReady || !reader.ready) return;
        clearTimeout(timer);
        timer = setTimeout(() => resolve("timeout"), limits.wallMs);
      });
      child.stdin.write(packHead(code));
      for (const piece of payload) child.stdin.write(piece);
      child.stdin.end();
    });
    if (end === "stopped") throw new SandboxStoppedError();
    if (!reader.ready) throw new SandboxStartError(wall.name);
    if (end === "timeout") return { end: "timeout" };
    return end === "closed" ? { end: "answered", answer: reader.answer() } : { end: "died" };
  } finally {
    clearTimeout(timer);
    if (stop) signal?.removeEventListener("abort", stop);
    await bury(child);
  }
}

function start(limits: ChildLimits, payload: readonly Uint8Array[], wall: Wall) {
  const payloadBytes = payload.reduce((sum, piece) => sum + piece.length, 0);
  const [file, ...args] = wall.wrap(
    [
      process.execPath,
      "--permission", // and no --allow-*: no file, socket, process, worker, addon, WASI or inspector
      "--disallow-code-generation-from-strings",
      "--disable-sigusr1",
      "--single-threaded",
      "--no-warnings",
      "--stack-size=7000", // KiB: more than the engine's own stack limit can ever need, less than 8 MiB
      `--max-old-space-size=${Math.ceil(limits.heapBytes / mebibyte)}`,
      `--wasm-max-mem-pages=${Math.ceil(limits.engineBytes / 65_536)}`,
      "--input-type=module",
      "-e",
      bootstrap,
    ],
    {
      cpuSeconds: Math.ceil((startMs + 4 * limits.wallMs) / 1000), // threads: compilation and collection run beside
      dataBytes: nodeDataBytes + limits.heapBytes + limits.engineBytes + 4 * payloadBytes,
    },
  );
  return spawn(file, args, { stdio: ["pipe", "pipe", "ignore"], env: {}, cwd: "/", detached: true });
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

/** Collects stdout up to a limit. */
class AnswerReader {
  ready = false;
  private readonly limit: number;
  private readonly chunks: Uint8Array[] = [];
  private length = 0;
  constructor(limit: number) {
    this.limit = limit;
  }
  /** False if the bytes are not what a sandbox process writes, or too many. */
  add(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    const rest = this.ready ? chunk : chunk.subarray(1);
    if (!this.ready && chunk[0] !== readyByte) return false;
    this.ready = true;
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
