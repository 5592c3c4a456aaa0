/**
 * Room: enclave/http. The routes about logs: heads, entries, proofs. protocol/logJson has the answers' forms. Each costs at
 * most three blocks of 256 entries to read and hash, however long the log is.
 */
import type Router from "@koa/router";
import type { Context } from "koa";
import { type Address, getAddress } from "viem";
import { z } from "zod";
import { maxEntriesAtOnce } from "../../protocol/logJson.ts";
import { address } from "../../protocol/schemas.ts";
import { HttpError } from "./problem.ts";
import { readParameters, refuseBody } from "./requestInput.ts";
import type { PublicLog, WorkerApi } from "./workerApi.ts";

const noQuery = z.strictObject({});
const logParameters = z.strictObject({ logId: address.transform((value) => getAddress(value)) });
/** Up to 2^53 - 1. */
const number = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/, "must be decimal digits")
  .transform(Number)
  .refine(Number.isSafeInteger, "must be below 2^53");
const entriesQuery = z.strictObject({
  from: number,
  count: number.refine((count) => count >= 1 && count <= maxEntriesAtOnce, `must be 1 to ${maxEntriesAtOnce}`),
});
const inclusionQuery = z.strictObject({ index: number, size: number });
const consistencyQuery = z.strictObject({ from: number, to: number });

/**
 * Adds the routes.
 *
 * @example
 * addLogRoutes(router, api.logs)
 */
export function addLogRoutes(router: Router, logs: WorkerApi["logs"]): void {
  router.get("/logs", (ctx) => {
    refuseBody(ctx);
    readParameters(noQuery, ctx.query);
    ctx.body = { logs: logs.list() };
  });

  router.get("/logs/:logId", async (ctx) => {
    refuseBody(ctx);
    readParameters(noQuery, ctx.query);
    const { logId } = readParameters(logParameters, ctx.params);
    const view = await logs.view(logId);
    if (view === undefined) throw new UnknownLogError(logId);
    ctx.body = view;
  });

  router.get("/logs/:logId/entries", (ctx) => {
    const { logId, log, query } = readRequest(ctx, entriesQuery);
    const { from, count } = query;
    if (from > log.size()) throw new NoSuchEntryError(logId, log.size());
    ctx.body = { logId, from, entries: log.entries(from, count) };
  });

  router.get("/logs/:logId/inclusion", (ctx) => {
    const { logId, log, query } = readRequest(ctx, inclusionQuery);
    const { index, size } = query;
    if (size > log.size() || index >= size) throw new NoSuchEntryError(logId, log.size());
    ctx.body = { logId, index, size, root: log.rootAt(size), proof: log.inclusion(index, size) };
  });

  router.get("/logs/:logId/consistency", (ctx) => {
    const { logId, log, query } = readRequest(ctx, consistencyQuery);
    const { from, to } = query;
    if (from < 1 || from > to || to > log.size()) throw new NoSuchEntryError(logId, log.size());
    const [fromRoot, toRoot] = [log.rootAt(from), log.rootAt(to)];
    ctx.body = { logId, from, to, fromRoot, toRoot, proof: log.consistency(from, to) };
  });

  function readRequest<T>(
    ctx: Context & { params: unknown },
    schema: z.ZodType<T>,
  ): { logId: Address; log: PublicLog; query: T } {
    refuseBody(ctx);
    const { logId } = readParameters(logParameters, ctx.params);
    const query = readParameters(schema, ctx.query);
    const log = logs.find(logId);
    if (log === undefined) throw new UnknownLogError(logId);
    return { logId, log, query };
  }
}

/** This worker has no log of that key, or not any more. */
export class UnknownLogError extends HttpError {
  override readonly name = "Http.UnknownLogError";
  override readonly status = 404;
  constructor(logId: Address) {
    super(`This worker has no log of signing key ${logId}.`, {
      hint: "GET /logs lists those it has. A key that was registered for it and is not there was forgotten by its disk.",
    });
  }
}

/** The log has no such entry, or was never of that size. */
export class NoSuchEntryError extends HttpError {
  override readonly name = "Http.NoSuchEntryError";
  override readonly status = 404;
  readonly size: number;
  constructor(logId: Address, size: number) {
    super(`The log of ${logId} has ${size} entries: what was asked for is not among them.`, {
      hint: "Indices start at 0; a size is 1 to the number of entries. A log that was larger once has been cut.",
    });
    this.size = size;
  }
}
