/**
 * Sees every process that this one starts, and which of them, or of what they started, still live.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Starts watching.
 *
 * @returns `started`: how many so far; `survivors`: ids of live processes in the groups of those; `stop`.
 * @example
 * const watch = watchProcesses()
 */
export function watchProcesses() {
  const children: ChildProcess[] = [];
  const onStart = (message: unknown) => children.push((message as { process: ChildProcess }).process);
  subscribe("child_process", onStart);
  return {
    started: () => children.length,
    survivors: () => processesOf(...children.map((child) => child.pid)),
    stop: () => unsubscribe("child_process", onStart),
  };
}

/**
 * Whether a process that was started is a sandbox process, and not one that puts a file system together for some.
 *
 * @example
 * subscribe("child_process", (message) => isSandboxProcess(message.process) && count++)
 */
export function isSandboxProcess({ spawnfile }: ChildProcess): boolean {
  return spawnfile !== "/usr/bin/unshare";
}

/**
 * Ids of the processes in these process groups, the dead that nobody has reaped included.
 *
 * @example
 * processesOf(child.pid)
 */
export function processesOf(...groups: (number | undefined)[]): number[] {
  return processes()
    .filter(({ group }) => groups.includes(group))
    .map(({ pid }) => pid);
}

/**
 * As {@link processesOf}, without the dead: an orphan is reaped when process 1 gets to it, if ever.
 *
 * @example
 * runningOf(child.pid)
 */
export function runningOf(group: number): number[] {
  return processes()
    .filter((process) => process.group === group && process.state !== "Z")
    .map(({ pid }) => pid);
}

/** Linux: fields 3 and 5 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
function processes(): { pid: number; state: string | undefined; group: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), state, group: Number(group) }];
      } catch {
        return []; // gone meanwhile
      }
    });
}
