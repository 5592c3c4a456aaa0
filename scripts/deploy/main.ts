/**
 * `npm run deploy:compose`, `npm run deploy:expect`: what will be measured, before anything is deployed. docs/DEPLOY.md.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Hex, sha256, stringToBytes } from "viem";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { type Deployment, deploymentSchema } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readRecord } from "../image/record.ts";
import { appComposeOf, composeFileOf } from "./appCompose.ts";
import { readMeasurements } from "./measurements.ts";

const help = `Usage: node scripts/deploy/main.ts compose [--image NAME --deployment FILE --out FILE]
       node scripts/deploy/main.ts expect --os-image FILE [--app-compose FILE] [--td-attributes HEX --xfam HEX]

compose  Writes the dstack manifest for the image recorded in deploy/image.json, and prints its compose hash.
  --image NAME        where the image can be pulled, e.g. registry.example/worker; no tag: the digest is added
  --deployment FILE   the contracts that the worker works for: measured
  --out FILE          Without it, deploy/app-compose.json and the digests in deploy/docker-compose.yaml are
                      written, for the simulated platform: a worker started from them refuses to start.

expect   Prints composeHash and workloadId that a VM will have, as JSON.
  --os-image FILE     JSON: what dstack-mr measure --json prints for OS image and shape, or a quote of a VM like it
  --app-compose FILE  the manifest, unchanged. Default: deploy/app-compose.json
  --td-attributes HEX, --xfam HEX
                      of the TD, 8 bytes each; a quote has them in it
`;
const root = fileURLToPath(new URL("../..", import.meta.url));
const file = (path: string) => join(root, "deploy", path);
const text = { type: "string" } as const;

async function compose(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { image: text, deployment: text, out: text } });
  const custom = values.image !== undefined || values.deployment !== undefined;
  if (custom && (values.out === undefined || values.deployment === undefined || values.image === undefined))
    throw new DeployUsageError("--image, --deployment and --out go together");
  const template = await readText(file("docker-compose.yaml"));
  const { digest } = (await readRecord(root)).image;
  const deployment = values.deployment === undefined ? undefined : await readDeployment(values.deployment);
  const composeFile = composeFileOf(template, { digest, repository: values.image, deployment });
  const manifest = appComposeOf(composeFile);
  if (!custom) await writeFile(file("docker-compose.yaml"), composeFile);
  await writeFile(values.out ?? file("app-compose.json"), manifest);
  process.stdout.write(`${JSON.stringify({ composeHash: sha256(stringToBytes(manifest)) })}\n`);
}

async function expect(args: string[]): Promise<void> {
  const options = { "os-image": text, "app-compose": text, "td-attributes": text, xfam: text };
  const { values } = parseArgs({ args, options });
  if (values["os-image"] === undefined) throw new DeployUsageError("--os-image is missing");
  const manifest = await readFile(values["app-compose"] ?? file("app-compose.json")).catch(unreadable("--app-compose"));
  const composeHash: Hex = sha256(manifest);
  const vm = { attributes: values["td-attributes"], xfam: values.xfam };
  const measurements = { composeHash, ...readMeasurements(await readText(values["os-image"]), vm) };
  const workloadId = workloadIdOf(measurements);
  process.stdout.write(`${JSON.stringify({ composeHash, workloadId, measurements }, null, 2)}\n`);
}

async function readDeployment(path: string): Promise<Deployment> {
  try {
    return deploymentSchema.parse(JSON.parse(await readText(path)));
  } catch (cause) {
    throw new DeployUsageError(`${path} is not a readable deployment file`, cause);
  }
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(unreadable(path));
}

function unreadable(what: string): (cause: unknown) => never {
  return (cause) => {
    throw new DeployUsageError(`${what} cannot be read`, cause);
  };
}

/** The command line is wrong. */
export class DeployUsageError extends BaseError {
  override readonly name = "Deploy.DeployUsageError";
  constructor(problem: string, cause?: unknown) {
    super(`Wrong usage: ${problem}.`, { hint: "Run `node scripts/deploy/main.ts --help`.", cause });
  }
}

async function main([command, ...args]: string[]): Promise<void> {
  if (process.argv.includes("--help")) process.stdout.write(help);
  else if (command === "compose") await compose(args);
  else if (command === "expect") await expect(args);
  else throw new DeployUsageError("the command is compose or expect");
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  const known = isUsage ? new DeployUsageError("an argument is unknown or lacks its value", error) : error;
  if (!(known instanceof BaseError)) throw known;
  process.stderr.write(`${known.name}: ${known.message}\n${known.hint}\n`);
  process.exitCode = known instanceof DeployUsageError ? 2 : 1;
}
