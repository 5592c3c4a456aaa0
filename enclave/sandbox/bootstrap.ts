/**
 * Room: enclave/sandbox. The few lines that Node is started with. They read everything from stdin, so that the process
 * needs no right to read any file at all, and import what came with it.
 */

/**
 * Given to `node -e`. stdin: length of the code (4 bytes, little-endian), the code as JSON (source by specifier), then
 * the payload. The module `sandbox` exports `main(payload, send)`. No stack traces: they would carry paths.
 */
export const bootstrap = `
import { readFileSync, writeSync } from "node:fs";
import { registerHooks } from "node:module";
Error.stackTraceLimit = 0;
const stdin = readFileSync(0);
const codeEnd = 4 + stdin.readUInt32LE(0);
const code = new Map(Object.entries(JSON.parse(stdin.toString("utf8", 4, codeEnd))));
registerHooks({
  resolve: (specifier, context, next) =>
    code.has(specifier) ? { url: "sandbox:" + specifier, shortCircuit: true } : next(specifier, context),
  load: (url, context, next) => {
    const source = code.get(url.slice("sandbox:".length));
    return source === undefined ? next(url, context) : { source, format: "module", shortCircuit: true };
  },
});
const { main } = await import("sandbox");
await main(stdin.subarray(codeEnd), (bytes) => {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
});
`;
