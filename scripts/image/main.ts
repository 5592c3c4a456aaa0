/**
 * `npm run image`: builds the worker's image into out/image. `--record` writes to deploy/ what was built; `--verify`
 * (`npm run image:verify`) compares with what is recorded there: exit code 0 if it is the same to the last bit, else 1 and
 * what differs. docs/BUILD.md.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BaseError } from "../../protocol/errors.ts";
import { buildImage } from "./buildImage.ts";
import { differences, readRecord, recordOf, writeRecord } from "./record.ts";
import { writeImage } from "./writeImage.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { out: { type: "string" }, record: { type: "boolean" }, verify: { type: "boolean" } },
  });
  const out = values.out ?? join(root, "out", "image");
  const mirror = process.env.DEBIAN_MIRROR;
  const image = await buildImage({ root, cache: join(root, "out", "debian"), ...(mirror ? { mirror } : {}) });
  const built = recordOf(image);
  await writeImage(image, { root, out });
  process.stdout.write(`sha256:${image.layout.digest}  ${(image.layout.sizeBytes / 1e6).toFixed(1)} MB  ${out}\n`);
  for (const { name, digest, sizeBytes } of built.image.layers)
    process.stdout.write(`  ${name.padEnd(9)} sha256:${digest}  ${(sizeBytes / 1e6).toFixed(1)} MB\n`);
  if (values.record) await writeRecord(root, built);
  if (!values.verify) return 0;
  const found = differences(await readRecord(root), built);
  for (const line of found) process.stdout.write(`differs: ${line}\n`);
  process.stdout.write(found.length === 0 ? "verified: the image is the recorded one\n" : "NOT the recorded image\n");
  return found.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BaseError)) throw error;
  process.stderr.write(`${error.name}: ${error.message}\n${error.hint}\n`);
  process.exitCode = 2;
}
