/**
 * Room: enclave/fetch. Fetches by URI: program bundles into memory, ciphertexts to where they can be read as streams;
 * bounded in size and time, checked by hash.
 * May import: protocol/errors, enclave/blobs. Whoever wrote the URI, and whoever answers it, may be hostile.
 */
import { hash } from "node:crypto";
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import type { BlobStore } from "../blobs/blobStore.ts";
import type { Spool } from "../blobs/spool.ts";
import { collectBytes } from "./collectBytes.ts";
import { type HttpPolicy, httpGet, originOf } from "./httpGet.ts";

/** Where the fetcher may look. */
export type FetchPolicy = HttpPolicy & {
  /** The worker's own store, for blob: URIs. */
  blobs: Pick<BlobStore, "open">;
};

/** Limits of one fetch. */
export type FetchOptions = {
  /** SHA-256 that the bytes must have. Leave it out only where something else identifies them (a program id). */
  sha256?: Hex;
  maxBytes: number;
  /** Wall-clock time for all of it: resolving, connecting, redirects, body. */
  timeoutMs: number;
  signal?: AbortSignal;
};

/** Fetches a blob. See {@link createFetchBlob}. */
export type FetchBlob = (uri: string, options: FetchOptions) => Promise<Uint8Array<ArrayBuffer>>;

/** A ciphertext whose hash was right when it was fetched. */
export type Ciphertext = {
  sizeBytes: number;
  /** All of it, from the start, hashed again on the way; the last piece comes only if the hash is right. */
  read(): AsyncIterable<Uint8Array>;
  /** To be called when it is not needed any more; again does nothing. */
  release(): Promise<void>;
};

/** Fetches a ciphertext. See {@link createFetchCiphertext}. */
export type FetchCiphertext = (uri: string, options: FetchOptions & { sha256: Hex }) => Promise<Ciphertext>;

/**
 * Makes the fetcher. It reads `blob:<64 hex>` from the worker's store, `https:`, and `http:` where allowed.
 *
 * @returns a function that throws {@link FetchTimeoutError} | {@link FetchAbortedError} | {@link FetchTooLargeError} |
 * {@link FetchMismatchError} | {@link FetchFailedError}, the errors of `httpGet`, and of `BlobStore.open`.
 * @example
 * const fetchBlob = createFetchBlob({ blobs, allowHttp: false, allowPrivateAddresses: false });
 * const bytes = await fetchBlob(dataset.uri, { sha256: dataset.contentHash, maxBytes, timeoutMs: 60_000 });
 */
export function createFetchBlob(policy: FetchPolicy): FetchBlob {
  return async (uri, options) => {
    const bytes = await fetching(policy, uri, options, collectBytes);
    if (options.sha256 !== undefined) checkHash(hash("sha256", bytes, "hex"), options.sha256, shownUri(uri));
    return bytes;
  };
}

/**
 * Makes the fetcher of ciphertexts. What lies in the worker's own store is not copied, only read once to see that it is
 * whole; all else goes to the spool.
 *
 * @returns a function that throws what {@link createFetchBlob}'s does, and `SpoolFullError`; nothing is left then.
 * @example
 * const fetchCiphertext = createFetchCiphertext({ blobs, spool, allowHttp: false, allowPrivateAddresses: false });
 * const ciphertext = await fetchCiphertext(uri, { sha256: contentHash, maxBytes: sizeBytes, timeoutMs: 60_000 });
 */
export function createFetchCiphertext(policy: FetchPolicy & { spool: Pick<Spool, "take"> }): FetchCiphertext {
  return async (uri, options) => {
    const { sha256 } = options;
    const name = storedName(uri);
    if (name !== undefined) {
      const sizeBytes = await fetching(policy, uri, options, countBytes);
      checkHash(name, sha256, shownUri(uri));
      return { sizeBytes, read: () => readStored(policy.blobs, name), release: async () => undefined };
    }
    const spooled = await fetching(policy, uri, options, policy.spool.take);
    try {
      checkHash(spooled.sha256, sha256, shownUri(uri));
    } catch (error) {
      await spooled.release();
      throw error;
    }
    return spooled;
  };
}

/** What is done with the bytes as they come; it throws what `tooLarge` makes if there are more than `maxBytes`. */
type Taker<T> = (source: AsyncIterable<Uint8Array>, maxBytes: number, tooLarge: () => Error) => Promise<T>;

async function fetching<T>(policy: FetchPolicy, uri: string, options: FetchOptions, take: Taker<T>): Promise<T> {
  const shown = shownUri(uri);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const over = new AbortController();
  const signal = AbortSignal.any([deadline, over.signal, ...(options.signal ? [options.signal] : [])]);
  const tooLarge = () => new FetchTooLargeError(shown, options.maxBytes);
  const open = storedName(uri) === undefined ? fromHttp : fromStore;
  try {
    signal.throwIfAborted();
    const source = await open(policy, uri, options.maxBytes, signal, tooLarge);
    return await take(untilAborted(source, signal), options.maxBytes, tooLarge);
  } catch (cause) {
    if (options.signal?.aborted) throw new FetchAbortedError(shown, cause);
    if (deadline.aborted) throw new FetchTimeoutError(shown, options.timeoutMs, cause);
    throw cause instanceof BaseError ? cause : new FetchFailedError(shown, cause);
  } finally {
    over.abort(); // hangs up, should nobody have read to the end
  }
}

/** A stream that fails at the piece after which the signal has aborted, and at its end. */
async function* untilAborted(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
  signal.throwIfAborted();
}

type Opener = (
  policy: FetchPolicy,
  uri: string,
  maxBytes: number,
  signal: AbortSignal,
  tooLarge: () => Error,
) => Promise<AsyncIterable<Uint8Array>>;

const fromStore: Opener = async ({ blobs }, uri, maxBytes, _signal, tooLarge) => {
  const { sizeBytes, stream } = await blobs.open(storedName(uri) ?? "");
  if (sizeBytes <= maxBytes) return stream;
  stream.destroy();
  throw tooLarge();
};

const fromHttp: Opener = async (policy, uri, maxBytes, signal, tooLarge) => {
  const response = await httpGet(uri, policy, signal);
  // The claim may lie either way; it only serves to refuse early.
  if (Number(response.headers["content-length"] ?? 0) <= maxBytes) return response;
  response.destroy();
  throw tooLarge();
};

const countBytes: Taker<number> = async (source) => {
  let sizeBytes = 0;
  for await (const chunk of source) sizeBytes += chunk.length;
  return sizeBytes;
};

async function* readStored(blobs: FetchPolicy["blobs"], name: string): AsyncGenerator<Uint8Array> {
  yield* (await blobs.open(name)).stream;
}

/** What a `blob:` URI names. */
function storedName(uri: string): string | undefined {
  return uri.startsWith("blob:") ? uri.slice("blob:".length) : undefined;
}

function checkHash(sha256: string, expected: Hex, shown: string): void {
  const actual = `0x${sha256}`;
  if (actual !== expected.toLowerCase()) throw new FetchMismatchError(shown, expected, actual);
}

function shownUri(uri: string): string {
  if (/^blob:[0-9a-f]{64}$/.test(uri)) return uri;
  const url = URL.parse(uri.slice(0, 2048));
  return url?.host ? originOf(url) : "the URI";
}

/** It took too long. */
export class FetchTimeoutError extends BaseError {
  override readonly name = "Fetch.FetchTimeoutError";
  constructor(shown: string, timeoutMs: number, cause: unknown) {
    super(`${shown} did not deliver within ${timeoutMs} ms.`, {
      hint: "Try again later, or use a faster host.",
      retryable: true,
      cause,
    });
  }
}

/** The caller gave up, for instance because the worker is stopping. */
export class FetchAbortedError extends BaseError {
  override readonly name = "Fetch.FetchAbortedError";
  constructor(shown: string, cause: unknown) {
    super(`Fetching ${shown} was cut off.`, { hint: "Start it again.", retryable: true, cause });
  }
}

/** There are more bytes than allowed, whatever Content-Length said. */
export class FetchTooLargeError extends BaseError {
  override readonly name = "Fetch.FetchTooLargeError";
  constructor(shown: string, limitBytes: number) {
    super(`${shown} delivers more than ${limitBytes} bytes.`, {
      hint: "The size on record and the file disagree, or the file is over the worker's limit.",
    });
  }
}

/** The bytes are not those that were registered. */
export class FetchMismatchError extends BaseError {
  override readonly name = "Fetch.FetchMismatchError";
  constructor(shown: string, expected: string, actual: string) {
    super(`${shown} delivers bytes with SHA-256 ${actual}, not ${expected}.`, {
      hint: "The file was changed after it was registered: restore it, or register the new one.",
    });
  }
}

/** No connection, no name, bad TLS, or cut off. */
export class FetchFailedError extends BaseError {
  override readonly name = "Fetch.FetchFailedError";
  constructor(shown: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code).slice(0, 40)})` : "";
    super(`${shown} could not be read${code}.`, {
      hint: "Check the address, its certificate, and that the host is up.",
      retryable: true,
      cause,
    });
  }
}
