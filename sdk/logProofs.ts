/**
 * Room: sdk/logProofs. Checks evidence about a log against what an enclave signed. Pure: no network, no clock.
 */
import { type Address, type Hex, hexToBytes, isAddressEqual } from "viem";
import { type Domain, hashReceipt, type Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { type LogEntry, readLogEntry } from "../protocol/logEntry.ts";
import { hashLogHead } from "../protocol/logHead.ts";
import type { LogEvidence, ProvenEntry } from "../protocol/logJson.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../protocol/merkle.ts";
import { growTree } from "../protocol/merkleTree.ts";
import { sameBytes } from "../protocol/sameBytes.ts";
import { recoverSigner } from "../protocol/signature.ts";

/** What a receipt commits to. */
export type LogCommitment = Pick<Receipt, "logRoot" | "logSize">;

const bytesOf = (hashes: readonly Hex[]) => hashes.map((hash) => hexToBytes(hash));
const utf8 = (text: string) => new TextEncoder().encode(text);

/**
 * Reads an entry that is proven to stand in the log.
 *
 * @throws {@link LogMismatchError} if it does not stand there; {@link UnknownEntryError}
 * @example
 * const boot = requireEntry(evidence.boot, receipt)
 */
export function requireEntry({ index, entry, proof }: ProvenEntry, { logRoot, logSize }: LogCommitment): LogEntry {
  const root = hexToBytes(logRoot);
  if (!verifyInclusion(leafHash(utf8(entry)), index, Number(logSize), bytesOf(proof), root)) {
    throw new LogMismatchError(`entry ${index} is not under the receipt's root of ${logSize} entries`);
  }
  return readKnown(index, entry);
}

/**
 * Reads all entries of a log, which have to be just those that the receipt commits to.
 *
 * @throws {@link LogMismatchError} if they have another root or number; {@link UnknownEntryError}
 * @example
 * const entries = requireAll(evidence.all, receipt)
 */
export function requireAll(all: readonly string[], { logRoot, logSize }: LogCommitment): LogEntry[] {
  const tree = growTree(() => []); // nothing is proven from it
  for (const entry of all) tree.append(utf8(entry));
  const same = BigInt(all.length) === logSize && sameBytes(tree.root(), hexToBytes(logRoot));
  if (!same) throw new LogMismatchError(`the ${all.length} entries shown are not those that the receipt commits to`);
  return all.map((entry, index) => readKnown(index, entry));
}

/**
 * Checks that another word of the same key is about the same log: the shorter of the two is a prefix of the longer.
 *
 * @returns how many entries the other word commits to.
 * @throws {@link LogMismatchError}
 * @example
 * const size = requireConsistent(domain, evidence.other, receipt, signer)
 */
export function requireConsistent(
  domain: Domain,
  other: Exclude<LogEvidence["other"], { missing: string }>,
  { logRoot, logSize }: LogCommitment,
  signer: Address,
): bigint {
  const word =
    "head" in other
      ? { ...other.head, digest: hashLogHead(domain, other.head) }
      : {
          root: other.receipt.receipt.logRoot,
          size: other.receipt.receipt.logSize,
          digest: hashReceipt(domain, other.receipt.receipt),
          signature: other.receipt.signature,
        };
  const by = recoverSigner(word.digest, word.signature);
  if (by === undefined || !isAddressEqual(by, signer)) {
    throw new LogMismatchError("the other word that is shown is not signed by the receipt's key");
  }
  const [shorter, longer] = [{ root: logRoot, size: logSize }, word].sort((a, b) => Number(a.size - b.size));
  if (shorter === undefined || longer === undefined || !isPrefix(shorter, longer, other.proof)) {
    throw new LogMismatchError(`its key signed two logs, of ${logSize} and ${word.size} entries, that are not one`);
  }
  return word.size;
}

type Commitment = { root: Hex; size: bigint };

function isPrefix(shorter: Commitment, longer: Commitment, proof: readonly Hex[]): boolean {
  const [from, to] = [Number(shorter.size), Number(longer.size)];
  return verifyConsistency(from, hexToBytes(shorter.root), to, hexToBytes(longer.root), bytesOf(proof));
}

function readKnown(index: number, text: string): LogEntry {
  const entry = readLogEntry(text);
  if (entry === undefined) throw new UnknownEntryError(index);
  return entry;
}

/** What is shown of a log is not what the enclave committed to. */
export class LogMismatchError extends BaseError {
  override readonly name = "Log.LogMismatchError";
  constructor(fact: string) {
    super(`Log refused: ${fact}.`, {
      hint: "The worker shows another log than its enclave signed for, or the file was changed.",
    });
  }
}

/** An entry stands in the log that no enclave of this project writes. */
export class UnknownEntryError extends BaseError {
  override readonly name = "Log.UnknownEntryError";
  readonly index: number;
  constructor(index: number) {
    super(`Entry ${index} of the log is of no known kind.`, {
      hint: "Look at it with dcm log show: a newer worker may write it; this version cannot say what it means.",
    });
    this.index = index;
  }
}
