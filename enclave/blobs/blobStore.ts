/**
 * Room: enclave/blobs. Ciphertexts and program bundles on disk, named by their SHA-256. Holds no secret.
 * May import: protocol/errors, enclave/fetch/collectBytes. The disk is not trusted: what is read is hashed again.
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open as openFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { BaseError } from "../../protocol/errors.ts";
import { collectBytes } from "../fetch/collectBytes.ts";

/** Where blobs lie and how much of them. */
export type BlobStoreOptions = { dir: string; maxBlobBytes: number; maxTotalBytes: number };

/** Bytes at once or as they come. */
export type BlobSource = Uint8Array | AsyncIterable<Uint8Array>;

/** See {@link openBlobStore}. Names are SHA-256 as 64 lowercase hex digits, without 0x. */
export type BlobStore = {
  /**
   * Stores what hashes to `sha256`; once this returns it survives a crash. Storing the same again changes nothing.
   *
   * @param declaredBytes - the length that the sender claims: refuses early, is not believed.
   * @throws {@link BadBlobNameError} | {@link BlobTooLargeError} | {@link BlobQuotaError} | {@link BlobMismatchError}
   */
  put(sha256: string, source: BlobSource, declaredBytes?: number): Promise<{ sizeBytes: number; created: boolean }>;
  /** The whole blob. @throws {@link BadBlobNameError} | {@link BlobMissingError} | {@link BlobCorruptError} */
  get(sha256: string): Promise<Uint8Array>;
  /**
   * The blob as a stream that ends only if its hash is right: its last chunk is held back until then.
   *
   * @throws {@link BadBlobNameError} | {@link BlobMissingError} | {@link BlobCorruptError}; the last also in the stream.
   */
  open(sha256: string): Promise<{ sizeBytes: number; stream: Readable }>;
  /** Size in bytes as of the last write or start, or undefined. @throws {@link BadBlobNameError} */
  size(sha256: string): number | undefined;
  has(sha256: string): boolean;
  /** Bytes counted against the quota, uploads under way included. */
  usedBytes(): number;
};

const namePattern = /^[0-9a-f]{64}$/;
const tempPrefix = ".upload-";
const chunkBytes = 64 * 1024;
/** What the smallest blob takes of the quota: bounds the number of files too. */
const blockBytes = 4096;

/**
 * Opens a store; makes its directory, removes what interrupted uploads left.
 *
 * @example
 * const blobs = await openBlobStore({ dir: "data/blobs", maxBlobBytes: 64 * 2 ** 20, maxTotalBytes: 10 * 2 ** 30 });
 * const ciphertext = await blobs.get(contentHash);
 */
export async function openBlobStore({ dir, maxBlobBytes, maxTotalBytes }: BlobStoreOptions): Promise<BlobStore> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const sizes = new Map<string, number>();
  let usedBytes = 0;
  for (const entry of await readdir(dir)) {
    if (entry.startsWith(tempPrefix)) await rm(join(dir, entry), { force: true, recursive: true });
    if (!namePattern.test(entry)) continue;
    const stat = await lstat(join(dir, entry));
    if (stat.isFile()) setSize(entry, stat.size);
  }

  function setSize(sha256: string, sizeBytes: number | undefined): void {
    usedBytes -= quotaOf(sizes.get(sha256));
    usedBytes += quotaOf(sizeBytes);
    if (sizeBytes === undefined) sizes.delete(sha256);
    else sizes.set(sha256, sizeBytes);
  }

  /* READ */

  async function open(sha256: string) {
    const path = pathOf(sha256);
    let file: FileHandle;
    try {
      file = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (cause) {
      if (!hasCode(cause, "ENOENT", "ELOOP")) throw cause;
      setSize(sha256, undefined);
      throw new BlobMissingError(sha256, cause);
    }
    const stat = await file.stat();
    const stream = Readable.from(verified(file, sha256, stat.isFile() ? stat.size : -1), {
      objectMode: false,
      highWaterMark: chunkBytes,
    });
    await once(stream, "readable"); // so that a blob of one chunk is refused here, not in the stream
    return { sizeBytes: stat.size, stream };
  }

  async function* verified(file: FileHandle, sha256: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
    try {
      const hash = createHash("sha256");
      let held: Uint8Array | undefined;
      let total = 0;
      while (sizeBytes >= 0 && sizeBytes <= maxBlobBytes && total <= sizeBytes) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes);
        if (bytesRead === 0) break;
        if (held) yield held;
        held = buffer.subarray(0, bytesRead);
        hash.update(held);
        total += bytesRead;
      }
      if (total !== sizeBytes || hash.digest("hex") !== sha256) {
        await discard(file, sha256);
        throw new BlobCorruptError(sha256);
      }
      if (held) yield held;
    } finally {
      await file.close();
    }
  }

  /** Removes a damaged file, unless a good one has taken its name meanwhile. */
  async function discard(file: FileHandle, sha256: string): Promise<void> {
    const path = pathOf(sha256);
    const current = await lstat(path).catch(() => undefined);
    if (current?.ino !== (await file.stat()).ino) return;
    await rm(path, { force: true, recursive: true });
    setSize(sha256, undefined);
  }

  async function get(sha256: string): Promise<Uint8Array> {
    const { stream } = await open(sha256);
    return collectBytes(stream, maxBlobBytes, () => new BlobTooLargeError(maxBlobBytes));
  }

  async function isIntact(sha256: string): Promise<boolean> {
    if (!sizes.has(sha256)) return false;
    try {
      for await (const _ of (await open(sha256)).stream);
      return true;
    } catch (error) {
      if (error instanceof BlobMissingError || error instanceof BlobCorruptError) return false;
      throw error;
    }
  }

  /* WRITE */

  async function put(sha256: string, source: BlobSource, declaredBytes = 0) {
    const path = pathOf(sha256);
    if (declaredBytes > maxBlobBytes) throw new BlobTooLargeError(maxBlobBytes);
    const present = await isIntact(sha256);
    // Room is taken by bytes, not by claims: or a few headers could fill the store.
    if (!present && usedBytes + quotaOf(declaredBytes) > maxTotalBytes) throw new BlobQuotaError(maxTotalBytes);
    const temp = join(dir, `${tempPrefix}${randomUUID()}`);
    let reservedBytes = 0;
    const reserve = (sizeBytes: number): void => {
      const moreBytes = present ? 0 : quotaOf(sizeBytes) - reservedBytes;
      if (moreBytes <= 0) return;
      if (usedBytes + moreBytes > maxTotalBytes) throw new BlobQuotaError(maxTotalBytes);
      usedBytes += moreBytes;
      reservedBytes += moreBytes;
    };
    let file: FileHandle | undefined;
    try {
      reserve(0);
      // A blob that is here already is only hashed again: a wrong body must not look like a right one.
      if (!present) file = await openFile(temp, "wx", 0o600);
      const hash = createHash("sha256");
      let sizeBytes = 0;
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBlobBytes) throw new BlobTooLargeError(maxBlobBytes);
        reserve(sizeBytes);
        hash.update(chunk);
        await file?.writeFile(chunk);
      }
      const actual = hash.digest("hex");
      if (actual !== sha256) throw new BlobMismatchError(sha256, actual);
      if (file) {
        await file.sync();
        await rename(temp, path);
        setSize(sha256, sizeBytes);
        await syncDir(dir);
      }
      return { sizeBytes, created: !present };
    } catch (cause) {
      throw hasCode(cause, "ENOSPC", "EDQUOT") ? new BlobQuotaError(maxTotalBytes, cause) : cause;
    } finally {
      usedBytes -= reservedBytes;
      await file?.close();
      if (file) await rm(temp, { force: true });
    }
  }

  function pathOf(sha256: string): string {
    if (!namePattern.test(sha256)) throw new BadBlobNameError();
    return join(dir, sha256);
  }

  function size(sha256: string): number | undefined {
    pathOf(sha256);
    return sizes.get(sha256);
  }

  return { put, get, open, size, has: (sha256) => size(sha256) !== undefined, usedBytes: () => usedBytes };
}

function quotaOf(sizeBytes: number | undefined): number {
  return sizeBytes === undefined ? 0 : Math.max(1, Math.ceil(sizeBytes / blockBytes)) * blockBytes;
}

/** Makes a rename survive a crash. */
async function syncDir(dir: string): Promise<void> {
  const handle = await openFile(dir, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** The name is not a SHA-256. */
export class BadBlobNameError extends BaseError {
  override readonly name = "Blobs.BadBlobNameError";
  constructor() {
    super("A blob's name must be its SHA-256 as 64 lowercase hex digits.", {
      hint: "Leave out 0x; use lowercase.",
    });
  }
}

/** No such blob here. */
export class BlobMissingError extends BaseError {
  override readonly name = "Blobs.BlobMissingError";
  constructor(sha256: string, cause?: unknown) {
    super(`There is no blob ${sha256} here.`, { hint: "Upload it with PUT /blobs/<sha256>.", cause });
  }
}

/** The file no longer hashes to its name. */
export class BlobCorruptError extends BaseError {
  override readonly name = "Blobs.BlobCorruptError";
  constructor(sha256: string) {
    super(`The stored copy of blob ${sha256} was damaged and has been removed.`, {
      hint: "Upload it again with PUT /blobs/<sha256>, and check the disk.",
    });
  }
}

/** The blob is over the size limit. */
export class BlobTooLargeError extends BaseError {
  override readonly name = "Blobs.BlobTooLargeError";
  constructor(limitBytes: number) {
    super(`The blob is larger than ${limitBytes} bytes.`, {
      hint: "Split the data set, or keep the file elsewhere and register its https: address.",
    });
  }
}

/** The store is full. */
export class BlobQuotaError extends BaseError {
  override readonly name = "Blobs.BlobQuotaError";
  constructor(limitBytes: number, cause?: unknown) {
    super(`The blob store is full (${limitBytes} bytes).`, {
      hint: "Use another worker, or keep the file elsewhere and register its https: address.",
      cause,
    });
  }
}

/** The bytes are not what the name promises. */
export class BlobMismatchError extends BaseError {
  override readonly name = "Blobs.BlobMismatchError";
  constructor(expected: string, actual: string) {
    super(`The bytes hash to ${actual}, not ${expected}.`, {
      hint: "Hash the very bytes that are sent (the ciphertext, not the plain file) and send them again.",
    });
  }
}
