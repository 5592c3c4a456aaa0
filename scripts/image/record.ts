/**
 * Room: scripts/image. What deploy/ says of the image that was built last, and how another build differs from it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import type { Image } from "./buildImage.ts";
import { sha256 } from "./entries.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const names = z.string().max(300);

/** deploy/image.json. All hashes are SHA-256, hex. */
const imageSchema = z.strictObject({
  v: z.literal(1),
  name: names,
  version: names,
  /** Of the OCI manifest: `name@sha256:digest`. */
  digest,
  configDigest: digest,
  /** Of /app/build-manifest.json in the image, and of deploy/build-manifest.json. */
  buildManifest: digest,
  /** What is pulled. */
  sizeBytes: z.int().positive(),
  layers: z.array(z.strictObject({ name: names, digest, diffId: digest, sizeBytes: z.int().positive() })).max(16),
});

/** The parts of deploy/build-manifest.json that are compared one by one. */
const manifestSchema = z.object({
  node: z.looseObject({}),
  debian: z.array(z.looseObject({ name: names })).max(1000),
  npm: z.array(z.looseObject({ path: names })).max(10_000),
  sources: z.array(z.looseObject({ path: names })).max(10_000),
});

/** What is recorded of an image. */
export type ImageRecord = { image: z.output<typeof imageSchema>; manifestText: string };

const files = { image: "deploy/image.json", manifest: "deploy/build-manifest.json" } as const;

/**
 * What is to be recorded of an image.
 *
 * @example
 * const { image } = recordOf(await buildImage(options))
 */
export function recordOf({ layout, layers, manifestText, version }: Image): ImageRecord {
  return {
    image: {
      v: 1,
      name: "data-collab-market",
      version,
      digest: layout.digest,
      configDigest: layout.configDigest,
      buildManifest: sha256(manifestText),
      sizeBytes: layout.sizeBytes,
      layers: layers.map(({ name, digest, diffId, bytes }) => ({ name, digest, diffId, sizeBytes: bytes.length })),
    },
    manifestText,
  };
}

/** Writes a record into deploy/. */
export async function writeRecord(root: string, { image, manifestText }: ImageRecord): Promise<void> {
  await writeFile(join(root, files.image), `${JSON.stringify(image, null, 2)}\n`);
  await writeFile(join(root, files.manifest), manifestText);
}

/**
 * Reads the record in deploy/.
 *
 * @throws {@link BadRecordError} if it is not there, not of its form, or its two files do not belong together.
 * @example
 * const { image } = await readRecord(root)
 */
export async function readRecord(root: string): Promise<ImageRecord> {
  try {
    const image = imageSchema.parse(JSON.parse(await readFile(join(root, files.image), "utf8")));
    const manifestText = await readFile(join(root, files.manifest), "utf8");
    if (sha256(manifestText) !== image.buildManifest) throw new BadRecordError("its two files do not belong together");
    return { image, manifestText };
  } catch (cause) {
    if (cause instanceof BadRecordError) throw cause;
    throw new BadRecordError("a file is missing or not of its form", cause);
  }
}

/**
 * How a build differs from what is recorded: inputs first, then layers, then the whole. Empty: not at all.
 *
 * @example
 * differences(recorded, built) // ["app/enclave/main.ts", "layer worker", "image"]
 */
export function differences(recorded: ImageRecord, built: ImageRecord): string[] {
  const [before, now] = [inputsOf(recorded), inputsOf(built)];
  const inputs = [...new Set([...before.keys(), ...now.keys()])].filter((name) => before.get(name) !== now.get(name));
  const layersOf = ({ image }: ImageRecord) => new Map(image.layers.map(({ name, digest }) => [name, digest]));
  const [layersBefore, layersNow] = [layersOf(recorded), layersOf(built)];
  const layers = [...new Set([...layersBefore.keys(), ...layersNow.keys()])]
    .filter((name) => layersBefore.get(name) !== layersNow.get(name))
    .map((name) => `layer ${name}`);
  const isSame = JSON.stringify(recorded.image) === JSON.stringify(imageSchema.parse(built.image));
  return [...inputs, ...layers, ...(isSame ? [] : ["image"])];
}

function inputsOf({ manifestText }: ImageRecord): Map<string, string> {
  const { node, debian, npm, sources } = manifestSchema.parse(JSON.parse(manifestText));
  const named: [string, object][] = [
    ...debian.map((input): [string, object] => [`debian package ${input.name}`, input]),
    ...[...npm, ...sources].map((input): [string, object] => [input.path, input]),
  ];
  return new Map([["node", node], ...named].map(([name, input]) => [name as string, JSON.stringify(input)]));
}

/** There is nothing to compare a build with. */
export class BadRecordError extends BaseError {
  override readonly name = "Image.BadRecordError";
  constructor(problem: string, cause?: unknown) {
    super(`The image recorded in deploy/ cannot be read: ${problem}.`, {
      hint: "Restore deploy/image.json and deploy/build-manifest.json, or record anew: `npm run image -- --record`.",
      cause,
    });
  }
}
