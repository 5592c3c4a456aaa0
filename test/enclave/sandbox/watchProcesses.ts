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
    survivors: () => {
      const groups = new Set(children.map((child) => child.pid));
      return liveProcesses().filter(({ group }) => groups.has(group));
    },
    stop: () => unsubscribe("child_process", onStart),
  };
}

/** Linux: field 5 of /proc/PID/stat is the process group; the name in field 2 may hold spaces and brackets. */
function liveProcesses(): { pid: number; group: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), group: Number(group) }];
      } catch {
        return []; // gone meanwhile
      }
    });
}
