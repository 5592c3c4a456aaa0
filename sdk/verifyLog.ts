/**
 * Room: sdk/verifyLog. A worker's logs, checked as far as its own signed words go. Whether a signing key is that of an
 * attested enclave is for `auditJob` or the registry to say.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { type Domain, hashReceipt, type Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { LogEntry, PreviousLog } from "../protocol/logEntry.ts";
import { hashLogHead } from "../protocol/logHead.ts";
import { type LogEvidence, maxEntriesRead } from "../protocol/logJson.ts";
import { recoverSigner } from "../protocol/signature.ts";
import { fetchLogEvidence } from "./log.ts";
import { fetchLogEntries, fetchLogs, fetchLogView } from "./logApi.ts";
import { type LogCommitment, LogMismatchError, requireAll, requireConsistent, requireEntry } from "./logProofs.ts";
import { type ExchangeOptions, fetchReceipt } from "./worker.ts";

/** A log that was read to its end. */
export type VerifiedLog = {
  logId: Address;
  root: Hex;
  size: bigint;
  /** As the boot names it. */
  previous: PreviousLog | null;
  entries: LogEntry[];
};

/**
 * Reads the living log of a worker to its end, and checks it against the head that its key signs now, and its boot against
 * the earlier log that the worker lists.
 *
 * @throws {@link NoLivingLogError} | {@link LogTooLongError} | LogMismatchError | UnknownEntryError | BadAnswerError | any
 * error of `boundedFetch`
 * @example
 * const { size, entries } = await verifyLivingLog(client.marketDomain, "https://worker.example")
 */
export async function verifyLivingLog(
  domain: Domain,
  workerUrl: string,
  options: ExchangeOptions = {},
): Promise<VerifiedLog> {
  const logs = await fetchLogs(workerUrl, options);
  const living = logs.findIndex((log) => log.living);
  const logId = logs[living]?.logId;
  if (logId === undefined) throw new NoLivingLogError();
  const { head } = await fetchLogView(workerUrl, logId, options);
  if (head === undefined) throw new NoLivingLogError();
  const by = recoverSigner(hashLogHead(domain, head), head.signature);
  if (by === undefined || !isAddressEqual(by, logId)) throw new LogMismatchError("its head is not signed by its key");
  if (head.size > BigInt(maxEntriesRead)) throw new LogTooLongError(head.size);
  const texts = await fetchLogEntries(workerUrl, logId, { from: 0, to: Number(head.size) }, options);
  const entries = requireAll(texts, { logRoot: head.root, logSize: head.size });
  const [boot] = entries;
  if (boot?.type !== "boot" || !isAddressEqual(boot.signingKey, logId)) {
    throw new LogMismatchError("it does not begin with the boot of its key");
  }
  requirePrevious(boot.previous, logs[living + 1]);
  return { logId, root: head.root, size: head.size, previous: boot.previous, entries };
}

/**
 * Checks all that a worker shows of a job's place in the log that its receipt commits to.
 *
 * @returns the job's entries, each proven; `complete`: all entries were read, there are no others about it.
 * @throws as {@link verifyLivingLog}; NoLogError | TooManyEntriesError
 * @example
 * const { entries, complete } = await verifyJobLog(client.marketDomain, "https://worker.example", jobId)
 */
export async function verifyJobLog(
  domain: Domain,
  workerUrl: string,
  jobId: Hex,
  options: ExchangeOptions = {},
): Promise<{ logId: Address; receipt: Receipt; entries: { index: number; entry: LogEntry }[]; complete: boolean }> {
  const { receipt, signature } = await fetchReceipt(workerUrl, jobId, options);
  const signer = recoverSigner(hashReceipt(domain, receipt), signature);
  if (signer === undefined || receipt.jobId !== jobId) throw new LogMismatchError("the receipt shown is not the job's");
  const evidence = await fetchLogEvidence(workerUrl, { receipt, signer }, options);
  const boot = requireEntry(evidence.boot, receipt);
  if (evidence.boot.index !== 0 || boot.type !== "boot" || !isAddressEqual(boot.signingKey, signer)) {
    throw new LogMismatchError("it does not begin with the boot of the key that signed the receipt");
  }
  const entries = evidence.entries.map((proven) => ({ index: proven.index, entry: requireEntry(proven, receipt) }));
  if (!("missing" in evidence.other)) requireConsistent(domain, evidence.other, receipt, signer);
  return { logId: signer, receipt, entries, complete: isComplete(evidence, receipt) };
}

function isComplete({ all, entries }: LogEvidence, receipt: LogCommitment & Pick<Receipt, "jobId">): boolean {
  if ("missing" in all) return false;
  const own = requireAll(all, receipt).filter((entry) => "jobId" in entry && entry.jobId === receipt.jobId);
  if (own.length !== entries.length) throw new LogMismatchError("it has entries about the job that are not shown");
  return true;
}

function requirePrevious(named: PreviousLog | null, listed: Omit<PreviousLog, "intact"> | undefined): void {
  const same = named?.logId === listed?.logId && named?.root === listed?.root && named?.size === listed?.size;
  if (!same) throw new LogMismatchError("the earlier log that the worker lists is not the one that its boot found");
}

/** The worker lists no log of the enclave that runs now, or no signed head of it. */
export class NoLivingLogError extends BaseError {
  override readonly name = "Log.NoLivingLogError";
  constructor() {
    super("The worker shows no log of the enclave that runs now.", { hint: "Check that the URL is a worker's." });
  }
}

/** The log is longer than what is read of one. */
export class LogTooLongError extends BaseError {
  override readonly name = "Log.LogTooLongError";
  constructor(size: bigint) {
    super(`The log has ${size} entries.`, {
      hint: `At most ${maxEntriesRead} are read. Proofs about one job still work: name the job.`,
    });
  }
}
