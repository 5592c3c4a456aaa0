/**
 * Room: enclave/receipts/enclaveLog. An enclave's append-only log (RFC 9162 tree over SHA-256): every key use, run and
 * refusal is an entry, and every receipt commits to its root and size, so that dropped or reordered entries show.
 * One log per signing key: a new boot is a new log. The tree is in memory, the entries on the host's disk: what comes back
 * from there is compared with the tree before it is given to anyone.
 */
import { bytesToHex, type Hex } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import type { NewLogEntry } from "../../protocol/logEntry.ts";
import { blockEntries, growTree } from "../../protocol/merkleTree.ts";
import { CorruptRowError } from "../store/rows.ts";

/** Where entries are kept; the worker's store. */
export type LogStorage = {
  /** Stored so that it outlives this process; and a power cut once anything is committed after it, or `syncLog` returns. */
  appendLog(logId: string, index: number, entry: Uint8Array): void;
  syncLog(): void;
  /** Entries from an index on, at most so many. @throws CorruptRowError */
  logEntries(logId: string, from: number, count: number): Uint8Array[];
};

/** A log that can only grow. */
export type EnclaveLog = {
  /** Appends and stores: the entry is under the root from now on. Returns its place. */
  append(entry: NewLogEntry): number;
  /** Has all entries on disk: before anything that they tell of leaves the enclave otherwise than with a commit. */
  sync(): void;
  /** Root and size with all entries so far. */
  head(): { root: Hex; size: bigint };
  /** Proof that the entry at a place is under the root of the first `size` entries: siblings from the leaf upwards. */
  prove(index: number, size: number): Hex[];
};

/** What anyone may see of a log. Proofs: see protocol/merkle; all @throws RangeError | DamagedEntriesError. */
export type ReadableLog = {
  logId: Hex;
  size(): number;
  /** Of the first `size` entries. */
  rootAt(size: number): Hex;
  /** Texts of at most `count` entries. */
  entries(from: number, count: number): string[];
  inclusion(index: number, size: number): Hex[];
  consistency(from: number, to: number): Hex[];
};

/**
 * Starts the log of one signing key.
 *
 * @param logId - the signing key's address.
 * @example
 * const log = createLog(identity.signingKey, store)
 */
export function createLog(logId: Hex, storage: LogStorage): EnclaveLog & ReadableLog {
  const { tree, readable } = treeOf(logId, storage);
  return {
    ...readable,
    append(entry) {
      const bytes = toJcsBytes(entry);
      const index = tree.size();
      storage.appendLog(logId, index, bytes);
      tree.append(bytes);
      return index;
    },
    sync: () => storage.syncLog(),
    prove: readable.inclusion,
    head: () => ({ root: bytesToHex(tree.root()), size: BigInt(tree.size()) }),
  };
}

/**
 * Reads the log of an earlier boot, and hashes it anew.
 *
 * @returns its entries up to the first that cannot be read; `whole`: there was none such.
 * @example
 * const { log, whole } = reopenLog(logId, store)
 */
export function reopenLog(logId: Hex, storage: LogStorage): { log: ReadableLog; whole: boolean } {
  const { tree, readable } = treeOf(logId, storage);
  try {
    for (;;) {
      const entries = storage.logEntries(logId, tree.size(), blockEntries);
      for (const entry of entries) tree.append(entry);
      if (entries.length < blockEntries) return { log: readable, whole: true };
    }
  } catch (error) {
    if (!(error instanceof CorruptRowError)) throw error;
    return { log: readable, whole: false };
  }
}

function treeOf(logId: Hex, storage: LogStorage) {
  const tree = growTree((from, count) => {
    try {
      return storage.logEntries(logId, from, count);
    } catch (error) {
      if (error instanceof CorruptRowError) return []; // the tree says that they are damaged
      throw error;
    }
  });
  const hexes = (hashes: readonly Uint8Array[]) => hashes.map((hash) => bytesToHex(hash));
  const readable: ReadableLog = {
    logId,
    size: tree.size,
    rootAt: (size) => bytesToHex(tree.rootAt(size)),
    entries(from, count) {
      const end = Math.min(from + count, tree.size());
      const texts: string[] = [];
      while (from + texts.length < end) {
        const at = from + texts.length;
        const skipped = at % blockEntries;
        const block = tree.block((at - skipped) / blockEntries).slice(skipped, skipped + end - at);
        texts.push(...block.map((entry) => new TextDecoder().decode(entry)));
      }
      return texts;
    },
    inclusion: (index, size) => hexes(tree.inclusion(index, size)),
    consistency: (from, to) => hexes(tree.consistency(from, to)),
  };
  return { tree, readable };
}
