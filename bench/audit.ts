/**
 * How fast many receipts are audited. Run `npm run bench:audit`. Writes bench/results/audit.json. Exits 1 if a target is
 * missed. Seconds for 10,000 receipts of 10 enclaves, from rows of JSON to the report.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { domainOf } from "../protocol/eip712.ts";
import { auditReceipts } from "../sdk/audit/auditReceipts.ts";
import { openVerifier } from "../sdk/node/receiptVerifier.ts";
import { madeUpEnclave, madeUpReceipt, signedRow } from "../test/support/receipts.ts";

const count = 10_000;
const measures = [
  { id: "receipts.native", kind: "native", target: 3 },
  { id: "receipts.javascript", kind: "javascript", target: 90 },
] as const;

const domain = domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
const enclaves = new Map(
  Array.from({ length: 10 }, (_, n) => {
    const { account, workloadId } = madeUpEnclave(n);
    return [account.address.toLowerCase(), workloadId];
  }),
);
console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`);
console.log(`signing ${count} receipts ...`);
const rows: string[] = [];
for (let i = 0; i < count; i++) rows.push(await signedRow(domain, madeUpReceipt(i, i % 10), i % 10));

console.log(`${"id".padEnd(22)}${"seconds".padStart(10)}${"target".padStart(10)}`);
const results = [];
for (const { id, kind, target } of measures) {
  const verifier = await openVerifier(domain, kind);
  const start = performance.now();
  const { verdict, verified } = await auditReceipts(rows, verifier, { enclaves, believed: true });
  const value = (performance.now() - start) / 1000;
  if (verdict !== "verified" || verified !== count) throw new Error(`${id}: ${verdict}, ${verified} verified`);
  const missed = value > target;
  console.log(
    `${id.padEnd(22)}${value.toFixed(2).padStart(10)}${String(target).padStart(10)}${missed ? "  MISSED" : ""}`,
  );
  if (missed) process.exitCode = 1;
  results.push({ id, value, unit: "s", target });
}
await mkdir(new URL("results", import.meta.url), { recursive: true });
await writeFile(new URL("results/audit.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
