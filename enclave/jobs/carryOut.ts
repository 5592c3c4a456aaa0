/**
 * Room: enclave/jobs/carryOut. One job from its order to a signed receipt: gather, open, run, seal, sign.
 * Keys and a few chunks of plaintext live in this function's buffers, and are overwritten before it returns; whole
 * plaintexts in the sandbox only.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex, isAddressEqual, zeroHash } from "viem";
import { countedGrantsOf, isCounted, priceOf } from "../../protocol/charges.ts";
import { type FailureCode, failureCodes, hashReceipt, type Receipt, receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { lostPrints, type Prints, printsCommitmentOf, type SealedPrints } from "../../protocol/prints.ts";
import { type Program, policyHashOf } from "../../protocol/program.ts";
import { commitmentSalt, encodeResult, outputCommitmentOf, type ResultEnvelope } from "../../protocol/result.ts";
import { grantsRootOf, inputsRootOf } from "../../protocol/roots.ts";
import { SealingError } from "../../protocol/sealing.ts";
import type { Ciphertext } from "../fetch/fetchBlob.ts";
import { applyPolicy } from "../policy/applyPolicy.ts";
import { spendUses } from "../policy/spendUses.ts";
import type { OpenDataset } from "../vault/openDataset.ts";
import {
  type ConsentedInput,
  gatherCiphertexts,
  gatherConsents,
  gatherProgram,
  readParams,
  releaseAll,
} from "./gather.ts";
import { JobStop } from "./jobStop.ts";
import { billedRows, billedSeconds } from "./meter.ts";
import { openInput } from "./openInput.ts";
import type { Anchor, JobPorts, OrderProof, Outcome, RunnableJob, Standing } from "./ports.ts";
import { printsReaders, sealPrints } from "./sealPrints.ts";
import { sealTo } from "./sealTo.ts";
import { shareOf } from "./turns.ts";

/** What is known of a run so far; a FAILED receipt states as much of it as there is. */
type Progress = {
  anchor: Anchor;
  proof: OrderProof;
  program?: Program;
  inputs: ConsentedInput[];
  fuelUsed: number;
  /** Of the program's run. */
  elapsedMs: number;
  /** What it printed, sealed; its proof is of the log as it is when the receipt is signed. */
  prints?: Omit<SealedPrints, "proof">;
};

/**
 * Carries a job out.
 *
 * @param lastChance - whether what is still missing is a failure now instead of a reason to wait.
 * @returns a signed receipt, Ok or Failed, with the sealed result if Ok.
 * @throws {@link UnprovenOrderError}; {@link JobStop} with `final` false if the job has to wait and may;
 * {@link JobEndedError}; {@link AbstainedError}; errors of the chain as they are.
 * @example
 * const { receipt, signature } = await carryOut(ports, job, { lastChance: false })
 */
export async function carryOut(ports: JobPorts, job: RunnableJob, options: { lastChance: boolean }): Promise<Outcome> {
  ports.observe("seen", job.jobId);
  const proof = await ports.chain.proofOf(job);
  if (proof === "none") throw new UnprovenOrderError(job.jobId);
  const progress: Progress = { ...(await fresh(ports)), proof };
  try {
    return await complete(ports, job, progress);
  } catch (error) {
    if (!(error instanceof JobStop)) throw error;
    if (!error.final && !options.lastChance) throw error;
    if (job.order.quorum > 1 && !isOfTheJob(error.code)) {
      // What may yet come is waited for, and tried again and again.
      if (error.final) ports.log.append({ type: "job.abstained", jobId: job.jobId, failureCode: error.code });
      throw new AbstainedError(job.jobId, error);
    }
    // What was printed is given out with a FAILED receipt, too: see `complete`.
    if (progress.prints !== undefined && !(await ports.chain.isCanonical(progress.anchor))) delete progress.prints;
    return fail(ports, job, progress, error.code);
  }
}

/**
 * Ends a job whose consent the market says has ended: a FAILED receipt, and no data are opened for it again.
 *
 * @example
 * const { receipt, signature } = await refuseConsent(ports, job)
 */
export async function refuseConsent(ports: JobPorts, job: RunnableJob): Promise<Outcome> {
  return fail(ports, job, await fresh(ports), "GrantRefused");
}

async function fresh(ports: JobPorts): Promise<Progress> {
  return { anchor: await ports.chain.anchor(), proof: "none", inputs: [], fuelUsed: 0, elapsedMs: 0 };
}

/**
 * Whether a failure comes of what was signed alone, so that every honest enclave would come to it. Of a job with a quorum
 * an enclave says nothing else: a host that cuts its enclave off from files, keys or time must not be able to end the job.
 */
function isOfTheJob(code: FailureCode): boolean {
  const ofTheJob: readonly FailureCode[] = [
    "ParamsRefused",
    "DecryptionFailed",
    "ProgramTrapped",
    "FuelExhausted",
    "MemoryExceeded",
    "OutputTooLarge",
    "OutputRefused",
    "StatementRefused",
    "ColumnRefused",
    "GroupTooSmall",
    "BudgetExceeded",
  ];
  return ofTheJob.includes(code);
}

async function complete(ports: JobPorts, job: RunnableJob, progress: Progress): Promise<Outcome> {
  const params = readParams(job);
  const program = await gatherProgram(ports, job);
  progress.program = program;
  ports.observe("programChecked", job.jobId);

  progress.inputs = await gatherConsents(ports, job, { ...progress, program });
  ports.observe("grantsChecked", job.jobId);

  const ciphertexts = await gatherCiphertexts(ports, progress.inputs);
  ports.observe("inputsFetched", job.jobId);

  const inputBytes = ciphertexts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { output, salt } = await ports
    .inTurn(shareOf(job.order, program.manifest, inputBytes), async () => {
      await stillConsented(ports, job, progress, program);
      return openAndRun(ports, job, { program, params, ciphertexts, progress });
    })
    .finally(() => releaseAll(ciphertexts));
  ports.observe("ran", job.jobId);

  const grants = progress.inputs.map((input) => input.signedGrant.grant);
  const outputRows = billedRows(grants, output);
  requireWithinCeilings(job, progress.inputs, outputRows);

  const envelope: ResultEnvelope = { v: 1, jobId: job.jobId, salt, output };
  const readers = new Set([job.order.resultKey, ...grants.flatMap((grant) => grant.resultReaders)]);
  const resultCiphertext = await seal(envelope, readers, program.manifest.output.policy?.pad);
  const resultHash = bytesToHex(sha256(resultCiphertext));
  ports.log.append({ type: "result.sealed", jobId: job.jobId, resultHash, readers: readers.size });
  ports.observe("sealed", job.jobId);

  // A reorganisation during the run may have undone what consent was checked against.
  if (!(await ports.chain.isCanonical(progress.anchor))) {
    throw new JobStop("GrantRefused", "the anchor block is no longer on the chain", "later");
  }
  const result = {
    resultHash,
    outputCommitment: outputCommitmentOf(envelope),
    outputRows,
    failureCode: "None",
  } as const;
  return sign(ports, job, progress, result, resultCiphertext);
}

/** Nothing is released of a result that costs more than was agreed. */
function requireWithinCeilings(job: RunnableJob, inputs: readonly ConsentedInput[], outputRows: bigint): void {
  for (const [position, { grantHash, sizeBytes, signedGrant }] of inputs.entries()) {
    const ceiling = job.order.datasets[position]?.maxPrice ?? 0n;
    if (priceOf(signedGrant.grant, sizeBytes, outputRows) > ceiling) {
      throw new JobStop("PriceTooHigh", `grant ${grantHash}`);
    }
  }
}

/** Fetching took as long as strangers' servers liked: what was true before it need not be true now. */
async function stillConsented(ports: JobPorts, job: RunnableJob, progress: Progress, program: Program): Promise<void> {
  if (!isForUs(ports, await ports.chain.standing(job))) throw new JobEndedError(job.jobId);
  const anchor = await ports.chain.anchor();
  if (anchor.hash === progress.anchor.hash) return;
  progress.anchor = anchor;
  progress.inputs = await gatherConsents(ports, job, { ...progress, program });
}

/** Whether this enclave may open data for a job that stands so. */
function isForUs({ identity }: JobPorts, standing: Standing): boolean {
  if (standing.is !== "accepted") return standing.is === "open";
  return isAddressEqual(standing.by, identity.signingKey);
}

/** The only place where plaintext exists. Whatever happens, it is overwritten before this returns. */
async function openAndRun(
  ports: JobPorts,
  job: RunnableJob,
  work: { program: Program; params: unknown; ciphertexts: readonly Ciphertext[]; progress: Progress },
): Promise<{ output: ResultEnvelope["output"]; salt: Hex }> {
  const { policy } = work.program.manifest.output;
  const usedUp = spendUses(ports.identity, policy, { jobId: job.jobId, inputs: work.progress.inputs });
  if (usedUp !== undefined) throw new JobStop("GrantRefused", `grant ${usedUp} is used up in this enclave`);
  // Here, and not at each check: a job may wait for days, and be looked at again and again.
  const anchorHash = work.progress.anchor.hash;
  for (const { grantHash } of work.progress.inputs) {
    ports.log.append({ type: "grant.checked", jobId: job.jobId, grantHash, anchorHash });
  }
  const keys: Uint8Array[] = [];
  const inputs: OpenDataset[] = [];
  try {
    let unread = work.progress.inputs.length;
    for (const [position, input] of work.progress.inputs.entries()) {
      const { datasetId, contentHash, grantHash } = input;
      const ciphertext = work.ciphertexts[position];
      if (ciphertext === undefined) throw new JobStop("InputUnavailable", `data set ${datasetId}`, "later");
      const key = await openKey(ports, input);
      keys.push(key);
      ports.log.append({ type: "key.opened", jobId: job.jobId, grantHash, datasetId });
      const onRead = (plainBytes: number) => {
        ports.log.append({ type: "input.decrypted", jobId: job.jobId, datasetId, contentHash, plainBytes });
        unread -= 1;
        if (unread === 0) ports.observe("inputsDecrypted", job.jobId);
      };
      inputs.push(await openInput(key, ciphertext, { datasetId, onRead }));
    }
    const startedAt = ports.now();
    const outcome = await ports.run({ program: work.program, inputs, params: work.params });
    work.progress.elapsedMs = ports.now() - startedAt;
    // Noise would be for nothing if the receipt told how much there was to do.
    work.progress.fuelUsed = policy?.noise === undefined ? outcome.fuelUsed : work.program.manifest.limits.fuel;
    const salt = commitmentSalt(keys, job.jobId);
    // Salted: what was printed may be guessable, and the log lies on the host's disk.
    const readers = printsReaders(policy, work.progress.inputs);
    const prints: Prints | undefined = readers.size === 0 ? undefined : (outcome.prints ?? lostPrints);
    const printsHash = prints?.hash ?? (outcome.status === "ok" ? outcome.printsHash : undefined);
    const printsCommitment = printsHash === undefined ? zeroHash : printsCommitmentOf(salt, printsHash);
    ports.log.append({
      type: "program.ran",
      jobId: job.jobId,
      programId: work.program.id,
      engineSha256: work.program.manifest.runtime.artifactSha256,
      paramsHash: job.order.paramsHash,
      printsCommitment,
    });
    if (prints === undefined) outcome.prints?.text.fill(0);
    else {
      work.progress.prints = await sealPrints(ports.log, { jobId: job.jobId, salt, ...prints }, readers);
    }
    if (outcome.status === "failed") throw new JobStop(outcome.failure, "the sandbox said so");
    const released = applyPolicy(work.program.manifest, outcome.output, { datasetKeys: keys, jobId: job.jobId });
    if (!released.ok) throw new JobStop(released.failure, "the program's output policy is not met");
    return { output: released.output, salt };
  } finally {
    for (const key of keys) key.fill(0);
    await Promise.allSettled(inputs.map((input) => input.close()));
    ports.log.append({ type: "input.destroyed", jobId: job.jobId, count: inputs.length });
  }
}

async function openKey(ports: JobPorts, input: ConsentedInput): Promise<Uint8Array> {
  try {
    return await ports.identity.openSealedKey(input.grantHash, input.sealedKey);
  } catch (error) {
    if (error instanceof SealingError) throw new JobStop("KeyUnavailable", `grant ${input.grantHash}`);
    throw error;
  }
}

async function seal(
  envelope: ResultEnvelope,
  readers: ReadonlySet<Hex>,
  pad: readonly number[] | undefined,
): Promise<Uint8Array> {
  return sealTo(readers, encodeResult(envelope, pad));
}

function fail(ports: JobPorts, job: RunnableJob, progress: Progress, failureCode: FailureCode): Outcome {
  ports.log.append({ type: "job.refused", jobId: job.jobId, failureCode });
  const nothing = { resultHash: zeroHash, outputCommitment: zeroHash, outputRows: 0n, failureCode };
  return sign(ports, job, progress, nothing, null);
}

function sign(
  ports: JobPorts,
  job: RunnableJob,
  progress: Progress,
  result: { resultHash: Hex; outputCommitment: Hex; outputRows: bigint; failureCode: FailureCode },
  resultCiphertext: Uint8Array | null,
): Outcome {
  const log = ports.log.head();
  const signedGrants = result.failureCode === "None" ? progress.inputs.map((input) => input.signedGrant) : [];
  const receipt: Receipt = {
    jobId: job.jobId,
    status: result.failureCode === "None" ? receiptStatus.ok : receiptStatus.failed,
    programId: job.order.programId,
    workloadId: ports.workloadId,
    inputsRoot: inputsRootOf(progress.inputs),
    grantsRoot: grantsRootOf(progress.inputs.map((input) => input.grantHash)),
    paramsHash: job.order.paramsHash,
    resultHash: result.resultHash,
    outputCommitment: result.outputCommitment,
    policyHash: progress.program === undefined ? zeroHash : policyHashOf(progress.program.manifest),
    fuelUsed: BigInt(progress.fuelUsed),
    outputRows: result.outputRows,
    runSeconds: billedSeconds(job.order, progress.elapsedMs),
    countedGrants: countedGrantsOf(signedGrants.map(({ grant }) => grant)),
    logRoot: log.root,
    logSize: log.size,
    anchorBlock: progress.anchor.number,
    anchorHash: progress.anchor.hash,
    failureCode: failureCodes.indexOf(result.failureCode),
  };
  const signature = ports.identity.signDigest(hashReceipt(ports.domain, receipt));
  ports.observe("signed", job.jobId);
  const { prints } = progress;
  return {
    receipt,
    signature,
    grants: signedGrants.filter(({ grant }) => isCounted(grant)),
    resultCiphertext,
    ...(prints !== undefined && { prints: { ...prints, proof: ports.log.prove(prints.index, Number(log.size)) } }),
  };
}

/** The job ended while its inputs were fetched. */
export class JobEndedError extends BaseError {
  override readonly name = "Jobs.JobEndedError";
  constructor(jobId: Hex) {
    super(`Job ${jobId} has ended, or is another enclave's: none of its data are opened.`, {
      hint: "Nothing is left to do.",
    });
  }
}

/** The job failed here for a reason that need not hold for the other enclaves of its quorum: nothing is said of it. */
export class AbstainedError extends BaseError {
  override readonly name = "Jobs.AbstainedError";
  /** Whether another try would end no better: nothing was missing that may yet come. */
  readonly final: boolean;
  constructor(jobId: Hex, cause: JobStop) {
    super(`Of job ${jobId}, which has a quorum, this enclave says nothing: ${cause.message}`, {
      hint: "Another enclave may settle it; after the deadline anyone may expire it.",
      cause,
    });
    this.final = cause.final;
  }
}

/** Nobody but the node says that the order's requester wants this job: nothing is opened for it, nothing signed. */
export class UnprovenOrderError extends BaseError {
  override readonly name = "Jobs.UnprovenOrderError";
  constructor(jobId: Hex) {
    super(`Job ${jobId} is not signed by its requester, and was not opened by a transaction that it signed.`, {
      hint: "Call the market directly: from the requester's own account, or with its signature of the order.",
    });
  }
}
