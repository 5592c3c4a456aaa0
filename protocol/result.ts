/**
 * Room: protocol/result. What is inside a sealed result, and the commitment to it that stands on chain. Pure.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatHex, type Hex, keccak256, sha256 as sha256Hex } from "viem";
import { z } from "zod";
import { BaseError } from "./errors.ts";
import { toJcsBytes } from "./jcs.ts";
import { sameBytes } from "./sameBytes.ts";
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
  return bytesToHex(keyed("commitment", datasetKeys, jobId));
}

/**
 * What the noise of a job is drawn from. Derived as {@link commitmentSalt} is and independent of it: every enclave that
 * runs the job draws the same, running it again tells nothing new, and nobody without all the keys can take it off again.
 *
 * @returns 32 bytes, to be overwritten after use.
 * @example
 * const seed = noiseSeed(keys, jobId)
 */
export function noiseSeed(datasetKeys: readonly Uint8Array[], jobId: Hex): Uint8Array {
  return keyed("noise", datasetKeys, jobId);
}

function keyed(label: "commitment" | "noise", datasetKeys: readonly Uint8Array[], jobId: Hex): Uint8Array {
  const key = sha256.create();
  for (const datasetKey of datasetKeys) key.update(sha256(datasetKey));
  return hmac(sha256, key.digest(), new TextEncoder().encode(`data-collab-market/${label}/v1:${jobId}`));
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

const zero32: Hex = `0x${"00".repeat(32)}`;

/** Bytes of an envelope that are not its output's. */
const aroundOutput = toJcsBytes({ v: 1, jobId: zero32, salt: zero32, output: 0 }).length - 1;

/**
 * The bytes of a result before it is sealed: those of its envelope, or the size class that it is padded to.
 *
 * @param outputBytes - of the canonical output.
 * @param pad - size classes in bytes, ascending; not given: no padding.
 * @returns undefined if no class holds it.
 * @example
 * resultSize(1000, [1024, 4096]) // 4096
 */
export function resultSize(outputBytes: number, pad?: readonly number[]): number | undefined {
  const bytes = outputBytes + aroundOutput;
  return pad === undefined ? bytes : pad.find((size) => size >= bytes);
}

/**
 * The plaintext of a sealed result: the envelope as canonical JSON, and spaces behind it up to the size class.
 *
 * @param pad - size classes in bytes, ascending: `manifest.output.policy.pad`.
 * @throws {@link ResultTooLargeError} if no class holds it.
 * @example
 * const plaintext = encodeResult(envelope, manifest.output.policy?.pad)
 */
export function encodeResult(envelope: ResultEnvelope, pad?: readonly number[]): Uint8Array {
  const bytes = toJcsBytes(envelope);
  const size = resultSize(bytes.length - aroundOutput, pad);
  if (size === undefined) throw new ResultTooLargeError(pad?.at(-1) ?? 0);
  const padded = new Uint8Array(size).fill(space);
  padded.set(bytes);
  bytes.fill(0);
  return padded;
}

/**
 * Reads the plaintext of a sealed result: a canonical envelope, and after it spaces or nothing.
 *
 * @throws {@link BadResultError} if it is not a result envelope of that job.
 * @example
 * const { output } = decodeResult(plaintext, jobId)
 */
export function decodeResult(plaintext: Uint8Array, jobId: Hex): ResultEnvelope {
  const bytes = plaintext.subarray(0, plaintext.findLastIndex((byte) => byte !== space) + 1);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new BadResultError("not UTF-8 JSON", cause);
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) throw new BadResultError(z.prettifyError(parsed.error));
  if (parsed.data.jobId !== jobId.toLowerCase()) throw new BadResultError(`it is of job ${parsed.data.jobId}`);
  // Two texts of one envelope would be two results of one commitment.
  if (!sameBytes(toJcsBytes(parsed.data), bytes)) throw new BadResultError("not canonical JSON");
  return parsed.data;
}

const space = 0x20;

/** No size class of the program's policy holds the result. */
export class ResultTooLargeError extends BaseError {
  override readonly name = "Result.ResultTooLargeError";
  constructor(largest: number) {
    super(`The result is larger than ${largest} bytes, the largest size class of its program's policy.`, {
      hint: "Ask for less, or have the program's author name a larger class in `output.policy.pad`.",
    });
  }
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
