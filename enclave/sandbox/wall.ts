/**
 * Room: enclave/sandbox. What the operating system adds around the sandbox process, where it can: namespaces without
 * network, other processes or capabilities, a root of its own that shows no files, and resource limits. Programs in
 * WebAssembly are held by Node's permission model and their engine without it; machine code is not.
 */
import { spawn } from "node:child_process";
import { BaseError } from "../../protocol/errors.ts";
import { buildRoot, dropRoot, libraryDirs, type PrivateRoot, scratchDir } from "./privateRoot.ts";

/** What a wall is to let through, and limits that it puts on the process. */
export type WallSettings = {
  cpuSeconds: number;
  /** Memory that can be written, in bytes. */
  dataBytes: number;
  /** Files that the process sees beside Node's and the system's libraries: absolute paths. */
  files: readonly string[];
  /** Size of its folder in memory, {@link scratchDir}, in bytes; 0: it has none, and writes no file at all. */
  scratchBytes: number;
};

/** The strongest first; `container`: see container.ts. */
export const wallNames = ["bubblewrap", "namespaces", "container", "limits", "none"] as const;

type Command = readonly [string, ...string[]];

/** A kind of wall. */
export type Wall = {
  name: (typeof wallNames)[number];
  /** Whether it hides files and network: native engines run behind no other. */
  hides: boolean;
  /** Folder in memory that processes share, each with a folder of its own in it; not given: {@link scratchDir} is its own. */
  scratchRoot?: string;
  /** Puts it up for one process. Rejects with {@link UnusablePathError} | {@link NoRootError}. */
  raise(settings: WallSettings): Promise<RaisedWall>;
};

/** A wall for one process. */
export type RaisedWall = {
  /** The command line that starts a command behind it. */
  wrap(command: Command): Command;
  /** To be called once, when the process is gone, or cannot be made to go: `isEmpty` says which. */
  lower(isEmpty: boolean): void;
};

/** Absolute paths, for a PATH can be set by others. util-linux and bubblewrap are there in every large distribution. */
const tool = {
  bwrap: "/usr/bin/bwrap",
  nsenter: "/usr/bin/nsenter",
  prlimit: "/usr/bin/prlimit",
  setpriv: "/usr/bin/setpriv",
  sh: "/bin/sh",
  unshare: "/usr/bin/unshare",
} as const;

/** Processes and threads behind a wall with a user of its own: Node has about 15. */
const maxThreads = 64;

const prlimit = (settings: WallSettings) =>
  [
    tool.prlimit,
    "--core=0",
    `--fsize=${settings.scratchBytes}`,
    "--nofile=64",
    `--cpu=${settings.cpuSeconds}`,
    `--data=${settings.dataBytes}`,
  ] as const;

/** Without it the process would go on with the data in its memory, for as long as its limits let it, if the worker dies. */
const dieWithWorker = [tool.setpriv, "--pdeathsig=KILL", "--no-new-privs"] as const;

/** With no right in any namespace; its user is the root of its own, which is then nothing special. */
const dropRights = [
  tool.setpriv,
  ...["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--securebits=+noroot,+noroot_locked"],
] as const;

/** A wall that is there as soon as its command line is. */
const plainWall = (
  name: Wall["name"],
  hides: boolean,
  wrap: (command: Command, settings: WallSettings) => Command,
): Wall => ({
  name,
  hides,
  raise: async (settings) => ({ wrap: (command) => wrap(command, settings), lower: () => undefined }),
});

/** Resource limits, no core dump, and the end of the process with that of the one that started it. */
export const limitsWall = plainWall("limits", false, (command, settings) => [
  ...prlimit(settings),
  ...dieWithWorker,
  ...command,
]);

const noWall = plainWall("none", false, (command) => command);

const bubblewrap = plainWall("bubblewrap", true, ([node, ...args], settings) => [
  ...prlimit(settings),
  tool.bwrap,
  ...["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
  ...["--die-with-parent", "--as-pid-1", "--clearenv", "--chdir", "/"],
  ...libraryDirs.flatMap((path) => ["--ro-bind-try", path, path]),
  ...[node, ...settings.files.map(plain)].flatMap((path) => ["--ro-bind", path, path]),
  ...(settings.scratchBytes > 0
    ? ["--perms", "0700", "--size", String(settings.scratchBytes), "--tmpfs", scratchDir]
    : []),
  ...["--remount-ro", "/", "--"],
  node,
  ...args,
]);

/**
 * Putting a root together takes as long as starting Node: one without a folder to write to is left as it was, and serves
 * the next process. All other namespaces are each process's own.
 */
const namespaces: Wall = {
  name: "namespaces",
  hides: true,
  async raise(settings) {
    const files = [process.execPath, tool.unshare, tool.prlimit, tool.setpriv, ...settings.files].map(plain);
    const known = idleRoots(files.join(" "));
    const reusable = settings.scratchBytes === 0;
    const root = (reusable ? known.pop() : undefined) ?? (await buildRoot(tool, files, settings.scratchBytes));
    if (root === undefined) throw new NoRootError();
    return {
      wrap: (command) => [
        ...dieWithWorker,
        ...[tool.nsenter, `--user=${fileOf(root.user)}`, `--mount=${fileOf(root.mount)}`, "--preserve-credentials"],
        ...[tool.unshare, "--net", "--ipc", "--uts", "--cgroup", "--pid", "--fork", "--kill-child"],
        // In here, where the user has no processes but these. Of root's the kernel does not limit the number.
        ...prlimit(settings),
        `--nproc=${maxThreads}`,
        ...dropRights,
        ...command,
      ],
      lower(isEmpty) {
        if (isEmpty && reusable && known.length < maxIdleRoots) known.push(root);
        else dropRoot(root);
      },
    };
  },
};

/** How many roots of one kind wait for a process. */
const maxIdleRoots = 8;
const rootsByFiles = new Map<string, PrivateRoot[]>();

function idleRoots(files: string): PrivateRoot[] {
  const known = rootsByFiles.get(files) ?? [];
  rootsByFiles.set(files, known);
  return known;
}

/** Of this process, for those that it starts. */
function fileOf(descriptor: number): string {
  return `/proc/${process.pid}/fd/${descriptor}`;
}

/** What can be put around one process, the strongest first. */
export const walls: readonly Wall[] = [bubblewrap, namespaces, limitsWall, noWall];

let found: Promise<Wall> | undefined;

/**
 * The strongest wall that this machine can put up, tried once by starting Node behind it.
 *
 * @example
 * log.info({ wall: (await findWall()).name })
 */
export function findWall(): Promise<Wall> {
  found ??= strongest(walls).then((wall) => wall ?? noWall);
  return found;
}

/**
 * The strongest wall that hides files and can be put up here.
 *
 * @example
 * const wall = (await findHidingWall()) ?? (await containerWall("/dev/shm"))
 */
export function findHidingWall(): Promise<Wall | undefined> {
  return strongest(walls.filter(({ hides }) => hides));
}

/**
 * Whether Node starts behind a wall on this machine, with a folder in memory where the wall hides files.
 *
 * @example
 * await stands(walls[0])
 */
export async function stands(wall: Wall): Promise<boolean> {
  const settings = { cpuSeconds: 10, dataBytes: 2 ** 30, files: [], scratchBytes: wall.hides ? 4096 : 0 };
  const raised = await wall.raise(settings).catch(() => undefined);
  if (raised === undefined) return false;
  const [file, ...args] = raised.wrap([process.execPath, "-e", ""]);
  const isUp = new Promise<boolean>((resolve) => {
    const child = spawn(file, args, { stdio: "ignore", env: {}, cwd: "/", timeout: 10_000, killSignal: "SIGKILL" });
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
  return isUp.finally(() => raised.lower(false));
}

async function strongest(among: readonly Wall[]): Promise<Wall | undefined> {
  for (const wall of among) if (await stands(wall)) return wall;
  return undefined;
}

/** The path, if it is one that no tool can take for anything else. */
function plain(path: string): string {
  if (!/^(\/[A-Za-z0-9@_+=.,-]+)+$/.test(path) || /\/\.\.?(\/|$)/.test(path)) throw new UnusablePathError();
  return path;
}

/** A file that a sandbox process needs lies where its path cannot be given to a wall safely. */
export class UnusablePathError extends BaseError {
  override readonly name = "Sandbox.UnusablePathError";
  constructor() {
    super("A file of an engine, or Node itself, lies under a path with characters that walls are not given.", {
      hint: "Install the worker under an absolute path of letters, digits and @ _ + = . , - only.",
    });
  }
}

/** The private root of a sandbox process could not be put together. */
export class NoRootError extends BaseError {
  override readonly name = "Sandbox.NoRootError";
  constructor() {
    super("The file system of a sandbox process could not be put together.", {
      hint: "Look at the limits of user and mount namespaces; docs/PROGRAMS.md says what each wall needs.",
      retryable: true,
    });
  }
}
