/**
 * Room: enclave/sandbox. The file from which all processes of an engine read it, so that it is not sent to each: in memory
 * where that can be had, without a name, open for reading only. It holds public code, and nothing of any job.
 */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineParts } from "./engines/engine.ts";
import { type EngineHead, packHead } from "./frames.ts";

const sharedMemory = "/dev/shm";
const descriptors = process.platform === "linux" ? "/proc/self/fd" : "/dev/fd";
const files = new WeakMap<EngineParts, number>();

/**
 * Opens the engine's file, which is made once, for one process: what that one does to its descriptor is no other's.
 *
 * @param give - starts the process with the descriptor, which is closed here when this returns.
 * @example
 * withEngineFile(parts, (engine) => spawn(file, args, { stdio: ["pipe", "pipe", "ignore", engine] }))
 */
export function withEngineFile<T>(parts: EngineParts, give: (descriptor: number) => T): T {
  const file = files.get(parts) ?? makeFile(parts);
  files.set(parts, file);
  const own = openSync(`${descriptors}/${file}`, "r"); // it has no other name
  try {
    return give(own);
  } finally {
    closeSync(own);
  }
}

function makeFile({ code, artifacts }: EngineParts): number {
  const head: EngineHead = { artifactBytes: artifacts.map(({ length }) => length) };
  const place = statSync(sharedMemory, { throwIfNoEntry: false })?.isDirectory() ? sharedMemory : tmpdir();
  const dir = mkdtempSync(join(place, "dcm-engine-"));
  try {
    const path = join(dir, "engine");
    writeFileSync(path, Buffer.concat([packHead(code), packHead(head), ...artifacts]), { mode: 0o400 });
    return openSync(path, "r");
  } finally {
    rmSync(dir, { recursive: true });
  }
}
