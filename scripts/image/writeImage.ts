/**
 * Room: scripts/image. Leaves a built image in a folder: the OCI layout, the archive, and what belongs beside them.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Image } from "./buildImage.ts";
import { run } from "./command.ts";
import { hashLines, sha256 } from "./entries.ts";
import { tarOf } from "./layer.ts";
import { billOfMaterials } from "./sbom.ts";

/**
 * Writes:
 *
 * - `oci/`: the OCI layout; `image.tar`: the same, for `docker load` and `skopeo copy oci-archive:`
 * - `rootfs.tar`: all layers in one, for deploy/Dockerfile; `files.sha256`: for `sha256sum -c` in the unpacked root
 * - `build-manifest.json`: as in the image; `sbom.cdx.json`: CycloneDX
 * - `build.json`: what must not be in the image, for it would change its digest: commit, hash of the lock file, digest
 *
 * @param out - is emptied.
 * @throws `CommandError`
 * @example
 * await writeImage(image, { root, out: "out/image" })
 */
export async function writeImage(image: Image, { root, out }: { root: string; out: string }): Promise<void> {
  const { layout, layers, manifestText, entries } = image;
  await rm(out, { recursive: true, force: true });
  for (const entry of layout.files) {
    if (entry.kind !== "file" || entry.path === "manifest.json") continue;
    const path = join(out, "oci", entry.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, entry.bytes);
  }
  const lock = await readFile(join(root, "package-lock.json"));
  const build = {
    digest: `sha256:${layout.digest}`,
    commit: await commitOf(root),
    lockFileSha256: sha256(lock),
    buildManifestSha256: sha256(manifestText),
    node: image.manifest.node,
    layers: layers.map(({ name, digest, diffId, bytes }) => ({ name, digest, diffId, sizeBytes: bytes.length })),
  };
  await writeFile(join(out, "image.tar"), await tarOf(layout.files));
  await writeFile(join(out, "rootfs.tar"), await tarOf(entries));
  await writeFile(join(out, "files.sha256"), hashLines(entries));
  await writeFile(join(out, "build-manifest.json"), manifestText);
  await writeFile(join(out, "build.json"), `${JSON.stringify(build, null, 2)}\n`);
  await writeFile(join(out, "sbom.cdx.json"), await billOfMaterials(root, image));
}

/** The commit that was built; with `-dirty` if the checkout is not it; null outside of git. */
async function commitOf(root: string): Promise<string | null> {
  try {
    const read = async (...args: string[]) => (await run("git", args, { folder: root })).toString("utf8").trim();
    const changed = await read(
      "status",
      "--porcelain",
      "--untracked-files=all",
      "enclave",
      "protocol",
      "scripts/image",
    );
    return `${await read("rev-parse", "HEAD")}${changed === "" ? "" : "-dirty"}`;
  } catch {
    return null;
  }
}
