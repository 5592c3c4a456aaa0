/** Programs made up by tests: the manifest of a shipped one with another source. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "viem";
import { checkProgram, type Manifest, type Program } from "../../protocol/program.ts";

/**
 * A program like `base` whose only file is `source`.
 *
 * @param changes - to the manifest.
 */
export function programOf(base: Program, source: string, changes: Partial<Manifest> = {}): Program {
  const bytes = new TextEncoder().encode(source);
  const files = [{ path: "main.js", sha256: bytesToHex(sha256(bytes)), size: bytes.length }];
  return checkProgram({ ...base.manifest, entry: "main.js", files, ...changes }, new Map([["main.js", bytes]]));
}
