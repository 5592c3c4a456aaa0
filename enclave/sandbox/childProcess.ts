/**
 * Room: enclave/sandbox. Starts one disposable process with no rights, and buries it. It has no environment, no files, no
 * network and no children; what it writes to stderr is thrown away.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { BaseError } from "../../protocol/errors.ts";
import { bootstrap } from "./bootstrap.ts";
import { withEngineFile } from "./engineFile.ts";
import type { EngineParts, ProcessMemory } from "./engines/engine.ts";
import { packHead, type StartHead } from "./frames.ts";
import { scratchDir } from "./privateRoot.ts";
import { type Pipe, type SandboxProcess, startMs, talkTo } from "./sandboxProcess.ts";
import type { Wall, WallSettings } from "./wall.ts";

/** What a process may use. */
export type ProcessLimits = ProcessMemory & {
  /** What it may hold beside that: inputs as they come in, the output. */
  bufferBytes: number;
  /** Native engines: size of the folder for inputs. */
  scratchBytes: number;
  /** Longest run of a job that it can be given, in ms; bounds its CPU time where nobody is left to stop it. */
  wallMs: number;
};

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** After SIGKILL, how long to wait for the process to be reaped, in ms. */
export const burialMs = 5_000;
/** How folders under `Wall.scratchRoot` are named. */
export const scratchPrefix = "sandbox-";
const mebibyte = 1024 * 1024;
/** Node alone reserves about 450 MiB of writable address space. */
const nodeDataBytes = 768 * mebibyte;
/** Node has small WebAssembly modules of its own. */
const nodeWasmBytes = 16 * mebibyte;
/** Where memory runs out, the kernel ends this process first, and not the worker. */
const firstToGo = "1000";

/**
 * Starts a process and its engine on this machine; it then waits for a job.
 *
 * @param parts - `code` with the module `sandbox` (child.ts) in it.
 * @example
 * const process = startProcess(parts, limits, await findWall())
 */
export function startProcess(parts: EngineParts, limits: ProcessLimits, wall: Wall): SandboxProcess {
  return talkTo(spawnChild(parts, limits, wall));
}

/**
 * Starts a process and its engine on this machine, for whoever is to talk to it.
 *
 * @throws as `Wall.raise`
 * @example
 * const pipe = await spawnChild(parts, limits, wall)
 */
export async function spawnChild(parts: EngineParts, limits: ProcessLimits, wall: Wall): Promise<Pipe> {
  const raised = await wall.raise(wallSettings(parts, limits));
  let own: string | undefined;
  let child: Child;
  try {
    if (limits.scratchBytes > 0 && wall.scratchRoot !== undefined)
      own = mkdtempSync(`${wall.scratchRoot}/${scratchPrefix}`);
    const command = raised.wrap(commandOf(parts, limits, own ?? scratchDir));
    child = withEngineFile(parts, (engine) => start(command, engine));
  } catch (error) {
    raised.lower(true);
    throw error;
  }
  const over = Promise.withResolvers<"closed" | "failed">();
  child.on("error", () => over.resolve("failed"));
  child.on("close", () => over.resolve("closed"));
  child.stdin.on("error", () => undefined); // it died while being fed: "close" follows
  child.stdout.on("error", () => undefined);
  child.stdin.write(packHead({ scratchDir: own ?? scratchDir } satisfies StartHead));
  return {
    stdout: child.stdout,
    stdin: () => child.stdin,
    over: over.promise,
    async bury() {
      raised.lower(await bury(child));
      if (own !== undefined) rmSync(own, { recursive: true, force: true });
    },
  };
}

function wallSettings({ nativeFiles }: EngineParts, limits: ProcessLimits): WallSettings {
  const { wasmBytes, heapBytes, nativeBytes, bufferBytes, scratchBytes, wallMs } = limits;
  return {
    cpuSeconds: Math.ceil((startMs + 4 * wallMs) / 1000), // threads: compilation and collection run beside
    dataBytes: nodeDataBytes + heapBytes + wasmBytes + nativeBytes + bufferBytes,
    files: nativeFiles,
    scratchBytes,
  };
}

function commandOf(
  { nativeFiles, pinnedWasm }: EngineParts,
  { wasmBytes, heapBytes }: ProcessLimits,
  scratch: string,
): [string, ...string[]] {
  return [
    process.execPath,
    "--permission", // and no --allow-*: no file, socket, process, worker, addon, WASI or inspector
    ...(nativeFiles.length > 0 ? nativeRights(nativeFiles, scratch) : []),
    "--disallow-code-generation-from-strings",
    "--disable-sigusr1",
    "--no-warnings",
    "--no-rehash-snapshot", // a sixth of Node's start; hash collisions slow down a process that is killed in time
    "--stack-size=7000", // KiB: more than the engine's own stack limit can ever need, less than 8 MiB
    `--max-old-space-size=${Math.ceil(heapBytes / mebibyte)}`,
    `--wasm-max-mem-pages=${Math.ceil(Math.max(wasmBytes, nodeWasmBytes) / 65_536)}`,
    ...(pinnedWasm ? ["--wasm-lazy-validation"] : []),
    "--input-type=module",
    "-e",
    bootstrap,
  ];
}

function start([file, ...args]: readonly [string, ...string[]], engine: number): Child {
  const stdio = ["pipe", "pipe", "ignore", engine] as const; // the fourth is `engineFd`
  const child = spawn(file, args, { stdio: [...stdio], env: {}, cwd: "/", detached: true }) as Child;
  try {
    writeFileSync(`/proc/${child.pid}/oom_score_adj`, firstToGo); // what it starts inherits it
  } catch {
    // Not Linux, or it did not start: that is told otherwise.
  }
  return child;
}

/** An addon escapes Node's permission model: of its engine alone, the wall holds what it does. */
function nativeRights(files: readonly string[], scratch: string): string[] {
  return [
    "--allow-addons",
    ...[...files, scratch].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${scratch}`,
  ];
}

/**
 * Kills the process and waits until it is reaped. Behind a wall with namespaces it is the inner process that is killed,
 * the first one of its namespace, with which the kernel ends all others: the outer one then reaps it and goes by itself.
 * Killed together, the inner one would be left to whatever runs as process 1, which may never reap it.
 *
 * @returns whether it is gone.
 */
async function bury(child: Child): Promise<boolean> {
  child.stdin.destroy();
  child.stdout.destroy();
  const { pid } = child;
  if (pid === undefined || hasExited(child)) return true;
  const inner = childrenOf(pid);
  for (const target of inner.length > 0 ? inner : [-pid]) kill(target);
  await exited(child, burialMs);
  if (!hasExited(child)) kill(-pid);
  await exited(child, burialMs); // one that the kernel will not let go is left to its limits
  return hasExited(child);
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
