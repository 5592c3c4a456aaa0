/**
 * Room: enclave/sandbox. Reads what a sandbox process is made of: sources, stripped of their types, and artifacts, checked
 * against their pinned hash. The process itself can read no file.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import type { Runtime } from "../../protocol/engines.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { GuestCode } from "./engines/engine.ts";

/**
 * Reads sources.
 *
 * @param sources - files by import specifier. The part before the file's name does not matter: names must differ.
 * @example
 * const code = await readGuestCode({ guest: new URL("guest.ts", import.meta.url) })
 */
export async function readGuestCode(sources: Readonly<Record<string, URL>>): Promise<GuestCode> {
  const code = await Promise.all(
    Object.entries(sources).map(async ([specifier, url]) => {
      const source = await readFile(url, "utf8");
      return [specifier, url.pathname.endsWith(".ts") ? toJavaScript(source) : source] as const;
    }),
  );
  return Object.fromEntries(code);
}

/**
 * TypeScript without its types, as Node itself runs it. Done here once, because in every sandbox process it would
 * double the time to start. Node's warning that this function is experimental says nothing to a user of the worker.
 *
 * @example
 * toJavaScript("const n: number = 1") // "const n         = 1"
 */
export function toJavaScript(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Refuses any artifact of an engine but the pinned one.
 *
 * @throws {@link EngineMismatchError}
 * @example
 * requirePinned(quickjs, await readFile(path))
 */
export function requirePinned(runtime: Runtime, artifact: Uint8Array): void {
  const sha256 = `0x${createHash("sha256").update(artifact).digest("hex")}`;
  if (sha256 !== runtime.artifactSha256) throw new EngineMismatchError(runtime, sha256);
}

/** The installed engine is not the one that programs name. */
export class EngineMismatchError extends BaseError {
  override readonly name = "Sandbox.EngineMismatchError";
  constructor(runtime: Runtime, sha256: string) {
    super(`The artifact of ${runtime.engine} has SHA-256 ${sha256}, expected ${runtime.artifactSha256}.`, {
      hint: `Install version ${runtime.version} of it from the lock file (npm ci).`,
    });
  }
}
