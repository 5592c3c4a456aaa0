/**
 * Room: scripts/image. An image as an OCI layout, and the same as one archive that `docker load`, `podman load` and
 * `skopeo copy oci-archive:` read. Pure: bytes in, files out.
 * Source: OCI image specification 1.1: manifest.md, config.md, image-layout.md; docker image specification 1.2 (manifest.json).
 */
import { type Entry, file, sha256 } from "./entries.ts";
import type { Layer } from "./layer.ts";

/** How the image runs when nothing else is said. */
export type RunConfig = {
  user: string;
  env: readonly string[];
  command: readonly string[];
  folder: string;
  labels: Readonly<Record<string, string>>;
};

/** An image. */
export type Layout = {
  /** Of the manifest, hex: `NAME@sha256:DIGEST`. */
  digest: string;
  /** Of the configuration, hex: what docker shows as the image's id. */
  configDigest: string;
  /** Bytes that are pulled: manifest, configuration, layers. */
  sizeBytes: number;
  /** The files of the layout, and docker's `manifest.json`. */
  files: Entry[];
};

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

/**
 * Puts an image together.
 *
 * @param reference - name and tag for tools that load the archive, e.g. "worker:0.1.0"; not part of the digest.
 * @example
 * const { digest, files } = layoutOf("worker:0.1.0", layers, config)
 */
export function layoutOf(reference: string, layers: readonly Layer[], run: RunConfig): Layout {
  const config = json({
    created: "1970-01-01T00:00:00Z",
    architecture: "amd64",
    os: "linux",
    config: { User: run.user, Env: run.env, Cmd: run.command, WorkingDir: run.folder, Labels: run.labels },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => `sha256:${diffId}`) },
    history: layers.map(({ name }) => ({ created: "1970-01-01T00:00:00Z", created_by: `npm run image: ${name}` })),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(types.config, config),
    layers: layers.map(({ bytes }) => descriptor(types.layer, bytes)),
  });
  const tag = reference.slice(reference.lastIndexOf(":") + 1);
  const index = json({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      {
        ...descriptor(types.manifest, manifest),
        platform: { architecture: "amd64", os: "linux" },
        annotations: { "io.containerd.image.name": reference, "org.opencontainers.image.ref.name": tag },
      },
    ],
  });
  const forDocker = json([
    { Config: blobPath(config), RepoTags: [reference], Layers: layers.map(({ bytes }) => blobPath(bytes)) },
  ]);
  const blobs = [manifest, config, ...layers.map(({ bytes }) => bytes)];
  return {
    digest: sha256(manifest),
    configDigest: sha256(config),
    sizeBytes: blobs.reduce((sum, { length }) => sum + length, 0),
    files: [
      file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
      file("index.json", index),
      file("manifest.json", forDocker),
      ...blobs.map((bytes) => file(blobPath(bytes), bytes)),
    ],
  };
}

function descriptor(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
}

function blobPath(bytes: Uint8Array): string {
  return `blobs/sha256/${sha256(bytes)}`;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
