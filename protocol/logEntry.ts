/**
 * Room: protocol/logEntry. What stands in an enclave's log: canonical JSON (RFC 8785) of ids, sizes, hashes and codes,
 * never of data. Pure.
 */
import { z } from "zod";
import { failureCodes } from "./eip712.ts";
import { toJcs } from "./jcs.ts";
import { address, bytes32, hexUpTo, uint64String } from "./schemas.ts";

/** Largest entry of a log, in bytes. */
export const maxEntryBytes = 4 * 1024;

const size = z.int().min(0);
const failureCode = z.enum(failureCodes);

/** An earlier log as the enclave found it on disk when it started; see docs/GLOSSARY.md, "log". */
export const previousLogSchema = z.strictObject({
  logId: address,
  root: bytes32,
  size,
  /** Whether it can be read to its end, and has under it the last receipt that its key signed. */
  intact: z.boolean(),
});

/** Every kind of entry. */
export const logEntrySchema = z.discriminatedUnion("type", [
  /** The first one, and no other. `previous`: the newest log that was on disk; null: there was none. */
  z.strictObject({
    type: z.literal("boot"),
    signingKey: address,
    vaultKey: hexUpTo(64),
    workloadId: bytes32,
    previous: previousLogSchema.nullable(),
  }),
  /** The signing key signed an EIP-712 hash: a receipt, an acceptance, a claim, a registration. Written before it does. */
  z.strictObject({ type: z.literal("key.signed"), digest: bytes32 }),
  /** The signing key was registered, or the registration renewed; null: by a transaction of another. */
  z.strictObject({ type: z.literal("enclave.registered"), transaction: bytes32.nullable(), expiresAt: uint64String }),
  /** A reorganisation took the registration back. */
  z.strictObject({ type: z.literal("enclave.lost") }),
  /** A sealed data set key came with its grant, and was opened to see whether it can be, and forgotten. */
  z.strictObject({ type: z.literal("key.received"), grantHash: bytes32 }),
  /** Keys are about to be opened under this consent, which was checked against the block `anchorHash`. */
  z.strictObject({ type: z.literal("grant.checked"), jobId: bytes32, grantHash: bytes32, anchorHash: bytes32 }),
  z.strictObject({ type: z.literal("key.opened"), jobId: bytes32, grantHash: bytes32, datasetId: bytes32 }),
  z.strictObject({
    type: z.literal("input.decrypted"),
    jobId: bytes32,
    datasetId: bytes32,
    contentHash: bytes32,
    plainBytes: size,
  }),
  z.strictObject({
    type: z.literal("program.ran"),
    jobId: bytes32,
    programId: bytes32,
    engineSha256: bytes32,
    paramsHash: bytes32,
    printsCommitment: bytes32,
  }),
  /** Keys overwritten, the sandbox ended; `count`: inputs that had been opened. */
  z.strictObject({ type: z.literal("input.destroyed"), jobId: bytes32, count: size }),
  z.strictObject({ type: z.literal("result.sealed"), jobId: bytes32, resultHash: bytes32, readers: size }),
  /** What the program printed was sealed to its data's owner; `sealedHash`: SHA-256 of the ciphertext. */
  z.strictObject({
    type: z.literal("prints.sealed"),
    jobId: bytes32,
    sealedHash: bytes32,
    printsCommitment: bytes32,
    readers: size,
  }),
  /** The sealed result was handed out for the first time since the boot. */
  z.strictObject({ type: z.literal("result.released"), jobId: bytes32, resultHash: bytes32 }),
  z.strictObject({ type: z.literal("job.refused"), jobId: bytes32, failureCode }),
  /** It failed here, and because of its quorum nothing is signed about it. */
  z.strictObject({ type: z.literal("job.abstained"), jobId: bytes32, failureCode }),
  /** A session's claim is on chain. */
  z.strictObject({ type: z.literal("session.claimed"), sessionId: bytes32 }),
]);

/** One entry. */
export type LogEntry = z.output<typeof logEntrySchema>;

/** What an enclave appends; amounts as the JSON has them. */
export type NewLogEntry = z.input<typeof logEntrySchema>;

/** An earlier log as a boot names it. */
export type PreviousLog = z.output<typeof previousLogSchema>;

/**
 * Reads an entry.
 *
 * @returns undefined if it is of no known kind, or not canonical JSON: two texts must never say the same.
 * @example
 * readLogEntry('{"type":"enclave.lost"}') // { type: "enclave.lost" }
 */
export function readLogEntry(text: string): LogEntry | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (toJcs(json) !== text) return undefined;
    return logEntrySchema.safeParse(json).data;
  } catch {
    return undefined; // not JSON, or numbers that canonical JSON has no form for
  }
}
