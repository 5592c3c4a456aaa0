/**
 * Room: sdk/node/programDir. Programs as directories: manifest.json and the files that it lists.
 */
import { lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { checkProgram, maxBundleBytes, type Program } from "../../protocol/program.ts";
import { FileUnreadableError, readBounded, readText, writeAtomic } from "./files.ts";

const maxManifestBytes = 256 * 1024;
const maxFiles = 64;
const listSchema = z.object({ files: z.array(z.object({ path: z.string() })).max(maxFiles) });

/**
 * Reads a program and checks it against its manifest. Files that the manifest does not list are no part of it.
 *
 * @throws {@link NotAProgramError} | BadManifestError | FileMismatchError | FileUnreadableError
 * @example
 * const { id } = await readProgram("programs/yearly-correlation")
 */
export async function readProgram(directory: string): Promise<Program> {
  const manifest = await readManifest(directory);
  const list = listSchema.safeParse(manifest);
  const paths = list.success ? list.data.files.map((file) => file.path) : []; // else checkProgram says what is wrong
  // The manifest may be a stranger's: its paths must not lead out of the directory.
  if (paths.some((path) => path.split("/").includes("..") || path.startsWith("/") || path.includes("\\")))
    throw new NotAProgramError(directory, "its manifest lists a path outside of it");
  return checkProgram(manifest, await readFiles(directory, paths));
}

/**
 * Lists and hashes a program's files anew and writes them into its manifest: every file but manifest.json, Markdown,
 * licences and hidden files.
 *
 * @throws as {@link readProgram} | FileUnwritableError
 * @example
 * const { id } = await writeProgramManifest("programs/mine")
 */
export async function writeProgramManifest(directory: string): Promise<Program> {
  const manifest = await readManifest(directory);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== "manifest.json" && !/(^|\/)(\.|node_modules\/|LICEN[CS]E)|\.md$/i.test(path))
    .sort();
  if (paths.length > maxFiles) throw new NotAProgramError(directory, `it has more than ${maxFiles} files`);
  const contents = await readFiles(directory, paths);
  const files = [...contents].map(([path, bytes]) => ({ path, sha256: bytesToHex(sha256(bytes)), size: bytes.length }));
  const program = checkProgram({ ...manifest, files }, contents);
  const text = `${JSON.stringify(program.manifest, null, 2)}\n`;
  await writeAtomic(join(directory, "manifest.json"), text, { mode: 0o644, overwrite: true });
  return program;
}

/**
 * Writes a program's manifest and files into a new directory.
 *
 * @param directory - is made; its parent must be there.
 * @throws {@link NotAProgramError} if the directory is there | FileUnwritableError
 * @example
 * await writeProgram(unpackProgram(bytes), "theirs")
 */
export async function writeProgram({ manifest, files }: Program, directory: string): Promise<void> {
  await mkdir(directory).catch(() => {
    throw new NotAProgramError(directory, "it is there already, or its parent is not");
  });
  // checkProgram lets no path climb: each part starts with a letter, a digit, _ or -.
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeAtomic(join(directory, path), bytes, { mode: 0o644, overwrite: false });
  }
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeAtomic(join(directory, "manifest.json"), text, { mode: 0o644, overwrite: false });
}

async function readManifest(directory: string): Promise<Record<string, unknown>> {
  const text = await readText(join(directory, "manifest.json"), maxManifestBytes);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw new NotAProgramError(directory, "its manifest.json is not a JSON object");
  }
}

async function readFiles(directory: string, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const path of paths) {
    const file = join(directory, path);
    const stat = await lstat(file).catch((cause) => {
      throw new FileUnreadableError(file, "does not exist", cause);
    });
    if (!stat.isFile()) throw new NotAProgramError(directory, `${path} is not a plain file`);
    const bytes = await readBounded(file, maxBundleBytes);
    total += bytes.length;
    if (total > maxBundleBytes) throw new NotAProgramError(directory, `its files exceed ${maxBundleBytes} bytes`);
    files.set(path, bytes);
  }
  return files;
}

/** The directory does not hold a program. */
export class NotAProgramError extends BaseError {
  override readonly name = "ProgramDir.NotAProgramError";
  constructor(directory: string, fact: string) {
    super(`${directory} is not a program: ${fact}.`, { hint: "docs/PROGRAMS.md says what a program directory holds." });
  }
}
