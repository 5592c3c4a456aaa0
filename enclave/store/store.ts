/**
 * Room: enclave/store. The worker's memory between two starts: what the chain told, what was signed. Holds no secret.
 * Touches: one file, `worker.db`. Every write is on disk when the call returns.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { z } from "zod";
import type { Cursor } from "../../protocol/chain/cursor.ts";
import type { MarketChainEvent } from "../../protocol/chain/marketEvents.ts";
import { domainOf, hashReceipt, type JobOrder, receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { SealedPrints } from "../../protocol/prints.ts";
import { address } from "../../protocol/schemas.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import { type ClaimsTable, claimsTable } from "./claimsTable.ts";
import { cursorTable } from "./cursorTable.ts";
import { guarded, inTransaction, openDatabase } from "./database.ts";
import type { Lapse } from "./jobEnds.ts";
import type { Job } from "./jobRow.ts";
import { type JobFilter, jobsTable } from "./jobsTable.ts";
import { logTable } from "./logTable.ts";
import { type Outcome, outcomesTable, type SignedOutcome } from "./outcomesTable.ts";
import { printsTable } from "./printsTable.ts";
import { readRow } from "./rows.ts";
import { type SessionJobsTable, sessionJobsTable } from "./sessionJobsTable.ts";
import { type SessionsTable, sessionsTable } from "./sessionsTable.ts";

/** The market that a store is about. One store never serves two. */
export type StoreIdentity = { chainId: number; jobMarket: Address };

/** See {@link openStore}. */
export type Store = {
  /** Where to read on; undefined before the first step. @throws CorruptRowError */
  loadCursor(): Cursor | undefined;
  /** Commits one step of the follower: its effects on the jobs and its cursor, together. */
  applyStep(cursor: Cursor, events: readonly MarketChainEvent[]): void;
  /** Jobs that wait for a receipt, in the order of their index; then signed orders. @throws CorruptRowError */
  openJobs(filter?: JobFilter): Job[];
  /** How many signed orders wait. */
  countOrders(): number;
  /** Those of either party, in the order in which they came. @throws CorruptRowError */
  openOrdersOf(parties: Pick<JobOrder, "requester" | "payer">): JobOrder[];
  /** @throws CorruptRowError */
  job(jobId: Hex): Job | undefined;
  /** Keeps a signed order; keeping it twice is fine, also when it has ended. */
  addOrder(jobId: Hex, signed: SignedOrder): void;
  /** Ends a signed order without the chain, which may yet say otherwise. */
  lapse(jobId: Hex, as: Lapse): void;
  /** Saves what an enclave signed, with what the program printed; saving it twice is fine. @throws BadOutcomeError */
  saveOutcome(outcome: Outcome & { prints?: SealedPrints }): void;
  /** The newest outcome of a job, or that of one receipt's hash. Kept across reorgs. @throws CorruptRowError */
  outcome(jobId: Hex, receiptHash?: Hex): Outcome | undefined;
  /** The same without its result. @throws CorruptRowError */
  signedOutcome(jobId: Hex, receiptHash?: Hex): SignedOutcome | undefined;
  /** The outcome of this worker that a job which settled Ok has paid for, without its result. @throws CorruptRowError */
  paidOutcome(job: Job): SignedOutcome | undefined;
  /** Bytes of the result of an outcome, as the disk says; undefined if it has none. @throws CorruptRowError */
  resultBytes(jobId: Hex, receiptHash: Hex): number | undefined;
  /** Sealed prints of an outcome, proven by its receipt. @throws CorruptRowError */
  prints(jobId: Hex, receiptHash: Hex): SealedPrints | undefined;
  /** The sessions that the chain knows. */
  sessions: Pick<SessionsTable, "byId" | "live">;
  /** Their signed orders that were given to this worker. */
  sessionJobs: Omit<SessionJobsTable, "recordRun">;
  /** What was claimed of them. */
  claims: ClaimsTable;
  /** Appends to a log; `index` is the number of entries before. Doing it twice is fine. @throws NotAppendableError */
  appendLog(logId: string, index: number, entry: Uint8Array): void;
  syncLog(): void;
  /** Entries of a log from an index on, at most so many. @throws CorruptRowError */
  logEntries(logId: string, from: number, count: number): Uint8Array[];
  /** Ids of the logs that were appended to last, newest first. @throws CorruptRowError */
  logIds(most: number): string[];
  /** The receipt of one signer that commits to most of its log. @throws CorruptRowError */
  lastReceipt(signer: Address): Pick<Outcome, "receipt" | "signature" | "signer"> | undefined;
  /** Closes the file and gives up its lock. Twice is fine. */
  close(): void;
};

const identityRow = z.strictObject({ chain_id: z.bigint(), job_market: address });

/**
 * Opens the store in a directory and locks it.
 *
 * @param dir - the worker's data directory; made if it is not there.
 * @throws {@link StoreLockedError} if another process has it, {@link StoreSchemaError} if the file is not ours,
 * {@link OtherDeploymentError} if it is about another market, {@link StoreFailedError}.
 * @example
 * const store = openStore("/data", { chainId: deployment.chainId, jobMarket: deployment.contracts.jobMarket })
 */
export function openStore(dir: string, identity: StoreIdentity): Store {
  const db = openDatabase(dir);
  try {
    guarded(() => {
      const insert = db.prepare("INSERT INTO deployment VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING");
      insert.run(identity.chainId, identity.jobMarket.toLowerCase());
      const row = db.prepare("SELECT chain_id, job_market FROM deployment WHERE id = 1").get();
      const found = readRow(identityRow, "deployment", "1", row);
      if (found.chain_id !== BigInt(identity.chainId) || !isAddressEqual(found.job_market, identity.jobMarket)) {
        throw new OtherDeploymentError(found.chain_id, found.job_market);
      }
    });

    const domain = domainOf(identity.chainId, identity.jobMarket);
    const cursors = cursorTable(db);
    const jobs = jobsTable(db, domain);
    const outcomes = outcomesTable(db, domain);
    const logs = logTable(db);
    const prints = printsTable(db);
    const sessions = sessionsTable(db, domain);
    const sessionJobs = sessionJobsTable(db, domain);
    return {
      loadCursor: cursors.load,
      applyStep(cursor, events) {
        inTransaction(db, () => {
          for (const event of events) {
            for (const table of [jobs, sessions]) {
              if (event.type === "reorg") table.rewind(event.ancestor);
              else table.apply(event.event);
            }
          }
          cursors.save(cursor);
        });
      },
      openJobs: (filter = {}) => jobs.open(filter),
      countOrders: jobs.countOrders,
      openOrdersOf: jobs.openOrdersOf,
      job: jobs.byId,
      addOrder: jobs.addOrder,
      lapse: jobs.lapse,
      saveOutcome(outcome) {
        const { jobId, signer, receipt, prints: sealed } = outcome;
        const receiptHash = hashReceipt(domain, receipt);
        const run = { signer, receiptHash, ok: receipt.status === receiptStatus.ok };
        inTransaction(db, () => {
          outcomes.save(outcome, receiptHash);
          if (sealed !== undefined) prints.save(receipt, receiptHash, sealed);
          sessionJobs.recordRun(jobId, run);
        });
      },
      outcome: outcomes.byJob,
      signedOutcome: outcomes.signed,
      paidOutcome: (job) =>
        jobs
          .paidReceipts(job)
          .map((receiptHash) => outcomes.signed(job.jobId, receiptHash))
          .find((outcome) => outcome !== undefined),
      resultBytes: outcomes.resultBytes,
      prints(jobId, receiptHash) {
        const receipt = outcomes.signed(jobId, receiptHash)?.receipt;
        return receipt === undefined ? undefined : prints.of(receipt, receiptHash);
      },
      sessions,
      sessionJobs,
      claims: claimsTable(db, domain),
      appendLog: logs.append,
      syncLog: logs.sync,
      logEntries: logs.entries,
      logIds: logs.ids,
      lastReceipt: outcomes.lastReceipt,
      close: () => {
        if (db.isOpen) db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The data directory belongs to a worker of another market. */
export class OtherDeploymentError extends BaseError {
  override readonly name = "Store.OtherDeploymentError";
  readonly chainId: bigint;
  readonly jobMarket: Address;
  constructor(chainId: bigint, jobMarket: Address) {
    super(`The store is about market ${jobMarket} on chain ${chainId}.`, {
      hint: "Give each deployment a data directory of its own.",
    });
    this.chainId = chainId;
    this.jobMarket = jobMarket;
  }
}
