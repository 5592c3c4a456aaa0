/**
 * Room: sdk/worker. The worker's HTTP API as functions. Nothing a worker says is believed: callers check hashes.
 * Mirrors `docs/HTTP.md`.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { type Address, bytesToHex, type Hex } from "viem";
import { z } from "zod";
import type { Receipt, SignedOffer } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { type GrantPackage, grantPackageToJson } from "../protocol/grantPackage.ts";
import { maxCiphertextBytes, maxSealedResultBytes } from "../protocol/limits.ts";
import { signedOfferSchema } from "../protocol/offerJson.ts";
import { maxSealedPrintsBytes, type SealedPrints, sealedPrintsSchema } from "../protocol/prints.ts";
import { signedReceiptSchema } from "../protocol/receiptJson.ts";
import { address, bytes32, hexUpTo } from "../protocol/schemas.ts";
import { leavesSchema, sessionViewSchema, type shownLeafSchema } from "../protocol/sessionJson.ts";
import { type SignedOrder, signedOrderToJson } from "../protocol/signedOrder.ts";
import { type BoundedRequest, boundedFetch, serverUrl } from "./boundedFetch.ts";

/** Time and cancellation of one exchange. */
export type ExchangeOptions = Pick<BoundedRequest, "timeoutMs" | "signal">;

const maxAttestationBytes = 4 * 1024 * 1024;
const maxJsonBytes = 64 * 1024;
/** A claim of 4,096 leaves takes about 700,000 bytes. */
const maxSessionBytes = 1024 * 1024;
const maxLeavesBytes = 512 * 1024;
const maxPrintsAnswerBytes = 2 * maxSealedPrintsBytes + 16 * 1024;
/** Large files take long on slow lines. */
const uploadTimeoutMs = 15 * 60_000;

const attestationSchema = z.looseObject({
  quote: hexUpTo(32 * 1024).optional(),
  eventLog: z.string(),
  appCompose: z.string(),
});

/** See {@link fetchSession}. */
export type SessionView = z.output<typeof sessionViewSchema>;

/** See {@link fetchLeaves}. */
export type ShownLeaf = z.output<typeof shownLeafSchema>;

/** The requester's word that no more jobs come; see `signClaimRequest`. */
export type SignedClaimRequest = { jobs: number; validUntil: bigint; signature: Hex };

const jobViewSchema = z.looseObject({
  jobId: bytes32,
  phase: z.string().max(32),
  session: bytes32.optional(),
  leaf: z.int().min(0).optional(),
});

/** What a worker says of itself; further fields as in `docs/HTTP.md`. */
export type Attestation = z.output<typeof attestationSchema>;

/** Bytes that need not be in memory, and their SHA-256; a worker takes them only if they have it. */
export type HashedBlob = { blob: Blob; sha256: Hex };

/**
 * Stores bytes (a ciphertext, a program bundle) at a worker.
 *
 * @returns the URI under which that worker finds them.
 * @throws {@link BadAnswerError} if what answers is no worker | any error of `boundedFetch`
 * @example
 * const { uri } = await uploadBlob("https://worker.example", ciphertext)
 */
export async function uploadBlob(
  workerUrl: string,
  bytes: Uint8Array | HashedBlob,
  options: ExchangeOptions = {},
): Promise<{ uri: string; sha256: Hex }> {
  const uri = bytes instanceof Uint8Array ? blobUri(bytes) : `blob:${bytes.sha256.slice(2)}`;
  const name = uri.slice("blob:".length);
  const answer = await boundedFetch(serverUrl(workerUrl, `blobs/${name}`), {
    timeoutMs: uploadTimeoutMs,
    ...options,
    method: "PUT",
    body: bytes instanceof Uint8Array ? bytes : bytes.blob,
    contentType: "application/octet-stream",
    maxBytes: maxJsonBytes,
  });
  // Any server may answer 200. Registering bytes that nobody stored would cost gas, or leave a job without its program.
  if (!z.object({ sha256: z.literal(name) }).safeParse(parseJson(answer)).success)
    throw new BadAnswerError("PUT /blobs");
  return { uri, sha256: `0x${name}` };
}

/**
 * The URI under which a worker finds bytes that were uploaded to it.
 *
 * @example
 * const programUri = blobUri(packProgram(program))
 */
export function blobUri(bytes: Uint8Array): string {
  return `blob:${bytesToHex(sha256(bytes)).slice(2)}`;
}

/**
 * A blob that a worker stores, in memory; not checked against its hash.
 *
 * @param sha256Hex - SHA-256 of the blob.
 * @throws any error of `boundedFetch`
 * @example
 * const ciphertext = await fetchBlob("https://worker.example", contentHash)
 */
export async function fetchBlob(workerUrl: string, sha256Hex: Hex, options: ExchangeOptions = {}): Promise<Uint8Array> {
  return await boundedFetch(serverUrl(workerUrl, `blobs/${sha256Hex.slice(2)}`), {
    timeoutMs: uploadTimeoutMs,
    ...options,
    maxBytes: maxCiphertextBytes,
  });
}

/**
 * The sealed result of a settled job. Check it with `decryptResult`.
 *
 * @throws any error of `boundedFetch`
 * @example
 * const ciphertext = await fetchResult("https://worker.example", jobId)
 */
export async function fetchResult(workerUrl: string, jobId: Hex, options: ExchangeOptions = {}): Promise<Uint8Array> {
  return await boundedFetch(serverUrl(workerUrl, `results/${jobId}`), {
    timeoutMs: uploadTimeoutMs,
    ...options,
    maxBytes: maxSealedResultBytes,
  });
}

/**
 * What the program of a settled job printed, sealed. Open and check it with `openPrints`.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`: 404 if there is none
 * @example
 * const sealed = await fetchSealedPrints("https://worker.example", jobId)
 */
export async function fetchSealedPrints(
  workerUrl: string,
  jobId: Hex,
  options: ExchangeOptions = {},
): Promise<SealedPrints> {
  const url = serverUrl(workerUrl, `prints/${jobId}`);
  const answer = parseJson(await boundedFetch(url, { ...options, maxBytes: maxPrintsAnswerBytes }));
  const parsed = sealedPrintsSchema.safeParse(answer);
  if (!parsed.success) throw new BadAnswerError("GET /prints");
  return parsed.data;
}

/**
 * The receipt of a job, as its worker tells it. To be checked against the chain, not believed.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const { receipt, signature } = await fetchReceipt("https://worker.example", jobId)
 */
export async function fetchReceipt(
  workerUrl: string,
  jobId: Hex,
  options: ExchangeOptions = {},
): Promise<{ receipt: Receipt; signature: Hex }> {
  const url = serverUrl(workerUrl, `receipts/${jobId}`);
  const answer = parseJson(await boundedFetch(url, { ...options, maxBytes: maxJsonBytes }));
  const parsed = signedReceiptSchema.safeParse(answer);
  if (!parsed.success) throw new BadAnswerError("GET /receipts");
  return parsed.data;
}

/**
 * Hands a signed grant and the data set key sealed under it to an enclave.
 *
 * @returns the grant's hash as the worker computed it.
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const { grantHash } = await postGrant(enclave.endpoint, { grant, signature, sealedKey, sealedKeySignature })
 */
export async function postGrant(
  workerUrl: string,
  grantPackage: GrantPackage,
  options: ExchangeOptions = {},
): Promise<{ grantHash: Hex }> {
  const answer = await boundedFetch(serverUrl(workerUrl, "grants"), {
    ...options,
    method: "POST",
    body: new TextEncoder().encode(JSON.stringify(grantPackageToJson(grantPackage))),
    contentType: "application/json",
    maxBytes: maxJsonBytes,
  });
  const parsed = z.object({ grantHash: bytes32 }).safeParse(parseJson(answer));
  if (!parsed.success) throw new BadAnswerError("POST /grants");
  return parsed.data;
}

/**
 * Hands a signed order to a worker, which carries it out and settles it in one transaction.
 *
 * @returns the job's id as the worker computed it.
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const { jobId } = await postOrder("https://worker.example", await signOrder(client, prepared))
 */
export async function postOrder(
  workerUrl: string,
  signed: SignedOrder,
  options: ExchangeOptions = {},
): Promise<{ jobId: Hex }> {
  const answer = await boundedFetch(serverUrl(workerUrl, "orders"), {
    ...options,
    method: "POST",
    body: new TextEncoder().encode(JSON.stringify(signedOrderToJson(signed))),
    contentType: "application/json",
    maxBytes: maxJsonBytes,
  });
  const parsed = z.object({ jobId: bytes32 }).safeParse(parseJson(answer));
  if (!parsed.success) throw new BadAnswerError("POST /orders");
  return parsed.data;
}

/**
 * Where a worker stands with a session, and what it claimed of it. To be checked (`checkClaim`), not believed.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`: 404 if it has no jobs of it
 * @example
 * const { phase, taken, ran } = await fetchSession("https://worker.example", sessionId)
 */
export async function fetchSession(
  workerUrl: string,
  sessionId: Hex,
  options: ExchangeOptions = {},
): Promise<SessionView> {
  const url = serverUrl(workerUrl, `sessions/${sessionId}`);
  const answer = parseJson(await boundedFetch(url, { ...options, maxBytes: maxSessionBytes }));
  const parsed = sessionViewSchema.safeParse(answer);
  if (!parsed.success || parsed.data.sessionId !== sessionId.toLowerCase()) throw new BadAnswerError("GET /sessions");
  return parsed.data;
}

/**
 * Leaves of a session's claim with all that it takes to show them. To be checked, not believed.
 *
 * @param from - number of the first; as many as the worker gives at once follow it.
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const [leaf] = await fetchLeaves("https://worker.example", sessionId, 3)
 */
export async function fetchLeaves(
  workerUrl: string,
  sessionId: Hex,
  from: number,
  options: ExchangeOptions = {},
): Promise<ShownLeaf[]> {
  const url = serverUrl(workerUrl, `sessions/${sessionId}/leaves/${from}`);
  const answer = parseJson(await boundedFetch(url, { ...options, maxBytes: maxLeavesBytes }));
  const parsed = leavesSchema.safeParse(answer);
  if (!parsed.success || parsed.data.leaves.some(({ leaf }, i) => i === 0 && leaf < from))
    throw new BadAnswerError("GET /sessions");
  return parsed.data.leaves;
}

/**
 * Has a worker claim a session now.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * await postClaimRequest("https://worker.example", sessionId, await signClaimRequest(client, sessionId, taken))
 */
export async function postClaimRequest(
  workerUrl: string,
  sessionId: Hex,
  { jobs, validUntil, signature }: SignedClaimRequest,
  options: ExchangeOptions = {},
): Promise<SessionView> {
  const body = JSON.stringify({ jobs, validUntil: validUntil.toString(), signature });
  const answer = await boundedFetch(serverUrl(workerUrl, `sessions/${sessionId}/claim`), {
    ...options,
    method: "POST",
    body: new TextEncoder().encode(body),
    contentType: "application/json",
    maxBytes: maxSessionBytes,
  });
  const parsed = sessionViewSchema.safeParse(parseJson(answer));
  if (!parsed.success) throw new BadAnswerError("POST /sessions");
  return parsed.data;
}

/**
 * Where a worker stands with a job; the chain has the last word.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`: 404 if it knows nothing of it
 * @example
 * const { session, leaf } = await fetchJobView("https://worker.example", jobId)
 */
export async function fetchJobView(
  workerUrl: string,
  jobId: Hex,
  options: ExchangeOptions = {},
): Promise<z.output<typeof jobViewSchema>> {
  const url = serverUrl(workerUrl, `jobs/${jobId}`);
  const parsed = jobViewSchema.safeParse(parseJson(await boundedFetch(url, { ...options, maxBytes: maxJsonBytes })));
  if (!parsed.success || parsed.data.jobId !== jobId.toLowerCase()) throw new BadAnswerError("GET /jobs");
  return parsed.data;
}

/**
 * The prices that a worker's operator offers. To be verified (`verifyOffer`), not believed.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`: 404 if it has made no offer
 * @example
 * const { offerHash } = await verifyOffer(client, await fetchOffer("https://worker.example"))
 */
export async function fetchOffer(workerUrl: string, options: ExchangeOptions = {}): Promise<SignedOffer> {
  const answer = parseJson(await boundedFetch(serverUrl(workerUrl, "offer"), { ...options, maxBytes: maxJsonBytes }));
  const parsed = signedOfferSchema.safeParse(answer);
  if (!parsed.success) throw new BadAnswerError("GET /offer");
  return parsed.data;
}

/**
 * The key that a worker says its enclave signs with. Whether it is registered the chain says (`getEnclave`).
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const { operator } = await getEnclave(client, await fetchSigningKey("https://worker.example"))
 */
export async function fetchSigningKey(workerUrl: string, options: ExchangeOptions = {}): Promise<Address> {
  const answer = parseJson(await boundedFetch(serverUrl(workerUrl, "enclave"), { ...options, maxBytes: maxJsonBytes }));
  const parsed = z.object({ signingKey: address }).safeParse(answer);
  if (!parsed.success) throw new BadAnswerError("GET /enclave");
  return parsed.data.signingKey;
}

/**
 * The worker's attestation as it tells it: quote, event log, app-compose. To be verified, not believed.
 *
 * @param nonce - 32 bytes; with it the worker has a fresh quote made.
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const attestation = await fetchAttestation("https://worker.example")
 */
export async function fetchAttestation(
  workerUrl: string,
  nonce?: Hex,
  options: ExchangeOptions = {},
): Promise<Attestation> {
  const url = serverUrl(workerUrl, "attestation");
  if (nonce !== undefined) url.searchParams.set("nonce", nonce);
  const answer = parseJson(await boundedFetch(url, { ...options, maxBytes: maxAttestationBytes }));
  const parsed = attestationSchema.safeParse(answer);
  if (!parsed.success) throw new BadAnswerError("GET /attestation");
  return parsed.data;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined; // no schema accepts it
  }
}

/** The worker's answer is not of the form the API has. */
export class BadAnswerError extends BaseError {
  override readonly name = "Worker.BadAnswerError";
  constructor(route: string) {
    super(`The answer to ${route} is not what a worker says.`, { hint: "Check that the URL is a worker's." });
  }
}
