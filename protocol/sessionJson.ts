/**
 * Room: protocol/sessionJson. JSON forms of a session's terms and claim, and of a claim's leaves as a worker shows them
 * (GET /sessions/:id). Pure.
 */
import { z } from "zod";
import type { SessionClaim, SessionTerms } from "./eip712.ts";
import { challengeSeconds, maxSessionJobs, maxSignatureBytes } from "./limits.ts";
import { orderSchema, signedReceiptSchema } from "./receiptJson.ts";
import { address, bytes32, hexOf, hexUpTo, uint64String, uintString } from "./schemas.ts";

/** JSON form of {@link SessionTerms}. */
export const sessionTermsSchema = z.strictObject({
  maxJobs: z.int().min(1).max(maxSessionJobs),
  challengeSeconds: z.int().min(challengeSeconds.min).max(challengeSeconds.max),
  disputeBond: uintString,
});

/**
 * JSON form of a session's terms.
 *
 * @example
 * JSON.stringify(sessionTermsToJson(terms))
 */
export function sessionTermsToJson({ disputeBond, ...rest }: SessionTerms) {
  return { ...rest, disputeBond: disputeBond.toString() };
}

const count = z.int().min(0).max(maxSessionJobs);

/** JSON form of a {@link SessionClaim}. */
export const sessionClaimSchema = z.strictObject({
  sessionId: bytes32,
  root: bytes32,
  okCount: count,
  failedCount: count,
  countedGrants: z.int().min(0).max(65_535),
  anchorBlock: uint64String,
  anchorHash: bytes32,
});

/**
 * JSON form of a claim.
 *
 * @example
 * JSON.stringify(sessionClaimToJson(claim))
 */
export function sessionClaimToJson({ anchorBlock, ...rest }: SessionClaim) {
  return { ...rest, anchorBlock: anchorBlock.toString() };
}

/** A claim with the enclave's signature, and its leaves in order: whose receipts they are. */
export const signedClaimSchema = z.strictObject({
  claim: sessionClaimSchema,
  signature: hexOf(65),
  signer: address,
  leaves: z.array(z.strictObject({ jobId: bytes32, receiptHash: bytes32 })).max(maxSessionJobs),
});

/** Answer of GET /sessions/:id. */
export const sessionViewSchema = z.strictObject({
  sessionId: bytes32,
  order: orderSchema,
  terms: sessionTermsSchema,
  /** Where this worker stands with it. */
  phase: z.enum(["open", "claiming", "claimed", "lost", "closed", "expired"]),
  /** Orders that were taken, and how many of them have a receipt of the enclave that runs now. */
  taken: count,
  ran: count,
  /** What is sent, or was claimed. */
  claim: signedClaimSchema.optional(),
  /** What the last look at it came to, if it did not go well. */
  waiting: z.string().max(200).optional(),
});

/** Most leaves in one answer of GET /sessions/:id/leaves/:from. */
export const leavesPerPage = 32;

/** One leaf of a claim with all that JobMarket.settleLeaf takes. */
export const shownLeafSchema = z.strictObject({
  leaf: z
    .int()
    .min(0)
    .max(maxSessionJobs - 1),
  jobId: bytes32,
  paramsHash: bytes32,
  deadline: uint64String,
  nonce: uintString,
  requesterSignature: hexUpTo(maxSignatureBytes),
  payerSignature: hexUpTo(maxSignatureBytes),
  ...signedReceiptSchema.shape,
  proof: z.array(bytes32).max(12),
});

/** Answer of GET /sessions/:id/leaves/:from. */
export const leavesSchema = z.strictObject({ leaves: z.array(shownLeafSchema).max(leavesPerPage) });
