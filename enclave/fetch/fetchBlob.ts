/**
 * Room: enclave/fetch. Fetches ciphertexts and program bundles by URI: bounded in size and time, checked by hash.
 * May import: protocol/errors, enclave/blobs. Whoever wrote the URI, and whoever answers it, may be hostile.
 */
import { hash } from "node:crypto";
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import type { BlobStore } from "../blobs/blobStore.ts";
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
  return async function fetchBlob(uri, options) {
    const shown = shownUri(uri);
    const deadline = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      signal.throwIfAborted();
      bytes = uri.startsWith("blob:")
        ? await fromStore(policy.blobs, uri, options.maxBytes, shown)
        : await fromHttp(policy, uri, options.maxBytes, signal, shown);
      signal.throwIfAborted();
    } catch (cause) {
      if (options.signal?.aborted) throw new FetchAbortedError(shown, cause);
      if (deadline.aborted) throw new FetchTimeoutError(shown, options.timeoutMs, cause);
      throw cause instanceof BaseError ? cause : new FetchFailedError(shown, cause);
    }
    if (options.sha256 !== undefined) checkHash(bytes, options.sha256, shown);
    return bytes;
  };
}

async function fromStore(blobs: FetchPolicy["blobs"], uri: string, maxBytes: number, shown: string) {
  const { sizeBytes, stream } = await blobs.open(uri.slice("blob:".length));
  if (sizeBytes > maxBytes) {
    stream.destroy();
    throw new FetchTooLargeError(shown, maxBytes);
  }
  return collectBytes(stream, maxBytes, () => new FetchTooLargeError(shown, maxBytes));
}

async function fromHttp(policy: HttpPolicy, uri: string, maxBytes: number, signal: AbortSignal, shown: string) {
  const response = await httpGet(uri, policy, signal);
  // The claim may lie either way; it only serves to refuse early.
  if (Number(response.headers["content-length"] ?? 0) > maxBytes) {
    response.destroy();
    throw new FetchTooLargeError(shown, maxBytes);
  }
  return collectBytes(response, maxBytes, () => new FetchTooLargeError(shown, maxBytes));
}

function checkHash(bytes: Uint8Array, expected: Hex, shown: string): void {
  const actual = `0x${hash("sha256", bytes, "hex")}`;
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
