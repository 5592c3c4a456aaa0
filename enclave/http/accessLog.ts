/**
 * Room: enclave/http. Gives every request an id and, once its answer is out or cut off, one log line.
 * Never bodies, queries, header fields or path parameters.
 */
import { randomUUID } from "node:crypto";
import type { Middleware } from "koa";
import type { Logger } from "../log/logger.ts";

/**
 * Sets `ctx.state.requestId` and X-Request-Id (a client's own is not taken over), and logs the exchange.
 *
 * @example
 * app.use(accessLog(log))
 */
export function accessLog(log: Logger): Middleware {
  return async function accessLog(ctx, next) {
    const startedMs = performance.now();
    const requestId = randomUUID();
    ctx.state.requestId = requestId;
    ctx.set("X-Request-Id", requestId);
    ctx.res.once("close", () => {
      const route: unknown = ctx._matchedRoute;
      log.info("http.request", {
        requestId,
        method: ctx.method,
        route: typeof route === "string" ? route : "none",
        status: ctx.res.statusCode,
        ms: Math.round(performance.now() - startedMs),
        bytes: ctx.response.length,
        cutOff: ctx.res.writableFinished ? undefined : true,
      });
    });
    await next();
  };
}
