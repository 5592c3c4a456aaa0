/**
 * Room: enclave/sandbox. The container of the sandbox service as the wall, for where no namespaces can be had inside of it.
 * Whoever starts the service says so (SANDBOX_WALL=container, in the measured compose file), and it is checked: a container
 * that could harm somebody is not taken for a wall.
 */
import { readdir, readFile, rm, statfs } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { BaseError } from "../../protocol/errors.ts";
import { scratchPrefix } from "./childProcess.ts";
import { limitsWall, type Wall } from "./wall.ts";

/** Magic number of tmpfs, see statfs(2). */
const tmpfs = 0x01021994;

/**
 * The container's wall around each process. It hides files and network from all of them, but not one from another: a
 * process that has broken out of engine and Node meets what else runs in the container, as the same user.
 *
 * @param scratchRoot - folder in memory for the inputs of native engines; what an earlier life left there is removed.
 * @throws {@link SandboxContainerError} naming everything that the container lets through.
 * @example
 * const wall = await containerWall("/dev/shm")
 */
export async function containerWall(scratchRoot: string): Promise<Wall> {
  const holes = await findHoles(scratchRoot);
  if (holes.length > 0) throw new SandboxContainerError(holes);
  for (const name of await readdir(scratchRoot))
    if (name.startsWith(scratchPrefix)) await rm(`${scratchRoot}/${name}`, { recursive: true });
  return { ...limitsWall, name: "container", hides: true, scratchRoot };
}

async function findHoles(scratchRoot: string): Promise<string[]> {
  const status = await readFile("/proc/self/status", "utf8");
  const field = (name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1] ?? "";
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" "));
  const root = mounts.findLast(([, , , , point]) => point === "/");
  const interfaces = Object.keys(networkInterfaces()).filter((name) => name !== "lo");
  const scratch = await statfs(scratchRoot).catch(() => undefined);
  return [
    interfaces.length > 0 && "network (network_mode: none)",
    !root?.[5]?.split(",").includes("ro") && "a writable root (read_only: true)",
    !/^0+$/.test(`${field("CapPrm")}${field("CapBnd")}`) && "capabilities (cap_drop: [ALL])",
    field("NoNewPrivs") !== "1" && "new privileges (no-new-privileges)",
    field("Uid") === "0" && "root (user)",
    scratch?.type !== tmpfs && `no folder in memory (${scratchRoot})`,
  ].filter((hole) => hole !== false);
}

/** The container is no wall. */
export class SandboxContainerError extends BaseError {
  override readonly name = "Sandbox.SandboxContainerError";
  constructor(holes: readonly string[]) {
    super(`The container does not hold a sandbox; it has ${holes.join(", ")}.`, {
      hint: "Start the service as docs/PROGRAMS.md says, or without SANDBOX_WALL: native engines are then refused.",
    });
  }
}
