/**
 * Room: protocol/prints. What a program printed, sealed to readers of its data's owner: what is inside, and how it is proven
 * that the enclave sealed it: the receipt commits to the enclave's log, and the log has an entry with its hash. Pure.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatHex, type Hex, hexToBytes, keccak256 } from "viem";
import { z } from "zod";
import type { Receipt } from "./eip712.ts";
import { BaseError } from "./errors.ts";
import { toJcsBytes } from "./jcs.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { sameBytes } from "./sameBytes.ts";
import { bytes32, hexUpTo } from "./schemas.ts";

/** Most that is kept of what one run prints, in bytes; the rest is cut. */
export const maxPrintsBytes = 64 * 1024;
/** Bytes of the line before the prints, with its line feed. */
const headBytes = 512;
/** All sealed prints have this many bytes inside: their size tells nothing about what was printed. */
const plainBytes = headBytes + maxPrintsBytes;
/** Largest ciphertext, in bytes: with what age adds for 16 readers. */
export const maxSealedPrintsBytes = plainBytes + 4096;
const maxEntryBytes = 1024;
/** A log has fewer than 2^53 entries. */
const maxProofLength = 53;

/** What a run printed. */
export type Prints = {
  /** Lines, each with a line feed; at most {@link maxPrintsBytes}. Not always UTF-8, and a stranger's in any case. */
  text: Uint8Array;
  /** Whether more was printed than is here, or may have been: the process ended without a word. */
  cut: boolean;
  /** SHA-256 of all that was printed: of `text`, unless it is cut. */
  hash: Hex;
};

/** Prints as a reader finds them. */
export type OpenedPrints = Prints & { jobId: Hex; salt: Hex };

const headSchema = z.strictObject({
  v: z.literal(1),
  jobId: bytes32,
  /** Of the job's commitments. */
  salt: bytes32,
  printsHash: bytes32,
  cut: z.boolean(),
  bytes: z.int().min(0).max(maxPrintsBytes),
});

const entrySchema = z.strictObject({
  type: z.literal("prints.sealed"),
  jobId: bytes32,
  /** SHA-256 of the ciphertext. */
  sealedHash: bytes32,
  /** As in the entry `program.ran`. */
  printsCommitment: bytes32,
  /** How many keys it is sealed to. */
  readers: z.int().min(1).max(16),
});

/** Entry of the enclave's log. */
export type PrintsEntry = z.output<typeof entrySchema>;

/** Sealed prints with the proof that they are in the log that a receipt commits to. */
export type SealedPrints = {
  /** An age file. */
  ciphertext: Uint8Array;
  /** Canonical JSON of a {@link PrintsEntry}: a leaf of the log. */
  entry: Uint8Array;
  /** Its place in the log. */
  index: number;
  /** Sibling hashes from the leaf upwards. */
  proof: readonly Hex[];
};

/** JSON form of {@link SealedPrints}. */
export const sealedPrintsSchema = z
  .strictObject({
    ciphertext: hexUpTo(maxSealedPrintsBytes),
    entry: hexUpTo(maxEntryBytes),
    index: z.int().min(0),
    proof: z.array(bytes32).max(maxProofLength),
  })
  .transform(({ ciphertext, entry, ...place }): SealedPrints => {
    return { ciphertext: hexToBytes(ciphertext), entry: hexToBytes(entry), ...place };
  });

/**
 * Sealed prints as JSON.
 *
 * @example
 * ctx.body = sealedPrintsToJson(sealed)
 */
export function sealedPrintsToJson(sealed: SealedPrints): z.input<typeof sealedPrintsSchema> {
  const { ciphertext, entry, index, proof } = sealed;
  return { ciphertext: bytesToHex(ciphertext), entry: bytesToHex(entry), index, proof: [...proof] };
}

/** What is known of the prints of a run that ended without a word. */
export const lostPrints: Prints = { text: new Uint8Array(), cut: true, hash: bytesToHex(sha256(new Uint8Array())) };

/**
 * The commitment to what a run printed: salted, as it may be guessable, and the log lies on the host's disk.
 *
 * @example
 * printsCommitmentOf(opened.salt, opened.hash) === entry.printsCommitment
 */
export function printsCommitmentOf(salt: Hex, printsHash: Hex): Hex {
  return keccak256(concatHex([salt, printsHash]));
}

/**
 * The plaintext of sealed prints: a line of JSON padded to 512 bytes, the prints, and spaces up to one size for all.
 *
 * @param salt - `commitmentSalt` of the job.
 * @example
 * const plaintext = encodePrints({ jobId, salt, ...outcome.prints })
 */
export function encodePrints({ jobId, salt, text, cut, hash: printsHash }: OpenedPrints): Uint8Array {
  const plaintext = new Uint8Array(plainBytes).fill(space);
  plaintext.set(toJcsBytes({ v: 1, jobId, salt, printsHash, cut, bytes: text.length }));
  plaintext[headBytes - 1] = lineFeed;
  plaintext.set(text, headBytes);
  return plaintext;
}

/**
 * Reads the plaintext of sealed prints.
 *
 * @throws {@link BadPrintsError} if it is anything but what {@link encodePrints} makes of prints of that job.
 * @example
 * const { text, cut } = decodePrints(plaintext, jobId)
 */
export function decodePrints(plaintext: Uint8Array, jobId: Hex): OpenedPrints {
  if (plaintext.length !== plainBytes) throw new BadPrintsError(`they have ${plaintext.length} bytes inside`);
  const head = headSchema.safeParse(parseJson(plaintext.subarray(0, headBytes)));
  if (!head.success) throw new BadPrintsError("their first line is another");
  const { printsHash: hash, cut, bytes, salt } = head.data;
  const text = plaintext.slice(headBytes, headBytes + bytes);
  if (head.data.jobId !== jobId.toLowerCase()) throw new BadPrintsError(`they are of job ${head.data.jobId}`);
  if (!cut && bytesToHex(sha256(text)) !== hash) throw new BadPrintsError("they have another hash than they say");
  const opened = { jobId: head.data.jobId, salt, text, cut, hash };
  if (!sameBytes(encodePrints(opened), plaintext)) throw new BadPrintsError("there is something beside them");
  return opened;
}

/**
 * Checks that sealed prints are those that the enclave of a receipt has logged for its job.
 *
 * @param receipt - whose signature has been checked.
 * @returns the entry, to hold the opened prints against.
 * @throws {@link BadPrintsError}
 * @example
 * const { printsCommitment } = provePrints(sealed, receipt)
 */
export function provePrints(
  { ciphertext, entry, index, proof }: SealedPrints,
  receipt: Pick<Receipt, "jobId" | "logRoot" | "logSize">,
): PrintsEntry {
  const [size, root] = [Number(receipt.logSize), hexToBytes(receipt.logRoot)];
  const siblings = proof.map((hash) => hexToBytes(hash));
  if (!verifyInclusion(leafHash(entry), index, size, siblings, root))
    throw new BadPrintsError("their entry is not in the log that the receipt commits to");
  const parsed = entrySchema.safeParse(parseJson(entry));
  if (!parsed.success) throw new BadPrintsError("the log's entry is about something else");
  if (parsed.data.jobId !== receipt.jobId) throw new BadPrintsError(`they are of job ${parsed.data.jobId}`);
  if (parsed.data.sealedHash !== bytesToHex(sha256(ciphertext)))
    throw new BadPrintsError("the log has another ciphertext's hash");
  return parsed.data;
}

const [space, lineFeed] = [0x20, 0x0a];

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined; // no schema accepts it
  }
}

/** These are not the prints that the enclave sealed. */
export class BadPrintsError extends BaseError {
  override readonly name = "Prints.BadPrintsError";
  constructor(fact: string) {
    super(`These are not the prints that the enclave sealed: ${fact}.`, {
      hint: "Do not believe them. Fetch them again from the worker, and run `dcm audit` on the job.",
    });
  }
}
