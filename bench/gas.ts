/**
 * What attestation and jobs cost: gas of whole transactions, from their receipts, beside target and best rival.
 * A job of several transactions is their sum; one of a batch or session is the sum divided by their number, rounded up.
 * Run `npm run build`, then `npm run bench:gas`. Writes bench/results/gas.json. Exits 1 if a target is missed.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { measureGas } from "./measureGas.ts";

const rows = await measureGas();
const number = (value: number | null) => (value === null ? "" : value.toLocaleString("en")).padStart(11);
console.log(`${"id".padEnd(38)}${"gas".padStart(11)}${"target".padStart(11)}${"rival".padStart(11)}`);
for (const { id, gas, target, rival } of rows) {
  const missed = target !== null && gas > target;
  console.log(`${id.padEnd(38)}${number(gas)}${number(target)}${number(rival)}${missed ? "  MISSED" : ""}`);
  if (missed) process.exitCode = 1;
}
await mkdir(new URL("results", import.meta.url), { recursive: true });
await writeFile(new URL("results/gas.json", import.meta.url), `${JSON.stringify(rows, null, 2)}\n`);
