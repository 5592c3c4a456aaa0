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
 * Whether a manifest's runtime is exactly an engine we have.
 *
 * @example
 * if (!sameRuntime(manifest.runtime, quickjs)) refuse("ProgramMismatch")
 */
export function sameRuntime(a: Runtime, b: Runtime): boolean {
  return a.engine === b.engine && a.version === b.version && a.artifactSha256 === b.artifactSha256;
}
