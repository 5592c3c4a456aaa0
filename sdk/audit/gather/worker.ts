/**
 * Room: sdk/audit/gather/worker. What the worker and other servers hand out: bytes to be hashed, never believed.
 * A server that is silent or talks nonsense makes evidence missing, nothing worse.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter } from "age-encryption";
import { bytesToHex, type Hex } from "viem";
import { z } from "zod";
import { type Receipt, receiptStatus } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { maxBundleBytes } from "../../../protocol/program.ts";
import { maxEventLogSize } from "../../../protocol/quote/eventLog.ts";
import { maxQuoteSize, quoteBytes, rootCaOf } from "../../../protocol/quote/parseQuote.ts";
import { decodeResult, outputCommitmentOf } from "../../../protocol/result.ts";
import { hexUpTo } from "../../../protocol/schemas.ts";
import { boundedFetch, serverUrl } from "../../boundedFetch.ts";
import { maxAppComposeSize } from "../../cvm/appCompose.ts";
import { fetchAttestation, fetchResult } from "../../worker.ts";
import { type Evidence, isMissing, type Missing, type WorkerEvidence } from "../evidence.ts";

const timeoutMs = 30_000;
const noWorker = { missing: "no worker was asked" };

const attestationSchema = z.object({
  quote: hexUpTo(maxQuoteSize).optional(),
  eventLog: z.string().max(maxEventLogSize),
  appCompose: z.string().max(maxAppComposeSize),
  binding: z.object({ signingKey: z.string().max(64) }),
});

/**
 * What the worker shows of itself and of the job's result.
 *
 * @param receipt - the settled job's; undefined: no result is asked for.
 * @example
 * const worker = await gatherWorker("https://worker.example", jobId, receipt)
 */
export async function gatherWorker(
  workerUrl: string | undefined,
  jobId: Hex,
  receipt: Receipt | undefined,
): Promise<Omit<WorkerEvidence, "log">> {
  if (workerUrl === undefined) return { attestation: noWorker, result: noWorker };
  const attestation = await orMissing("the worker's attestation", async () => {
    const parsed = attestationSchema.safeParse(await fetchAttestation(workerUrl, undefined, { timeoutMs }));
    if (!parsed.success) return { missing: "the worker's attestation is not of the form that workers answer with" };
    const { quote, eventLog, appCompose, binding } = parsed.data;
    return { eventLog, appCompose, signingKey: binding.signingKey, rootCa: rootOf(quote) };
  });
  const result =
    receipt?.status === receiptStatus.ok
      ? await orMissing("the sealed result", () => fetchResult(workerUrl, jobId))
      : { missing: "there is no result" };
  return { attestation, result };
}

/**
 * The program bundle, from where the order's opening says it lies.
 *
 * @param uri - a stranger's: `blob:` in the worker's store, or https.
 * @example
 * const program = await gatherProgram("blob:...", workerUrl)
 */
export async function gatherProgram(uri: string, workerUrl: string | undefined): Promise<Uint8Array | Missing> {
  const blob = /^blob:([0-9a-f]{64})$/.exec(uri)?.[1];
  if (blob !== undefined) {
    if (workerUrl === undefined) return noWorker;
    return await orMissing("the program bundle", () =>
      boundedFetch(serverUrl(workerUrl, `blobs/${blob}`), { maxBytes: maxBundleBytes, timeoutMs }),
    );
  }
  if (!URL.canParse(uri) || new URL(uri).protocol !== "https:")
    return { missing: "the program's URI is neither https nor in the worker's store" };
  return await orMissing("the program bundle", () =>
    boundedFetch(new URL(uri), { maxBytes: maxBundleBytes, timeoutMs }),
  );
}

/**
 * Opens the sealed result as one of its readers and computes what it commits to.
 *
 * @param identity - `AGE-SECRET-KEY-1...`; used here and nowhere else.
 * @example
 * const opened = await openResult(worker.result, receipt, identity)
 */
export async function openResult(
  result: Uint8Array | Missing,
  receipt: Receipt | undefined,
  identity: string | undefined,
): Promise<Evidence["opened"]> {
  if (identity === undefined) return { missing: "only a reader of the result can open it" };
  if (receipt === undefined || isMissing(result)) return { missing: isMissing(result) ? result.missing : "no receipt" };
  if (bytesToHex(sha256(result)) !== receipt.resultHash) return { missing: "the sealed result at hand is another one" };
  let plaintext: Uint8Array;
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    plaintext = await decrypter.decrypt(result);
  } catch {
    return { missing: "this identity does not open the result" }; // no cause: it might repeat the identity
  }
  try {
    return { commitment: outputCommitmentOf(decodeResult(plaintext, receipt.jobId)) };
  } catch (error) {
    if (error instanceof BaseError) return { problem: "what is sealed is not a result of this job" };
    throw error;
  } finally {
    plaintext.fill(0);
  }
}

/** The last certificate of the quote's chain. */
function rootOf(quote: Hex | undefined): Uint8Array | Missing {
  if (quote === undefined) return { missing: "the worker shows no quote" };
  try {
    return rootCaOf(quoteBytes(quote));
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { missing: `the worker's quote brings no root certificate: ${error.message}` };
  }
}

async function orMissing<T>(what: string, fetch: () => Promise<T>): Promise<T | Missing> {
  try {
    return await fetch();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { missing: `${what} could not be had: ${error.message}` };
  }
}
