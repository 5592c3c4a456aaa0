/**
 * Room: sdk/boundedFetch. HTTP to servers nobody vouches for: http and https only, no redirects, no cookies, a cap on
 * what is read and on how long it takes. RFC 9457 problems become typed errors, their text made harmless.
 */
import { z } from "zod";
import { BaseError } from "../protocol/errors.ts";
import { plainText } from "./plainText.ts";

/** One request; sizes in bytes, times in milliseconds. */
export type BoundedRequest = {
  method?: "GET" | "PUT" | "POST";
  /** A Blob is read while it is sent: that of a file needs little memory. */
  body?: Uint8Array | Blob;
  contentType?: string;
  maxBytes: number;
  timeoutMs?: number;
  signal?: AbortSignal;
};

/** Longest exchange in milliseconds, unless told otherwise. */
export const defaultTimeoutMs = 30_000;

const maxProblemBytes = 16 * 1024;
const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  name: z.string().optional(),
  hint: z.string().optional(),
});

/**
 * The URL of a path under a server's base URL.
 *
 * @throws {@link BadServerUrlError} if it is not plain http or https, or carries credentials.
 * @example
 * serverUrl("http://127.0.0.1:8080", "grants").href // "http://127.0.0.1:8080/grants"
 */
export function serverUrl(base: string, path: string): URL {
  if (base.length > 1024 || !URL.canParse(base)) throw new BadServerUrlError();
  const url = new URL(base);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if ((url.protocol !== "http:" && url.protocol !== "https:") || !plain) throw new BadServerUrlError();
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url;
}

/** An answer, whatever its status. */
export type BoundedAnswer = { status: number; headers: Headers; body: Uint8Array };

/**
 * One exchange. Any 2xx answer is good.
 *
 * @returns the body, at most `maxBytes`.
 * @throws {@link ServerRefusedError} | {@link ServerUnreachableError} | {@link AnswerTooLongError}
 * @example
 * const bytes = await boundedFetch(serverUrl(base, "attestation"), { maxBytes: 1024 * 1024 })
 */
export async function boundedFetch(url: URL, request: BoundedRequest): Promise<Uint8Array> {
  return await exchange(url, request, async (response) => {
    if (!response.ok) throw await refusal(url, response);
    return await readBody(url, response, request.maxBytes);
  });
}

/**
 * One exchange, for protocols that say more than a body.
 *
 * @throws {@link ServerUnreachableError} | {@link AnswerTooLongError}
 * @example
 * const { status, headers, body } = await boundedAnswer(url, { maxBytes: 64 * 1024 })
 */
export async function boundedAnswer(url: URL, request: BoundedRequest): Promise<BoundedAnswer> {
  return await exchange(url, request, async (response) => {
    const body = await readBody(url, response, request.maxBytes);
    return { status: response.status, headers: response.headers, body };
  });
}

async function exchange<T>(url: URL, request: BoundedRequest, read: (response: Response) => Promise<T>): Promise<T> {
  const timeout = AbortSignal.timeout(request.timeoutMs ?? defaultTimeoutMs);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  try {
    const response = await fetch(url, {
      method: request.method ?? "GET",
      redirect: "error",
      credentials: "omit",
      signal,
      ...bodyOf(request),
      ...(request.contentType === undefined ? {} : { headers: { "content-type": request.contentType } }),
    });
    return await read(response);
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw new ServerUnreachableError(url, timeout.aborted, cause);
  }
}

function bodyOf({ body }: BoundedRequest): { body?: Uint8Array<ArrayBuffer> | Blob } {
  if (body === undefined) return {};
  return { body: body instanceof Blob ? body : Uint8Array.from(body) };
}

async function readBody(url: URL, response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Counted while it streams, after decompression: content-length may lie.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new AnswerTooLongError(url, maxBytes);
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}

async function refusal(url: URL, response: Response): Promise<ServerRefusedError> {
  const body = await readBody(url, response, maxProblemBytes).catch(() => new Uint8Array());
  try {
    const problem = problemSchema.parse(JSON.parse(new TextDecoder().decode(body)));
    return new ServerRefusedError(url, response.status, problem);
  } catch {
    return new ServerRefusedError(url, response.status, {});
  }
}

/** The URL of a server cannot be used. */
export class BadServerUrlError extends BaseError {
  override readonly name = "BoundedFetch.BadServerUrlError";
  constructor() {
    super("The server's URL is not a plain http or https URL.", {
      hint: "Give scheme, host, port and path only, like https://worker.example:8080.",
    });
  }
}

/** The server said no. `status` is its HTTP status, `problem` the name of its error, if it gave one. */
export class ServerRefusedError extends BaseError {
  override readonly name = "BoundedFetch.ServerRefusedError";
  readonly status: number;
  readonly problem: string | undefined;
  constructor(url: URL, status: number, problem: z.output<typeof problemSchema>) {
    const text = problem.detail ?? problem.title;
    super(`${url.host} answered ${status}${text === undefined ? "" : `: ${plainText(text, 300)}`}`, {
      hint: plainText(problem.hint ?? "See whether this is the right server and the request is what it expects.", 300),
      retryable: status === 429 || status >= 500,
    });
    this.status = status;
    this.problem = problem.name === undefined ? undefined : plainText(problem.name, 80);
  }
}

/** No whole answer came. */
export class ServerUnreachableError extends BaseError {
  override readonly name = "BoundedFetch.ServerUnreachableError";
  constructor(url: URL, timedOut: boolean, cause: unknown) {
    super(`${url.host} ${timedOut ? "did not answer in time" : "cannot be reached"}.`, {
      hint: "Check the URL and that the server is up.",
      retryable: true,
      cause,
    });
  }
}

/** The answer is longer than anything this server should say. */
export class AnswerTooLongError extends BaseError {
  override readonly name = "BoundedFetch.AnswerTooLongError";
  constructor(url: URL, maxBytes: number) {
    super(`${url.host} answered with more than ${maxBytes} bytes.`, { hint: "It is not a server of this project." });
  }
}
