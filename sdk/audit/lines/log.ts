/**
 * Room: sdk/audit/lines/log. Whether the run stands in the log of the enclave that signed the receipt, and nothing else
 * about the job does. Pure. An entry is the word of the attested code; that it was not changed since is what is proven.
 */
import { type Hex, isAddressEqual } from "viem";
import { domainOf, failureCodes, type Receipt, receiptStatus } from "../../../protocol/eip712.ts";
import type { LogEntry } from "../../../protocol/logEntry.ts";
import type { LogEvidence } from "../../../protocol/logJson.ts";
import { unpackProgram } from "../../../protocol/program.ts";
import { LogMismatchError, requireAll, requireConsistent, requireEntry } from "../../logProofs.ts";
import { type Evidence, isMissing, type Settlement } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";

type JobEntry = Extract<LogEntry, { jobId: Hex }>;

/**
 * Judges the log.
 *
 * @example
 * lines.push(...logLines(evidence, evidence.settlement))
 */
export function logLines(evidence: Evidence, settlement: Settlement): AuditLine[] {
  const { log } = evidence.worker;
  const look = (judged: (log: LogEvidence) => Finding) => () => given<LogEvidence>(log, judged);
  return [
    line(
      "receipt.log",
      "The receipt's log was begun by the attested enclave that signed it",
      look((found) => judgeBoot(evidence, settlement, found)),
    ),
    line(
      "receipt.run",
      "Every step of the run stands in that log, for the agreed grants, data and program",
      look((found) => judgeRun(evidence, settlement, found)),
    ),
    line(
      "receipt.history",
      "The log has nothing else about the job, and no entry is left out of what is shown",
      look((found) => judgeHistory(evidence, settlement, found)),
    ),
    line(
      "receipt.growth",
      "What the enclave's key signed about its log, then and last, is one log that only grew",
      look((found) => judgeGrowth(evidence, settlement, found)),
    ),
  ];
}

function judgeBoot({ registration }: Evidence, { receipt, signer }: Settlement, { boot }: LogEvidence): Finding {
  const entry = requireEntry(boot, receipt);
  if (entry.type !== "boot" || boot.index !== 0) return fails("it does not begin with a boot");
  if (isMissing(registration)) return unknown(registration.missing);
  const { previous } = entry;
  const before =
    previous === null
      ? "no log before it"
      : `before it: log ${previous.logId} of ${previous.size} entries${previous.intact ? "" : ", damaged"}`;
  return allOf(
    {
      "another signing key began it": isAddressEqual(entry.signingKey, signer),
      "its vault key is not the registered one": entry.vaultKey === registration.vaultKey.toLowerCase(),
      "its workload is another": entry.workloadId === receipt.workloadId,
    },
    `entry 0 of ${receipt.logSize}, inclusion recomputed; ${before}`,
  );
}

function judgeRun(evidence: Evidence, { receipt }: Settlement, log: LogEvidence): Finding {
  const entries = readJob(log, receipt);
  const last = entries.at(-1);
  if (last === undefined) return fails("it has no entry about the job");
  if (receipt.status !== receiptStatus.ok) {
    const code = failureCodes[receipt.failureCode];
    return allOf(
      { "the last entry is not the refusal": last.type === "job.refused" && last.failureCode === code },
      `${entries.length} entries; the last: refused, ${code}`,
    );
  }
  const expected = expectedRun(evidence, receipt);
  if (!Array.isArray(expected)) return expected;
  // Earlier attempts are another line's to judge: the last begins with the checks after their inputs were destroyed.
  const ends = entries.flatMap(({ type }, i) => (type === "input.destroyed" ? [i] : []));
  const afterOthers = entries.slice((ends.at(-2) ?? -1) + 1);
  const attempt = afterOthers.slice(Math.max(0, afterOthers.findIndex(isCheck)));
  const checked = new Set(attempt.flatMap((entry) => (isCheckAt(entry, receipt.anchorHash) ? [entry.grantHash] : [])));
  const unchecked = evidence.opening.order.datasets.find(({ grantHash }) => !checked.has(grantHash));
  if (unchecked !== undefined) return fails(`grant ${unchecked.grantHash} was not checked at the receipt's anchor`);
  const steps = sortDecryptions(
    attempt.filter(({ type }) => type !== "grant.checked" && type !== "prints.sealed" && type !== "job.refused"),
  );
  const wrong = expected.find((step, i) => steps[i] !== step);
  if (wrong !== undefined) return fails(`this is not in its place: ${wrong}`);
  return allOf(
    {
      "there is more than the run": steps.length === expected.length,
      "a grant was checked after a key was opened": attempt.findLastIndex(isCheck) < attempt.findIndex(isOpening),
    },
    `${attempt.length} entries under the receipt's root${ends.length > 1 ? `, after ${ends.length - 1} attempts` : ""}`,
  );
}

const isCheck = ({ type }: JobEntry) => type === "grant.checked";

function isCheckAt(entry: JobEntry, anchorHash: Hex): entry is Extract<JobEntry, { type: "grant.checked" }> {
  return entry.type === "grant.checked" && entry.anchorHash === anchorHash;
}
const isOpening = ({ type }: JobEntry) => type === "key.opened";

/** Steps as {@link keyOf} writes them. Which input an engine reads first is its own affair. */
function sortDecryptions(entries: readonly JobEntry[]): string[] {
  const steps = entries.map(keyOf);
  const from = entries.findIndex(isDecryption);
  if (from < 0) return steps;
  const to = entries.findLastIndex(isDecryption) + 1;
  return [...steps.slice(0, from), ...steps.slice(from, to).sort(), ...steps.slice(to)];
}

const isDecryption = ({ type }: JobEntry) => type === "input.decrypted";

/** The steps of a run in order. */
function expectedRun({ opening, datasets, program }: Evidence, receipt: Receipt): string[] | Finding {
  const opened: string[] = [];
  const decrypted: string[] = [];
  for (const [position, { datasetId, grantHash }] of opening.order.datasets.entries()) {
    const registration = datasets[position]?.registration ?? { missing: "the data set was not looked up" };
    if (isMissing(registration)) return unknown(registration.missing);
    opened.push(`key.opened ${grantHash} ${datasetId}`);
    decrypted.push(`input.decrypted ${datasetId} ${registration.contentHash}`);
  }
  if (isMissing(program)) return unknown(program.missing);
  const { artifactSha256 } = unpackProgram(program).manifest.runtime;
  return [
    ...opened,
    ...decrypted.sort(),
    `program.ran ${receipt.programId} ${artifactSha256} ${receipt.paramsHash}`,
    `input.destroyed ${opened.length}`,
    `result.sealed ${receipt.resultHash}`,
  ];
}

/** What of an entry about a job the order and the receipt determine. */
function keyOf(entry: JobEntry): string {
  switch (entry.type) {
    case "grant.checked":
      return `grant.checked ${entry.grantHash}`;
    case "key.opened":
      return `key.opened ${entry.grantHash} ${entry.datasetId}`;
    case "input.decrypted":
      return `input.decrypted ${entry.datasetId} ${entry.contentHash}`;
    case "program.ran":
      return `program.ran ${entry.programId} ${entry.engineSha256} ${entry.paramsHash}`;
    case "input.destroyed":
      return `input.destroyed ${entry.count}`;
    case "prints.sealed":
      return `prints.sealed ${entry.sealedHash}`;
    case "result.sealed":
    case "result.released":
      return `${entry.type} ${entry.resultHash}`;
    case "job.refused":
    case "job.abstained":
      return `${entry.type} ${entry.failureCode}`;
  }
}

/** The job's entries, each proven, in the log's order. */
function readJob(log: LogEvidence, receipt: Receipt): JobEntry[] {
  let last = -1;
  return log.entries.map((proven) => {
    if (proven.index <= last) throw new LogMismatchError(`entry ${proven.index} is shown behind entry ${last}`);
    last = proven.index;
    const entry = requireEntry(proven, receipt);
    if (!("jobId" in entry) || entry.jobId !== receipt.jobId) {
      throw new LogMismatchError(`entry ${proven.index} is not about the job`);
    }
    return entry;
  });
}

function judgeHistory({ opening }: Evidence, { receipt }: Settlement, log: LogEvidence): Finding {
  const shown = readJob(log, receipt);
  if ("missing" in log.all) return unknown(log.all.missing);
  const all = requireAll(log.all, receipt);
  const own = all.flatMap((entry, index) => ("jobId" in entry && entry.jobId === receipt.jobId ? [index] : []));
  const foreign = shown.find((entry) => !isOfOrder(entry, opening.order, receipt));
  return allOf(
    {
      "it has entries about the job that are not shown": own.join() === log.entries.map(({ index }) => index).join(),
      "it has more than one boot": all.every(({ type }, index) => (type === "boot") === (index === 0)),
      [`for this job, it has: ${foreign && keyOf(foreign)}`]: foreign === undefined,
    },
    `all ${all.length} entries read, root recomputed; ${own.length} are about the job`,
  );
}

/** Whether an entry is one that some attempt at this order may have left. */
function isOfOrder(entry: JobEntry, order: Evidence["opening"]["order"], receipt: Receipt): boolean {
  switch (entry.type) {
    case "grant.checked":
      return order.datasets.some(({ grantHash }) => grantHash === entry.grantHash);
    case "key.opened":
      return order.datasets.some((use) => use.grantHash === entry.grantHash && use.datasetId === entry.datasetId);
    case "input.decrypted":
      return order.datasets.some(({ datasetId }) => datasetId === entry.datasetId);
    case "program.ran":
      return entry.programId === order.programId && entry.paramsHash === receipt.paramsHash;
    case "input.destroyed":
      return entry.count <= order.datasets.length;
    default:
      return true;
  }
}

function judgeGrowth({ deployment }: Evidence, { receipt, signer }: Settlement, { other }: LogEvidence): Finding {
  if ("missing" in other) return unknown(other.missing);
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  const size = requireConsistent(domain, other, receipt, signer);
  return holds(
    `consistent with ${size} entries that its key signed${"head" in other ? " when it was asked" : " last"}`,
  );
}
