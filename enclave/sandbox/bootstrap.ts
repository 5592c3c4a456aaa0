/**
 * Room: enclave/sandbox. The few lines that Node is started with. They read everything from stdin and one open file, so
 * that the process needs no right to open any file at all, and import what is in it.
 */
import { engineFd } from "./frames.ts";

/**
 * Given to `node -e`. The file: length of the code (4 bytes, little-endian), the code as JSON (source by specifier), then
 * what `main` reads of it. The module `guest` exports `load`, the module `sandbox` exports `main(load, read, send,
 * readEngine)`. The descriptor's own position is not used: not everywhere is it this process's alone. Files are
 * known by their name alone, wherever they are imported from. No stack traces: they would carry paths. Node's own modules
 * are not imported, here and in what comes: that reads all their exports, which loads far more of Node than is used.
 */
export const bootstrap = `
const { readSync, writeSync } = process.getBuiltinModule("node:fs");
const { registerHooks } = process.getBuiltinModule("node:module");
Error.stackTraceLimit = 0;
const fill = (bytes, readSome) => {
  for (let at = 0; at < bytes.length; ) {
    const count = readSome(bytes, at, bytes.length - at);
    if (count === 0) process.exit(0);
    at += count;
  }
  return bytes;
};
const read = (bytes) => fill(bytes, (...into) => readSync(0, ...into, null));
let position = 0;
const readEngine = (bytes) => fill(bytes, (...into) => {
  const count = readSync(${engineFd}, ...into, position);
  position += count;
  return count;
});
const send = (bytes) => {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
};
const nameOf = (specifier) => specifier.replace(/^(\\.{1,2}\\/)+/, "");
const codeBytes = readEngine(new Uint8Array(new DataView(readEngine(new Uint8Array(4)).buffer).getUint32(0, true)));
const sources = Object.entries(JSON.parse(new TextDecoder().decode(codeBytes)));
const code = new Map(sources.map(([specifier, source]) => [nameOf(specifier), source]));
registerHooks({
  resolve: (specifier, context, next) =>
    code.has(nameOf(specifier)) ? { url: "sandbox:" + nameOf(specifier), shortCircuit: true } : next(specifier, context),
  load: (url, context, next) => {
    const source = code.get(url.slice("sandbox:".length));
    return source === undefined ? next(url, context) : { source, format: "module", shortCircuit: true };
  },
});
const { load } = await import("guest");
const { main } = await import("sandbox");
await main(load, read, send, readEngine);
`;
