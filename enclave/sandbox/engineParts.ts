/**
 * Room: enclave/sandbox. What processes of an engine are made of, read and checked once.
 */
import type { Engine, EngineParts } from "./engines/engine.ts";
import { readGuestCode } from "./guestCode.ts";

const loaded = new Map<Engine, Promise<EngineParts>>();

/**
 * The engine's parts, with the process's side of the sandbox (child.ts) among its code.
 *
 * @throws `EngineMismatchError`
 * @example
 * const process = startProcess(await loadParts(engine), limits, wall)
 */
export function loadParts(engine: Engine): Promise<EngineParts> {
  const known = loaded.get(engine);
  const parts = known ?? readParts(engine);
  loaded.set(engine, parts);
  return parts;
}

async function readParts(engine: Engine): Promise<EngineParts> {
  const shared = await readGuestCode({
    sandbox: new URL("child.ts", import.meta.url),
    "./frames.ts": new URL("frames.ts", import.meta.url),
    "./guest.ts": new URL("guest.ts", import.meta.url),
    "./meter.ts": new URL("meter.ts", import.meta.url),
  });
  const parts = await engine.load();
  return { ...parts, code: { ...parts.code, ...shared } };
}
