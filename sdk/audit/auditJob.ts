/**
 * Room: sdk/audit/auditJob. Checks every claim about one job and says, line by line, what it came to.
 * Neither the RPC nor the worker is believed: they give evidence, `judge` computes. May import: protocol, sdk.
 */
import type { Hex } from "viem";
import { isSimulated } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type AuditOptions, gatherEvidence } from "./gather/gatherEvidence.ts";
import { judge } from "./judge.ts";
import type { AuditLine } from "./line.ts";

/** What an audit rests on: whoever trusts these can check the rest. */
export type AuditAnchors = {
  /** x || y of the root key that the quotes are verified up to. */
  rootKey: Hex;
  /** Whether that root is another than Intel's. */
  simulated: boolean;
  chainId: number;
  /** The block that the chain was looked at from; decimal. */
  blockNumber: string;
  blockHash: Hex;
};

/** An audit of one job. */
export type AuditReport = { jobId: Hex; anchors: AuditAnchors; lines: AuditLine[] };

/**
 * Audits a job.
 *
 * @throws {@link BadJobIdError} | NoSuchJobError | OrderNotShownError | OtherOrderError | ContradictoryChainError |
 * WrongAuditChainError | RpcError. What is false about the job is a line of the report, not an error.
 * @example
 * const { lines } = await auditJob({ chain, deployment, jobId, workerUrl: "https://worker.example" })
 */
export async function auditJob(options: AuditOptions): Promise<AuditReport> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(options.jobId)) throw new BadJobIdError();
  const jobId = options.jobId.toLowerCase() as Hex;
  const { deployment } = options;
  const evidence = await gatherEvidence({ ...options, jobId });
  const { number, hash } = evidence.anchor;
  const { rootKey, chainId } = deployment;
  const anchors = {
    rootKey,
    simulated: isSimulated(deployment),
    chainId,
    blockNumber: number.toString(),
    blockHash: hash,
  };
  return { jobId, anchors, lines: judge(evidence) };
}

/** The job id is malformed. */
export class BadJobIdError extends BaseError {
  override readonly name = "Audit.BadJobIdError";
  constructor() {
    super("The job id is not 32 bytes of hex.", { hint: "Give it as printed by `dcm job create`: 0x and 64 digits." });
  }
}
