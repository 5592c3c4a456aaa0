/**
 * Room: enclave/sandbox/engines/quickjs. JavaScript programs: QuickJS compiled to WebAssembly.
 */
import { readFile } from "node:fs/promises";
import { quickjs } from "../../../../protocol/engines.ts";
import { readGuestCode, requirePinned } from "../../guestCode.ts";
import type { Engine } from "../engine.ts";
import { takeImage } from "./machine.ts";

const mebibyte = 1024 * 1024;

/** See {@link Engine}. */
export const quickjsEngine: Engine = {
  runtime: quickjs,
  native: false,
  formats: ["csv", "json", "text"],
  async load() {
    const wrapper = new URL(import.meta.resolve("quickjs-wasi"));
    const wasm = await readFile(new URL(import.meta.resolve("quickjs-wasi/quickjs.wasm")));
    requirePinned(quickjs, wasm);
    const code = await readGuestCode({
      guest: new URL("guest.ts", import.meta.url),
      "./machine.ts": new URL("machine.ts", import.meta.url),
      "quickjs-wasi": wrapper,
      "./wasi-shim.js": new URL("wasi-shim.js", wrapper),
      "./extensions.js": new URL("extensions.js", wrapper),
      "./version.js": new URL("version.js", wrapper),
    });
    const { memory, head } = await takeImage(wasm);
    return {
      code,
      artifacts: [wasm, memory, new TextEncoder().encode(JSON.stringify(head))],
      pinnedWasm: true,
      nativeFiles: [],
    };
  },
  /** The engine may hold a text once more while it comes in; fragmentation takes up to as much again. */
  memory: ({ memoryBytes }, inputBytes) => ({
    wasmBytes: 32 * mebibyte + 2 * memoryBytes + 2 * inputBytes,
    heapBytes: 128 * mebibyte + 4 * inputBytes,
    nativeBytes: 0,
  }),
};
