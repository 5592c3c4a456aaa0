/**
 * Room: protocol/result. What is inside a sealed result, and the commitment to it that stands on chain. Pure.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatHex, type Hex, keccak256, sha256 as sha256Hex } from "viem";
import { z } from "zod";
import { BaseError } from "./errors.ts";
import { toJcsBytes } from "./jcs.ts";
import { bytes32 } from "./schemas.ts";

const envelopeSchema = z.strictObject({ v: z.literal(1), jobId: bytes32, salt: bytes32, output: z.json() });

/** What a reader finds after opening a sealed result: the output and what opens the commitment. */
export type ResultEnvelope = z.output<typeof envelopeSchema>;

/**
 * The salt of a job's commitment. Derived from the data set keys, so that every enclave that runs the same job
 * makes the same commitment, and nobody without the keys can guess outputs against it.
 *
 * @param datasetKeys - one per data set, in the order's order.
 * @example
 * const salt = commitmentSalt(keys, jobId)
 */
export function commitmentSalt(datasetKeys: readonly Uint8Array[], jobId: Hex): Hex {
  const key = sha256.create();
  for (const datasetKey of datasetKeys) key.update(sha256(datasetKey));
  const message = new TextEncoder().encode(`data-collab-market/commitment/v1:${jobId}`);
  return bytesToHex(hmac(sha256, key.digest(), message));
}

/**
 * The commitment in a receipt: keccak256(jobId || salt || sha256(canonical output)).
 *
 * @example
 * outputCommitmentOf(envelope) === receipt.outputCommitment
 */
export function outputCommitmentOf(envelope: ResultEnvelope): Hex {
  return keccak256(concatHex([envelope.jobId, envelope.salt, sha256Hex(toJcsBytes(envelope.output))]));
}

/**
 * The plaintext of a sealed result.
 *
 * @example
 * const plaintext = encodeResult(envelope)
 */
export function encodeResult(envelope: ResultEnvelope): Uint8Array {
  return toJcsBytes(envelope);
}

/**
 * Reads the plaintext of a sealed result.
 *
 * @throws {@link BadResultError} if it is not a result envelope of that job.
 * @example
 * const { output } = decodeResult(plaintext, jobId)
 */
export function decodeResult(plaintext: Uint8Array, jobId: Hex): ResultEnvelope {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plaintext));
  } catch (cause) {
    throw new BadResultError("not UTF-8 JSON", cause);
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) throw new BadResultError(z.prettifyError(parsed.error));
  if (parsed.data.jobId !== jobId.toLowerCase()) throw new BadResultError(`it is of job ${parsed.data.jobId}`);
  return parsed.data;
}

/** The opened result is not a result envelope of the job. */
export class BadResultError extends BaseError {
  override readonly name = "Result.BadResultError";
  constructor(detail: string, cause?: unknown) {
    super(`The result is not what a worker of this project seals: ${detail}`, {
      hint: "Fetch it again from the worker, and run `dcm audit` on the job.",
      cause,
    });
  }
}
