/**
 * Room: enclave/http. Bounds the memory that results take while slow clients read them.
 */
import type { Context } from "koa";
import { HttpError } from "./problem.ts";

/**
 * Makes a gate that an answer passes before it is read into memory, and is counted in until its client has it, or has
 * gone. One is always let through.
 *
 * @param maxBytes - of all answers under way.
 * @returns throws {@link ResultsBusyError} for an answer that is too large together with those.
 * @example
 * const enter = resultGate(256 * 2 ** 20);
 * enter(ctx, result.sizeBytes)
 */
export function resultGate(maxBytes: number): (ctx: Pick<Context, "res">, sizeBytes: number) => void {
  let underWayBytes = 0;
  return (ctx, sizeBytes) => {
    if (underWayBytes > 0 && underWayBytes + sizeBytes > maxBytes) throw new ResultsBusyError();
    underWayBytes += sizeBytes;
    ctx.res.once("close", () => {
      underWayBytes -= sizeBytes;
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
