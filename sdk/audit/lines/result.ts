/**
 * Room: sdk/audit/lines/result. Whether the sealed result is the one of the receipt, and for whom it is. Pure.
 */
import { sha256 } from "viem";
import { receiptStatus } from "../../../protocol/eip712.ts";
import { type Evidence, isMissing, type Settlement } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, line, unknown } from "../line.ts";

/** Longest age header that is read, in bytes: a few hundred readers. */
const maxHeaderSize = 64 * 1024;

/**
 * Whether the program returns this for these data.
 *
 * @param rerun - what running it again came to; undefined: nobody did.
 * @example
 * lines.push(rightLine(undefined))
 */
export function rightLine(rerun: Finding | undefined): AuditLine {
  return line(
    "result.right",
    "The output is what the program returns for these data",
    () =>
      rerun ??
      unknown("only a run over the plain data can show it; it rests on the attested code that signed the receipt"),
  );
}

/**
 * Judges the result. No lines for a failed run: it has none.
 *
 * @example
 * lines.push(...resultLines(evidence, evidence.settlement))
 */
export function resultLines(evidence: Evidence, settlement: Settlement): AuditLine[] {
  const { receipt } = settlement;
  if (receipt.status !== receiptStatus.ok) return [];
  const { opened, worker } = evidence;
  return [
    line("result.sealed", "The sealed result is the one that the receipt names", () =>
      given(worker.result, (bytes) =>
        allOf(
          { "it has another SHA-256": sha256(bytes) === receipt.resultHash },
          `${bytes.length} bytes hash to resultHash`,
        ),
      ),
    ),
    line("result.readers", "The result is sealed to no more readers than agreed", () =>
      given(worker.result, (bytes) => judgeReaders(evidence, settlement, bytes)),
    ),
    line("result.output", "The output is the one that the receipt commits to", () =>
      given(opened, (found) =>
        "problem" in found
          ? fails(found.problem)
          : allOf(
              { "its commitment is another": found.commitment === receipt.outputCommitment },
              "opened, commitment recomputed",
            ),
      ),
    ),
  ];
}

function judgeReaders({ opening }: Evidence, { receipt, grants }: Settlement, bytes: Uint8Array): Finding {
  if (sha256(bytes) !== receipt.resultHash) return unknown("the sealed result at hand is another one");
  if (isMissing(grants)) return unknown(grants.missing);
  const free = grants.indexOf(undefined);
  if (free >= 0) return unknown(`the grant of data set ${free + 1} is free, and not shown: it may name readers`);
  const named = grants.flatMap((signed) => signed?.grant.resultReaders ?? []);
  const readers = new Set([opening.order.resultKey, ...named]);
  const sealedTo = countRecipients(bytes);
  if (sealedTo === undefined) return fails("it is not an age file");
  return allOf(
    { [`it is sealed to ${sealedTo} readers, ${readers.size} are agreed`]: sealedTo === readers.size },
    `${sealedTo} of ${readers.size}; whose keys they are shows only to the readers`,
  );
}

/** Number of recipients in an age header. Source: C2SP age v1, "Header". */
function countRecipients(bytes: Uint8Array): number | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, maxHeaderSize));
  const header = /^age-encryption\.org\/v1\n([\s\S]*?)\n--- /.exec(text)?.[1];
  return header?.split("\n").filter((row) => row.startsWith("-> ")).length;
}
