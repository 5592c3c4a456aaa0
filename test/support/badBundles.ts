/**
 * Program bundles that no worker may run: manifests that are not valid, and files that are not the manifest's. The order
 * names exactly what is in the bundle where the manifest is at fault, so that nothing else can be the reason.
 */
import type { Hex } from "viem";
import { keccak256, toBytes } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import { type Manifest, type Program, packProgram } from "../../protocol/program.ts";

/** A bundle and the program that is ordered and consented to. */
export type BadBundle = { what: string; programId: Hex; bytes: Uint8Array };

/** JSON with a manifest and files that need not fit it, in base64. */
type Bundle = { manifest: Manifest; files: Readonly<Record<string, string>> };

/**
 * Bundles like that of an honest program of one file `main.js`, each wrong in one point.
 *
 * @example
 * for (const { what, programId, bytes } of badBundles(program)) ...
 */
export function badBundles(honest: Program, other: Program): BadBundle[] {
  const text = new TextDecoder().decode(packProgram(honest));
  const { manifest, files }: Bundle = JSON.parse(text);
  const [file, source = ""] = [manifest.files[0], files["main.js"]];
  const evil = Buffer.from(other.files.get("main.js") ?? "").toString("base64");
  const { limits, output, runtime } = manifest;

  /** The file under another name. */
  const named = (path: string) => ({ entry: path, files: [{ ...file, path }] });
  const manifests: Record<string, object> = {
    "a path that leads out": named("../main.js"),
    "a path that leads out further in": named("lib/../../main.js"),
    "an absolute path": named("/etc/main.js"),
    "a path with a backslash": named("..\\main.js"),
    "a path with a zero character": named("main.js\0"),
    "a path that is an object's own": named("__proto__"),
    "no path": named(""),
    "a file twice": { files: [file, file] },
    "an entry that is no file": { entry: "other.js" },
    "no files": { files: [] },
    "too many files": {
      files: Array.from({ length: 65 }, (_, i) => ({ ...file, path: i === 0 ? "main.js" : `f${i}` })),
    },
    "another hash of its file": { files: [{ ...file, sha256: `0x${"11".repeat(32)}` }] },
    "another size of its file": { files: [{ ...file, size: (file?.size ?? 0) + 1 }] },
    "a negative size": { files: [{ ...file, size: -1 }] },
    "an unknown engine": { runtime: { ...runtime, engine: "lua" } },
    "another version of manifests": { v: 2 },
    "an input twice": { inputs: [manifest.inputs[0], manifest.inputs[0]] },
    "an unknown format": { inputs: [{ name: "data", format: "xml" }] },
    "a schema that is not supported": { params: { type: "string", pattern: "(a+)+$" } },
    "a schema nested without end": { params: JSON.parse(`${'{"items":'.repeat(5000)}{}${"}".repeat(5000)}`) },
    "an output without bound": { output: { ...output, maxBytes: 2 ** 40 } },
    "fuel without bound": { limits: { ...limits, fuel: 1e300 } },
    "a policy for an input that is not there": { output: { ...output, policy: { columns: { x: { y: "hidden" } } } } },
    "an unknown field": { more: 1 },
  };
  const ofManifest = Object.entries(manifests).map(([what, changes]) => {
    const changed = { ...manifest, ...changes } as Manifest;
    const path = changed.files[0]?.path ?? "main.js";
    // Written by hand: an object could not hold the name `__proto__` as its own.
    const bytes = toBytes(`{"files":{${JSON.stringify(path)}:"${source}"},"manifest":${JSON.stringify(changed)}}`);
    return { what: `a manifest with ${what}`, programId: idOf(changed), bytes };
  });

  const texts: Record<string, string | Uint8Array> = {
    "another program": new TextDecoder().decode(packProgram(other)),
    "another file under the agreed manifest": text.replace(source, evil),
    "a file more": text.replace('"files":{', `"files":{"extra.js":"${evil}",`),
    "the file twice, the last one another": text.replace(`"${source}"`, `"${source}","main.js":"${evil}"`),
    "no file": text.replace(`"main.js":"${source}"`, ""),
    "a file that is no base64": text.replace(source, "%"),
    "another limit": text.replace('"wallMs":10000', '"wallMs":20000'),
    "an unknown field": text.replace('{"files"', '{"x":1,"files"'),
    "a field nested without end": text.replace('{"files"', `{"x":${"[".repeat(200_000)}${"]".repeat(200_000)},"files"`),
    "an end too early": text.slice(0, -10),
    "UTF-16": Buffer.from(text, "utf16le"),
    "no JSON": "export default () => 1;",
    "an array": "[]",
    nothing: "",
  };
  const ofText = Object.entries(texts).map(([what, changed]) => {
    if (changed === text) throw new RangeError(`${what} changes nothing`);
    return {
      what: `a bundle with ${what}`,
      programId: honest.id,
      bytes: typeof changed === "string" ? toBytes(changed) : changed,
    };
  });
  const padded = Buffer.alloc(2 ** 20 + 1, " ");
  padded.write(text);
  return [...ofManifest, ...ofText, { what: "a bundle that is too large", programId: honest.id, bytes: padded }];
}

/** As `programIdOf`, of what is no manifest. */
function idOf(manifest: object): Hex {
  return keccak256(toJcsBytes(manifest));
}
