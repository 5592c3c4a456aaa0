/**
 * How fast private computation is, each beside the same work without what makes it private, in the same run.
 * Run `npm run bench:compute [ID ...]`. Writes bench/results/compute.json. Exits 1 if a target is missed.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { Figure } from "./compute/rounds.ts";

/** Each is measured by bench/compute/ID.ts, which exports `measure(): Promise<Figure>`. `x`: times the speed of the limit. */
const measures: readonly { id: string; unit: "x" | "ms" | "jobs/s"; target: number }[] = [
  { id: "decrypt", unit: "x", target: 0.85 },
  { id: "js", unit: "x", target: 0.9 },
  { id: "sql", unit: "x", target: 0.8 },
  { id: "wasm", unit: "x", target: 0.8 },
  { id: "sandboxMs", unit: "ms", target: 25 },
  { id: "jobsPerSecond", unit: "jobs/s", target: 25 },
];

const file = new URL("results/compute.json", import.meta.url);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !measures.some((measure) => measure.id === id));
if (unknown.length > 0) throw new RangeError(`no such measure: ${unknown.join(", ")}`);
const known: { id: string }[] = wanted.length === 0 ? [] : JSON.parse(await readFile(file, "utf8").catch(() => "[]"));

console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`);
console.log(`${"id".padEnd(14)}${"median".padStart(12)}${"spread".padStart(12)}${"target".padStart(12)}`);
const rows = [];
for (const { id, unit, target } of measures) {
  if (wanted.length > 0 && !wanted.includes(id)) {
    rows.push(...known.filter((row) => row.id === id));
    continue;
  }
  const { measure }: { measure(): Promise<Figure> } = await import(`./compute/${id}.ts`);
  const { value, spread } = await measure();
  const missed = unit === "ms" ? value > target : value < target;
  const show = (figure: number) => `${figure.toFixed(unit === "x" ? 3 : 1)} ${unit}`.padStart(12);
  console.log(`${id.padEnd(14)}${show(value)}${show(spread)}${show(target)}${missed ? "  MISSED" : ""}`);
  if (missed) process.exitCode = 1;
  rows.push({ id, value, unit, target, spread });
}
await mkdir(new URL("results", import.meta.url), { recursive: true });
await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
