/**
 * Room: sdk/audit/auditJob. Checks every claim about one job and says, line by line, what it came to.
 * Neither the RPC nor the worker is believed: they give evidence, `judge` computes. May import: protocol, sdk.
 */
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { nothingMore } from "./believed.ts";
import type { Evidence } from "./evidence.ts";
import { type AuditOptions, gatherEvidence } from "./gather/gatherEvidence.ts";
import { judge } from "./judge.ts";
import type { Finding } from "./line.ts";
import { type AuditReport, reportOf } from "./report.ts";

/** `rerun` runs the job again, where somebody holds the keys of its data; see cli/rerun. */
export type RerunOption = { rerun?: ((evidence: Evidence) => Promise<Finding>) | undefined };

/**
 * Audits a job.
 *
 * @throws {@link BadJobIdError} | NoSuchJobError | OrderNotShownError | OtherOrderError | ContradictoryChainError |
 * WrongAuditChainError | RpcError. What is false about the job is a claim of the report, not an error.
 * @example
 * const { verdict, claims } = await auditJob({ chain, deployment, jobId, workerUrl: "https://worker.example" })
 */
export async function auditJob(options: AuditOptions & RerunOption): Promise<AuditReport> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(options.jobId)) throw new BadJobIdError();
  const jobId = options.jobId.toLowerCase() as Hex;
  const believed = options.believed ?? nothingMore;
  const evidence = await gatherEvidence({ ...options, jobId });
  return reportOf(evidence, judge(evidence, believed, await options.rerun?.(evidence)), believed);
}

/** The job id is malformed. */
export class BadJobIdError extends BaseError {
  override readonly name = "Audit.BadJobIdError";
  constructor() {
    super("The job id is not 32 bytes of hex.", { hint: "Give it as printed by `dcm job create`: 0x and 64 digits." });
  }
}
