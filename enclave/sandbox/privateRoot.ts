/**
 * Room: enclave/sandbox. A file system with nothing in it but what a sandbox process needs, for machines without
 * bubblewrap: put together by a fixed shell script in user and mount namespaces of its own, then held by two open files
 * and entered by one process after another. Nobody who enters can change it, and it is no longer in it who built it.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { within } from "./sandboxProcess.ts";

/** Where the system's libraries lie; all that a process sees of the system. */
export const libraryDirs = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] as const;

/** Where native engines find their inputs: in memory, gone with the process. */
export const scratchDir = "/data";

/** Open files, each of which keeps one of its namespaces. */
export type PrivateRoot = { user: number; mount: number };

/** It is put together within this time, in ms. */
const buildMs = 10_000;

/**
 * Script for `sh -c`. Arguments: size of {@link scratchDir} in bytes (0: there is none), the files to show. The new root is
 * put together over /sys, which exists everywhere and is not needed any more; where the old one hangs after `pivot_root`,
 * an empty file system is put on top, which nothing without rights can take away. Every mount is read-only but
 * {@link scratchDir}: by options of the bind itself, which mount(8) knows since util-linux 2.27, long before the options of
 * unshare(1) that start this script. Whatever fails ends the script, and nothing is entered; else it says so, and stays
 * until its stdin ends.
 */
const script = `
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022
scratch=$1
shift
mount=$(command -v mount)
show() {
  mount --bind -o ro,nosuid,nodev "$1" "/sys$1"
}
(echo 0 > /proc/sys/user/max_user_namespaces) 2> /dev/null || :
mount -t tmpfs -o mode=755,size=1m,nosuid,nodev none /sys
for dir in ${libraryDirs.join(" ")}; do
  if [ -L "$dir" ]; then ln -s "$(readlink "$dir")" "/sys$dir"
  elif [ -d "$dir" ]; then mkdir -p "/sys$dir"; show "$dir"
  fi
done
for file in "$@"; do
  mkdir -p "/sys\${file%/*}"
  : > "/sys$file"
  show "$file"
done
mkdir /sys/old
if [ "$scratch" -gt 0 ]; then
  mkdir /sys${scratchDir}
  mount -t tmpfs -o "mode=700,size=$scratch,nr_inodes=64,nosuid,nodev,noexec" none /sys${scratchDir}
fi
mount -o remount,bind,ro,nosuid,nodev /sys
cd /sys
pivot_root . old
"/old$mount" -n -i -t tmpfs -o ro,size=4k,nosuid,nodev,noexec none /old
echo built
read -r end || :
`;

/**
 * Builds one.
 *
 * @param tools - absolute paths of `unshare` and `sh`.
 * @param files - what is in it beside the libraries: absolute paths, of characters that no tool takes for anything else.
 * @param scratchBytes - size of {@link scratchDir}.
 * @returns undefined if it cannot be built here.
 * @example
 * const root = await buildRoot(tool, [process.execPath], 0)
 */
export async function buildRoot(
  tools: { unshare: string; sh: string },
  files: readonly string[],
  scratchBytes: number,
): Promise<PrivateRoot | undefined> {
  const command = ["-c", script, "sh", String(scratchBytes), ...files];
  const builder = spawn(tools.unshare, ["--user", "--map-root-user", "--mount", tools.sh, ...command], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
    cwd: "/",
  });
  builder.stdin.on("error", () => undefined);
  const over = new Promise<void>((resolve) => {
    builder.on("error", () => resolve());
    builder.on("close", () => resolve());
  });
  const isBuilt = new Promise<boolean>((resolve) => {
    builder.stdout.once("data", () => resolve(true));
    void over.then(() => resolve(false));
  });
  try {
    return (await within(buildMs, isBuilt)) ? hold(builder.pid ?? 0) : undefined;
  } finally {
    builder.stdin.end();
    if (
      (await within(
        buildMs,
        over.then(() => true),
      )) === undefined
    )
      builder.kill("SIGKILL");
  }
}

function hold(pid: number): PrivateRoot {
  const user = openSync(`/proc/${pid}/ns/user`, "r");
  try {
    return { user, mount: openSync(`/proc/${pid}/ns/mnt`, "r") };
  } catch (error) {
    closeSync(user);
    throw error;
  }
}

/**
 * Lets it go: with nobody in it, the kernel removes it, and what is in its memory.
 *
 * @example
 * dropRoot(root)
 */
export function dropRoot({ user, mount }: PrivateRoot): void {
  closeSync(user);
  closeSync(mount);
}
