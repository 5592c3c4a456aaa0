/**
 * The sandbox service as a process of its own, as it is deployed, and what descends from it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { type Child, startNode } from "../../../scripts/children.ts";

/** A service that serves. */
export type RunningService = { child: Child; socket: string; pid: number; wall: string };

/**
 * Starts the service and waits until it serves.
 *
 * @example
 * const service = await startService(join(dir, "sandbox.sock"))
 */
export async function startService(socket: string): Promise<RunningService> {
  const child = startNode("enclave/sandbox/service.ts", [], { SANDBOX_SOCKET: socket });
  const wall = await child.waitForLine((line) => JSON.parse(line).wall as string, 20_000);
  return { child, socket, pid: child.process.pid ?? 0, wall };
}

/**
 * Ids of the live processes that this one started, and theirs.
 *
 * @example
 * descendantsOf(service.pid)
 */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^[0-9]+$/.test(entry))) {
    const [state, parent] = statOf(Number(name));
    if (state !== "Z" && parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

/**
 * Whether a process lives; the dead that nobody has reaped do not.
 *
 * @example
 * await waitFor(() => !pids.some(isRunning))
 */
export function isRunning(pid: number): boolean {
  const [state] = statOf(pid);
  return state !== undefined && state !== "Z";
}

/**
 * Waits until something is true.
 *
 * @example
 * await waitFor(() => descendantsOf(service.pid).length === 0)
 */
export async function waitFor(isTrue: () => unknown): Promise<void> {
  const until = Date.now() + 20_000;
  while (!(await isTrue())) {
    expect(Date.now()).to.be.lessThan(until);
    await setTimeout(20);
  }
}

/** Linux: fields 3 and 4 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
function statOf(pid: number): [state?: string | undefined, parent?: string | undefined] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [state, parent];
  } catch {
    return []; // gone meanwhile
  }
}
