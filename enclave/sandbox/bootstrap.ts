/**
 * Room: enclave/sandbox. The few lines that Node is started with. They read everything from stdin, so that the process
 * needs no right to read any file at all, and import what came with it.
 */

/**
 * Given to `node -e`. stdin: length of the code (4 bytes, little-endian), the code as JSON (source by specifier), then
 * what `main` reads. The module `guest` exports `load`, the module `sandbox` exports `main(load, read, send)`. Files are
 * known by their name alone, wherever they are imported from. No stack traces: they would carry paths. Node's own modules
 * are not imported, here and in what comes: that reads all their exports, which loads far more of Node than is used.
 */
export const bootstrap = `
const { readSync, writeSync } = process.getBuiltinModule("node:fs");
const { registerHooks } = process.getBuiltinModule("node:module");
Error.stackTraceLimit = 0;
const read = (bytes) => {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(0, bytes, at, bytes.length - at, null);
    if (count === 0) process.exit(0);
    at += count;
  }
  return bytes;
};
const send = (bytes) => {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
};
const nameOf = (specifier) => specifier.replace(/^(\\.{1,2}\\/)+/, "");
const codeBytes = read(new Uint8Array(new DataView(read(new Uint8Array(4)).buffer).getUint32(0, true)));
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
await main(load, read, send);
`;
