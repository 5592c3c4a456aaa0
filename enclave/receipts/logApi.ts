/**
 * Room: enclave/receipts/logApi. The book of logs as GET /logs shows it: JSON of protocol/logJson.
 */
import type { Address } from "viem";
import { receiptToJson } from "../../protocol/receiptJson.ts";
import type { LogAnswer, WorkerApi } from "../http/workerApi.ts";
import type { LogBook } from "./logBook.ts";

/**
 * Makes the answers about logs.
 *
 * @example
 * const api = { logs: logApi(book), ...rest }
 */
export function logApi(book: LogBook): WorkerApi["logs"] {
  function wordOf(logId: Address): Pick<LogAnswer, "receipt"> {
    const receipt = book.lastReceipt(logId);
    return receipt ? { receipt: { ...receipt, receipt: receiptToJson(receipt.receipt) } } : {};
  }

  async function headNow(): Promise<LogAnswer["head"]> {
    const { head, signature } = await book.signedHead();
    const { size, anchorBlock } = head;
    return { ...head, size: size.toString(), anchorBlock: anchorBlock.toString(), signature };
  }

  return {
    list: book.list,
    find: book.find,
    async view(logId) {
      const before = book.summary(logId);
      if (before === undefined) return undefined;
      if (!before.living) return { ...before, ...wordOf(logId) };
      const head = await headNow();
      // The log may have grown while the chain was asked.
      return { ...(book.summary(logId) ?? before), head };
    },
  };
}
