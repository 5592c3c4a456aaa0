/**
 * Room: enclave/blobs/spool. Ciphertexts that jobs under way have fetched: small ones in memory, others in files that lose
 * their name as soon as they are open, so that nothing stays when a job or the whole worker ends, however it ends.
 * May import: protocol/errors. Holds no secret. The disk is not trusted: what is read is hashed again.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open as openFile, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { BaseError } from "../../protocol/errors.ts";

/** Where files lie, and limits in bytes: of all files together, and of one that is kept in memory instead. */
export type SpoolOptions = { dir: string; maxTotalBytes: number; maxMemoryBytes: number };

/** Bytes of a known hash. */
export type Spooled = {
  sizeBytes: number;
  /** 64 lowercase hex digits, without 0x. */
  sha256: string;
  /**
   * All of it, from the start. A piece is good until the next one is asked for; the last one comes only if the hash is
   * still right.
   *
   * @throws in the stream: {@link SpoolDamagedError}
   */
  read(): AsyncIterable<Uint8Array>;
  /** Gives the room back; again does nothing. Not while it is read. */
  release(): Promise<void>;
};

/** See {@link openSpool}. */
export type Spool = {
  /**
   * Takes all that a source delivers. Fails with the errors of the source, and leaves nothing then.
   *
   * @param maxBytes - the room that is set aside for it at once.
   * @param tooLarge - makes the error thrown when there is more.
   * @throws {@link SpoolFullError}
   */
  take(source: AsyncIterable<Uint8Array>, maxBytes: number, tooLarge: () => Error): Promise<Spooled>;
  /** Bytes of files set aside. */
  usedBytes(): number;
};

const readBytes = 1024 * 1024;

/**
 * Opens a spool; makes its directory, removes what a crash may have left there.
 *
 * @example
 * const spool = await openSpool({ dir: "data/spool", maxTotalBytes: 8 * 2 ** 30, maxMemoryBytes: 2 ** 20 });
 */
export async function openSpool({ dir, maxTotalBytes, maxMemoryBytes }: SpoolOptions): Promise<Spool> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  let usedBytes = 0;

  async function take(source: AsyncIterable<Uint8Array>, maxBytes: number, tooLarge: () => Error): Promise<Spooled> {
    const isSmall = maxBytes <= maxMemoryBytes;
    const reservedBytes = isSmall ? 0 : maxBytes;
    if (usedBytes + reservedBytes > maxTotalBytes) throw new SpoolFullError(maxTotalBytes);
    usedBytes += reservedBytes;
    let store: Store | undefined;
    const release = async () => {
      const held = store;
      if (held === undefined) return;
      store = undefined;
      usedBytes -= reservedBytes;
      await held.close();
    };
    try {
      store = isSmall ? inMemory(maxBytes) : await onDisk(dir);
    } catch (cause) {
      usedBytes -= reservedBytes;
      throw asFull(cause, maxTotalBytes);
    }
    try {
      const hash = createHash("sha256");
      let sizeBytes = 0;
      for await (const chunk of source) {
        if (sizeBytes + chunk.length > maxBytes) throw tooLarge();
        hash.update(chunk);
        await store.write(chunk, sizeBytes);
        sizeBytes += chunk.length;
      }
      const sha256 = hash.digest("hex");
      const held = store;
      return { sizeBytes, sha256, read: () => verified(held, sizeBytes, sha256), release };
    } catch (cause) {
      await release();
      throw asFull(cause, maxTotalBytes);
    }
  }

  return { take, usedBytes: () => usedBytes };
}

/** What bytes are kept in. */
type Store = {
  write(chunk: Uint8Array, at: number): Promise<void>;
  /** At most `into.length` bytes; how many were there. */
  read(into: Uint8Array, at: number): Promise<number>;
  close(): Promise<void>;
};

function inMemory(maxBytes: number): Store {
  const bytes = new Uint8Array(maxBytes);
  return {
    write: async (chunk, at) => bytes.set(chunk, at),
    async read(into, at) {
      const found = bytes.subarray(at, at + into.length);
      into.set(found);
      return found.length;
    },
    close: async () => undefined,
  };
}

async function onDisk(dir: string): Promise<Store> {
  const path = join(dir, randomUUID());
  const file: FileHandle = await openFile(path, "wx+", 0o600);
  await unlink(path);
  return {
    async write(chunk, at) {
      for (let done = 0; done < chunk.length; ) {
        done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
      }
    },
    read: async (into, at) => (await file.read(into, 0, into.length, at)).bytesRead,
    close: () => file.close(),
  };
}

async function* verified(store: Store, sizeBytes: number, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(readBytes, sizeBytes));
  for (let at = 0; at < sizeBytes; ) {
    const length = await store.read(buffer.subarray(0, sizeBytes - at), at);
    if (length === 0) throw new SpoolDamagedError();
    const chunk = buffer.subarray(0, length);
    hash.update(chunk);
    at += length;
    if (at < sizeBytes) yield chunk;
    else if (hash.digest("hex") === sha256) yield chunk;
    else throw new SpoolDamagedError();
  }
}

function asFull(cause: unknown, limitBytes: number): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" ? new SpoolFullError(limitBytes, cause) : cause;
}

/** There is no room for a ciphertext now. */
export class SpoolFullError extends BaseError {
  override readonly name = "Blobs.SpoolFullError";
  constructor(limitBytes: number, cause?: unknown) {
    super(`There is no room for another ciphertext on this worker's disk now (limit ${limitBytes} bytes).`, {
      hint: "The job is tried again when others have ended. If the disk itself is full, make room on it.",
      retryable: true,
      cause,
    });
  }
}

/** What was written to the disk is not what is read from it. */
export class SpoolDamagedError extends BaseError {
  override readonly name = "Blobs.SpoolDamagedError";
  constructor() {
    super("A fetched ciphertext was damaged on this worker's disk.", {
      hint: "It is fetched again. Check the disk.",
      retryable: true,
    });
  }
}
