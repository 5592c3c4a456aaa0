/**
 * Room: sdk/log. Collects from a worker what shows a job's place in its enclave's log. Judged by sdk/logProofs.
 */
import { type Address, bytesToHex, type Hex } from "viem";
import type { Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { readLogEntry } from "../protocol/logEntry.ts";
import { type LogEvidence, maxEntriesRead, maxJobEntries, type ProvenEntry } from "../protocol/logJson.ts";
import { growTree } from "../protocol/merkleTree.ts";
import { fetchConsistency, fetchInclusion, fetchLogEntries, fetchLogView } from "./logApi.ts";
import type { ExchangeOptions } from "./worker.ts";

/** Of a log that is too long to read: how many entries before the receipt are looked through for the job's. */
const tailEntries = 4096;

/** A receipt, and whose it is. */
export type OwnReceipt = { receipt: Receipt; signer: Address };

/**
 * Everything about a job in the log that its receipt commits to.
 *
 * @param options.maxEntries - most entries of the log that are fetched; of a longer one only proofs.
 * @returns evidence, to be judged.
 * @throws {@link NoLogError} | {@link TooManyEntriesError} | BadAnswerError | any error of `boundedFetch`
 * @example
 * const evidence = await fetchLogEvidence("https://worker.example", { receipt, signer })
 */
export async function fetchLogEvidence(
  workerUrl: string,
  { receipt, signer }: OwnReceipt,
  { maxEntries = maxEntriesRead, ...options }: ExchangeOptions & { maxEntries?: number } = {},
): Promise<LogEvidence> {
  const size = Number(receipt.logSize);
  if (size < 1 || !Number.isSafeInteger(size)) throw new NoLogError(receipt.logSize);
  const other = await fetchOther(workerUrl, { receipt, signer }, options);
  if (size > Math.min(maxEntries, maxEntriesRead)) {
    return { ...(await fetchParts(workerUrl, { receipt, signer }, size, options)), other };
  }
  const all = await fetchLogEntries(workerUrl, signer, { from: 0, to: size }, options);
  const bytes = all.map((entry) => new TextEncoder().encode(entry));
  const tree = growTree((from, count) => bytes.slice(from, from + count));
  for (const entry of bytes) tree.append(entry);
  const prove = (index: number): ProvenEntry => ({
    index,
    entry: all[index] ?? "",
    proof: tree.inclusion(index, size).map((hash) => bytesToHex(hash)),
  });
  return { logId: signer, boot: prove(0), entries: indicesOf(all, receipt.jobId).map(prove), all, other };
}

/**
 * Evidence without the whole log: the proofs stay, and what only all entries show can no longer be looked at.
 *
 * @param maxBytes - of all texts together; a shorter log is kept.
 * @example
 * const small = withoutAll(evidence, 64 * 1024)
 */
export function withoutAll(evidence: LogEvidence, maxBytes: number): LogEvidence {
  if ("missing" in evidence.all) return evidence;
  const bytes = evidence.all.reduce((sum, entry) => sum + new TextEncoder().encode(entry).length, 0);
  if (bytes <= maxBytes) return evidence;
  return { ...evidence, all: { missing: `the log has ${evidence.all.length} entries, which were left out` } };
}

async function fetchParts(
  workerUrl: string,
  { receipt, signer }: OwnReceipt,
  size: number,
  options: ExchangeOptions,
): Promise<Omit<LogEvidence, "other">> {
  const prove = async (index: number, entry: string): Promise<ProvenEntry> => ({
    index,
    entry,
    proof: await fetchInclusion(workerUrl, signer, { index, size }, options),
  });
  const from = Math.max(0, size - tailEntries);
  const [boot = ""] = await fetchLogEntries(workerUrl, signer, { from: 0, to: 1 }, options);
  const tail = await fetchLogEntries(workerUrl, signer, { from, to: size }, options);
  const entries: ProvenEntry[] = [];
  for (const at of indicesOf(tail, receipt.jobId)) entries.push(await prove(from + at, tail[at] ?? ""));
  const missing = `the log has ${size} entries, too many to read: whether something was left out was not looked at`;
  return { logId: signer, boot: await prove(0, boot), entries, all: { missing } };
}

function indicesOf(entries: readonly string[], jobId: Hex): number[] {
  const found: number[] = [];
  for (const [index, text] of entries.entries()) {
    if (!text.includes(jobId)) continue; // reading each would take long
    const entry = readLogEntry(text);
    if (entry !== undefined && "jobId" in entry && entry.jobId === jobId) found.push(index);
  }
  if (found.length > maxJobEntries) throw new TooManyEntriesError(jobId, found.length);
  return found;
}

/** The last signed word of the receipt's key that the worker has, and that it is about the same log. */
async function fetchOther(
  workerUrl: string,
  { receipt, signer }: OwnReceipt,
  options: ExchangeOptions,
): Promise<LogEvidence["other"]> {
  try {
    const view = await fetchLogView(workerUrl, signer, options);
    const to = view.head?.size ?? view.receipt?.receipt.logSize;
    if (to === undefined) return { missing: "the worker shows no other word of this enclave" };
    const [from, longer] = [to, receipt.logSize].map(Number).sort((a, b) => a - b) as [number, number];
    const proof = from < longer ? await fetchConsistency(workerUrl, signer, { from, to: longer }, options) : [];
    if (view.head !== undefined) return { head: view.head, proof };
    if (view.receipt !== undefined) return { receipt: view.receipt, proof };
    return { missing: "the worker shows no other word of this enclave" };
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { missing: `another word of this enclave could not be had: ${error.message}`.slice(0, 1024) };
  }
}

/** The receipt commits to no log, or to one of an impossible size. */
export class NoLogError extends BaseError {
  override readonly name = "Log.NoLogError";
  constructor(size: bigint) {
    super(`The receipt commits to a log of ${size} entries.`, {
      hint: "A log has at least the entry of its boot: no worker of this project signs such a receipt.",
    });
  }
}

/** There is more about the job than a job leaves. */
export class TooManyEntriesError extends BaseError {
  override readonly name = "Log.TooManyEntriesError";
  constructor(jobId: Hex, count: number) {
    super(`The log has ${count} entries about job ${jobId}.`, {
      hint: `At most ${maxJobEntries} are looked at: the worker began it very often, or makes them up.`,
    });
  }
}
