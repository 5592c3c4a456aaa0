/**
 * Room: enclave/attestation/builtFrom. What an attestation says beside the quote of what the enclave was started from. For
 * people and tools that look it up: whoever verifies reads the measured compose file, and builds the image anew.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";

/** Where an image has its build manifest: beside the worker's folder. */
const manifestFile = new URL("../../build-manifest.json", import.meta.url);
const maxImages = 64;

/**
 * SHA-256 of the image's build manifest.
 *
 * @returns null where the worker runs from no image.
 * @throws {@link BuildManifestUnreadableError} if it is there and cannot be read.
 * @example
 * const buildManifest = await readBuildManifestHash()
 */
export async function readBuildManifestHash(file: URL = manifestFile): Promise<Hex | null> {
  try {
    return `0x${createHash("sha256")
      .update(await readFile(file))
      .digest("hex")}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new BuildManifestUnreadableError(error);
  }
}

/**
 * The images that a measured manifest names, in order of their names, each once.
 *
 * @param appCompose - raw app-compose.json.
 * @returns none if it is not as expected: the quote says what counts.
 * @example
 * imagesIn(appCompose) // ["worker@sha256:..."]
 */
export function imagesIn(appCompose: string): string[] {
  const found = [...appCompose.matchAll(/(?:^|\\n|\\r)[ ]*image:[ ]*["'\\]*([\w./:@-]{1,512})/g)].map(
    ([, image]) => image,
  );
  return [...new Set(found.filter((image) => image !== undefined))].sort().slice(0, maxImages);
}

/** The build manifest is in the image and cannot be read. */
export class BuildManifestUnreadableError extends BaseError {
  override readonly name = "Platform.BuildManifestUnreadableError";
  constructor(cause: unknown) {
    super("The image's build manifest cannot be read.", {
      hint: "Run the image as its compose file says: its files are readable by all.",
      cause,
    });
  }
}
