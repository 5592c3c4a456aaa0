/**
 * Room: enclave/sandbox. Writes a job to a sandbox process, piece by piece, as fast as that takes it: an input never has
 * to stand in the worker's memory as a whole.
 */
import type { Writable } from "node:stream";

/** An opened input. */
export type InputStream = {
  /** What the chunks are together, in bytes. */
  sizeBytes: number;
  chunks: AsyncIterable<Uint8Array>;
  /** The chunks are nobody else's: each is overwritten when it has been written. */
  owned?: boolean;
};

/** A job, in the order in which it is written. */
export type JobFeed = { head: Uint8Array; blobs: readonly Uint8Array[]; inputs: readonly (Uint8Array | InputStream)[] };

/** A longer piece would be held by the operating system's queue for as long as it takes. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * Writes what follows a job's head.
 *
 * @returns `false` if an input is not as long as it was said to be: the process is then in the middle of it. `true` also if
 * the process does not read any more.
 * @throws what an input's source throws.
 * @example
 * if (!(await feed(child.stdin, job))) return "misfed"
 */
export async function feed(stdin: Writable, { blobs, inputs }: JobFeed): Promise<boolean> {
  for (const blob of [...blobs, ...inputs]) {
    if (blob instanceof Uint8Array) {
      if (!(await writeWhole(stdin, blob))) return true;
    } else {
      const written = await writeStream(stdin, blob);
      if (written === undefined) return true;
      if (written !== blob.sizeBytes) return false;
    }
  }
  stdin.end();
  return true;
}

async function writeWhole(stdin: Writable, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    if (!(await write(stdin, bytes.subarray(at, at + pieceBytes)))) return false;
  return true;
}

/** How many bytes there were, no more than one chunk above what was said; undefined if nobody reads them. */
async function writeStream(stdin: Writable, { chunks, sizeBytes, owned }: InputStream): Promise<number | undefined> {
  let written = 0;
  for await (const chunk of chunks) {
    written += chunk.length;
    try {
      if (written > sizeBytes) break;
      if (!(await writeWhole(stdin, chunk))) return undefined;
    } finally {
      if (owned) chunk.fill(0);
    }
  }
  return written;
}

/** Settles when the operating system has the bytes: `false` if it does not want them. */
function write(stdin: Writable, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => stdin.write(bytes, (error) => resolve(!error)));
}
