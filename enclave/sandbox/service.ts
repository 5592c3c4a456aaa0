/**
 * Room: enclave/sandbox. Entry point of the sandbox service. Reads the environment, serves, stops on SIGTERM or SIGINT.
 *
 *   SANDBOX_SOCKET  path of the Unix socket to listen on
 *   SANDBOX_WALL    "container": where no stronger wall stands, this container is the wall; otherwise not set
 *
 * With `--until-stdin-ends` it stops when its stdin ends as well: with whoever started it (ownService.ts).
 *
 * Exit codes: 0 stopped, 1 failed.
 */
import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { BaseError } from "../../protocol/errors.ts";
import { containerWall } from "./container.ts";
import { serveSandbox } from "./serve.ts";
import { findHidingWall, findWall, type Wall } from "./wall.ts";

/** In every container: a folder in memory of its own, of `shm_size`. */
const sharedMemory = "/dev/shm";

async function main(): Promise<void> {
  try {
    const { SANDBOX_SOCKET: path, SANDBOX_WALL: setting } = process.env;
    if (path === undefined || !path.startsWith("/"))
      throw new ServiceSettingError("SANDBOX_SOCKET", "an absolute path");
    const isOwned = process.argv.includes("--until-stdin-ends");
    const wall = await chooseWall(setting || undefined);
    const service = await serveSandbox(path, wall, problem);
    print({ message: "sandbox.serving", wall: wall.name, hides: wall.hides });
    const end = async () => {
      await service.close();
      if (isOwned) await rmdir(dirname(path)).catch(() => undefined); // it was made for the socket
      process.exit(0);
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end());
    if (isOwned) process.stdin.once("end", () => void end()).resume();
  } catch (error) {
    const words = error instanceof BaseError ? `${error.message}\nhint: ${error.hint}` : "internal error";
    process.stderr.write(`error: ${words}\n`);
    process.exitCode = 1;
  }
}

async function chooseWall(setting: string | undefined): Promise<Wall> {
  if (setting !== undefined && setting !== "container") throw new ServiceSettingError("SANDBOX_WALL", '"container"');
  return setting === undefined ? findWall() : ((await findHidingWall()) ?? containerWall(sharedMemory));
}

/** Names and codes only: the host reads this. */
function problem(error: unknown): void {
  const { name, code } = error as { name?: unknown; code?: unknown };
  print({ message: "sandbox.problem", error: String(name), ...(code !== undefined && { code: String(code) }) });
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A variable of the environment is missing or wrong. */
export class ServiceSettingError extends BaseError {
  override readonly name = "Sandbox.ServiceSettingError";
  constructor(variable: string, expected: string) {
    super(`${variable} must be ${expected}.`, { hint: "See the head of enclave/sandbox/service.ts." });
  }
}

await main();
