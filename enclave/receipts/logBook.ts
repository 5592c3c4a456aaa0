/**
 * Room: enclave/receipts/logBook. The logs that this worker knows: the living one of this boot, and those of earlier boots
 * that are on its disk. A boot never goes on with an earlier log, its key is gone: it begins a new one, whose first entry
 * names the newest that it found, so that logs make a chain. The disk is the host's: it can forget logs, or show an old
 * state of them, but not change one that a receipt commits to without its showing.
 */
import { type Address, getAddress, type Hex, isAddress } from "viem";
import type { Domain, Receipt } from "../../protocol/eip712.ts";
import type { PreviousLog } from "../../protocol/logEntry.ts";
import { hashLogHead, type LogHead } from "../../protocol/logHead.ts";
import { type LogSummary, maxLogs } from "../../protocol/logJson.ts";
import { DamagedEntriesError } from "../../protocol/merkleTree.ts";
import { CorruptRowError } from "../store/rows.ts";
import { createLog, type EnclaveLog, type LogStorage, type ReadableLog, reopenLog } from "./enclaveLog.ts";

/** A receipt of an earlier enclave. */
export type SignedReceipt = { receipt: Receipt; signature: Hex; signer: Address };

/** What a book of logs is made from. */
export type LogBookPorts = {
  domain: Domain;
  identity: { signingKey: Address; vaultKey: Hex; signDigest(digest: Hex): Hex };
  workloadId: Hex;
  storage: LogStorage & {
    /** Ids of the logs that were appended to last, newest first. */
    logIds(most: number): string[];
    /** The receipt of one signer with the largest log. @throws CorruptRowError if it is none */
    lastReceipt(signer: Address): SignedReceipt | undefined;
  };
  /** A recent block of the chain. */
  anchor(): Promise<{ number: bigint; hash: Hex }>;
  /** Told of each earlier log that is not what its receipts commit to. */
  damaged(logId: Hex): void;
};

/** A signed head. */
export type SignedHead = { head: LogHead; signature: Hex };

/** See {@link openLogBook}. */
export type LogBook = {
  /** The living log; its first entry is written. */
  log: EnclaveLog;
  list(): LogSummary[];
  find(logId: Address): ReadableLog | undefined;
  summary(logId: Address): LogSummary | undefined;
  /** Of the living log; throws what the chain throws. */
  signedHead(): Promise<SignedHead>;
  /** Of an earlier log: the last word of its key. */
  lastReceipt(logId: Address): SignedReceipt | undefined;
};

/** Most entries of earlier logs that are hashed at a start, beyond those of the newest: some seconds' work. */
const maxRehashed = 500_000;

type Known = { log: ReadableLog; intact: boolean; receipt?: SignedReceipt | undefined };

/**
 * Opens the book: hashes the earlier logs, and begins the log of this boot.
 *
 * @throws errors of the store.
 * @example
 * const book = openLogBook({ domain, identity, workloadId, storage: store, anchor, damaged })
 */
export function openLogBook(ports: LogBookPorts): LogBook {
  const { domain, identity, workloadId, storage } = ports;
  const { signingKey, vaultKey } = identity;
  const earlier = readEarlier(ports);
  const log = createLog(signingKey, storage);
  const [newest] = earlier;
  log.append({ type: "boot", signingKey, vaultKey, workloadId, previous: newest ? nameOf(newest) : null });
  log.sync();
  const known: Known[] = [{ log, intact: true }, ...earlier];
  const findKnown = (logId: Address) => known.find((one) => one.log.logId === getAddress(logId));
  const summaryOf = (one: Known): LogSummary => ({ ...nameOf(one), living: one.log === log });
  let last: SignedHead | undefined;

  return {
    log,
    list: () => known.map(summaryOf),
    find: (logId) => findKnown(logId)?.log,
    summary(logId) {
      const one = findKnown(logId);
      return one && summaryOf(one);
    },
    async signedHead() {
      const { number: anchorBlock, hash: anchorHash } = await ports.anchor();
      const head = { ...log.head(), anchorBlock, anchorHash };
      // Strangers ask: nothing is signed twice, and nothing appended for it, or asking would make the log grow.
      if (last?.head.size !== head.size || last.head.anchorHash !== anchorHash) {
        log.sync(); // a log must not be shorter after a power cut than a head says that somebody holds
        last = { head, signature: identity.signDigest(hashLogHead(domain, head)) };
      }
      return last;
    },
    lastReceipt: (logId) => findKnown(logId)?.receipt,
  };
}

function readEarlier(ports: LogBookPorts): Known[] {
  const { storage, identity } = ports;
  const earlier: Known[] = [];
  let entries = 0;
  for (const id of storage.logIds(maxLogs - 1)) {
    if (!isAddress(id) || getAddress(id) !== id || id === identity.signingKey) continue; // a row of the host's making
    if (entries > maxRehashed) break;
    const { log, whole } = reopenLog(id, storage);
    const receipt = lastReceipt(ports, log);
    const intact = whole && receipt !== "damaged" && (receipt === undefined || agrees(log, receipt));
    if (!intact) ports.damaged(log.logId);
    entries += log.size();
    earlier.push({ log, intact, receipt: receipt === "damaged" ? undefined : receipt });
  }
  return earlier;
}

function lastReceipt({ storage }: LogBookPorts, log: ReadableLog): SignedReceipt | "damaged" | undefined {
  try {
    return storage.lastReceipt(getAddress(log.logId));
  } catch (error) {
    if (error instanceof CorruptRowError) return "damaged";
    throw error;
  }
}

/** Whether a log has under it what its key committed to last. What came after that receipt, nobody has signed. */
function agrees(log: ReadableLog, { receipt }: SignedReceipt): boolean {
  try {
    return receipt.logSize <= BigInt(log.size()) && log.rootAt(Number(receipt.logSize)) === receipt.logRoot;
  } catch (error) {
    if (error instanceof DamagedEntriesError) return false;
    throw error;
  }
}

function nameOf({ log, intact }: Known): PreviousLog {
  return { logId: getAddress(log.logId), root: log.rootAt(log.size()), size: log.size(), intact };
}
