/**
 * Room: sdk/certifyDataset. The owner of a data set has a program run over it in public: it consents to one free use by
 * itself, hands the key to the enclaves of one workload, and opens a job whose result everybody can read.
 */
import { type Address, type Hex, zeroAddress } from "viem";
import { hashGrant, type SignedGrant } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { type Program, packProgram } from "../protocol/program.ts";
import { publicIdentity, publicResultKey } from "../protocol/publicReader.ts";
import { createBroker } from "./broker.ts";
import type { Certificate } from "./certificateFile.ts";
import { certificateOf, verifyCertificate } from "./certificates.ts";
import { addressOf, type Client } from "./client.ts";
import { waitForOutput } from "./fetchOutput.ts";
import { chainTime, signGrant } from "./grants.ts";
import { openJob } from "./jobs.ts";
import { deadlineAfter, prepareJob } from "./prepareJob.ts";
import { uploadBlob } from "./worker.ts";

/** What is to be certified, and by what. Amounts in base units of `token`. */
export type CertificationTerms = {
  datasetId: Hex;
  /** Of one input. */
  program: Program;
  params?: unknown;
  /** The enclave code that runs it; readers of the certificate have to trust it as well. */
  workloadId: Hex;
  /** Where the program is uploaded and the result is fetched. */
  workerUrl: string;
  /** The data set key's bytes. */
  datasetKey: () => Promise<Uint8Array | undefined>;
  /** Called before the key is handed out: a broker that has the grant hands it to enclaves that start later. */
  keepGrant?: (signed: SignedGrant) => Promise<void>;
  /** Default: any. */
  operator?: Address;
  /** Default: the native coin. */
  token?: Address;
  operatorFee: bigint;
  /** Default 0. */
  failureFee?: bigint;
  /** How long the job may take; then its escrow can be taken back. Default 60. */
  deadlineMinutes?: number;
  /** How long to wait for the result, in ms. */
  waitMs: number;
  /** Called when money has moved, so that the job can be followed. */
  opened?: (jobId: Hex) => void;
};

/**
 * Certifies a data set of the client's wallet. Its result becomes public for ever.
 *
 * @returns the certificate, verified.
 * @throws {@link KeyNotTakenError} before money moves | any error of `signGrant`, `prepareJob`, `openJob`,
 * `waitForOutput` and `verifyCertificate`
 * @example
 * const certificate = await certifyDataset(client, terms)
 */
export async function certifyDataset(client: Client, terms: CertificationTerms): Promise<Certificate> {
  const { datasetId, program, workloadId, workerUrl, waitMs, operator = zeroAddress, token = zeroAddress } = terms;
  const clock = BigInt(Math.floor(Date.now() / 1000));
  const deadline = deadlineAfter(terms.deadlineMinutes ?? 60, await chainTime(client), clock);
  const consent = { datasetId, programId: program.id, workloadId, requester: addressOf(client), operator, token };
  // Limited in uses, so that the market is shown it: of an unlimited free grant the chain would have no trace.
  const once = { price: 0n, maxUses: 1n, notAfter: deadline };
  const { grant, signature } = await signGrant(client, { ...consent, ...once }, program.manifest);
  await terms.keepGrant?.({ grant, signature });
  await deliver(client, { grant, signature }, terms.datasetKey);
  const { uri: programUri } = await uploadBlob(workerUrl, packProgram(program));
  const job = await prepareJob(client, {
    ...{ program, programUri, params: terms.params ?? {}, workloadId, grants: [{ grant, signature }] },
    ...{ resultKey: publicResultKey, operator, token, deadline },
    ...{ operatorFee: terms.operatorFee, failureFee: terms.failureFee ?? 0n },
  });
  const { jobId } = await openJob(client, job);
  terms.opened?.(jobId);
  await waitForOutput(client, jobId, publicIdentity, { waitMs, workerUrl });
  const certificate = await certificateOf(client, jobId, workerUrl);
  await verifyCertificate(client, certificate, { datasetId, workloadId });
  return certificate;
}

/** One round of a broker that knows this grant alone. One enclave that has the key is enough. */
async function deliver(client: Client, signed: SignedGrant, datasetKey: CertificationTerms["datasetKey"]) {
  const broker = await createBroker(client, {
    grants: async () => [signed],
    datasetKey,
    loadState: async () => undefined,
    saveState: async () => undefined,
  });
  const events = await broker.step();
  if (events.some(({ type }) => type === "delivered")) return;
  const failed = events.find((event) => event.type === "failed");
  throw new KeyNotTakenError(hashGrant(client.marketDomain, signed.grant), failed?.error);
}

/** No enclave of the workload has the key. Nothing was paid. */
export class KeyNotTakenError extends BaseError {
  override readonly name = "Certificate.KeyNotTakenError";
  constructor(grantHash: Hex, cause?: BaseError) {
    super(`No enclave of the workload took the key under grant ${grantHash}.`, {
      hint: cause?.hint ?? "See `dcm enclave list --workload ID`: one must be registered and live.",
      cause,
    });
  }
}
