/**
 * Room: enclave/receipts/enclaveLog. The enclave's append-only log (RFC 9162 tree over SHA-256): every key use, run and
 * refusal is an entry, and every receipt commits to its root and size, so that dropped or reordered entries show.
 * One log per signing key: a new boot is a new log. Entries carry ids, sizes and codes, never data.
 */
import { bytesToHex, type Hex } from "viem";
import type { FailureCode } from "../../protocol/eip712.ts";
import { toJcsBytes } from "../../protocol/jcs.ts";
import { leafHash, merkleRoot } from "../../protocol/merkle.ts";

/** What is recorded. `seconds` are those of the anchor block: the host's clock is not trusted. */
export type LogEntry =
  | { type: "boot"; signingKey: Hex; vaultKey: Hex; workloadId: Hex }
  | { type: "grant.checked"; jobId: Hex; grantHash: Hex; anchorHash: Hex }
  | { type: "key.opened"; jobId: Hex; grantHash: Hex; datasetId: Hex }
  | { type: "input.decrypted"; jobId: Hex; datasetId: Hex; contentHash: Hex; plainBytes: number }
  | { type: "program.ran"; jobId: Hex; programId: Hex; engineSha256: Hex; paramsHash: Hex; printsCommitment: Hex }
  | { type: "input.destroyed"; jobId: Hex; count: number }
  | { type: "result.sealed"; jobId: Hex; resultHash: Hex; readers: number }
  | { type: "job.refused"; jobId: Hex; failureCode: FailureCode };

/** Where entries are kept; the worker's store. */
export type LogStorage = { appendLog(logId: string, index: number, entry: Uint8Array): void };

/** A log that can only grow. */
export type EnclaveLog = {
  /** Appends, stores, and returns nothing: the entry is under the root from now on. */
  append(entry: LogEntry): void;
  /** Root and size with all entries so far. */
  head(): { root: Hex; size: bigint };
};

/**
 * Starts the log of one signing key.
 *
 * @param logId - the signing key's address.
 * @example
 * const log = createLog(identity.signingKey, store)
 */
export function createLog(logId: Hex, storage: LogStorage): EnclaveLog {
  const leaves: Uint8Array[] = [];
  return {
    append(entry) {
      const bytes = toJcsBytes(entry);
      storage.appendLog(logId, leaves.length, bytes);
      leaves.push(leafHash(bytes));
    },
    head: () => ({ root: bytesToHex(merkleRoot(leaves)), size: BigInt(leaves.length) }),
  };
}
