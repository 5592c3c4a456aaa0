/**
 * Room: enclave/sandbox/engines/wasm. WebAssembly programs: metered by the fuel pass here, in the worker, and run by V8 in
 * the sandbox process. For authors: docs/PROGRAMS-WASM.md.
 */
import { readFile } from "node:fs/promises";
import { wasm } from "../../../../protocol/engines.ts";
import { readGuestCode, requirePinned } from "../../guestCode.ts";
import type { Engine } from "../engine.ts";
import { ModuleRefusedError } from "./bytes.ts";
import { meterModule } from "./meterModule.ts";
import { ModuleTooLargeError } from "./sections.ts";

const mebibyte = 1024 * 1024;

/** What decides how a program runs and what it costs; hashed in this order. */
const sources = [
  "abi.ts",
  "body.ts",
  "bytes.ts",
  "guest.ts",
  "limits.ts",
  "meterModule.ts",
  "meteredCode.ts",
  "opcodes.ts",
  "sections.ts",
] as const;

/** See {@link Engine}. */
export const wasmEngine: Engine = {
  runtime: wasm,
  native: false,
  formats: ["csv", "json", "text", "parquet", "bytes"],
  async load() {
    requirePinned(wasm, await readSources());
    const guest = new URL("guest.ts", import.meta.url);
    const code = await readGuestCode({ guest, "./abi.ts": new URL("abi.ts", import.meta.url) });
    return { code, artifacts: [], pinnedWasm: false, nativeFiles: [] };
  },
  /** The heap is for Node, V8's compiler and the output as it grows. */
  memory: ({ memoryBytes }) => ({ wasmBytes: memoryBytes, heapBytes: 256 * mebibyte, nativeBytes: 0 }),
  async prepare({ manifest, files }) {
    try {
      return { prepared: meterModule(files.get(manifest.entry) ?? new Uint8Array(), manifest.limits) };
    } catch (error) {
      if (!(error instanceof ModuleRefusedError)) throw error;
      const failure = error instanceof ModuleTooLargeError ? "MemoryExceeded" : "ProgramTrapped";
      return { failure, reason: error.message };
    }
  },
};

/** The sources, each with its name and length in front of it. */
async function readSources(): Promise<Uint8Array> {
  const parts = await Promise.all(
    sources.map(async (name) => {
      const source = await readFile(new URL(name, import.meta.url));
      return [Buffer.from(`${name} ${source.length}\n`), source];
    }),
  );
  return Buffer.concat(parts.flat());
}
