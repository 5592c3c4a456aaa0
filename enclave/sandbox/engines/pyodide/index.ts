/**
 * Room: enclave/sandbox/engines/pyodide. Python: CPython compiled to WebAssembly, with its standard library, from npm package
 * pyodide. All of it is given to the sandbox process as bytes; what it would ask Node for is not there.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pyodide } from "../../../../protocol/engines.ts";
import { EngineMismatchError, readGuestCode } from "../../guestCode.ts";
import type { Engine, EngineParts } from "../engine.ts";

const mebibyte = 1024 * 1024;

/** The order is that of the pin, and of the guest's artifacts from the third on. */
const files = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"] as const;

/** See {@link Engine}. */
export const pyodideEngine: Engine = {
  runtime: pyodide,
  native: false,
  formats: ["csv", "json", "text", "bytes"],
  load,
  // CPython takes 20 MiB before the program runs; the library and the data stand in the heap once more.
  memory: ({ memoryBytes }, inputBytes) => ({
    wasmBytes: 64 * mebibyte + memoryBytes,
    heapBytes: 256 * mebibyte + 4 * inputBytes,
    nativeBytes: 0,
  }),
};

async function load(): Promise<EngineParts> {
  const folder = new URL(".", import.meta.resolve("pyodide"));
  const contents = await Promise.all(files.map((name) => readFile(new URL(name, folder))));
  const sha256 = pinOf(contents);
  if (sha256 !== pyodide.artifactSha256) throw new EngineMismatchError(pyodide, sha256);
  const [api, core, ...artifacts] = contents;
  const code = {
    ...(await readGuestCode({ guest: new URL("guest.ts", import.meta.url) })),
    pyodide: withoutNode(api),
    "pyodide-core": withoutNode(core),
    "nothing:node:module": nodeModule,
    ...Object.fromEntries(absent.map((name) => [`nothing:${name}`, "export default {};"])),
    "nothing:node:fs/promises": nodeFiles,
  };
  return { code, artifacts, pinnedWasm: false, nativeFiles: [] };
}

/**
 * The pin of an engine that is several files: SHA-256 over their SHA-256 hashes, one after the other.
 *
 * @example
 * pinOf(files) === pyodide.artifactSha256
 */
export function pinOf(contents: readonly Uint8Array[]): `0x${string}` {
  const all = createHash("sha256");
  for (const bytes of contents) all.update(createHash("sha256").update(bytes).digest());
  return `0x${all.digest("hex")}`;
}

/** Modules that Pyodide imports where it finds itself under Node, beside `path` and `url`, which compute only. */
const absent = [...["child_process", "crypto", "fs", "net", "stream", "tls", "vm"].map((name) => `node:${name}`), "ws"];

/** Its imports lead to the modules above, whatever Node would have let it import. */
function withoutNode(source: Uint8Array | undefined): string {
  return new TextDecoder()
    .decode(source)
    .replaceAll(/\bimport\("((?!node:path|node:url)node:[a-z_/]+|ws)"\)/g, 'import("nothing:$1")');
}

/** Where Pyodide reads its WebAssembly and its library: from what the guest has put there. */
const nodeFiles = `
const files = new Map();
export const put = (path, bytes) => files.set(path, bytes);
export const readFile = async (path) => {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error("no such file");
  return bytes;
};
export default { readFile };`;

/** What it asks for by name: randomness, which is zeros, and whether there is a terminal. */
const nodeModule = `
const modules = { "node:crypto": { randomFillSync: (view) => view.fill(0) }, "node:tty": { isatty: () => false } };
export const createRequire = () => (name) => modules[name] ?? {};
export default { createRequire };`;
