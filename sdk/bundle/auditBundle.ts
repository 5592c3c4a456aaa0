/**
 * Room: sdk/bundle/auditBundle. Audits a job from its bundle, with no network. The evidence is gathered by the very code that
 * gathers it online, from a chain of which only what is proven exists; `judge` computes the same lines. May import:
 * protocol, sdk/audit, sdk/proofs.
 */
import { BaseError as ViemError } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import type { RerunOption } from "../audit/auditJob.ts";
import { type Believed, nothingMore } from "../audit/believed.ts";
import type { Evidence } from "../audit/evidence.ts";
import { gatherOnChain } from "../audit/gather/gatherEvidence.ts";
import { openResult } from "../audit/gather/worker.ts";
import { judge } from "../audit/judge.ts";
import type { AuditLine } from "../audit/line.ts";
import { type AuditReport, reportOf } from "../audit/report.ts";
import { readStored } from "../proofs/layout.ts";
import { openProofs } from "../proofs/openProofs.ts";
import type { Bundle } from "./bundleSchema.ts";
import { chainLines } from "./chainLines.ts";
import { type Gap, requireComplete } from "./completeness.ts";
import { expectedCode } from "./expectedCode.ts";
import { keepRenewals, requireNothingMore } from "./inventory.ts";
import { deploymentOf, programIn, requireOwnParts, shownIn, workerIn } from "./parts.ts";
import { provenView } from "./provenView.ts";
import { BadBundleError } from "./readBundle.ts";
import { recordView } from "./recordView.ts";

/** With what to audit. */
export type BundleAuditOptions = RerunOption & {
  /** What the auditor believes beforehand; default: nothing. Endorsements are not in a bundle. */
  believed?: Believed | undefined;
  /** The deployment that the auditor means; nothing of it comes from the bundle. */
  deployment?: Deployment | undefined;
  /** `AGE-SECRET-KEY-1...` of a reader of the result: opens it here to check the commitment; goes nowhere. */
  resultIdentity?: string | undefined;
};

/** What a bundle comes to. */
export type BundleAudit = { evidence: Evidence; lines: AuditLine[] };

/**
 * Audits a job from its bundle.
 *
 * @throws what {@link judgeBundle} throws.
 * @example
 * const { verdict } = await auditBundle(readBundle(bytes), { believed })
 */
export async function auditBundle(bundle: Bundle, options: BundleAuditOptions = {}): Promise<AuditReport> {
  const { evidence, lines } = await judgeBundle(bundle, options);
  return reportOf(evidence, lines, options.believed ?? nothingMore);
}

/**
 * Evidence and lines of a bundle. A bundle that is refused proves nothing.
 *
 * @throws BadBundleError | errors of `openProofs` if a proof is wrong | Proofs.NotProvenError | Bundle.LeftOutError if something is missing |
 * Bundle.SurplusProofError | Bundle.SurplusPartError if something is too much | errors of `gatherOnChain`.
 * @example
 * const { evidence, lines } = await judgeBundle(readBundle(bytes))
 */
export async function judgeBundle(bundle: Bundle, options: BundleAuditOptions = {}): Promise<BundleAudit> {
  try {
    return await judgeProven(bundle, options);
  } catch (cause) {
    // A number that does not fit its field, in an order or a leaf: hashing says so in viem's words.
    if (cause instanceof ViemError) throw new BadBundleError(`a value does not fit: ${cause.shortMessage}`, cause);
    throw cause;
  }
}

async function judgeProven(bundle: Bundle, options: BundleAuditOptions): Promise<BundleAudit> {
  const proven = await openProofs(bundle.chain);
  const { deployment, parameters } = deploymentOf(bundle);
  const recorder = recordView(provenView(proven, deployment, parameters), parameters);
  const shown = shownIn(bundle);
  const onChain = await gatherOnChain(recorder.view, bundle.jobId, shown);
  const gaps = await requireComplete(onChain, recorder.view, async (block, address, stored) => {
    recorder.want(block, address, stored.slots);
    return readStored(proven, block, address, stored);
  });
  const code = expectedCode(deployment, parameters);
  for (const { address } of code) recorder.want(proven.anchor.number, address, []);
  keepRenewals(recorder, onChain);
  requireNothingMore(bundle.chain, proven, recorder.wants());
  requireOwnParts(bundle, onChain, shown.used());

  const worker = workerIn(bundle, onChain);
  const opened = await openResult(worker.result, onChain.settlement?.receipt, options.resultIdentity);
  const { believed = nothingMore, rerun } = options;
  const evidence: Evidence = { ...onChain, program: programIn(bundle), endorsements: [], worker, opened };
  const known = { anchors: believed.blocks, deployment: options.deployment };
  const ofChain = chainLines(deployment, proven, code, known);
  if (ofChain.some(({ id, verdict }) => id === "chain.code" && verdict !== "verified"))
    gaps.push({ line: "order.contracts", reason: "it stands in the contracts' code, which is not what is claimed" });
  const lines = judge(evidence, believed, await rerun?.(evidence))
    .filter(({ id }) => id !== "chain.rpc") // no RPC was asked
    .map((line) => withGaps(line, gaps));
  return { evidence, lines: [...lines, ...ofChain] };
}

/** A line that rests on what storage cannot show is open, unless it is false anyway. */
function withGaps(line: AuditLine, gaps: readonly Gap[]): AuditLine {
  const gap = gaps.find((each) => each.line === line.id);
  return gap === undefined || line.verdict !== "verified"
    ? line
    : { ...line, verdict: "cannot be verified", reason: gap.reason };
}
