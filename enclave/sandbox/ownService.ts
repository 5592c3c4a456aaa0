/**
 * Room: enclave/sandbox. A sandbox service of the worker's own, where it is deployed without one: a small process that
 * starts the sandbox processes, for starting any from one with much memory takes several times as long. It ends with its
 * worker, and is started again if it ends before.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Place } from "./place.ts";
import { within } from "./sandboxProcess.ts";
import { connectService, SandboxServiceError } from "./serviceClient.ts";

const script = fileURLToPath(new URL("service.ts", import.meta.url));
/** It tries every wall of the machine, and serves within this time, in ms. */
const startMs = 60_000;
/** Before one that ended is started again, in ms. */
const restMs = 1_000;
/** It kills what runs, and ends, within this time, in ms. */
const stopMs = 10_000;

/**
 * Starts it.
 *
 * @param problem - told whenever it ended by itself.
 * @throws `SandboxServiceError` if it does not start.
 * @example
 * const { place, close } = await startOwnService((error) => log.warn("sandbox.problem", { error }))
 */
export async function startOwnService(
  problem: (error: Error) => void,
): Promise<{ place: Place; close(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "dcm-sandbox-"));
  const socket = join(dir, "sandbox.sock");
  let isClosed = false;
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    running = spawn(process.execPath, ["--disable-sigusr1", script, "--until-stdin-ends"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { SANDBOX_SOCKET: socket },
      cwd: "/",
    });
    const { stdout, stdin } = running;
    stdin?.on("error", () => undefined); // it ended: "exit" tells
    const first = new Promise<boolean>((resolve) => {
      stdout?.once("data", () => resolve(true));
      running?.once("error", () => resolve(false));
      running?.once("exit", () => resolve(false));
    });
    if (!(await within(startMs, first))) throw new SandboxServiceError();
    stdout?.resume();
  }

  async function keep(): Promise<void> {
    while (!isClosed) {
      if (running !== undefined && !hasExited(running)) await once(running, "exit");
      if (isClosed) return;
      problem(new SandboxServiceError());
      await pause(restMs);
      if (isClosed) return;
      await start().catch(() => running?.kill("SIGKILL"));
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    if (running !== undefined && !hasExited(running)) {
      const exited = once(running, "exit").then(() => true);
      running.stdin?.end();
      if (!(await within(stopMs, exited))) running.kill("SIGKILL");
    }
    await rm(dir, { recursive: true, force: true });
  }

  try {
    await start();
    const place = await connectService(socket);
    void keep();
    return { place, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
