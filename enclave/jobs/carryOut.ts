/**
 * Room: enclave/jobs/carryOut. One job from its order to a signed receipt: gather, open, run, seal, sign.
 * Plaintext and keys live in this function's buffers and the sandbox only, and are overwritten before it returns.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { Encrypter } from "age-encryption";
import { bytesToHex, type Hex, zeroHash } from "viem";
import { recipientOf } from "../../protocol/ageKey.ts";
import { type FailureCode, failureCodes, hashReceipt, type Receipt, receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type Program, policyHashOf } from "../../protocol/program.ts";
import { commitmentSalt, encodeResult, outputCommitmentOf, type ResultEnvelope } from "../../protocol/result.ts";
import { grantsRootOf, inputsRootOf } from "../../protocol/roots.ts";
import { SealingError } from "../../protocol/sealing.ts";
import { DatasetDecryptionError, decryptDataset } from "../vault/datasetKey.ts";
import { type ConsentedInput, gatherCiphertexts, gatherConsents, gatherProgram, readParams } from "./gather.ts";
import { JobStop } from "./jobStop.ts";
import type { Anchor, JobPorts, OpenedJob, Outcome, RunnableJob } from "./ports.ts";

/** What is known of a run so far; a FAILED receipt states as much of it as there is. */
type Progress = { anchor: Anchor; program?: Program; inputs: ConsentedInput[]; fuelUsed: number };

/**
 * Carries a job out.
 *
 * @param lastChance - whether what is still missing is a failure now instead of a reason to wait.
 * @returns a signed receipt, Ok or Failed, with the sealed result if Ok.
 * @throws {@link UnprovenOrderError}; {@link JobStop} with `final` false if the job has to wait and may;
 * {@link JobEndedError}; errors of the chain as they are.
 * @example
 * const { receipt, signature } = await carryOut(ports, job, { lastChance: false })
 */
export async function carryOut(ports: JobPorts, job: RunnableJob, options: { lastChance: boolean }): Promise<Outcome> {
  ports.observe("seen", job.jobId);
  if (!(await ports.chain.isOrderProven(job))) throw new UnprovenOrderError(job.jobId);
  const progress: Progress = { anchor: await ports.chain.anchor(), inputs: [], fuelUsed: 0 };
  try {
    return await complete(ports, job, progress);
  } catch (error) {
    if (!(error instanceof JobStop)) throw error;
    if (!error.final && !options.lastChance) throw error;
    return fail(ports, job, progress, error.code);
  }
}

/**
 * Ends a job whose consent the market says has ended: a FAILED receipt, and no data are opened for it again.
 *
 * @example
 * const { receipt, signature } = await refuseConsent(ports, job)
 */
export async function refuseConsent(ports: JobPorts, job: OpenedJob): Promise<Outcome> {
  return fail(ports, job, { anchor: await ports.chain.anchor(), inputs: [], fuelUsed: 0 }, "GrantRefused");
}

async function complete(ports: JobPorts, job: RunnableJob, progress: Progress): Promise<Outcome> {
  const params = readParams(job);
  const program = await gatherProgram(ports, job);
  progress.program = program;
  ports.observe("programChecked", job.jobId);

  progress.inputs = await gatherConsents(ports, job, progress.anchor);
  ports.observe("grantsChecked", job.jobId);

  const ciphertexts = await gatherCiphertexts(ports, progress.inputs);
  ports.observe("inputsFetched", job.jobId);

  const { output, salt } = await ports.alone(async () => {
    await stillConsented(ports, job, progress);
    return openAndRun(ports, job, { program, params, ciphertexts, progress });
  });
  ports.observe("ran", job.jobId);

  const envelope: ResultEnvelope = { v: 1, jobId: job.jobId, salt, output };
  const readers = new Set([job.order.resultKey, ...progress.inputs.flatMap((i) => i.signedGrant.grant.resultReaders)]);
  const resultCiphertext = await seal(envelope, readers);
  const resultHash = bytesToHex(sha256(resultCiphertext));
  ports.log.append({ type: "result.sealed", jobId: job.jobId, resultHash, readers: readers.size });
  ports.observe("sealed", job.jobId);

  // A reorganisation during the run may have undone what consent was checked against.
  if (!(await ports.chain.isCanonical(progress.anchor))) {
    throw new JobStop("GrantRefused", "the anchor block is no longer on the chain", "later");
  }
  const receipt = { resultHash, outputCommitment: outputCommitmentOf(envelope), failureCode: "None" } as const;
  return sign(ports, job, progress, receipt, resultCiphertext);
}

/** Fetching took as long as strangers' servers liked: what was true before it need not be true now. */
async function stillConsented(ports: JobPorts, job: RunnableJob, progress: Progress): Promise<void> {
  if (!(await ports.chain.isOpen(job))) throw new JobEndedError(job.jobId);
  const anchor = await ports.chain.anchor();
  if (anchor.hash === progress.anchor.hash) return;
  progress.anchor = anchor;
  progress.inputs = await gatherConsents(ports, job, anchor);
}

/** The only place where plaintext exists. Whatever happens, it is overwritten before this returns. */
async function openAndRun(
  ports: JobPorts,
  job: OpenedJob,
  work: { program: Program; params: unknown; ciphertexts: readonly Uint8Array[]; progress: Progress },
): Promise<{ output: ResultEnvelope["output"]; salt: Hex }> {
  const keys: Uint8Array[] = [];
  const plaintexts: Uint8Array[] = [];
  try {
    for (const [position, input] of work.progress.inputs.entries()) {
      const key = await openKey(ports, input);
      keys.push(key);
      const { datasetId, contentHash, grantHash } = input;
      ports.log.append({ type: "key.opened", jobId: job.jobId, grantHash, datasetId });
      const plaintext = await decrypt(key, work.ciphertexts[position] ?? new Uint8Array(), datasetId);
      plaintexts.push(plaintext);
      const entry = { type: "input.decrypted", jobId: job.jobId, datasetId, contentHash } as const;
      ports.log.append({ ...entry, plainBytes: plaintext.length });
    }
    ports.observe("inputsDecrypted", job.jobId);
    const outcome = await ports.run({ program: work.program, inputs: plaintexts, params: work.params });
    work.progress.fuelUsed = outcome.fuelUsed;
    ports.log.append({
      type: "program.ran",
      jobId: job.jobId,
      programId: work.program.id,
      engineSha256: work.program.manifest.runtime.artifactSha256,
      paramsHash: job.order.paramsHash,
    });
    if (outcome.status === "failed") throw new JobStop(outcome.failure, "the sandbox said so");
    return { output: outcome.output, salt: commitmentSalt(keys, job.jobId) };
  } finally {
    for (const secret of [...keys, ...plaintexts]) secret.fill(0);
    ports.log.append({ type: "input.destroyed", jobId: job.jobId, count: plaintexts.length });
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

async function decrypt(key: Uint8Array, ciphertext: Uint8Array, datasetId: Hex): Promise<Uint8Array> {
  try {
    return await decryptDataset(key, ciphertext);
  } catch (error) {
    if (error instanceof DatasetDecryptionError) throw new JobStop("DecryptionFailed", `data set ${datasetId}`);
    throw error;
  }
}

async function seal(envelope: ResultEnvelope, readers: ReadonlySet<Hex>): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  const plaintext = encodeResult(envelope);
  try {
    for (const reader of readers) encrypter.addRecipient(recipientOf(reader));
    return await encrypter.encrypt(plaintext);
  } catch {
    throw new JobStop("OutputRefused", "a reader's key is not a usable X25519 key");
  } finally {
    plaintext.fill(0);
  }
}

function fail(ports: JobPorts, job: OpenedJob, progress: Progress, failureCode: FailureCode): Outcome {
  ports.log.append({ type: "job.refused", jobId: job.jobId, failureCode });
  return sign(ports, job, progress, { resultHash: zeroHash, outputCommitment: zeroHash, failureCode }, null);
}

function sign(
  ports: JobPorts,
  job: OpenedJob,
  progress: Progress,
  result: { resultHash: Hex; outputCommitment: Hex; failureCode: FailureCode },
  resultCiphertext: Uint8Array | null,
): Outcome {
  const log = ports.log.head();
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
    logRoot: log.root,
    logSize: log.size,
    anchorBlock: progress.anchor.number,
    anchorHash: progress.anchor.hash,
    failureCode: failureCodes.indexOf(result.failureCode),
  };
  const signature = ports.identity.signDigest(hashReceipt(ports.domain, receipt));
  ports.observe("signed", job.jobId);
  const grants = resultCiphertext === null ? [] : progress.inputs.map((input) => input.signedGrant);
  return { receipt, signature, grants, resultCiphertext };
}

/** The job ended while its inputs were fetched. */
export class JobEndedError extends BaseError {
  override readonly name = "Jobs.JobEndedError";
  constructor(jobId: Hex) {
    super(`Job ${jobId} has ended: none of its data are opened.`, { hint: "Nothing is left to do." });
  }
}

/** Nobody but the node says that the order's requester wants this job: nothing is opened for it, nothing signed. */
export class UnprovenOrderError extends BaseError {
  override readonly name = "Jobs.UnprovenOrderError";
  constructor(jobId: Hex) {
    super(`Job ${jobId} was not opened by a transaction that its requester signed.`, {
      hint: "Open jobs from an account that signs its own transactions; a contract wallet's order cannot be proven yet.",
    });
  }
}
