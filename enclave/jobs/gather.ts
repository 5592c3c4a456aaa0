/**
 * Room: enclave/jobs/gather. Brings together what a job needs and checks each piece against what was signed:
 * the program, the consents, the ciphertexts. Opens nothing. Every refusal is a {@link JobStop}.
 */
import { type Address, type Hex, isAddressEqual, keccak256, zeroAddress } from "viem";
import { priceOf } from "../../protocol/charges.ts";
import type { SignedGrant } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { toJcs } from "../../protocol/jcs.ts";
import { maxCiphertextBytes } from "../../protocol/limits.ts";
import { maxBundleBytes, type Program, unpackProgram } from "../../protocol/program.ts";
import type { SealedKey } from "../../protocol/sealing.ts";
import { isSessionPrice } from "../../protocol/sessionPrice.ts";
import type { Ciphertext } from "../fetch/fetchBlob.ts";
import { checkBudget, checkGrant } from "../vault/checkGrant.ts";
import { JobStop } from "./jobStop.ts";
import type { Anchor, JobPorts, OrderProof, RunnableJob } from "./ports.ts";

/** Largest sum of the ciphertexts of one job, in bytes: several jobs may be under way, each with its own on disk. */
export const maxJobBytes = 2 * maxCiphertextBytes;

/** One data set of a job, consented to and located. */
export type ConsentedInput = {
  datasetId: Hex;
  owner: Address;
  contentHash: Hex;
  sizeBytes: number;
  uri: string;
  grantHash: Hex;
  signedGrant: SignedGrant;
  sealedKey: SealedKey;
};

/**
 * The program that the order names.
 *
 * @throws {@link JobStop} ProgramUnavailable (later), ProgramMismatch (later if this machine's walls do not hold its engine).
 * @example
 * const program = await gatherProgram(ports, job)
 */
export async function gatherProgram(ports: JobPorts, job: RunnableJob): Promise<Program> {
  const fetched = await ports.fetch(job.programUri, { maxBytes: maxBundleBytes });
  if (fetched.status === "mismatch") throw new JobStop("ProgramMismatch", fetched.fact);
  if (fetched.status === "unavailable") throw unavailable("ProgramUnavailable", fetched);
  let program: Program;
  try {
    program = unpackProgram(fetched.fetched);
  } catch (error) {
    throw new JobStop("ProgramMismatch", error instanceof BaseError ? error.name : "not a program bundle");
  }
  if (program.id !== job.order.programId) throw new JobStop("ProgramMismatch", `the bundle is program ${program.id}`);
  if (program.manifest.inputs.length !== job.order.datasets.length) {
    throw new JobStop("ProgramMismatch", `it takes ${program.manifest.inputs.length} inputs`);
  }
  // Others may run it: the job waits for them, and fails when its time is nearly over.
  const { engine } = program.manifest.runtime;
  if (ports.lacksWallFor(program))
    throw new JobStop("ProgramMismatch", `${engine} is not run on this machine`, "later");
  return program;
}

/**
 * The parameters of the order: canonical JSON that hashes to `paramsHash`.
 *
 * @throws {@link JobStop} ParamsRefused.
 * @example
 * const params = readParams(job)
 */
export function readParams(job: RunnableJob): unknown {
  if (keccak256(job.params) !== job.order.paramsHash) throw new JobStop("ParamsRefused", "they have another hash");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(job.params);
    const params: unknown = JSON.parse(text);
    if (toJcs(params) === text) return params;
  } catch {
    throw new JobStop("ParamsRefused", "they are not JSON");
  }
  throw new JobStop("ParamsRefused", "they are not canonical JSON");
}

/**
 * The consents to a job, each checked at the anchor block.
 *
 * @param program - the order's: its policy may want grants to be limited.
 * @throws {@link JobStop} GrantMissing (later), GrantRefused, BudgetExceeded, PriceTooHigh, InputUnavailable.
 * @example
 * const inputs = await gatherConsents(ports, job, { anchor, proof, program })
 */
export async function gatherConsents(
  ports: JobPorts,
  job: RunnableJob,
  { anchor, proof, program }: { anchor: Anchor; proof: OrderProof; program: Pick<Program, "manifest"> },
): Promise<ConsentedInput[]> {
  const inputs: ConsentedInput[] = [];
  for (const use of job.order.datasets) {
    const dataset = await ports.chain.dataset(use.datasetId, anchor);
    if (dataset === undefined)
      throw new JobStop("InputUnavailable", `data set ${use.datasetId} is not registered`, "later");
    if (dataset.sizeBytes > maxCiphertextBytes) {
      throw new JobStop("InputUnavailable", `data set ${use.datasetId} is larger than ${maxCiphertextBytes} bytes`);
    }
    const sum = inputs.reduce((bytes, input) => bytes + input.sizeBytes, dataset.sizeBytes);
    if (sum > maxJobBytes) throw new JobStop("InputUnavailable", `the data sets are larger than ${maxJobBytes} bytes`);
    const pkg = ports.grants.find(use.grantHash);
    if (pkg === undefined) throw new JobStop("GrantMissing", `grant ${use.grantHash} was not delivered`, "later");
    const { grant, signature } = pkg;
    const { owner, ...consent } = await ports.chain.consent(use.datasetId, grant.nonce, anchor);
    const state = {
      ...consent,
      uses: (await ports.chain.grantUses(use.grantHash, anchor)) + usesIn(inputs, use.grantHash),
      timestamp: anchor.timestamp,
    };
    const refuse = (fact: string) => new JobStop("GrantRefused", `grant ${use.grantHash}: ${fact}`);
    if (!isAddressEqual(owner, dataset.owner)) throw refuse("its data set has two owners by the node's word");
    const refusal = checkGrant(job.order, use, grant, ports.operator, state);
    if (refusal !== undefined) throw refuse(refusal);
    if (proof !== "signed" && !isAddressEqual(grant.requester, zeroAddress)) {
      throw refuse("it names a requester, and the order's is a contract, which only the node vouches for");
    }
    if (!(await ports.chain.isSignedBy(owner, use.grantHash, signature))) throw refuse("not signed by the owner");
    const excess = checkBudget(program.manifest.output.policy, grant);
    if (excess !== undefined) throw new JobStop("BudgetExceeded", `grant ${use.grantHash}: ${excess}`);
    // At the claim the market wants just the price that the session names.
    if (job.origin.by === "session" && !isSessionPrice(grant, use)) {
      throw refuse("its price is not flat, or not just what the session names");
    }
    // Rows come with the result; what a use or its bytes cost is known before anything is opened.
    if (priceOf(grant, dataset.sizeBytes, 0n) > use.maxPrice) {
      throw new JobStop("PriceTooHigh", `grant ${use.grantHash}`);
    }
    inputs.push({
      datasetId: use.datasetId,
      owner,
      contentHash: dataset.contentHash,
      sizeBytes: dataset.sizeBytes,
      uri: dataset.uri,
      grantHash: use.grantHash,
      signedGrant: { grant, signature },
      sealedKey: pkg.sealedKey,
    });
  }
  return inputs;
}

/**
 * The ciphertexts of the inputs, each of the registered size and hash. The caller releases them.
 *
 * @throws {@link JobStop} InputUnavailable (later), InputMismatch.
 * @example
 * const ciphertexts = await gatherCiphertexts(ports, inputs)
 */
export async function gatherCiphertexts(ports: JobPorts, inputs: readonly ConsentedInput[]): Promise<Ciphertext[]> {
  const ciphertexts: Ciphertext[] = [];
  try {
    for (const input of inputs) {
      const limits = { maxBytes: input.sizeBytes, sha256: input.contentHash };
      const fetched = await ports.fetchCiphertext(input.uri, limits);
      if (fetched.status === "mismatch") throw new JobStop("InputMismatch", fetched.fact);
      if (fetched.status === "unavailable") throw unavailable("InputUnavailable", fetched);
      ciphertexts.push(fetched.fetched);
    }
  } catch (error) {
    await releaseAll(ciphertexts);
    throw error;
  }
  return ciphertexts;
}

/**
 * Gives back the room that ciphertexts take.
 *
 * @example
 * await releaseAll(ciphertexts)
 */
export async function releaseAll(ciphertexts: readonly Ciphertext[]): Promise<void> {
  for (const ciphertext of ciphertexts) await ciphertext.release();
}

/** A job that names a grant twice uses it twice, as the market counts. */
function usesIn(inputs: readonly ConsentedInput[], grantHash: Hex): bigint {
  return BigInt(inputs.filter((input) => input.grantHash === grantHash).length);
}

function unavailable(
  code: "ProgramUnavailable" | "InputUnavailable",
  fetched: { fact: string; final: boolean },
): JobStop {
  return new JobStop(code, fetched.fact, fetched.final ? "now" : "later");
}
