/**
 * Room: enclave/fetch. One HTTP(S) GET to an address that a stranger named: public addresses only, identity encoding,
 * no cookies, few redirects, each checked like the first. May import: protocol/errors.
 */
import { lookup as dnsLookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { BaseError } from "../../protocol/errors.ts";
import { isPublicAddress } from "./publicAddress.ts";

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<{ address: string; family: number }[]>;

/** What may be fetched from where. */
export type HttpPolicy = {
  /** Allow http: (integrity still comes from the hash). */
  allowHttp: boolean;
  /** Allow private, loopback and link-local addresses: only for a chain and storage on one machine. */
  allowPrivateAddresses: boolean;
  /** How many redirects are followed; three when left out. */
  maxRedirects?: number;
  /** How names are resolved; the system's resolver when left out. */
  resolve?: Resolve;
};

const maxUriLength = 2048;
const usualRedirects = 3;
const maxHeaderBytes = 16 * 1024;
const maxShownLength = 80;

/**
 * Sends a GET and returns the 200 response, its body not yet read.
 *
 * @param signal - ends the request and, later, the body.
 * @throws {@link BadUriError} | {@link PrivateAddressError} | {@link TooManyRedirectsError} | {@link BadStatusError} |
 * {@link EncodedBodyError}, or what the socket says.
 * @example
 * const response = await httpGet("https://example.org/a.age", policy, AbortSignal.timeout(10_000))
 */
export async function httpGet(uri: string, policy: HttpPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  const { maxRedirects = usualRedirects } = policy;
  let url = checkUrl(uri, policy);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await send(url, policy, signal);
    const next = redirectOf(response, url);
    if (next === undefined) return checkResponse(response, url);
    response.destroy();
    url = checkUrl(next, policy);
  }
  throw new TooManyRedirectsError(originOf(url), maxRedirects);
}

/**
 * Scheme and host of a URI, cut short: all of it that errors and logs may show.
 *
 * @example
 * originOf(new URL("https://example.org/secret?token=1")) // "https://example.org"
 */
export function originOf(url: URL): string {
  return `${url.protocol}//${url.host}`.slice(0, maxShownLength);
}

function checkUrl(uri: string, policy: HttpPolicy): URL {
  if (uri.length > maxUriLength) throw new BadUriError(`is longer than ${maxUriLength} characters`);
  const url = URL.parse(uri);
  if (!url) throw new BadUriError("cannot be parsed");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && policy.allowHttp))
    throw new BadUriError(`has the scheme ${url.protocol.slice(0, 20)}`);
  if (url.username !== "" || url.password !== "") throw new BadUriError("carries a user name or password");
  // Literals never reach `lookup`. WHATWG parsing has already turned 0x7f.1 and the like into dotted form.
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0) checkAddress(literal, url, policy);
  return url;
}

function checkAddress(address: string, url: URL, policy: HttpPolicy): void {
  if (!policy.allowPrivateAddresses && !isPublicAddress(address)) throw new PrivateAddressError(originOf(url));
}

function send(url: URL, policy: HttpPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      agent: false, // no pooled connections, no proxy from the environment
      headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "data-collab-market" },
      lookup: checkedLookup(url, policy),
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      signal,
    });
    request.on("response", resolve);
    request.on("error", reject);
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new BadStatusError(originOf(url), 101));
    });
    request.end();
  });
}

/** Resolves once and connects only to what was checked: the name cannot point elsewhere a moment later. */
function checkedLookup(url: URL, policy: HttpPolicy): LookupFunction {
  const resolve = policy.resolve ?? ((hostname) => dnsLookup(hostname, { all: true }));
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        try {
          for (const { address } of addresses) checkAddress(address, url, policy);
          const first = addresses[0];
          if (first === undefined) throw new BadUriError("names a host without addresses");
          if (options.all) callback(null, addresses);
          else callback(null, first.address, first.family);
        } catch (error) {
          callback(error as Error, []);
        }
      },
      (error) => callback(error, []),
    );
  };
}

function redirectOf(response: IncomingMessage, url: URL): string | undefined {
  if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0)) return undefined;
  const location = response.headers.location ?? "";
  if (location.length > maxUriLength) throw new BadUriError(`is longer than ${maxUriLength} characters`);
  return URL.parse(location, url)?.href ?? "";
}

function checkResponse(response: IncomingMessage, url: URL): IncomingMessage {
  const encodings = [response.headers["content-encoding"] ?? "identity", response.headers["transfer-encoding"]];
  const isPlain = encodings.every((encoding) => !encoding || /^(identity|chunked)$/i.test(encoding.trim()));
  const error =
    response.statusCode !== 200
      ? new BadStatusError(originOf(url), response.statusCode ?? 0)
      : isPlain
        ? undefined
        : new EncodedBodyError(originOf(url));
  if (error === undefined) return response;
  response.destroy();
  throw error;
}

/** The URI is not one that the worker fetches. */
export class BadUriError extends BaseError {
  override readonly name = "Fetch.BadUriError";
  constructor(fact: string) {
    super(`The URI ${fact}.`, {
      hint: "Use https://host/path or blob:<64 hex digits>; no user name, no password, no other scheme.",
    });
  }
}

/** The host is, or resolves to, an address that is not public. */
export class PrivateAddressError extends BaseError {
  override readonly name = "Fetch.PrivateAddressError";
  constructor(origin: string) {
    super(`${origin} is not at a public address.`, {
      hint: "Put the file where the whole internet can reach it, or upload it to the worker.",
    });
  }
}

/** The server keeps sending elsewhere. */
export class TooManyRedirectsError extends BaseError {
  override readonly name = "Fetch.TooManyRedirectsError";
  constructor(origin: string, maxRedirects: number = usualRedirects) {
    super(`${origin} redirects more than ${maxRedirects} times.`, { hint: "Use the final address of the file." });
  }
}

/** The server did not answer 200. */
export class BadStatusError extends BaseError {
  override readonly name = "Fetch.BadStatusError";
  readonly status: number;
  constructor(origin: string, status: number) {
    super(`${origin} answered ${status}.`, {
      hint: "Check that the file is still there and needs no sign-in.",
      retryable: status === 408 || status === 429 || status >= 500,
    });
    this.status = status;
  }
}

/** The server compressed the body: its size cannot be bounded before it is unpacked. */
export class EncodedBodyError extends BaseError {
  override readonly name = "Fetch.EncodedBodyError";
  constructor(origin: string) {
    super(`${origin} sent a compressed body though none was accepted.`, {
      hint: "Serve the file as it is, without Content-Encoding.",
    });
  }
}
