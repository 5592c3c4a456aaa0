/**
 * Room: scripts/image. The files of Debian that the image holds: out of packages pinned by SHA-256 in base.json, and of
 * each only the files named there. No shell, no package manager, nothing that is not needed.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { BaseError } from "../../protocol/errors.ts";
import { run } from "./command.ts";
import { type Entry, sha256 } from "./entries.ts";

/** A Debian package as pinned in base.json. */
export type DebianPackage = {
  name: string;
  version: string;
  /** Which of Debian's archives it is in. */
  archive: string;
  /** Its path there. */
  path: string;
  sizeBytes: number;
  sha256: string;
  /** What of it is taken, as paths from the root. */
  files: readonly string[];
};

/**
 * Fetches a package, or takes it from the folder where an earlier build left it.
 *
 * @param folder - keeps packages by their hash.
 * @param mirror - URL under which `pool/` lies, with `{archive}` for `debian` or `debian-security`; undefined: apt-get is asked.
 * @returns the path of the .deb.
 * @throws {@link PackageHashError} if what came is not what is pinned, `CommandError` if apt-get has it no more.
 * @example
 * await fetchPackage(base.packages[0], "out/image/debian", process.env.DEBIAN_MIRROR)
 */
export async function fetchPackage(pinned: DebianPackage, folder: string, mirror?: string): Promise<string> {
  const kept = join(folder, `${pinned.sha256}.deb`);
  const known = await readFile(kept).catch(() => undefined);
  if (known !== undefined && sha256(known) === pinned.sha256) return kept;
  await mkdir(folder, { recursive: true });
  const arriving = await mkdtemp(join(folder, "arriving-"));
  try {
    const bytes = mirror === undefined ? await fromApt(pinned, arriving) : await fromMirror(pinned, mirror);
    if (bytes.length !== pinned.sizeBytes || sha256(bytes) !== pinned.sha256) throw new PackageHashError(pinned, bytes);
    await writeFile(join(arriving, "whole"), bytes);
    await rename(join(arriving, "whole"), kept);
    return kept;
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

async function fromApt({ name, version }: DebianPackage, folder: string): Promise<Uint8Array> {
  await run("apt-get", ["download", `${name}=${version}`], { folder });
  const [arrived = ""] = await readdir(folder);
  return readFile(join(folder, arrived));
}

async function fromMirror({ archive, path, name }: DebianPackage, mirror: string): Promise<Uint8Array> {
  const folder = mirror.replaceAll("{archive}", archive).replace(/\/+$/, "");
  const answer = await fetch(`${folder}/${path}`, { signal: AbortSignal.timeout(120_000) }).catch((cause: unknown) => {
    throw new PackageMissingError(name, "the mirror does not answer", cause);
  });
  if (!answer.ok) throw new PackageMissingError(name, `the mirror answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * The files of a package that are named.
 *
 * @throws {@link PackageFileError} if it has one of them not, or as something else than file or link.
 * @example
 * await readPackage(pinned, path)
 */
export async function readPackage(pinned: DebianPackage, path: string): Promise<Entry[]> {
  const archive = await run("dpkg-deb", ["--fsys-tarfile", path], { folder: "." });
  const wanted = new Set(pinned.files);
  const entries: Entry[] = [];
  const reader = Readable.from([archive]).pipe(extract());
  for await (const item of reader) {
    const { name, type, mode = 0, linkname } = item.header;
    const itemPath = name.replace(/^\.?\//, "");
    const chunks: Buffer[] = [];
    for await (const chunk of item) chunks.push(chunk as Buffer);
    if (!wanted.delete(itemPath)) continue;
    // Set-user-id bits stay behind.
    if (type === "file")
      entries.push({ kind: "file", path: itemPath, mode: mode & 0o111 ? 0o755 : 0o644, bytes: Buffer.concat(chunks) });
    else if (type === "symlink" && linkname)
      entries.push({ kind: "link", path: itemPath, mode: 0o777, target: linkname });
    else throw new PackageFileError(pinned.name, itemPath);
  }
  const [missing] = wanted;
  if (missing !== undefined) throw new PackageFileError(pinned.name, missing);
  return entries;
}

/** A package is not the one that was pinned. */
export class PackageHashError extends BaseError {
  override readonly name = "Image.PackageHashError";
  constructor({ name, version, sha256: expected }: DebianPackage, bytes: Uint8Array) {
    super(`${name} ${version}: SHA-256 is ${sha256(bytes)}, pinned is ${expected}.`, {
      hint: "Do not use what was fetched. Fetch it from another mirror: DEBIAN_MIRROR, see docs/BUILD.md.",
    });
  }
}

/** A mirror does not have a package. */
export class PackageMissingError extends BaseError {
  override readonly name = "Image.PackageMissingError";
  constructor(name: string, problem: string, cause?: unknown) {
    super(`${name} was not fetched: ${problem}.`, {
      hint: "Mirrors drop old versions: set DEBIAN_MIRROR to Debian's snapshot archive, see docs/BUILD.md.",
      retryable: true,
      cause,
    });
  }
}

/** A package does not hold what base.json names. */
export class PackageFileError extends BaseError {
  override readonly name = "Image.PackageFileError";
  constructor(name: string, path: string) {
    super(`${name} has no file or link ${path}.`, { hint: "Correct `files` in scripts/image/base.json." });
  }
}
