/**
 * Room: enclave/store. What this worker's enclaves claimed of sessions, and the requesters' words that asked for it.
 * Written before anything is sent. A claim read back is proven by its signature; its leaves by the root.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Address, bytesToHex, getAddress, type Hex, hexToBytes, isAddressEqual } from "viem";
import { z } from "zod";
import { type Domain, hashSessionClaim, type SessionClaim } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { maxSessionJobs } from "../../protocol/limits.ts";
import { address, bytes32 } from "../../protocol/schemas.ts";
import { sessionClaimSchema, sessionClaimToJson } from "../../protocol/sessionJson.ts";
import { sessionRoot } from "../../protocol/sessionTree.ts";
import { recoverSigner } from "../../protocol/signature.ts";
import { guarded } from "./database.ts";
import { bytesColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** A signed claim and what it is about. */
export type KeptClaim = {
  claim: SessionClaim;
  signer: Address;
  /** 65 bytes r || s || v. */
  signature: Hex;
  /** In order: those of Ok jobs first. */
  leaves: readonly { jobId: Hex; receiptHash: Hex }[];
};

/** Access to the claims. */
export type ClaimsTable = {
  /** Keeping it twice is fine. @throws BadClaimError */
  save(claim: KeptClaim): void;
  /** The newest of a session that was not discarded; or the one of a root, discarded or not. */
  ofSession(sessionId: Hex, root?: Hex): KeptClaim | undefined;
  /** Gives up what was claimed of a session so far: the market does not take it. */
  discard(sessionId: Hex): void;
  /** The requester has asked that the session be claimed. */
  wish(sessionId: Hex): void;
  isWished(sessionId: Hex): boolean;
};

/** Claims kept proven in memory: each may be a megabyte. */
const maxProven = 64;

const leaf = z.tuple([bytes32, bytes32]);

const keyRow = z.strictObject({ signature: bytesColumn(65) });

const claimRow = z.strictObject({
  session_id: bytes32,
  root: bytes32,
  signer: address,
  signature: bytesColumn(65),
  claim_json: jsonColumn(sessionClaimSchema, 2048),
  leaves_json: jsonColumn(z.array(leaf).min(1).max(maxSessionJobs), 1024 * 1024),
  discarded: z.bigint(),
});

/**
 * @param domain - of the JobMarket: claims are signed under it.
 * @throws from `save`: {@link BadClaimError}; from `ofSession`: {@link CorruptRowError}.
 * @example
 * const claims = claimsTable(db, domain)
 */
export function claimsTable(db: DatabaseSync, domain: Domain): ClaimsTable {
  const insert = db.prepare(
    `INSERT INTO claims (session_id, root, signer, signature, claim_json, leaves_json)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (session_id, signature) DO UPDATE SET discarded = 0`,
  );
  const select = db.prepare(
    `SELECT * FROM claims WHERE session_id = ?1 AND ((?2 IS NULL AND discarded = 0) OR root = ?2)
     ORDER BY rowid DESC LIMIT 1`,
  );
  const selectKey = db.prepare(
    `SELECT signature FROM claims WHERE session_id = ?1 AND ((?2 IS NULL AND discarded = 0) OR root = ?2)
     ORDER BY rowid DESC LIMIT 1`,
  );
  // A claim of thousands of leaves takes long to prove: once, as long as there is room.
  const proven = new Map<Hex, KeptClaim>();
  const discard = db.prepare("UPDATE claims SET discarded = 1 WHERE session_id = ?");
  const insertWish = db.prepare("INSERT INTO wished_claims VALUES (?) ON CONFLICT DO NOTHING");
  const selectWish = db.prepare("SELECT 1 FROM wished_claims WHERE session_id = ?");

  return {
    save(kept) {
      const { claim, signer, signature, leaves } = kept;
      if (!isSound(domain, kept)) throw new BadClaimError(claim.sessionId);
      const json = JSON.stringify(leaves.map(({ jobId, receiptHash }) => [jobId, receiptHash]));
      const what = [claim.sessionId, claim.root, signer.toLowerCase(), hexToBytes(signature)] as const;
      guarded(() => insert.run(...what, JSON.stringify(sessionClaimToJson(claim)), json));
    },
    ofSession(sessionId, root) {
      const key = guarded(() => selectKey.get(sessionId, root ?? null));
      if (key === undefined) return undefined;
      const { signature } = readRow(keyRow, "claims", sessionId, key);
      const known = proven.get(bytesToHex(signature));
      if (known?.claim.sessionId === sessionId && (root === undefined || known.claim.root === root)) return known;
      const row = guarded(() => select.get(sessionId, root ?? null));
      const read = readRow(claimRow, "claims", sessionId, row);
      const kept: KeptClaim = {
        claim: read.claim_json,
        signer: getAddress(read.signer),
        signature: bytesToHex(read.signature),
        leaves: read.leaves_json.map(([jobId, receiptHash]) => ({ jobId, receiptHash })),
      };
      const isMeant = kept.claim.sessionId === sessionId && read.session_id === sessionId;
      const isRoot = kept.claim.root === read.root && (root === undefined || root === read.root);
      if (!isMeant || !isRoot || !isSound(domain, kept)) throw new CorruptRowError("claims", sessionId);
      const [oldest] = proven.keys();
      if (oldest !== undefined && proven.size >= maxProven) proven.delete(oldest);
      proven.set(kept.signature, kept);
      return kept;
    },
    discard: (sessionId) => void guarded(() => discard.run(sessionId)),
    wish: (sessionId) => void guarded(() => insertWish.run(sessionId)),
    isWished: (sessionId) => guarded(() => selectWish.get(sessionId)) !== undefined,
  };
}

/** Whether a claim is its signer's, and its root that of its leaves. */
function isSound(domain: Domain, { claim, signer, signature, leaves }: KeptClaim): boolean {
  const actual = recoverSigner(hashSessionClaim(domain, claim), signature);
  if (actual === undefined || !isAddressEqual(actual, signer)) return false;
  if (leaves.length !== claim.okCount + claim.failedCount) return false;
  return sessionRoot(leaves.map(({ receiptHash }) => receiptHash)) === claim.root;
}

/** What was to be saved is not a signed claim with its leaves. */
export class BadClaimError extends BaseError {
  override readonly name = "Store.BadClaimError";
  constructor(sessionId: Hex) {
    super(`The claim of session ${sessionId} was not saved: its signature or its root is not that of its parts.`, {
      hint: "This is a fault in the worker: report it.",
    });
  }
}
