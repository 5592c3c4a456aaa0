/**
 * Writes sdk/bundle/contractCode.json from Hardhat's artifacts: the code that this project's contracts have on chain, with
 * zeros where a deployment puts its immutables, and where those are. Run by `npm run build` after a build. With --check it
 * writes nothing and exits 1 if the file is not up to date.
 */
import { readFile, writeFile } from "node:fs/promises";

/** What a deployment consists of; the council and the endorsements decide nothing. */
const contracts = {
  tdxCollateral: "attestation/TdxCollateral",
  tdxVerifier: "attestation/TdxVerifier",
  enclaveRegistry: "enclave/EnclaveRegistry",
  datasetRegistry: "market/DatasetRegistry",
  jobMarket: "market/JobMarket",
  marketExtension: "market/MarketExtension",
};
const artifacts = new URL("../artifacts/", import.meta.url);
const target = new URL("../sdk/bundle/contractCode.json", import.meta.url);

type Artifact = {
  deployedBytecode: string;
  immutableReferences: Record<string, { start: number; length: number }[]>;
  buildInfoId: string;
};
type Node = { id?: number; name?: string; nodeType?: string; mutability?: string };

const code: Record<string, { code: string; immutables: Record<string, number[]> }> = {};
for (const [key, path] of Object.entries(contracts)) {
  const name = path.slice(path.indexOf("/") + 1);
  const file = new URL(`contracts/${path}.sol/${name}.json`, artifacts);
  const artifact = JSON.parse(await readFile(file, "utf8")) as Artifact;
  const names = await immutableNames(artifact.buildInfoId);
  const immutables: Record<string, number[]> = {};
  for (const [id, places] of Object.entries(artifact.immutableReferences)) {
    const immutable = names.get(Number(id));
    if (immutable === undefined || immutable in immutables || places.some(({ length }) => length !== 32))
      throw new Error(`${name}: immutable ${id} is not one word of one name`);
    immutables[immutable] = places.map(({ start }) => start);
  }
  code[key] = { code: Buffer.from(artifact.deployedBytecode.slice(2), "hex").toString("base64"), immutables };
}

const text = `${JSON.stringify(code, null, 1)}\n`;
if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8").catch(() => "")) !== text) {
    console.error("sdk/bundle/contractCode.json is not what the contracts say. Run `npm run build`.");
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
}

/** Names of immutables by the number of their declaration in the compiler's syntax tree. */
async function immutableNames(buildInfoId: string): Promise<Map<number, string>> {
  const output = JSON.parse(await readFile(new URL(`build-info/${buildInfoId}.output.json`, artifacts), "utf8"));
  const names = new Map<number, string>();
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { id, name, nodeType, mutability } = node as Node;
    if (nodeType === "VariableDeclaration" && mutability === "immutable" && id !== undefined && name !== undefined)
      names.set(id, name);
    for (const child of Object.values(node)) walk(child);
  };
  for (const source of Object.values(output.output.sources)) walk(source);
  return names;
}
