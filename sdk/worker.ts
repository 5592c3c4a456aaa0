/**
 * Room: sdk/worker. The worker's HTTP API as functions. Nothing a worker says is believed: callers check hashes.
 * Mirrors `docs/HTTP.md`.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex } from "viem";
import { z } from "zod";
import type { Receipt, SignedOffer } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { type GrantPackage, grantToJson } from "../protocol/grantPackage.ts";
import { signedOfferSchema } from "../protocol/offerJson.ts";
import { signedReceiptSchema } from "../protocol/receiptJson.ts";
import { bytes32, hexUpTo } from "../protocol/schemas.ts";
import { type SignedOrder, signedOrderToJson } from "../protocol/signedOrder.ts";
import { type BoundedRequest, boundedFetch, serverUrl } from "./boundedFetch.ts";

/** Time and cancellation of one exchange. */
export type ExchangeOptions = Pick<BoundedRequest, "timeoutMs" | "signal">;

/** Largest sealed result that is fetched, in bytes. */
export const maxResultBytes = 80 * 1024 * 1024;
const maxAttestationBytes = 4 * 1024 * 1024;
const maxJsonBytes = 64 * 1024;
/** Large files take long on slow lines. */
const uploadTimeoutMs = 15 * 60_000;

const attestationSchema = z.looseObject({
  quote: hexUpTo(32 * 1024).optional(),
  eventLog: z.string(),
  appCompose: z.string(),
});

/** What a worker says of itself; further fields as in `docs/HTTP.md`. */
export type Attestation = z.output<typeof attestationSchema>;

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
  bytes: Uint8Array,
  options: ExchangeOptions = {},
): Promise<{ uri: string; sha256: Hex }> {
  const uri = blobUri(bytes);
  const name = uri.slice("blob:".length);
  const answer = await boundedFetch(serverUrl(workerUrl, `blobs/${name}`), {
    timeoutMs: uploadTimeoutMs,
    ...options,
    method: "PUT",
    body: bytes,
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
    maxBytes: maxResultBytes,
  });
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
  const { grant, signature, sealedKey, sealedKeySignature } = grantPackage;
  const answer = await boundedFetch(serverUrl(workerUrl, "grants"), {
    ...options,
    method: "POST",
    body: new TextEncoder().encode(
      JSON.stringify({ grant: grantToJson(grant), signature, sealedKey, sealedKeySignature }),
    ),
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
