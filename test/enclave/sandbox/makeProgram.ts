/**
 * Programs for tests: a checked program from its sources.
 */
import { createHash } from "node:crypto";
import { quickjs } from "../../../protocol/engines.ts";
import { checkProgram, type Manifest, type Program } from "../../../protocol/program.ts";

/**
 * A program whose entry is `main.js`, with one text input `data` unless told otherwise.
 *
 * @example
 * const program = makeProgram("export default ({ data }) => data.length")
 */
export function makeProgram(
  sources: string | Record<string, string>,
  changes: Partial<Omit<Manifest, "limits">> & { limits?: Partial<Manifest["limits"]> } = {},
): Program {
  const texts = typeof sources === "string" ? { "main.js": sources } : sources;
  const files = new Map(Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)] as const));
  const manifest: Manifest = {
    v: 1,
    name: "test",
    runtime: quickjs,
    entry: "main.js",
    files: [...files].map(([path, bytes]) => ({ path, sha256: sha256(bytes), size: bytes.length })),
    params: {},
    inputs: [{ name: "data", format: "text" }],
    output: { format: "json", schema: {}, maxBytes: 1024 },
    ...changes,
    limits: { fuel: 1_000_000, memoryBytes: 16 * 1024 * 1024, wallMs: 20_000, ...changes.limits },
  };
  return checkProgram(manifest, files);
}

function sha256(bytes: Uint8Array): `0x${string}` {
  return `0x${createHash("sha256").update(bytes).digest("hex")}`;
}
