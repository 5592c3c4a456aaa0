/**
 * Room: protocol/claimRequest. The requester's word that no more jobs come: its session may be claimed
 * (POST /sessions/:id/claim). Pure.
 */
import { type Hex, hashTypedData } from "viem";
import { z } from "zod";
import type { Domain } from "./eip712.ts";
import { maxSessionJobs } from "./limits.ts";
import { hexUpTo, uint64String } from "./schemas.ts";

/**
 * What the requester signs. It holds for one session with so many jobs, so that it can be used once: sent again it finds
 * the claim made, and sent when more jobs have been taken it is refused.
 */
export type ClaimRequest = {
  sessionId: Hex;
  /** How many orders the worker has taken. */
  jobs: number;
  /** Unix seconds, the last second at which a worker may act on it. */
  validUntil: bigint;
};

/** EIP-712 types of a request to claim; primary type `ClaimRequest`. The domain is the JobMarket's. */
export const claimRequestTypes = {
  ClaimRequest: [
    { name: "sessionId", type: "bytes32" },
    { name: "jobs", type: "uint32" },
    { name: "validUntil", type: "uint64" },
  ],
} as const;

/** The body of POST /sessions/:id/claim. */
export const claimRequestSchema = z.strictObject({
  jobs: z.int().min(1).max(maxSessionJobs),
  validUntil: uint64String,
  /** ECDSA, or ERC-1271 for contracts. */
  signature: hexUpTo(1024),
});

/**
 * EIP-712 hash of a request to claim.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashClaimRequest(domain, { sessionId, jobs: 3, validUntil })
 */
export function hashClaimRequest(domain: Domain, message: ClaimRequest): Hex {
  return hashTypedData({ domain, types: claimRequestTypes, primaryType: "ClaimRequest", message });
}
