/**
 * Room: cli/rerun. Runs an audited job again: for whoever holds the keys of all its data sets, as its providers do, or as
 * everybody does of public data. Salt and noise of a job come of those keys, so that the commitment is the same or another.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter } from "age-encryption";
import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { failureCodes, type Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { toJcs } from "../protocol/jcs.ts";
import { type Program, unpackProgram } from "../protocol/program.ts";
import { commitmentSalt, outputCommitmentOf } from "../protocol/result.ts";
import { type Evidence, isMissing } from "../sdk/audit/evidence.ts";
import { type Finding, fails, holds, unknown } from "../sdk/audit/line.ts";
import { datasetKeyBytes } from "../sdk/encryption.ts";

/** Where keys and ciphertexts of data sets come from; undefined: not at hand. */
export type RerunSources = {
  /** The `AGE-SECRET-KEY-1...` line. */
  keyOf(datasetId: Hex): Promise<string | undefined>;
  ciphertextOf(datasetId: Hex, contentHash: Hex): Promise<Uint8Array | undefined>;
};

/** What a slower or smaller machine ends with, the enclave's or this one. */
const ofTheMachine: readonly string[] = ["TimeExceeded", "MemoryExceeded"];

/** What an enclave ends with before it runs anything: consent, keys and downloads are not tried again here. */
const beforeTheRun: readonly string[] = [
  "ProgramUnavailable",
  "InputUnavailable",
  "GrantMissing",
  "GrantRefused",
  "KeyUnavailable",
  "DecryptionFailed",
  "PriceTooHigh",
  "BudgetExceeded",
];

/**
 * Runs a job again, in the worker's own sandbox and under its output policy, and compares what comes out.
 *
 * @returns holds: the same output commitment or failure; fails: another; unknown: it cannot be run here, and why.
 * @throws SandboxWallError, EngineMismatchError of the sandbox.
 * @example
 * const finding = await rerunJob(evidence, sources)
 */
export async function rerunJob(evidence: Evidence, sources: RerunSources): Promise<Finding> {
  const { opening, program: bundle, settlement } = evidence;
  if (settlement === undefined) return unknown("there is no receipt to compare with");
  if (isMissing(bundle)) return unknown(bundle.missing);
  if (isMissing(opening.params)) return unknown(opening.params.missing);
  const program = programOf(bundle);
  if (program?.id !== opening.order.programId) return unknown("the bundle at hand is another program's");
  if (keccak256(opening.params) !== opening.order.paramsHash) return unknown("the parameters at hand are others");
  const keys: Uint8Array[] = [];
  const inputs: Uint8Array[] = [];
  try {
    for (const [position, { datasetId }] of opening.order.datasets.entries()) {
      const registration = evidence.datasets[position]?.registration;
      if (registration === undefined || isMissing(registration))
        return unknown(`data set ${datasetId} was not looked up`);
      const key = await sources.keyOf(datasetId);
      if (key === undefined) return unknown(`the key of data set ${datasetId} is not here`);
      const ciphertext = await sources.ciphertextOf(datasetId, registration.contentHash);
      if (ciphertext === undefined) return unknown(`the ciphertext of data set ${datasetId} is not here`);
      if (bytesToHex(sha256(ciphertext)) !== registration.contentHash)
        return unknown(`what is here for data set ${datasetId} is another ciphertext than the registered one`);
      const plaintext = await open(ciphertext, key);
      if (plaintext === undefined) return unknown(`the key here does not open data set ${datasetId}`);
      keys.push(datasetKeyBytes(key));
      inputs.push(plaintext);
    }
    const params = paramsOf(opening.params);
    const again =
      params === undefined
        ? { failure: "ParamsRefused" }
        : await runAgain(program, { ...params, inputs, keys, jobId: evidence.jobId });
    return compareRuns(settlement.receipt, again);
  } finally {
    for (const secret of [...keys, ...inputs]) secret.fill(0);
  }
}

/** What running it again came to. */
export type Again = { commitment: Hex } | { failure: string };

async function runAgain(
  program: Program,
  { inputs, value: params, keys, jobId }: { inputs: Uint8Array[]; value: unknown; keys: Uint8Array[]; jobId: Hex },
): Promise<Again> {
  const { applyPolicy } = await import("../enclave/policy/applyPolicy.ts");
  const { runProgram } = await import("../enclave/sandbox/runProgram.ts");
  const { findWall } = await import("../enclave/sandbox/wall.ts");
  const ran = await runProgram({ program, inputs, params }, await findWall());
  if (ran.status === "failed") return { failure: ran.failure };
  const released = applyPolicy(program.manifest, ran.output, { datasetKeys: keys, jobId });
  if (!released.ok) return { failure: released.failure };
  const salt = commitmentSalt(keys, jobId);
  return { commitment: outputCommitmentOf({ v: 1, jobId, salt, output: released.output }) };
}

/**
 * Compares a receipt with what running its job again came to. A failure that is not the program's own proves nothing,
 * whichever of the two ended in it.
 *
 * @example
 * const finding = compareRuns(settlement.receipt, { failure: "ProgramTrapped" })
 */
export function compareRuns(receipt: Pick<Receipt, "failureCode" | "outputCommitment">, again: Again): Finding {
  const said = failureCodes[receipt.failureCode] ?? "an unknown failure";
  if (beforeTheRun.includes(said)) return unknown(`the receipt says ${said}, which a run here cannot show`);
  if (ofTheMachine.includes(said)) return unknown(`the receipt says ${said}, which depends on the machine`);
  if ("commitment" in again) {
    if (said !== "None") return fails(`run again here it ends well; the receipt says ${said}`);
    return again.commitment === receipt.outputCommitment
      ? holds("run again here, on the same engine, from the registered ciphertexts: the same output commitment")
      : fails(`run again here it gives output commitment ${again.commitment}`);
  }
  if (ofTheMachine.includes(again.failure))
    return unknown(`run again here it ends in ${again.failure}, which depends on the machine`);
  return again.failure === said
    ? holds(`run again here it fails alike: ${said}`)
    : fails(`run again here it ends in ${again.failure}; the receipt says ${said}`);
}

function programOf(bundle: Uint8Array): Program | undefined {
  try {
    return unpackProgram(bundle);
  } catch (error) {
    if (error instanceof BaseError) return undefined;
    throw error;
  }
}

/** As the worker reads them: canonical JSON only. */
function paramsOf(params: Hex): { value: unknown } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(hexToBytes(params));
    const value: unknown = JSON.parse(text);
    return toJcs(value) === text ? { value } : undefined;
  } catch {
    return undefined;
  }
}

async function open(ciphertext: Uint8Array, key: string): Promise<Uint8Array | undefined> {
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(key);
    return await decrypter.decrypt(ciphertext);
  } catch {
    return undefined; // no cause: a library's message might repeat the key
  }
}
