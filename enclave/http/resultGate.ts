/**
 * Room: enclave/http. Bounds the memory that results take while slow clients read them.
 */
import type { Context, Next } from "koa";
import { HttpError } from "./problem.ts";

/**
 * Makes a middleware that refuses an answer while others, together with it, would be larger than a limit. One is always
 * let through.
 *
 * @param maxBytes - of all bodies under way.
 * @throws {@link ResultsBusyError} after the route has set a body that is a Buffer.
 * @example
 * router.get("/results/:id", resultGate(256 * 2 ** 20), answer)
 */
export function resultGate(maxBytes: number): (ctx: Context, next: Next) => Promise<void> {
  let underWayBytes = 0;
  return async (ctx, next) => {
    await next();
    const { length } = ctx.body as Buffer;
    if (underWayBytes > 0 && underWayBytes + length > maxBytes) {
      ctx.body = null;
      throw new ResultsBusyError();
    }
    underWayBytes += length;
    ctx.res.once("close", () => {
      underWayBytes -= length;
    });
  };
}

/** As many results as fit are being sent. */
export class ResultsBusyError extends HttpError {
  override readonly name = "Http.ResultsBusyError";
  override readonly status = 503;
  override readonly headers = { "Retry-After": "5" };
  constructor() {
    super("This worker is sending as many results as it can hold.", {
      hint: "Try again in a moment.",
      retryable: true,
    });
  }
}
