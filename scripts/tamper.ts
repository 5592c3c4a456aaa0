/**
 * `npm run tamper [FILE]`: changes every single thing of a bundle, one at a time, and audits what comes of it. Exits 0 only if
 * each change is found: the file is refused with a typed error, or a claim that was verified no longer is. Prints, by kind of
 * place, what found it.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { judgeBundle } from "../sdk/bundle/auditBundle.ts";
import { readBundle } from "../sdk/bundle/readBundle.ts";
import { foundBy, seededRandom } from "./tampered.ts";
import { type Json, tamperings } from "./tamperings.ts";

const file = process.argv[2] ?? fileURLToPath(new URL("../out/job.dcb", import.meta.url));
const bytes = await readFile(file);
const honest = (await judgeBundle(readBundle(bytes))).lines;
const bundle = JSON.parse(new TextDecoder().decode(bytes)) as Json;

const found = new Map<string, number>();
const unseen: string[] = [];
let count = 0;
const start = performance.now();
for (const { path, how, apply } of tamperings(bundle, seededRandom(7))) {
  count++;
  const by = await foundBy(apply(bundle), honest);
  const kind = `${path.replace(/\b\d+\b/g, "N")} ${how}: ${by ?? "NOT FOUND"}`;
  found.set(kind, (found.get(kind) ?? 0) + 1);
  if (by === undefined) unseen.push(`${path} ${how}`);
}
for (const [kind, times] of [...found].sort()) console.log(`${String(times).padStart(5)}  ${kind}`);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`${count - unseen.length} of ${count} changes found, in ${seconds} s`);
for (const one of unseen) console.error(`NOT FOUND: ${one}`);
process.exitCode = unseen.length === 0 ? 0 : 1;
