/**
 * Room: enclave/store. The sessions that the chain knows, as its events tell of them.
 * A session read back is proven by its own id: template and terms hash to it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "viem";
import { z } from "zod";
import type { MarketEvent } from "../../protocol/chain/marketEvents.ts";
import { type Domain, hashSession, type JobOrder, type SessionTerms } from "../../protocol/eip712.ts";
import { maxProgramUriBytes } from "../../protocol/limits.ts";
import { orderSchema, orderToJson } from "../../protocol/receiptJson.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { sessionTermsSchema, sessionTermsToJson } from "../../protocol/sessionJson.ts";
import { guarded } from "./database.ts";
import { blockColumn, CorruptRowError, jsonColumn, readRow } from "./rows.ts";

/** A session, and what the chain's events say became of it. */
export type KeptSession = {
  sessionId: Hex;
  /** The template of its jobs. */
  order: JobOrder;
  terms: SessionTerms;
  /** Not trusted: not covered by the id. */
  programUri: string;
  /** Root of its claim, whoever made it. */
  claimedRoot: Hex | null;
  ended: "Closed" | "Expired" | null;
};

/** Access to the sessions. `apply` and `rewind` are meant to run within a transaction. */
export type SessionsTable = {
  apply(event: MarketEvent): void;
  rewind(ancestor: bigint): void;
  byId(sessionId: Hex): KeptSession | undefined;
  /**
   * Those with jobs here that have not ended, and may yet be claimed at that time (Unix seconds), or were claimed here: also by
   * a claim that was given up, as whoever has seen it may send it.
   */
  live(at: bigint): KeptSession[];
};

const sessionRow = z.strictObject({
  session_id: bytes32,
  order_json: jsonColumn(orderSchema, 16 * 1024),
  terms_json: jsonColumn(sessionTermsSchema, 1024),
  program_uri: z.string().max(maxProgramUriBytes),
  opened_block: blockColumn,
  claimed_block: blockColumn.nullable(),
  claimed_root: bytes32.nullable(),
  ended_block: blockColumn.nullable(),
  ended_as: z.enum(["Closed", "Expired"]).nullable(),
});

/**
 * @param domain - of the JobMarket: session ids are hashes under it.
 * @throws from the reads: {@link CorruptRowError}.
 * @example
 * const sessions = sessionsTable(db, domain)
 */
export function sessionsTable(db: DatabaseSync, domain: Domain): SessionsTable {
  const insert = db.prepare(
    `INSERT INTO sessions (session_id, order_json, terms_json, program_uri, opened_block)
     VALUES (?, ?, ?, ?, ?) ON CONFLICT (session_id) DO NOTHING`,
  );
  const claim = db.prepare("UPDATE sessions SET claimed_block = ?, claimed_root = ? WHERE session_id = ?");
  const unclaim = db.prepare("UPDATE sessions SET claimed_block = NULL, claimed_root = NULL WHERE claimed_block > ?");
  const end = db.prepare("UPDATE sessions SET ended_block = ?, ended_as = ? WHERE session_id = ?");
  const remove = db.prepare("DELETE FROM sessions WHERE opened_block > ?");
  const reopen = db.prepare("UPDATE sessions SET ended_block = NULL, ended_as = NULL WHERE ended_block > ?");
  const selectOne = db.prepare("SELECT * FROM sessions WHERE session_id = ?");
  const selectLive = db.prepare(
    `SELECT * FROM sessions WHERE ended_block IS NULL
     AND EXISTS (SELECT 1 FROM session_jobs AS job WHERE job.session_id = sessions.session_id)
     AND (CAST(order_json ->> '$.deadline' AS INTEGER) >= ?
       OR EXISTS (SELECT 1 FROM claims AS claim WHERE claim.session_id = sessions.session_id
         AND (claim.discarded = 0 OR claim.root = sessions.claimed_root)))
     ORDER BY session_id`,
  );

  function toSession(row: { session_id?: unknown }): KeptSession {
    const key = String(row.session_id);
    const read = readRow(sessionRow, "sessions", key, row);
    const { session_id: sessionId, order_json: order, terms_json: terms, program_uri: programUri } = read;
    if (hashSession(domain, order, terms) !== sessionId) throw new CorruptRowError("sessions", key);
    return { sessionId, order, terms, programUri, claimedRoot: read.claimed_root, ended: read.ended_as };
  }

  return {
    apply({ eventName, args, blockNumber }) {
      if (eventName === "SessionClaimed") claim.run(blockNumber, args.root, args.sessionId);
      if (eventName === "SessionClosed") end.run(blockNumber, "Closed", args.sessionId);
      if (eventName === "SessionExpired") end.run(blockNumber, "Expired", args.sessionId);
      if (eventName !== "SessionOpened") return;
      const { sessionId, order, terms, programUri } = args;
      const json = [JSON.stringify(orderToJson(order)), JSON.stringify(sessionTermsToJson(terms))] as const;
      insert.run(sessionId, ...json, programUri, blockNumber);
    },
    rewind(ancestor) {
      remove.run(ancestor);
      unclaim.run(ancestor);
      reopen.run(ancestor);
    },
    byId(sessionId) {
      const row = guarded(() => selectOne.get(sessionId.toLowerCase()));
      if (row === undefined) return undefined;
      const session = toSession(row);
      if (session.sessionId !== sessionId.toLowerCase()) throw new CorruptRowError("sessions", sessionId);
      return session;
    },
    live: (at) => guarded(() => selectLive.all(at)).map(toSession),
  };
}
