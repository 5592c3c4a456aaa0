/**
 * Room: scripts/image. What a root file system is made of, without anything of the machine that it was put together on:
 * no times, no owners but those said here, modes fixed whatever the umask, order by code point whatever the locale.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BaseError } from "../../protocol/errors.ts";

/** One file, folder or symbolic link. */
export type Entry = {
  /** From the root, without a slash at either end. */
  path: string;
  mode: number;
  /** User and group alike. Default: 0. */
  owner?: number;
} & ({ kind: "folder" } | { kind: "file"; bytes: Uint8Array } | { kind: "link"; target: string });

/** Longest path, in characters. */
const maxPathLength = 240;

/** A file that anyone may read. */
export function file(path: string, bytes: Uint8Array | string, mode = 0o644): Entry {
  return { kind: "file", path, mode, bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes };
}

/**
 * The entries in the order of a layer, each folder before what is in it; folders that are not named are root's, 0755.
 *
 * @throws {@link BadEntryError} if a path is not a plain one, or is there twice.
 * @example
 * inOrder([file("app/main.ts", "")]).map(({ path }) => path) // ["app", "app/main.ts"]
 */
export function inOrder(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (!isPlain(entry.path)) throw new BadEntryError(entry.path, "is not a plain relative path");
    if (byPath.has(entry.path)) throw new BadEntryError(entry.path, "is there twice");
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries)
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      const known = byPath.get(folder);
      if (known === undefined) byPath.set(folder, { kind: "folder", path: folder, mode: 0o755 });
      else if (known.kind !== "folder") throw new BadEntryError(path, `lies in ${folder}, which is no folder`);
    }
  return [...byPath.values()].sort((a, b) => compare(a.path, b.path));
}

/**
 * The files of a folder that `takes` wants, as readable by anyone and executable by nobody.
 *
 * @param takes - is given the path within the folder; of a folder, with a slash at the end.
 * @throws {@link BadEntryError} at anything but files and folders.
 * @example
 * await readFolder("enclave", "app/enclave", (path) => path.endsWith("/") || path.endsWith(".ts"))
 */
export async function readFolder(folder: string, at: string, takes: (path: string) => boolean): Promise<Entry[]> {
  const entries: Entry[] = [];
  const visit = async (within: string): Promise<void> => {
    for (const item of await readdir(join(folder, within), { withFileTypes: true })) {
      const path = `${within}${item.name}`;
      if (item.isDirectory()) {
        if (takes(`${path}/`)) await visit(`${path}/`);
      } else if (takes(path)) {
        if (!item.isFile()) throw new BadEntryError(path, "is neither file nor folder");
        entries.push(file(`${at}/${path}`, await readFile(join(folder, path))));
      }
    }
  };
  await visit("");
  return entries;
}

/** One line a file, as `sha256sum` writes and checks it, in order. */
export function hashLines(entries: readonly Entry[]): string {
  return inOrder(entries)
    .map((entry) => (entry.kind === "file" ? `${sha256(entry.bytes)}  ${entry.path}\n` : ""))
    .join("");
}

/** One hash for a part of the image: of its files and modes, and of where its links lead. */
export function treeHash(entries: readonly Entry[]): string {
  const lines = inOrder(entries).map((entry) => {
    const content = entry.kind === "file" ? sha256(entry.bytes) : entry.kind === "link" ? `> ${entry.target}` : "/";
    return `${entry.mode.toString(8)} ${entry.owner ?? 0} ${entry.path} ${content}\n`;
  });
  return sha256(lines.join(""));
}

/** SHA-256, as 64 digits of hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** By code point: the same in every locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Plain enough for every tool that unpacks a layer. */
function isPlain(path: string): boolean {
  const isShort = path.length <= maxPathLength;
  return isShort && /^[\w@+.,-]+(\/[\w@+.,-]+)*$/.test(path) && !/(^|\/)\.{1,2}(\/|$)/.test(path);
}

/** Something cannot be put into a layer. */
export class BadEntryError extends BaseError {
  override readonly name = "Image.BadEntryError";
  constructor(path: string, problem: string) {
    super(`${JSON.stringify(path.slice(0, 300))} ${problem}.`, {
      hint: "Only files and folders with names of letters, digits and @ _ + . , - go into the image, each once.",
    });
  }
}
