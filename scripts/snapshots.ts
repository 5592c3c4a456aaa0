/**
 * Compares code size, storage and gas with what is committed: snapshots/code.json (bytes of each deployed contract),
 * snapshots/storage (where each keeps what) and bench/results/gas.json (whole transactions, see bench/gas.ts). Runs after a
 * build. A change is committed with its reason: --update writes all. Exits 1 on any difference, on code over the EVM's limit,
 * on a missed gas target, and if the two pieces of the market lay out their storage differently.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { type GasRow, measureGas } from "../bench/measureGas.ts";
import { type StorageLayout, storageLayouts } from "./storageLayouts.ts";

/** Source: EIP-170. */
const codeLimit = 24_576;
const contracts = [
  "attestation/TdxCollateral",
  "attestation/TdxVerifier",
  "enclave/EnclaveRegistry",
  "enclave/Endorsements",
  "market/DatasetCouncil",
  "market/DatasetRegistry",
  "market/JobMarket",
  "market/MarketExtension",
];
const codeFile = new URL("../snapshots/code.json", import.meta.url);
const storageFile = (name: string) => new URL(`../snapshots/storage/${name}.json`, import.meta.url);
const gasFile = new URL("../bench/results/gas.json", import.meta.url);

/**
 * Hashes of code, workload and blocks are in calldata, where a zero byte costs less: any edit, even of a comment, moves some,
 * and in a group of fifty, fifty times as much.
 */
const gasTolerance = (gas: number) => Math.max(100, gas / 1000);

type Row = GasRow | undefined;

const update = process.argv.includes("--update");
const faults: string[] = [];

const code: Record<string, number> = {};
for (const path of contracts) {
  const name = path.slice(path.indexOf("/") + 1);
  const artifact = new URL(`../artifacts/contracts/${path}.sol/${name}.json`, import.meta.url);
  const { deployedBytecode } = JSON.parse(await readFile(artifact, "utf8")) as { deployedBytecode: string };
  code[name] = (deployedBytecode.length - 2) / 2;
  if (code[name] > codeLimit) faults.push(`${name} has ${code[name]} bytes of code, above ${codeLimit}`);
}
const storage = await storageLayouts(contracts);
// One runs in the other's storage, by delegatecall.
if (!isDeepStrictEqual(storage.JobMarket, storage.MarketExtension))
  faults.push("JobMarket and MarketExtension lay out their storage differently: declare it in what both inherit");

const gas = await measureGas();
for (const { id, gas: used, target } of gas)
  if (target !== null && used > target) faults.push(`${id} uses ${used} gas, above its target ${target}`);

const texts = { code: `${JSON.stringify(code, null, 2)}\n`, gas: `${JSON.stringify(gas, null, 2)}\n` };
if (update) {
  await mkdir(new URL(".", codeFile), { recursive: true });
  await mkdir(new URL(".", storageFile("")), { recursive: true });
  for (const [name, layout] of Object.entries(storage))
    await writeFile(storageFile(name), `${JSON.stringify(layout, null, 2)}\n`);
  await writeFile(codeFile, texts.code);
  await writeFile(gasFile, texts.gas);
} else {
  const committedCode = JSON.parse(await readFile(codeFile, "utf8")) as Record<string, number>;
  for (const name of new Set([...Object.keys(code), ...Object.keys(committedCode)])) {
    const [was, is] = [committedCode[name], code[name]];
    if (was !== is) faults.push(`${name} has ${is ?? "no"} bytes of code, committed: ${was ?? "none"}`);
  }
  for (const [name, layout] of Object.entries(storage)) {
    const committed = await readFile(storageFile(name), "utf8").catch(() => "null");
    if (!isDeepStrictEqual(JSON.parse(committed) as StorageLayout, layout))
      faults.push(`${name} lays out its storage otherwise than committed`);
  }
  const committedGas = JSON.parse(await readFile(gasFile, "utf8")) as GasRow[];
  for (const id of new Set([...gas, ...committedGas].map((row) => row.id))) {
    const [was, is] = [committedGas, gas].map((rows) => rows.find((row) => row.id === id)) as [Row, Row];
    // A target may be another row's gas.
    const near = (a: number, b: number) => Math.abs(a - b) <= gasTolerance(a);
    const asCommitted =
      was !== undefined && is !== undefined && near(was.gas, is.gas) && near(was.target ?? 0, is.target ?? 0);
    if (!asCommitted) faults.push(`${id} uses ${is?.gas ?? "no"} gas, committed: ${was?.gas ?? "none"}`);
  }
}

for (const fault of faults) console.error(fault);
if (faults.length > 0) {
  console.error("If the change is wanted: node scripts/snapshots.ts --update, and say why in the commit.");
  process.exitCode = 1;
} else console.log(`${contracts.length} contracts, ${gas.length} transactions: as committed`);
