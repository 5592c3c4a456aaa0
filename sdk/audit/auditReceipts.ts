/**
 * Room: sdk/audit/auditReceipts. Many signed receipts at once, with no network: each one's signature, and whether those
 * of one enclave contradict each other. What a receipt says of its job, `dcm audit` judges.
 */
import type { Address, Hex } from "viem";
import { type FailureCode, failureCodes, type Receipt, receiptStatus } from "../../protocol/eip712.ts";
import { signedReceiptSchema } from "../../protocol/receiptJson.ts";
import type { Verdict } from "./line.ts";

/** Finds the signer of a receipt; undefined if the signature is nobody's: malformed, high s, other v, no point.
 * In any letter case. */
export type ReceiptVerifier = {
  name: "native" | "javascript";
  signerOf(receipt: Receipt, signature: Hex): Address | undefined;
};

/** What is expected of the receipts. */
export type Expected = {
  /** Every receipt names it. */
  workloadId?: Hex | undefined;
  /** Enclaves registered on chain, by lower-case signing key, with the workload they were registered for. */
  enclaves?: ReadonlyMap<string, Hex> | undefined;
  /** Whether the auditor believes whoever told of `enclaves`; else nothing is verified by them. */
  believed?: boolean | undefined;
};

/** What is wrong with one receipt. `row` counts from 1. */
export type ReceiptProblem = { row: number; jobId: Hex | null; problem: string };

/** One enclave's receipts. */
export type SignerSummary = {
  signer: Address;
  workloadIds: Hex[];
  receipts: number;
  /** By outcome; "None" is Ok. */
  outcomes: Partial<Record<FailureCode, number>>;
  /** Entries of its log that its receipts commit to; decimal. */
  logSize: string;
};

/** What an audit of receipts came to. `registered`: whether the signers' registrations were looked at. */
export type ReceiptsReport = {
  verdict: Verdict;
  receipts: number;
  verified: number;
  verifier: ReceiptVerifier["name"];
  registered: boolean;
  signers: SignerSummary[];
  /** The first thousand. */
  problems: ReceiptProblem[];
  moreProblems: number;
};

/** Longest row, in characters: a signed receipt takes about 1,300. */
export const maxReceiptRow = 4096;
const maxListed = 1000;

/**
 * Audits receipts, a row of JSON each: `{receipt, signature, signer}`, as `GET /receipts/:id` gives them. Empty rows count
 * for nothing.
 *
 * @param rows - of strangers; one that is no receipt is a problem, not an error.
 * @example
 * const report = await auditReceipts(readRows("receipts.ndjson", maxReceiptRow), verifier, { workloadId })
 */
export async function auditReceipts(
  rows: Iterable<string> | AsyncIterable<string>,
  verifier: ReceiptVerifier,
  expected: Expected = {},
  progress?: (receipts: number) => void,
): Promise<ReceiptsReport> {
  const signers = new Map<string, Signer>();
  const problems: ReceiptProblem[] = [];
  let [row, receipts, wrong] = [0, 0, 0];
  for await (const text of rows) {
    row += 1;
    if (text.trim() === "") continue;
    receipts += 1;
    const { jobId, problem } = judgeRow(text, verifier, expected, signers);
    if (problem !== undefined) {
      wrong += 1;
      if (problems.length < maxListed) problems.push({ row, jobId, problem });
    }
    if (receipts % 1000 === 0) progress?.(receipts);
  }
  const registered = expected.enclaves !== undefined;
  const isKnown = registered && expected.believed === true;
  return {
    verdict: wrong > 0 ? "not verified" : receipts > 0 && isKnown ? "verified" : "cannot be verified",
    receipts,
    verified: receipts - wrong,
    verifier: verifier.name,
    registered,
    signers: [...signers.values()].map(({ summary }) => summary),
    problems,
    moreProblems: wrong - problems.length,
  };
}

type Signer = {
  summary: SignerSummary;
  /** Root by size of its log: an append-only log has one root of each size. */
  roots: Map<bigint, Hex>;
  /** What was said of each job: its outcome and output. Another anchor or log is another receipt of the same word. */
  words: Map<Hex, string>;
};

type Judged = { jobId: Hex | null; problem: string | undefined };

function judgeRow(text: string, verifier: ReceiptVerifier, expected: Expected, signers: Map<string, Signer>): Judged {
  const parsed = text.length > maxReceiptRow ? undefined : readRow(text);
  if (parsed === undefined) return { jobId: null, problem: "it is no signed receipt in JSON" };
  const { receipt, signature, signer } = parsed;
  const { jobId, workloadId } = receipt;
  const actual = verifier.signerOf(receipt, signature);
  if (actual?.toLowerCase() !== signer.toLowerCase()) return { jobId, problem: `it is not signed by ${signer}` };
  const known = expected.enclaves?.get(signer.toLowerCase());
  if (expected.enclaves !== undefined && known === undefined)
    return { jobId, problem: `its signer ${signer} was never registered` };
  if (known !== undefined && known !== workloadId)
    return { jobId, problem: `its signer is registered for workload ${known}, it names ${workloadId}` };
  if (expected.workloadId !== undefined && expected.workloadId !== workloadId)
    return { jobId, problem: `it names workload ${workloadId}` };
  return { jobId, problem: contradictionOf(receipt, count(receipt, signer, signers)) };
}

function readRow(text: string) {
  try {
    const { success, data } = signedReceiptSchema.safeParse(JSON.parse(text));
    return success ? data : undefined;
  } catch {
    return undefined;
  }
}

function count(receipt: Receipt, address: Address, signers: Map<string, Signer>): Signer {
  const none: SignerSummary = { signer: address, workloadIds: [], receipts: 0, outcomes: {}, logSize: "0" };
  const key = address.toLowerCase(); // in another letter case it is the same enclave
  const signer: Signer = signers.get(key) ?? { summary: none, roots: new Map(), words: new Map() };
  signers.set(key, signer);
  const { summary } = signer;
  summary.receipts += 1;
  if (!summary.workloadIds.includes(receipt.workloadId)) summary.workloadIds.push(receipt.workloadId);
  const code = failureCodes[receipt.failureCode] ?? "None";
  summary.outcomes[code] = (summary.outcomes[code] ?? 0) + 1;
  if (receipt.logSize > BigInt(summary.logSize)) summary.logSize = receipt.logSize.toString();
  return signer;
}

/** What no honest enclave signs. */
function contradictionOf(receipt: Receipt, { roots, words }: Signer): string | undefined {
  const isOk = receipt.status === receiptStatus.ok;
  if (isOk !== (receipt.failureCode === 0)) return "its status and its failure code contradict each other";
  const root = roots.get(receipt.logSize) ?? receipt.logRoot;
  roots.set(receipt.logSize, root);
  if (root !== receipt.logRoot) return `its enclave's log has two roots of ${receipt.logSize} entries: it was forked`;
  const word = isOk ? receipt.outputCommitment : undefined;
  if (word === undefined) return undefined; // a job that failed may be tried again
  const earlier = words.get(receipt.jobId) ?? word;
  words.set(receipt.jobId, earlier);
  return earlier === word ? undefined : "its enclave signed two outputs of this job";
}
