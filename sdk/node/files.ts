/**
 * Room: sdk/node/files. Reading files with a cap and writing them whole or not at all.
 * May import: node:*. Must not be imported by sdk files outside sdk/node.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, link, mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";

const pieceBytes = 64 * 1024;

/**
 * Reads a regular file.
 *
 * @param maxBytes - a longer file is refused.
 * @throws {@link FileUnreadableError}
 * @example
 * const bytes = await readBounded("data.csv", 1024)
 */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await opened(path);
    try {
      const stat = await file.stat();
      if (stat.size > maxBytes) throw new FileUnreadableError(path, `has more than ${maxBytes} bytes`);
      const bytes = new Uint8Array(stat.size);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw new FileUnreadableError(path, factOf(cause), cause);
  }
}

/**
 * Reads a regular file as a stream, in pieces of 64 KiB. Each is good until the next one is asked for.
 *
 * @param maxBytes - a longer file is refused, at its start or as soon as it has grown.
 * @throws {@link FileUnreadableError}
 * @example
 * for await (const piece of readPieces("data.csv", 2 ** 30)) hash.update(piece)
 */
export async function* readPieces(path: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const refuse = () => new FileUnreadableError(path, `has more than ${maxBytes} bytes`);
  const file = await opened(path);
  try {
    if ((await file.stat()).size > maxBytes) throw refuse();
    const buffer = new Uint8Array(pieceBytes);
    for (let length = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, length).catch((cause) => {
        throw new FileUnreadableError(path, factOf(cause), cause);
      });
      length += bytesRead;
      if (length > maxBytes) throw refuse();
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A regular file. Not blocking: a pipe without a writer must not hang us. */
async function opened(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw new FileUnreadableError(path, factOf(cause), cause);
  }
  throw new FileUnreadableError(path, "is not a file");
}

/**
 * As {@link readBounded}, as text.
 *
 * @throws {@link FileUnreadableError}
 * @example
 * const text = await readText("manifest.json", 1024)
 */
export async function readText(path: string, maxBytes: number): Promise<string> {
  const bytes = await readBounded(path, maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileUnreadableError(path, "is not UTF-8 text", cause);
  }
}

/**
 * As {@link readText}, as JSON of a schema.
 *
 * @throws {@link FileUnreadableError}
 * @example
 * const { receipt } = await readJson("receipt.json", 65_536, signedReceiptSchema)
 */
export async function readJson<T>(path: string, maxBytes: number, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(path, maxBytes);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FileUnreadableError(path, "does not hold what is needed", cause);
  }
}

/**
 * Writes a file so that after a crash either the old or the new content is there, on disk.
 *
 * @param options - `mode`: permissions; `overwrite`: whether an existing file is replaced or refused.
 * @throws {@link FileUnwritableError}
 * @example
 * await writeAtomic("key.age", bytes, { mode: 0o600, overwrite: false })
 */
export async function writeAtomic(
  path: string,
  content: Uint8Array | string,
  options: { mode: number; overwrite: boolean },
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    try {
      const file = await open(temporary, "wx", options.mode);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      // A link fails where a file is; a rename replaces it.
      if (options.overwrite) await rename(temporary, path);
      else await link(temporary, path);
    } finally {
      await unlink(temporary).catch(() => {});
    }
    const handle = await open(directory, "r");
    await handle.sync().finally(() => handle.close());
  } catch (cause) {
    throw new FileUnwritableError(path, factOf(cause), cause);
  }
}

/**
 * Writes a stream to a file that is there only while it is used.
 *
 * @param use - is given the file's path, and what gives it a name for good where no other file is.
 * @returns what `use` returns.
 * @throws {@link FileUnwritableError} | any error of `content` and `use`
 * @example
 * await writeThenUse(directory, pieces, (path, keepAs) => keepAs(join(directory, "table.age"), 0o644))
 */
export async function writeThenUse<T>(
  directory: string,
  content: AsyncIterable<Uint8Array>,
  use: (path: string, keepAs: (name: string, mode: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const temporary = join(directory, `.${randomBytes(6).toString("hex")}.tmp`);
  const unwritable = (path: string) => (cause: unknown) => {
    throw new FileUnwritableError(path, factOf(cause), cause);
  };
  const file = await open(temporary, "wx", 0o600).catch(unwritable(temporary));
  try {
    try {
      for await (const piece of content) await file.writeFile(piece).catch(unwritable(temporary));
      await file.sync().catch(unwritable(temporary));
    } finally {
      await file.close();
    }
    return await use(temporary, async (name, mode) => {
      await chmod(temporary, mode)
        .then(() => link(temporary, name)) // fails where a file is
        .catch(unwritable(name));
    });
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

/**
 * Makes a directory that only its owner may enter, with its parents. One that others may enter is refused.
 *
 * @throws {@link FileUnwritableError} | {@link OpenDirectoryError}
 * @example
 * await makePrivateDirectory("/home/me/.dcm")
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  let mode: number;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const handle = await open(path, "r");
    mode = (await handle.stat().finally(() => handle.close())).mode;
  } catch (cause) {
    throw new FileUnwritableError(path, factOf(cause), cause);
  }
  if ((mode & 0o077) !== 0) throw new OpenDirectoryError(path);
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const cause = error instanceof FileUnreadableError ? error.cause : error;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

function factOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  const facts: Record<string, string> = {
    ENOENT: "does not exist",
    EACCES: "may not be accessed",
    EEXIST: "exists already",
    EISDIR: "is a directory",
    ENOTDIR: "is not in a directory",
    ENOSPC: "does not fit on the disk",
  };
  return facts[code] ?? `failed with ${code}`;
}

/** A file cannot be read. */
export class FileUnreadableError extends BaseError {
  override readonly name = "Files.FileUnreadableError";
  constructor(path: string, fact: string, cause?: unknown) {
    super(`${path} ${fact}.`, { hint: "Check the path.", cause });
  }
}

/** A file cannot be written. */
export class FileUnwritableError extends BaseError {
  override readonly name = "Files.FileUnwritableError";
  constructor(path: string, fact: string, cause?: unknown) {
    super(`${path} ${fact}.`, { hint: "Choose another path, or make room there.", cause });
  }
}

/** Others may enter a directory that is to hold keys. */
export class OpenDirectoryError extends BaseError {
  override readonly name = "Files.OpenDirectoryError";
  constructor(path: string) {
    super(`Others on this machine may enter ${path}.`, { hint: `Run: chmod 700 ${path}` });
  }
}
