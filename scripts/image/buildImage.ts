/**
 * Room: scripts/image. Builds the worker's image from this checkout: four layers, from what changes least to what changes
 * most, and the build manifest that says where each byte came from.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "../../protocol/errors.ts";
import base from "./base.json" with { type: "json" };
import { fetchPackage, readPackage } from "./debian.ts";
import { compare, type Entry, file, readFolder, sha256, treeHash } from "./entries.ts";
import { type Layer, makeLayer } from "./layer.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { install, type LockFile, packagesOf, readNpmPackage } from "./packages.ts";
import { imports, manifestPath, nodePackage, packageJson, rooms, runConfig, system } from "./worker.ts";

/** In the image, at `/app/build-manifest.json`: every input by its hash. All hashes are SHA-256, hex. */
export type BuildManifest = {
  v: 1;
  platform: "linux/amd64";
  node: { version: string; integrity: string; sha256: string };
  /** `package`: of the .deb; `sha256`, here and below: over the files that are in the image. */
  debian: { name: string; version: string; package: string; sha256: string }[];
  /** `integrity`: of the tarball, from the lock file. */
  npm: { path: string; version: string; integrity: string; sha256: string }[];
  /** The project's own files. */
  sources: { path: string; sha256: string }[];
  /** The layers under the one that this file is in. */
  layers: { name: string; diffId: string }[];
};

/** A built image. */
export type Image = {
  version: string;
  layout: Layout;
  layers: Layer[];
  manifest: BuildManifest;
  /** The bytes that are in the image. */
  manifestText: string;
  /** All that is in the image. */
  entries: Entry[];
};

/**
 * Builds the image. Needs npm, dpkg-deb, and apt-get or a mirror.
 *
 * @param root - the checkout.
 * @param cache - folder that keeps what was fetched.
 * @throws {@link WrongNodeError}, `CommandError`, `PackageHashError`, `PackageMissingError`, `PackageFileError`,
 * `LockError`, `BadEntryError`
 * @example
 * const { layout } = await buildImage({ root, cache: "out/image/debian" })
 */
export async function buildImage(options: { root: string; cache: string; mirror?: string }): Promise<Image> {
  const { root, cache, mirror } = options;
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as LockFile & { version: string };
  const [node] = packagesOf(lock, [nodePackage]);
  if (node === undefined || process.versions.node !== node.version) throw new WrongNodeError(node?.version);
  const folder = await mkdtemp(join(tmpdir(), "image-"));
  try {
    await install(root, folder);
    const debian = await Promise.all(
      base.packages.map(async (pinned) => {
        return { pinned, entries: await readPackage(pinned, await fetchPackage(pinned, cache, mirror)) };
      }),
    );
    const nodeBytes = await readFile(join(folder, node.path, "bin/node"));
    const npm = await Promise.all(
      packagesOf(lock, imports).map(async (pkg) => ({ pkg, entries: await readNpmPackage(folder, pkg) })),
    );
    const sources = await readSources(root);
    const under = [
      { name: "debian", entries: [...system, ...debian.flatMap(({ entries }) => entries)] },
      { name: "node", entries: [file("usr/local/bin/node", nodeBytes, 0o755)] },
      { name: "packages", entries: npm.flatMap(({ entries }) => entries) },
    ];
    const layers: Layer[] = [];
    for (const { name, entries } of under) layers.push(await makeLayer(name, entries));
    const manifest: BuildManifest = {
      v: 1,
      platform: "linux/amd64",
      node: { version: node.version, integrity: node.integrity, sha256: sha256(nodeBytes) },
      debian: debian.map(({ pinned: { name, version, sha256 }, entries }) => {
        return { name, version, package: sha256, sha256: treeHash(entries) };
      }),
      npm: npm.map(({ pkg: { path, version, integrity }, entries }) => {
        return { path, version, integrity, sha256: treeHash(entries) };
      }),
      sources: sources.map((entry) => ({ path: entry.path, sha256: entry.kind === "file" ? sha256(entry.bytes) : "" })),
      layers: layers.map(({ name, diffId }) => ({ name, diffId })),
    };
    const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
    const own = [...sources, packageJson(lock.version), file(manifestPath, manifestText)];
    layers.push(await makeLayer("worker", own));
    const entries = [...under.flatMap((layer) => layer.entries), ...own];
    const reference = `data-collab-market:${lock.version}`;
    const layout = layoutOf(reference, layers, runConfig(lock.version));
    return { version: lock.version, layout, layers, manifest, manifestText, entries };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readSources(root: string): Promise<Entry[]> {
  const isSource = (path: string) => path.endsWith("/") || path.endsWith(".ts");
  const read = await Promise.all(rooms.map((room) => readFolder(join(root, room), `app/${room}`, isSource)));
  return read.flat().sort((a, b) => compare(a.path, b.path));
}

/** Another Node compresses to other bytes. */
export class WrongNodeError extends BaseError {
  override readonly name = "Image.WrongNodeError";
  constructor(wanted: string | undefined) {
    super(`This is Node ${process.versions.node}; the image is built with ${wanted ?? "the one in the lock file"}.`, {
      hint: "Run `npm ci` and then `npm run image`, on Linux on x64: the right Node comes with it.",
    });
  }
}
