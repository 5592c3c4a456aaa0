/**
 * Room: enclave/coreDumps. Keeps this process's memory from being written to the host's disk when it crashes. Touches its
 * own limits; starts util-linux's prlimit once, for Node cannot set them.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

/** Absolute: a PATH can be set by others. */
const prlimit = "/usr/bin/prlimit";
const longestMs = 10_000;

/**
 * Sets the limit of core files to nothing, for this process and those that it starts from now on. It cannot be raised again
 * without rights.
 *
 * @returns whether that is so: read from the kernel, not from the tool.
 * @example
 * if (!(await forbidCoreDumps())) log.warn("memory.core-dumps")
 */
export async function forbidCoreDumps(): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const args = ["--core=0:0", "--pid", String(process.pid)];
    execFile(prlimit, args, { env: {}, timeout: longestMs, killSignal: "SIGKILL" }, () => resolve());
  });
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return /^Max core file size +0 +0 /m.test(limits);
}
