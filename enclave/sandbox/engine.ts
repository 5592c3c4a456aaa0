/**
 * Room: enclave/sandbox. What the sandbox process is made of: the engine, checked against its pinned hash, and the
 * sources that drive it. Read once; the process itself can read no file.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { quickjs } from "../../protocol/engines.ts";
import { BaseError } from "../../protocol/errors.ts";

/** JavaScript source by import specifier; `sandbox` is the entry. */
export type ChildCode = Readonly<Record<string, string>>;

/** The engine and the code around it. */
export type Engine = { wasm: Uint8Array; code: ChildCode };

let loaded: Promise<Engine> | undefined;

/**
 * The engine, read and checked at the first call.
 *
 * @throws {@link EngineMismatchError} if the installed engine is not the pinned one.
 * @example
 * const { wasm, code } = await loadEngine()
 */
export function loadEngine(): Promise<Engine> {
  loaded ??= readEngine();
  return loaded;
}

async function readEngine(): Promise<Engine> {
  const wrapper = new URL(import.meta.resolve("quickjs-wasi"));
  const wasm = await readFile(new URL(import.meta.resolve("quickjs-wasi/quickjs.wasm")));
  requirePinned(wasm);
  const sources = {
    sandbox: new URL("child.ts", import.meta.url),
    "./frames.ts": new URL("frames.ts", import.meta.url),
    "quickjs-wasi": wrapper,
    "./wasi-shim.js": new URL("wasi-shim.js", wrapper),
    "./extensions.js": new URL("extensions.js", wrapper),
    "./version.js": new URL("version.js", wrapper),
  };
  const code = await Promise.all(
    Object.entries(sources).map(async ([specifier, url]) => {
      const source = await readFile(url, "utf8");
      return [specifier, url.pathname.endsWith(".ts") ? toJavaScript(source) : source] as const;
    }),
  );
  return { wasm, code: Object.fromEntries(code) };
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
 * Refuses any engine but the pinned one.
 *
 * @throws {@link EngineMismatchError}
 * @example
 * requirePinned(await readFile(path))
 */
export function requirePinned(wasm: Uint8Array): void {
  const sha256 = `0x${createHash("sha256").update(wasm).digest("hex")}`;
  if (sha256 !== quickjs.artifactSha256) throw new EngineMismatchError(sha256);
}

/** The installed engine is not the one that programs name. */
export class EngineMismatchError extends BaseError {
  override readonly name = "Sandbox.EngineMismatchError";
  constructor(sha256: string) {
    super(`quickjs.wasm has SHA-256 ${sha256}, expected ${quickjs.artifactSha256}.`, {
      hint: `Install quickjs-wasi ${quickjs.version} from the lock file (npm ci).`,
    });
  }
}
