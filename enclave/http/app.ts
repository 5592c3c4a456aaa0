/**
 * Room: enclave/http. Builds the Koa application; does not listen (that is server.ts).
 * May import: protocol, enclave/blobs, enclave/fetch, enclave/log. The worker itself comes in as `WorkerApi`.
 */
import Koa, { type Context, type Middleware } from "koa";
import helmet from "koa-helmet";
import type { Logger } from "../log/logger.ts";
import { accessLog } from "./accessLog.ts";
import { errorBoundary, HttpError } from "./problem.ts";
import { rateLimit } from "./rateLimit.ts";
import { createRoutes, type RateLimits } from "./routes.ts";
import type { WorkerApi } from "./workerApi.ts";

/** What the application is made of. */
export type AppDeps = {
  api: WorkerApi;
  log: Logger;
  /** Requests a minute and client. */
  limits?: RateLimits;
};

/** Generous for people and brokers, small for floods. */
export const defaultLimits: RateLimits = { requests: 600, quotes: 10, uploads: 120 };

const maxUrlLength = 1024;

/**
 * Builds the application.
 *
 * @example
 * const server = await startServer(createApp({ api, log }), { host: "0.0.0.0", port: 8080, log })
 */
export function createApp({ api, log, limits = defaultLimits }: AppDeps): Koa {
  const app = new Koa({ env: "production", proxy: false });
  // Koa's own handler prints message and stack to stderr.
  app.on("error", (error: Error) => log.warn("http.cut", { error }));
  app.use(accessLog(log));
  app.use(errorBoundary((requestId, error) => log.error("http.error", { requestId, error })));
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], sandbox: [] } },
      crossOriginResourcePolicy: { policy: "cross-origin" },
    }),
  );
  app.use(openToReaders);
  app.use(rateLimit(limits.requests));
  app.use(checkUrl);
  app.use(createRoutes(api, limits).routes());
  app.use(unmatched);
  return app;
}

/** Any web page may read (all here is public), none may write. */
const openToReaders: Middleware = async (ctx, next) => {
  ctx.set("Access-Control-Allow-Origin", "*");
  ctx.set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
  ctx.set("Cache-Control", "no-store");
  await next();
};

const checkUrl: Middleware = async (ctx, next) => {
  const url = ctx.req.url ?? "";
  if (url.length > maxUrlLength) throw new UrlTooLongError();
  if (!/^\/[!-"$-~]*$/.test(url)) throw new BadUrlError();
  await next();
};

/** No route took the request: a wrong path or a wrong method. */
function unmatched(ctx: Context & { matched?: { methods: string[] }[] }): void {
  const allowed = [...new Set(ctx.matched?.flatMap((layer) => layer.methods))].sort();
  if (allowed.length === 0) throw new UnknownRouteError();
  if (ctx.method !== "OPTIONS") throw new MethodNotAllowedError(allowed);
  ctx.status = 204;
  ctx.set("Allow", [...allowed, "OPTIONS"].join(", "));
  ctx.set("Access-Control-Allow-Methods", "GET, HEAD");
}

/** No such path. */
export class UnknownRouteError extends HttpError {
  override readonly name = "Http.UnknownRouteError";
  override readonly status = 404;
  constructor() {
    super("There is nothing at this path.", { hint: "docs/HTTP.md lists the paths; they have no trailing slash." });
  }
}

/** The path exists, the method does not. */
export class MethodNotAllowedError extends HttpError {
  override readonly name = "Http.MethodNotAllowedError";
  override readonly status = 405;
  override readonly headers: Readonly<Record<string, string>>;
  constructor(allowed: readonly string[]) {
    super(`This path takes only ${allowed.join(", ")}.`, { hint: "docs/HTTP.md lists the methods." });
    this.headers = { Allow: [...allowed, "OPTIONS"].join(", ") };
  }
}

/** The URL is too long. */
export class UrlTooLongError extends HttpError {
  override readonly name = "Http.UrlTooLongError";
  override readonly status = 414;
  constructor() {
    super(`The URL is longer than ${maxUrlLength} characters.`, { hint: "No URL of this worker is that long." });
  }
}

/** The request target is not a path. */
export class BadUrlError extends HttpError {
  override readonly name = "Http.BadUrlError";
  override readonly status = 400;
  constructor() {
    super("The request target must be a path that starts with a slash.", { hint: "Send GET /healthz, for instance." });
  }
}
