/**
 * Room: enclave/sandbox. What the operating system adds around the sandbox process, where it can: namespaces without
 * network, other processes or capabilities, and resource limits. Node's permission model and the engine hold without it.
 */
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";

/** Limits that the wall puts on the process. */
export type WallLimits = { cpuSeconds: number; dataBytes: number };

/** A wall: `wrap` gives the command line that starts `command` behind it. */
export type Wall = {
  name: "bubblewrap" | "namespaces" | "limits" | "none";
  wrap: (command: readonly [string, ...string[]], limits: WallLimits) => readonly [string, ...string[]];
};

/** Absolute paths, for a PATH can be set by others. util-linux and bubblewrap are there in every large distribution. */
const tool = {
  bwrap: "/usr/bin/bwrap",
  prlimit: "/usr/bin/prlimit",
  setpriv: "/usr/bin/setpriv",
  unshare: "/usr/bin/unshare",
} as const;

const prlimit = (limits: WallLimits) =>
  [
    tool.prlimit,
    "--core=0",
    "--fsize=0",
    "--nofile=64",
    `--cpu=${limits.cpuSeconds}`,
    `--data=${limits.dataBytes}`,
  ] as const;

/** Without it the process would go on with the data in its memory, for as long as its limits let it, if the worker dies. */
const dieWithWorker = [tool.setpriv, "--pdeathsig=KILL", "--no-new-privs"] as const;

/** The strongest first. */
export const walls: readonly Wall[] = [
  {
    name: "bubblewrap", // sees no files but Node's own and the system's libraries
    wrap: ([node, ...args], limits) => [
      ...prlimit(limits),
      tool.bwrap,
      ...["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
      ...["--die-with-parent", "--as-pid-1", "--clearenv", "--chdir", "/"],
      ...["--ro-bind", node, node],
      ...["/lib", "/lib64", "/usr/lib", "/usr/lib64"].flatMap((path) => ["--ro-bind-try", path, path]),
      "--",
      node,
      ...args,
    ],
  },
  {
    name: "namespaces",
    wrap: (command, limits) => [
      ...prlimit(limits),
      ...dieWithWorker,
      ...[tool.unshare, "--user", "--map-user=65534", "--map-group=65534", "--net", "--ipc", "--uts", "--cgroup"],
      ...["--mount", "--pid", "--fork", "--kill-child"],
      ...[tool.setpriv, "--bounding-set=-all", "--inh-caps=-all"],
      ...command,
    ],
  },
  { name: "limits", wrap: (command, limits) => [...prlimit(limits), ...dieWithWorker, ...command] },
  { name: "none", wrap: (command) => command },
];

let found: Promise<Wall> | undefined;

/**
 * The strongest wall that this machine can put up, tried once by starting Node behind it.
 *
 * @example
 * log.info({ wall: (await findWall()).name })
 */
export function findWall(): Promise<Wall> {
  found ??= strongest();
  return found;
}

/**
 * Whether Node starts behind a wall on this machine.
 *
 * @example
 * await stands(walls[0])
 */
export async function stands(wall: Wall): Promise<boolean> {
  const [file, ...args] = wall.wrap([process.execPath, "-e", ""], { cpuSeconds: 10, dataBytes: 2 ** 30 });
  try {
    await access(file, constants.X_OK);
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "ignore", env: {}, cwd: "/", timeout: 10_000, killSignal: "SIGKILL" });
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
}

async function strongest(): Promise<Wall> {
  for (const wall of walls) if (await stands(wall)) return wall;
  return { name: "none", wrap: (command) => command };
}
