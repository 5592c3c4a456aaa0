/**
 * Room: enclave/http. Requests per minute and client. Memory is bounded: clients share a fixed number of buckets.
 * Counts connections' addresses, not X-Forwarded-For, which anyone can write: behind a gateway all its clients are one.
 */
import { createHash, randomBytes } from "node:crypto";
import { isIPv4 } from "node:net";
import type { Middleware } from "koa";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { HttpError } from "./problem.ts";

const bucketCount = 2 ** 14;
const windowSeconds = 60;
const ipv4Mapped = /^::ffff:(?=[0-9.]+$)/;

/**
 * Limits what passes to so many requests a minute for each client (IPv4 address or IPv6 /64 network).
 *
 * @returns middleware that throws {@link TooManyRequestsError}.
 * @example
 * router.put("/blobs/:sha256", rateLimit(60), upload)
 */
export function rateLimit(requestsPerMinute: number): Middleware {
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: windowSeconds });
  const salt = randomBytes(16); // nobody can choose to share a bucket with a given client
  return async function rateLimit(ctx, next) {
    const client = createHash("sha256")
      .update(salt)
      .update(networkOf(ctx.req.socket.remoteAddress ?? ""));
    const bucket = client.digest().readUInt32BE() % bucketCount;
    try {
      await limiter.consume(String(bucket));
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      throw new TooManyRequestsError(requestsPerMinute, (refusal as RateLimiterRes).msBeforeNext);
    }
    await next();
  };
}

/**
 * What counts as one client: an IPv4 address, or the /64 that one IPv6 user has whole.
 *
 * @example
 * networkOf("2001:db8::1") // "2001:db8:0:0"
 */
export function networkOf(address: string): string {
  const plain = address.replace(ipv4Mapped, "").replace(/%.*$/, "");
  if (isIPv4(plain)) return plain;
  const [head = "", tail] = plain.split("::").map((half) => half);
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  while (groups.length + last.length < 8) groups.push("0");
  return [...groups, ...last].slice(0, 4).join(":");
}

/** Too many requests in the last minute. */
export class TooManyRequestsError extends HttpError {
  override readonly name = "Http.TooManyRequestsError";
  override readonly status = 429;
  override readonly headers: Readonly<Record<string, string>>;
  constructor(limit: number, waitMs: number) {
    super(`More than ${limit} requests of this kind in a minute.`, {
      hint: "Wait as long as Retry-After says.",
      retryable: true,
    });
    this.headers = { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1000))) };
  }
}
