/**
 * Writes docs/schemas: typed data and clear-signing metadata for wallets, JSON Schemas of exchanged files. With --check
 * it writes nothing and exits 1 if the files are not up to date. With `--deployment FILE --out DIR` it writes to DIR
 * what wallets need of that deployment: the same with its chain and contracts filled in.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Deployment, deploymentSchema } from "../protocol/deployment.ts";
import { callDescriptors } from "../sdk/wallets/callFormats.ts";
import { fileSchemas } from "../sdk/wallets/fileSchemas.ts";
import { messageDescriptors } from "../sdk/wallets/messageFormats.ts";
import { type SignedType, signedTypes, typedDataOf } from "../sdk/wallets/typedData.ts";

const { values } = parseArgs({
  options: { check: { type: "boolean" }, deployment: { type: "string" }, out: { type: "string" } },
});
const generated = fileURLToPath(new URL("../docs/schemas", import.meta.url));

if (values.deployment !== undefined) {
  if (values.out === undefined) fail("--deployment needs --out DIR: where the files are written");
  else await write(values.out, filesOf(deploymentSchema.parse(JSON.parse(await readFile(values.deployment, "utf8")))));
} else if (values.check) {
  const wanted = { ...filesOf(), files: texts(fileSchemas()) };
  const wrong = await differences(generated, wanted);
  if (wrong.length > 0) fail(`${wrong.join(", ")}: not what the code says. Run \`node scripts/schemas.ts\`.`);
} else {
  await write(generated, { ...filesOf(), files: texts(fileSchemas()) });
}

type Folders = Record<string, Record<string, string>>;

function filesOf(deployment?: Deployment): Folders {
  const names = Object.keys(signedTypes) as SignedType[];
  return {
    eip712: texts(Object.fromEntries(names.map((name) => [`${name}.json`, typedDataOf(name, deployment)]))),
    erc7730: texts({ ...messageDescriptors(deployment), ...callDescriptors(deployment) }),
  };
}

async function write(directory: string, folders: Folders): Promise<void> {
  for (const [folder, files] of Object.entries(folders)) {
    await mkdir(join(directory, folder), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, folder, name), text);
    if (directory !== generated) continue;
    for (const name of await readdir(join(directory, folder))) {
      if (!(name in files)) await rm(join(directory, folder, name));
    }
  }
}

async function differences(directory: string, folders: Folders): Promise<string[]> {
  const wrong: string[] = [];
  for (const [folder, files] of Object.entries(folders)) {
    const present = await readdir(join(directory, folder)).catch(() => []);
    for (const name of new Set([...present, ...Object.keys(files)])) {
      const text = await readFile(join(directory, folder, name), "utf8").catch(() => undefined);
      if (text !== files[name]) wrong.push(`docs/schemas/${folder}/${name}`);
    }
  }
  return wrong;
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${print(value, "")}\n`]));
}

/** JSON as the formatter of this repository lays it out: lists of plain values on one line if they fit. */
function print(value: unknown, indent: string, used = indent.length): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    const plain = value.every((item) => typeof item !== "object" || item === null);
    if (value.length === 0 || (plain && used + line.length + 1 <= 120)) return line;
    return `[\n${value.map((item) => inner + print(item, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, item]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return start + print(item, inner, start.length);
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
