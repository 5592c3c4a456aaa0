/**
 * Room: enclave/http. Errors as clients see them: RFC 9457 problem documents.
 * Errors thrown on purpose answer with their name, text and hint; all others with 500 and the request id.
 */
import { STATUS_CODES } from "node:http";
import type { Context, Middleware } from "koa";
import { BaseError } from "../../protocol/errors.ts";
import { DamagedEntriesError } from "../../protocol/merkleTree.ts";
import {
  BadBlobNameError,
  BlobCorruptError,
  BlobMissingError,
  BlobQuotaError,
  BlobTooLargeError,
} from "../blobs/blobStore.ts";

/** An error that knows its HTTP status. */
export abstract class HttpError extends BaseError {
  abstract readonly status: number;
  /** Header fields that go with it. */
  readonly headers: Readonly<Record<string, string>> = {};
}

/** A problem document (RFC 9457) with two members of ours: `name` and `hint`, as in docs/errors.md. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  name: string;
  hint: string;
};

const maxDetailLength = 1000;

/** Statuses of other rooms' errors. What is not listed: 503 if retryable, else 422. */
const statuses: readonly [new (...args: never[]) => BaseError, number][] = [
  [BadBlobNameError, 400],
  [BlobMissingError, 404],
  [BlobCorruptError, 404],
  [BlobTooLargeError, 413],
  [BlobQuotaError, 507],
  [DamagedEntriesError, 500],
];

/**
 * The HTTP status of an error thrown on purpose.
 *
 * @example
 * statusOf(new BlobMissingError(sha256)) // 404
 */
export function statusOf(error: BaseError): number {
  if (error instanceof HttpError) return error.status;
  const listed = statuses.find(([type]) => error instanceof type);
  return listed?.[1] ?? (error.retryable ? 503 : 422);
}

/**
 * The problem document of an error.
 *
 * @param requestId - a UUID.
 * @example
 * problemOf(new BlobMissingError(sha256), requestId).status // 404
 */
export function problemOf(error: BaseError, requestId: string): Problem {
  const status = statusOf(error);
  return {
    type: `urn:dcm:error:${error.name}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: error.message.slice(0, maxDetailLength),
    instance: `urn:uuid:${requestId}`,
    name: error.name,
    hint: error.hint,
  };
}

/**
 * Turns every error below it into a problem document.
 *
 * @param log - told of errors that nobody threw on purpose.
 * @example
 * app.use(errorBoundary((requestId, error) => log.error("http.error", { requestId, error })))
 */
export function errorBoundary(log: (requestId: string, error: Error) => void): Middleware {
  return async function errorBoundary(ctx, next) {
    try {
      await next();
    } catch (thrown) {
      const known = thrown instanceof BaseError;
      const requestId: string = ctx.state.requestId;
      if (!known) log(requestId, thrown instanceof Error ? thrown : new InternalError());
      answer(ctx, known ? thrown : new InternalError(), requestId);
    }
  };
}

function answer(ctx: Context, error: BaseError, requestId: string): void {
  // What is left of the body is read and thrown away, or the client would not see the answer for its own sending;
  // the server's request timeout ends it.
  if (!ctx.req.complete) ctx.req.resume();
  const problem = problemOf(error, requestId);
  ctx.status = problem.status;
  ctx.set("Cache-Control", "no-store");
  ctx.set(error instanceof HttpError ? error.headers : problem.status === 503 ? { "Retry-After": "5" } : {});
  ctx.type = "application/problem+json";
  ctx.body = JSON.stringify(problem);
}

/** Something failed that nobody foresaw. */
export class InternalError extends HttpError {
  override readonly name = "Http.InternalError";
  override readonly status = 500;
  constructor() {
    super("The worker failed to answer.", {
      hint: "Give the instance to the operator: the worker's log has a line with it.",
    });
  }
}
