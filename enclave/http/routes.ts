/**
 * Room: enclave/http. The routes: check the input, ask the worker, write the answer. docs/HTTP.md describes them.
 */
import Router from "@koa/router";
import type { Context } from "koa";
import type { Hex } from "viem";
import { z } from "zod";
import { claimRequestSchema } from "../../protocol/claimRequest.ts";
import { grantPackageSchema } from "../../protocol/grantPackage.ts";
import { sealedPrintsToJson } from "../../protocol/prints.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { signedOrderSchema } from "../../protocol/signedOrder.ts";
import { BlobMissingError } from "../blobs/blobStore.ts";
import { attestationPage, pagePolicy } from "./attestationPage.ts";
import { addLogRoutes } from "./logRoutes.ts";
import { HttpError } from "./problem.ts";
import { quoteGate } from "./quoteGate.ts";
import { rateLimit } from "./rateLimit.ts";
import { declaredBytes, readBody, readJson, readParameters, refuseBody } from "./requestInput.ts";
import { resultGate } from "./resultGate.ts";
import type { WorkerApi } from "./workerApi.ts";

/** Requests a minute and client, by kind. */
export type RateLimits = { requests: number; quotes: number; uploads: number };

/** Results that are being sent, in bytes: each is in memory until its client has it. */
const maxResultsUnderWayBytes = 256 * 1024 * 1024;

const noQuery = z.strictObject({});
const attestationQuery = z.strictObject({ nonce: bytes32.optional() });
const jobParameters = z.strictObject({ id: bytes32 });
const leavesParameters = z.strictObject({
  id: bytes32,
  from: z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform(Number),
});
const blobParameters = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lowercase hex digits, without 0x"),
});

/**
 * Makes the router.
 *
 * @example
 * app.use(createRoutes(api, limits).routes())
 */
export function createRoutes(api: WorkerApi, limits: RateLimits): Router {
  const router = new Router({ sensitive: true, strict: true });
  const attestation = quoteGate((nonce) => api.attestation(nonce));
  const limitQuotes = rateLimit(limits.quotes);
  const limitUploads = rateLimit(limits.uploads);
  const enterResults = resultGate(maxResultsUnderWayBytes);

  /* ENCLAVE */

  router.get("/", async (ctx) => {
    readNothing(ctx);
    const enclave = await api.enclave();
    const shown = enclave.registered ? await attestation() : undefined;
    ctx.set("Content-Security-Policy", pagePolicy);
    ctx.type = "html";
    ctx.body = attestationPage(enclave, shown);
  });

  router.get("/attestation", async (ctx) => {
    refuseBody(ctx);
    const { nonce } = readParameters(attestationQuery, ctx.query);
    if (nonce === undefined) ctx.body = await attestation();
    else
      await limitQuotes(ctx, async () => {
        ctx.body = await attestation(nonce);
      });
  });

  router.get("/enclave", async (ctx) => {
    readNothing(ctx);
    ctx.body = await api.enclave();
  });

  router.get("/healthz", (ctx) => {
    readNothing(ctx);
    ctx.body = { ok: true };
  });

  router.get("/readyz", async (ctx) => {
    readNothing(ctx);
    const readiness = await api.ready();
    ctx.status = readiness.ready ? 200 : 503;
    ctx.body = readiness;
  });

  router.get("/offer", (ctx) => {
    readNothing(ctx);
    const offer = api.offer();
    if (offer === undefined) throw new NoOfferError();
    ctx.body = offer;
  });

  /* JOBS */

  router.post("/orders", limitUploads, async (ctx) => {
    readParameters(noQuery, ctx.query);
    ctx.body = await api.takeOrder(await readJson(ctx, signedOrderSchema));
    ctx.status = 202;
  });

  router.get("/jobs/:id", async (ctx) => {
    const id = readJobId(ctx);
    ctx.body = known(await api.job(id), id);
  });

  router.get("/receipts/:id", async (ctx) => {
    const id = readJobId(ctx);
    ctx.body = known(await api.receipt(id), id);
  });

  router.get("/results/:id", async (ctx) => {
    const id = readJobId(ctx);
    const result = known(await api.resultCiphertext(id), id);
    if (!result.released) throw new ResultHeldBackError(id);
    ctx.type = "application/octet-stream";
    const { sizeBytes } = result;
    if (ctx.method !== "HEAD") enterResults(ctx, sizeBytes); // before it is read and hashed
    ctx.body = ctx.method === "HEAD" ? Buffer.alloc(0) : asBuffer(result.read());
    ctx.length = sizeBytes;
  });

  router.get("/prints/:id", async (ctx) => {
    const id = readJobId(ctx);
    const prints = known(await api.sealedPrints(id), id);
    if (!prints.released) throw new ResultHeldBackError(id);
    ctx.body = sealedPrintsToJson(prints.sealed);
  });

  /* SESSIONS */

  router.get("/sessions/:id", (ctx) => {
    const id = readJobId(ctx);
    ctx.body = knownSession(api.session(id), id);
  });

  router.get("/sessions/:id/leaves/:from", (ctx) => {
    readNothing(ctx);
    const { id, from } = readParameters(leavesParameters, ctx.params);
    ctx.body = knownSession(api.leaves(id, from), id);
  });

  router.post("/sessions/:id/claim", limitUploads, async (ctx) => {
    readParameters(noQuery, ctx.query);
    const { id } = readParameters(jobParameters, ctx.params);
    ctx.body = knownSession(await api.requestClaim(id, await readJson(ctx, claimRequestSchema)), id);
    ctx.status = 202;
  });

  /* LOGS */

  addLogRoutes(router, api.logs);

  /* BLOBS AND GRANTS */

  router.put("/blobs/:sha256", limitUploads, async (ctx) => {
    readParameters(noQuery, ctx.query);
    const { sha256 } = readParameters(blobParameters, ctx.params);
    const { sizeBytes, created } = await api.blobs.put(sha256, readBody(ctx), declaredBytes(ctx));
    ctx.status = created ? 201 : 200;
    ctx.body = { sha256, sizeBytes };
  });

  router.get("/blobs/:sha256", async (ctx) => {
    readNothing(ctx);
    const { sha256 } = readParameters(blobParameters, ctx.params);
    const blob = ctx.method === "HEAD" ? sizeOnly(api, sha256) : await api.blobs.open(sha256);
    ctx.set("Cache-Control", "public, max-age=31536000, immutable");
    ctx.type = "application/octet-stream";
    ctx.body = "stream" in blob ? blob.stream : Buffer.alloc(0);
    ctx.length = blob.sizeBytes;
  });

  router.post("/grants", limitUploads, async (ctx) => {
    readParameters(noQuery, ctx.query);
    ctx.body = await api.acceptGrant(await readJson(ctx, grantPackageSchema));
  });

  return router;
}

function readNothing(ctx: Context): void {
  refuseBody(ctx);
  readParameters(noQuery, ctx.query);
}

function readJobId(ctx: Context & { params: unknown }): Hex {
  readNothing(ctx);
  return readParameters(jobParameters, ctx.params).id;
}

/** The same memory as a Buffer: Koa would write other arrays as JSON. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function known<T>(value: T | undefined, jobId: Hex): T {
  if (value === undefined) throw new UnknownJobError(jobId);
  return value;
}

function knownSession<T>(value: T | undefined, sessionId: Hex): T {
  if (value === undefined) throw new NoSuchSessionError(sessionId);
  return value;
}

function sizeOnly(api: WorkerApi, sha256: string): { sizeBytes: number } {
  const sizeBytes = api.blobs.size(sha256);
  if (sizeBytes === undefined) throw new BlobMissingError(sha256);
  return { sizeBytes };
}

/** This worker has nothing of that kind for the job. */
export class UnknownJobError extends HttpError {
  override readonly name = "Http.UnknownJobError";
  override readonly status = 404;
  constructor(jobId: Hex) {
    super(`This worker has nothing here for job ${jobId}.`, {
      hint: "Look the job up on chain: it may be too new, another worker's, or without a result.",
    });
  }
}

/** This worker has no jobs of the session, or no claim of it where leaves are asked for. */
export class NoSuchSessionError extends HttpError {
  override readonly name = "Http.NoSuchSessionError";
  override readonly status = 404;
  constructor(sessionId: Hex) {
    super(`This worker has nothing of that kind for session ${sessionId}.`, {
      hint: "Look the session up on chain: it may be too new, another worker's, or not claimed yet.",
    });
  }
}

/** The operator of this worker has made no offer. */
export class NoOfferError extends HttpError {
  override readonly name = "Http.NoOfferError";
  override readonly status = 404;
  constructor() {
    super("The operator of this worker has made no offer.", { hint: "Give a flat operator fee, and no offer hash." });
  }
}

/** The job ran but is not settled yet. */
export class ResultHeldBackError extends HttpError {
  override readonly name = "Http.ResultHeldBackError";
  override readonly status = 409;
  constructor(jobId: Hex) {
    super(`The result of job ${jobId} is held back until the job is settled on chain.`, {
      hint: "Try again after the settlement; a session's: when its leaf was shown, or its time for disputes is over.",
      retryable: true,
    });
  }
}
