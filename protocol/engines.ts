/**
 * Room: protocol/engines. The engines that run programs, pinned by version and by the hash of what is executed. Pure.
 * A manifest names one of these in `runtime`, so the engine is part of the program id.
 */
import type { Manifest } from "./program.ts";

/** A manifest's `runtime`. */
export type Runtime = Manifest["runtime"];

/**
 * QuickJS-ng 0.17.0 compiled to WebAssembly, as shipped in npm package quickjs-wasi. The version is the package's;
 * the artifact is its `quickjs.wasm`.
 *
 * @example
 * manifest.runtime = quickjs
 */
export const quickjs: Runtime = {
  engine: "quickjs",
  version: "3.6.2",
  artifactSha256: "0xd4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9",
};

/**
 * CPython 3.14 with its standard library compiled to WebAssembly, as shipped in npm package pyodide. The version is the
 * package's; the artifact is SHA-256 over the SHA-256 hashes of five of its files, see enclave/sandbox/engines/pyodide.
 *
 * @example
 * manifest.runtime = pyodide
 */
export const pyodide: Runtime = {
  engine: "pyodide",
  version: "314.0.7",
  artifactSha256: "0xc89aaae126e6d395aeb71bf45eb78e7297ad95dfb58bb3c5b79f76674acbad35",
};

/**
 * DuckDB 1.5.6 as native code for Linux on x64 (glibc), as shipped in npm package @duckdb/node-bindings-linux-x64. The
 * version is the package's; the hash is of the SHA-256 of its `duckdb.node` followed by that of its `libduckdb.so`.
 *
 * @example
 * manifest.runtime = duckdb
 */
export const duckdb: Runtime = {
  engine: "duckdb",
  version: "1.5.6-r.1",
  artifactSha256: "0xd0763f9163e863bc254172c39e3bee2f574ca4c2a21d4b94b0cc8e3cef9894ee",
};

/**
 * V8's WebAssembly with the fuel pass of `enclave/sandbox/engines/wasm`. What a program costs and when it ends is in the
 * pass, so that is the artifact: its sources and the guest's, one after the other. A new version goes with any change.
 *
 * @example
 * manifest.runtime = wasm
 */
export const wasm: Runtime = {
  engine: "wasm",
  version: "1.0.0",
  artifactSha256: "0x5823dd4c6aaac3e6207b25e472c37f3d50ca828ffa57c1ea0520e803d34778e8",
};

/**
 * Whether a manifest's runtime is exactly an engine we have.
 *
 * @example
 * if (!sameRuntime(manifest.runtime, quickjs)) refuse("ProgramMismatch")
 */
export function sameRuntime(a: Runtime, b: Runtime): boolean {
  return a.engine === b.engine && a.version === b.version && a.artifactSha256 === b.artifactSha256;
}
