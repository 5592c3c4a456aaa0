/**
 * Room: enclave/sandbox. The engines of this worker. Adding one is a folder under engines/ and a line here.
 */
import { type Runtime, sameRuntime } from "../../protocol/engines.ts";
import { duckdbEngine } from "./engines/duckdb/index.ts";
import type { Engine } from "./engines/engine.ts";
import { pyodideEngine } from "./engines/pyodide/index.ts";
import { quickjsEngine } from "./engines/quickjs/index.ts";
import { wasmEngine } from "./engines/wasm/index.ts";

/** In the order in which a worker names them. */
export const engines: readonly Engine[] = [quickjsEngine, duckdbEngine, wasmEngine, pyodideEngine];

/**
 * The engine that a manifest's runtime names, to the hash.
 *
 * @example
 * const engine = findEngine(manifest.runtime)
 */
export function findEngine(runtime: Runtime): Engine | undefined {
  return engines.find((engine) => sameRuntime(engine.runtime, runtime));
}
