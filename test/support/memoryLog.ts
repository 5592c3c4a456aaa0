/** Where a log's entries are kept in tests. */
import type { LogStorage } from "../../enclave/receipts/enclaveLog.ts";

export function memoryLog(): LogStorage {
  const kept: Uint8Array[] = [];
  return {
    syncLog() {},
    appendLog(_, index, entry) {
      kept[index] = entry;
    },
    logEntries: (_, from, count) => kept.slice(from, from + count),
  };
}
