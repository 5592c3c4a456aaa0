/**
 * Room: protocol/logJson. What workers answer about logs, and what an audit keeps of it. JSON forms; pure.
 * A log's id is the address of the signing key whose boot began it.
 */
import { z } from "zod";
import { maxEntryBytes } from "./logEntry.ts";
import { signedReceiptSchema } from "./receiptJson.ts";
import { address, bytes32, hexOf, uint64String } from "./schemas.ts";

/** Most logs that a worker tells of, newest first. */
export const maxLogs = 32;
/** Most entries in one answer. */
export const maxEntriesAtOnce = 256;
/** Most entries of a log that an audit reads; of a longer one it sees proofs only. */
export const maxEntriesRead = 100_000;
/** Most entries about one job, whatever becomes of it: an enclave may have begun it several times. */
export const maxJobEntries = 512;

const size = z.int().min(0);
const entry = z.string().max(maxEntryBytes);
/** Trees of up to 2^53 entries: at most two hashes a level. */
const proof = z.array(bytes32).max(108);

/** A log in short. `intact`: it can be read to its end, and has under it the last receipt that its key signed. */
export const logSummarySchema = z.strictObject({
  logId: address,
  size,
  root: bytes32,
  /** Whether it is that of the enclave that runs now. */
  living: z.boolean(),
  intact: z.boolean(),
});

/** Answer of GET /logs: newest first. */
export const logsSchema = z.strictObject({ logs: z.array(logSummarySchema).max(maxLogs) });

/** JSON form of a `LogHead` and its signature. */
export const signedHeadSchema = z.strictObject({
  root: bytes32,
  size: uint64String,
  anchorBlock: uint64String,
  anchorHash: bytes32,
  signature: hexOf(65),
});

/** Answer of GET /logs/:logId. A living log has a head; an earlier one the last receipt that its key signed, if any. */
export const logViewSchema = logSummarySchema.extend({
  head: signedHeadSchema.optional(),
  receipt: signedReceiptSchema.optional(),
});

/** Answer of GET /logs/:logId/entries: canonical JSON texts, each to be hashed as it is. */
export const logEntriesSchema = z.strictObject({
  logId: address,
  from: size,
  entries: z.array(entry).max(maxEntriesAtOnce),
});

/** Answer of GET /logs/:logId/inclusion. */
export const inclusionSchema = z.strictObject({ logId: address, index: size, size, root: bytes32, proof });

/** Answer of GET /logs/:logId/consistency. */
export const consistencySchema = z.strictObject({
  logId: address,
  from: size,
  to: size,
  fromRoot: bytes32,
  toRoot: bytes32,
  proof,
});

/** An entry, where it stands, and the inclusion proof under the receipt's root and size. */
export const provenEntrySchema = z.strictObject({ index: size, entry, proof });

/** What a stranger needs to see that a job stands in the log that its receipt commits to. */
export const logEvidenceSchema = z.strictObject({
  logId: address,
  /** The first entry, which says whose log it is. */
  boot: provenEntrySchema,
  /** The entries about the job, in order. */
  entries: z.array(provenEntrySchema).max(maxJobEntries),
  /** All entries up to the receipt's size: only they show that none is left out. */
  all: z.union([z.array(entry).max(maxEntriesRead), z.strictObject({ missing: z.string().max(1024) })]),
  /** Another word of the same key, and the proof that the shorter of the two logs is a prefix of the longer. */
  other: z.union([
    z.strictObject({ head: signedHeadSchema, proof }),
    z.strictObject({ receipt: signedReceiptSchema, proof }),
    z.strictObject({ missing: z.string().max(1024) }),
  ]),
});

/** See {@link logEvidenceSchema}. */
export type LogEvidence = z.output<typeof logEvidenceSchema>;

/** See {@link provenEntrySchema}. */
export type ProvenEntry = z.output<typeof provenEntrySchema>;

/** See {@link logSummarySchema}. */
export type LogSummary = z.output<typeof logSummarySchema>;

/** See {@link logViewSchema}. */
export type LogView = z.output<typeof logViewSchema>;
