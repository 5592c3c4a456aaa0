/** The image's pieces on small trees. The whole image is built and compared by `npm run image:verify`. */
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { expect } from "chai";
import { type DebianPackage, fetchPackage, PackageHashError, PackageMissingError } from "../../scripts/image/debian.ts";
import {
  BadEntryError,
  type Entry,
  file,
  hashLines,
  inOrder,
  readFolder,
  sha256,
} from "../../scripts/image/entries.ts";
import { makeLayer, tarOf } from "../../scripts/image/layer.ts";
import { layoutOf } from "../../scripts/image/layout.ts";
import { LockError, packagesOf } from "../../scripts/image/packages.ts";
import { BadRecordError, differences, type ImageRecord, readRecord } from "../../scripts/image/record.ts";
import { imports, rooms, runConfig, system } from "../../scripts/image/worker.ts";
import { startFileServer } from "../support/fileServer.ts";
import { rejection } from "../support/rejection.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tree: Entry[] = [
  file("app/b.ts", "export {};\n"),
  { kind: "link", path: "lib/so", mode: 0o777, target: "so.1" },
  file("app/a+b@1/node", "binary", 0o755),
  { kind: "folder", path: "var/lib/worker", mode: 0o700, owner: 10_001 },
];

describe("image", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dcm-image-"));
  });
  after(() => rm(folder, { recursive: true }));

  describe("inOrder", () => {
    it("puts each folder before what is in it, by code point, whatever order was given", () => {
      const paths = [
        "app",
        "app/a+b@1",
        "app/a+b@1/node",
        "app/b.ts",
        "lib",
        "lib/so",
        "var",
        "var/lib",
        "var/lib/worker",
      ];
      expect(inOrder(tree).map(({ path }) => path)).to.deep.equal(paths);
      expect(inOrder([...tree].reverse())).to.deep.equal(inOrder(tree));
      expect(inOrder([file("Z", ""), file("a", ""), file("B", "")]).map(({ path }) => path)).to.deep.equal([
        "B",
        "Z",
        "a",
      ]);
    });

    it("refuses a path that leaves the root, is there twice, or lies under a file", async () => {
      const wrong: [Entry[], string][] = [
        [[file("../etc/passwd", "")], '"../etc/passwd" is not a plain relative path.'],
        [[file("/etc/passwd", "")], '"/etc/passwd" is not a plain relative path.'],
        [[file("a/./b", "")], '"a/./b" is not a plain relative path.'],
        [[file("a\nb", "")], '"a\\nb" is not a plain relative path.'],
        [[file("a/", "")], '"a/" is not a plain relative path.'],
        [[file("a", ""), file("a", "x")], '"a" is there twice.'],
        [[file("a", ""), file("a/b", "")], '"a/b" lies in a, which is no folder.'],
      ];
      for (const [entries, message] of wrong)
        expect((await rejection(() => inOrder(entries), BadEntryError)).message).to.equal(message);
    });
  });

  describe("makeLayer", () => {
    it("gives this archive on every machine, and the same layer for the same entries in any order", async () => {
      const layer = await makeLayer("worker", tree);
      expect(layer.diffId).to.equal("6ddb7b818a96977857b90f3428961f123b394e5e991f95c2440079bb604b7185");
      expect(await makeLayer("worker", [...tree].reverse())).to.deep.equal(layer);
      expect(sha256(zstdDecompressSync(layer.bytes))).to.equal(layer.diffId);
      expect(sha256(layer.bytes)).to.equal(layer.digest);
    });

    it("takes over nothing of the checkout: not times, modes, owners, order of creation or path", async () => {
      const layers = await Promise.all(
        ["one", "two"].map(async (name, place) => {
          const at = join(folder, name, "enclave");
          await mkdir(join(at, "inner"), { recursive: true });
          for (const path of place === 0 ? ["a.ts", "inner/b.ts"] : ["inner/b.ts", "a.ts"])
            await writeFile(join(at, path), path);
          await writeFile(join(at, "junk.log"), name);
          await chmod(join(at, "a.ts"), place === 0 ? 0o600 : 0o777);
          await utimes(join(at, "a.ts"), 1_000_000 * place, 1_000_000 * place);
          return makeLayer("worker", await readFolder(at, "app/enclave", (path) => /(\/|\.ts)$/.test(path)));
        }),
      );
      expect(layers[0]).to.deep.equal(layers[1]);
      const other = await makeLayer("worker", [file("app/enclave/a.ts", "a.ts"), file("app/enclave/inner/b.ts", "b")]);
      expect(other.diffId).to.not.equal(layers[0]?.diffId);
    });

    it("refuses a link in a folder: where it leads is not what was looked at", async () => {
      const at = await mkdtemp(join(folder, "link-"));
      await symlink("/etc/passwd", join(at, "a.ts"));
      const { message } = await rejection(
        readFolder(at, "app", () => true),
        BadEntryError,
      );
      expect(message).to.equal('"a.ts" is neither file nor folder.');
    });
  });

  describe("layoutOf", () => {
    it("names every blob by its hash, from the index down to the archives of the layers", async () => {
      const layers = [await makeLayer("debian", system), await makeLayer("worker", tree)];
      const { digest, configDigest, files, sizeBytes } = layoutOf("worker:1", layers, runConfig("1"));
      const blobs = new Map(files.map((entry) => [entry.path, entry.kind === "file" ? entry.bytes : Buffer.alloc(0)]));
      const read = (path: string) => JSON.parse(Buffer.from(blobs.get(path) ?? []).toString("utf8"));
      for (const [path, bytes] of blobs)
        if (path.startsWith("blobs/")) expect(path).to.equal(`blobs/sha256/${sha256(bytes)}`);
      const [{ digest: named, size }] = read("index.json").manifests;
      expect(named).to.equal(`sha256:${digest}`);
      const manifest = read(`blobs/sha256/${digest}`);
      expect(manifest.config.digest).to.equal(`sha256:${configDigest}`);
      expect(manifest.layers.map((layer: { digest: string }) => layer.digest)).to.deep.equal(
        layers.map((layer) => `sha256:${layer.digest}`),
      );
      const config = read(`blobs/sha256/${configDigest}`);
      expect(config.rootfs.diff_ids).to.deep.equal(layers.map(({ diffId }) => `sha256:${diffId}`));
      expect(config.config.User).to.equal("10001:10001");
      const pulled = [size, manifest.config.size, ...manifest.layers.map((layer: { size: number }) => layer.size)];
      expect(sizeBytes).to.equal(pulled.reduce((sum, one) => sum + one, 0));
    });

    it("does not take the tag into the digest", async () => {
      const layers = [await makeLayer("worker", tree)];
      const [one, two] = ["worker:1", "other:2"].map((name) => layoutOf(name, layers, runConfig("1")));
      expect(one?.digest).to.equal(two?.digest);
    });
  });

  describe("packagesOf", () => {
    const integrity = "sha512-x";
    const lock = {
      packages: {
        "": {},
        "node_modules/a": {
          ...{ version: "1.0.0", integrity, dependencies: { b: "1", here: "1", there: "1" } },
          ...{ optionalDependencies: { here: "1", there: "1" }, peerDependencies: { peer: "1", loose: "1" } },
          peerDependenciesMeta: { loose: { optional: true } },
        },
        "node_modules/a/node_modules/b": { version: "2.0.0", integrity, dependencies: { c: "1" } },
        "node_modules/b": { version: "1.0.0", integrity },
        "node_modules/c": { version: "1.0.0", integrity, dependencies: { a: "1" } },
        "node_modules/here": { version: "1.0.0", integrity, os: "linux", cpu: ["x64"], libc: ["glibc"] },
        "node_modules/there": { version: "1.0.0", integrity, os: ["darwin"] },
        "node_modules/not": { version: "1.0.0", integrity, os: ["!linux"] },
        "node_modules/peer": { version: "1.0.0", integrity },
        "node_modules/loose": { version: "1.0.0", integrity },
        "node_modules/bare": { version: "1.0.0" },
      },
    };

    it("follows dependencies as Node finds them, peers insisted on, and optional ones of this platform alone", () => {
      const paths = packagesOf(lock, ["a"]).map(({ path }) => path.replaceAll("node_modules/", ""));
      expect(paths).to.deep.equal(["a", "a/b", "c", "here", "peer"]);
      expect(packagesOf(lock, ["b"]).map(({ version }) => version)).to.deep.equal(["1.0.0"]);
    });

    it("refuses what is not locked, is for another platform, or is locked without a hash", async () => {
      for (const [name, problem] of [
        ["gone", "gone is not in the lock file for this platform."],
        ["not", "not is not in the lock file for this platform."],
        ["bare", "bare is locked without a hash."],
      ] as const)
        expect((await rejection(() => packagesOf(lock, [name]), LockError)).message).to.equal(problem);
    });

    it("has all that worker and protocol import, and nothing else", async () => {
      const used = new Set<string>();
      for (const room of rooms)
        for (const entry of await readFolder(join(root, room), room, (path) => /(\/|\.ts)$/.test(path))) {
          const source = entry.kind === "file" ? Buffer.from(entry.bytes).toString("utf8") : "";
          // Statements, not the examples in comments; and files that engines find by their package's name.
          for (const [, name = ""] of source.matchAll(/^(?:import|export|\}).* from "([^".][^"]*)";/gm)) used.add(name);
          for (const [, name = ""] of source.matchAll(/import\.meta[^\n]*\.?resolve\("([^".][^"]*)"\)/g))
            used.add(name);
        }
      const names = [...used]
        .filter((name) => !name.startsWith("node:") && !builtinModules.includes(name))
        .map((name) =>
          name
            .split("/")
            .slice(0, name.startsWith("@") ? 2 : 1)
            .join("/"),
        );
      // Found by way of @duckdb/node-bindings, whose optional dependency it is.
      const direct = [...new Set(names)].filter((name) => name !== "@duckdb/node-bindings-linux-x64").sort();
      expect(direct).to.deep.equal([...imports].sort());
    });
  });

  describe("fetchPackage", () => {
    const deb = Buffer.from("a package");
    const pinned: DebianPackage = {
      ...{ name: "libx", version: "1", archive: "debian", path: "pool/main/x.deb" },
      ...{ sizeBytes: deb.length, sha256: sha256(deb), files: [] },
    };

    it("takes what is pinned, keeps it, and asks nobody again", async () => {
      const asked: (string | undefined)[] = [];
      const server = await startFileServer((request, response) => {
        asked.push(request.url);
        response.end(deb);
      });
      const cache = join(folder, "kept");
      try {
        const kept = await fetchPackage(pinned, cache, `${server.url}/{archive}/2026/`);
        expect(await readFile(kept)).to.deep.equal(deb);
        expect(await fetchPackage(pinned, cache, server.url)).to.equal(kept);
        expect(asked).to.deep.equal(["/debian/2026/pool/main/x.deb"]);
        await writeFile(kept, "changed on disk");
        await fetchPackage(pinned, cache, server.url);
        expect(await readFile(kept)).to.deep.equal(deb);
      } finally {
        await server.close();
      }
    });

    it("throws PackageHashError at other bytes, and PackageMissingError where there are none; neither is kept", async () => {
      const server = await startFileServer((request, response) => {
        if (request.url?.startsWith("/none")) response.statusCode = 404;
        response.end("b package");
      });
      const cache = join(folder, "refused");
      try {
        const other = await rejection(fetchPackage(pinned, cache, server.url), PackageHashError);
        const hashes = [sha256("b package"), pinned.sha256];
        expect(other.message).to.equal(`libx 1: SHA-256 is ${hashes[0]}, pinned is ${hashes[1]}.`);
        const missing = await rejection(fetchPackage(pinned, cache, `${server.url}/none`), PackageMissingError);
        expect(missing.message).to.equal("libx was not fetched: the mirror answered 404.");
        await rejection(readFile(join(cache, `${pinned.sha256}.deb`)), Error);
      } finally {
        await server.close();
      }
    });
  });

  describe("the record in deploy/", () => {
    it("is whole: the recorded manifest is the one that the image holds", async () => {
      const { image, manifestText } = await readRecord(root);
      expect(image.sizeBytes).to.be.lessThan(120_000_000);
      expect(sha256(manifestText)).to.equal(image.buildManifest);
    });

    it("names each input and layer in which a build differs", async () => {
      const recorded = await readRecord(root);
      expect(differences(recorded, recorded)).to.deep.equal([]);
      const manifest = JSON.parse(recorded.manifestText);
      manifest.sources[0].sha256 = "0".repeat(64);
      manifest.npm.pop();
      manifest.debian[0].package = "0".repeat(64);
      manifest.node.version = "0.0.0";
      const last = JSON.parse(recorded.manifestText).npm.at(-1).path;
      const layers = recorded.image.layers.map((layer, place) =>
        place === 2 ? { ...layer, digest: "1".repeat(64) } : layer,
      );
      const built: ImageRecord = { image: { ...recorded.image, layers }, manifestText: JSON.stringify(manifest) };
      const names = ["node", `debian package ${manifest.debian[0].name}`, last, manifest.sources[0].path];
      expect(differences(recorded, built)).to.deep.equal([...names, "layer packages", "image"]);
      const other = { ...recorded, image: { ...recorded.image, configDigest: "2".repeat(64) } };
      expect(differences(recorded, other)).to.deep.equal(["image"]);
    });

    it("is refused when its files are of two builds, or not there", async () => {
      const at = await mkdtemp(join(folder, "record-"));
      const missing = await rejection(readRecord(at), BadRecordError);
      expect(missing.message).to.equal(
        "The image recorded in deploy/ cannot be read: a file is missing or not of its form.",
      );
      await mkdir(join(at, "deploy"));
      const { image, manifestText } = await readRecord(root);
      await writeFile(join(at, "deploy/image.json"), JSON.stringify(image));
      await writeFile(join(at, "deploy/build-manifest.json"), `${manifestText} `);
      const torn = await rejection(readRecord(at), BadRecordError);
      expect(torn.message).to.equal(
        "The image recorded in deploy/ cannot be read: its two files do not belong together.",
      );
    });
  });

  it("lists files as sha256sum checks them", async () => {
    expect(hashLines(tree).split("\n")[0]).to.equal(`${sha256("binary")}  app/a+b@1/node`);
    expect((await tarOf(tree)).length % 512).to.equal(0);
  });
});
