/**
 * Room: sdk/certificates. Public jobs over one data set, found and verified by strangers: each is audited like any job,
 * and its result, sealed to a reader whose secret everybody knows, is opened.
 * A certificate shows what one program returned for the registered content. It does not show that the provider did not
 * choose program, parameters and moment, nor that the workload is honest: which one is trusted, the reader says.
 */
import { type Address, getAbiItem, type Hex, hexToString } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import { isSimulated } from "../protocol/deployment.ts";
import { BaseError } from "../protocol/errors.ts";
import { unpackProgram } from "../protocol/program.ts";
import { publicIdentity, publicResultKey } from "../protocol/publicReader.ts";
import { isMissing } from "./audit/evidence.ts";
import { gatherEvidence } from "./audit/gather/gatherEvidence.ts";
import { gatherProgram, openResult } from "./audit/gather/worker.ts";
import { isSignedBy } from "./audit/isSignedBy.ts";
import { judge } from "./audit/judge.ts";
import type { AuditLine } from "./audit/line.ts";
import { boundedFetch, serverUrl } from "./boundedFetch.ts";
import {
  type Certificate,
  CertificateRefusedError,
  checkCertificate,
  maxSealedBytes,
  openPublicResult,
} from "./certificateFile.ts";
import type { Client } from "./client.ts";
import { getDataset } from "./datasets.ts";
import { getEnclave } from "./enclaves.ts";
import { NoResultError } from "./fetchOutput.ts";
import { findJob } from "./findJob.ts";
import { scanEvents } from "./scanEvents.ts";
import { requireReceipt } from "./settlement.ts";
import { fetchReceipt } from "./worker.ts";

/** What must be so, beside what is asked for by {@link verifyCertificate}'s options. */
export type CertificateExpectations = {
  /** The data set that it is shown for. */
  datasetId?: Hex | undefined;
  /** The one workload whose word counts. */
  workloadId?: Hex | undefined;
};

/** A certificate that held. */
export type VerifiedCertificate = {
  certificate: Certificate;
  /** Canonical JSON of the program's parameters: the requester chose them. */
  params: string;
  /** Who asked for it. */
  requester: Address;
  /** The enclave's key, and what runs in it: an honest result is as good as this workload. */
  signer: Address;
  workloadId: Hex;
  /** Of the settlement, Unix seconds. */
  settledAt: bigint;
  /** The platform's root key is not Intel's: it proves nothing. */
  simulated: boolean;
  /** What nobody could verify, with the reason. */
  open: AuditLine[];
};

/** One certificate of a listing: verified, or why not. */
export type CertificateListing = { jobId: Hex } & ({ verified: VerifiedCertificate } | { problem: BaseError });

/** Lines of an audit without which there is no certificate; any line that is false refuses it as well. */
const needed: readonly string[] = [
  ...["order.contracts", "order.id", "order.state", "order.params"],
  ...["consent.1.dataset", "consent.1.grant", "consent.1.terms", "consent.1.force"],
  ...["attestation.signature", "attestation.tcb", "attestation.operator", "attestation.binding"],
  ...["attestation.workload", "attestation.live"],
  ...["receipt.signature", "receipt.order", "receipt.inputs", "receipt.grants", "receipt.anchor"],
  ...["result.sealed", "result.readers", "result.output"],
];

/** Lines that an audit answers from the program's bundle, and `checkCertificate` from its manifest. */
const byManifest: readonly string[] = ["code.program", "receipt.policy"];

/**
 * Verifies a certificate against the chain: consent, attestation, receipt, content and output.
 *
 * @throws {@link OtherDatasetError} | {@link OtherWorkloadError} | any error of `checkCertificate` or `gatherEvidence`
 * @example
 * const { certificate, params, workloadId } = await verifyCertificate(client, certificate, { datasetId })
 */
export async function verifyCertificate(
  client: Client,
  certificate: Certificate,
  { datasetId, workloadId }: CertificateExpectations = {},
): Promise<VerifiedCertificate> {
  const { deployment } = client;
  const { jobId, receipt, receiptHash, signature, order } = certificate;
  if (datasetId !== undefined && certificate.datasetId !== datasetId.toLowerCase())
    throw new OtherDatasetError(jobId, certificate.datasetId, datasetId);
  await checkCertificate(deployment, certificate);
  if (workloadId !== undefined && receipt.workloadId !== workloadId.toLowerCase())
    throw new OtherWorkloadError(jobId, receipt.workloadId);
  const found = await gatherEvidence({ chain: client.chain, deployment, jobId });
  const { settlement, ending } = found;
  if (settlement === undefined || ending === undefined)
    throw new CertificateRefusedError(jobId, "the chain shows no receipt of its job");
  if (settlement.receiptHash !== receiptHash)
    throw new CertificateRefusedError(jobId, "its job was settled by another receipt");
  if (!isSignedBy(receiptHash, signature, settlement.signer))
    throw new CertificateRefusedError(jobId, "it is not signed by the enclave that settled its job");
  const result = certificate.sealedResult;
  const opened = await openResult(result, settlement.receipt, publicIdentity);
  const lines = judge({ ...found, worker: { ...found.worker, result }, opened });
  requireLines(jobId, lines);
  const { params } = found.opening;
  return {
    certificate,
    params: isMissing(params) ? "" : hexToString(params as Hex),
    requester: order.requester,
    signer: settlement.signer,
    workloadId: receipt.workloadId,
    settledAt: ending.block.timestamp,
    simulated: isSimulated(deployment),
    open: lines.filter(({ id, verdict }) => verdict === "cannot be verified" && !byManifest.includes(id)),
  };
}

/** False lines first: they say more than missing ones. */
function requireLines(jobId: Hex, lines: readonly AuditLine[]): void {
  const wrong = lines.find(({ verdict }) => verdict === "not verified");
  const unsure = lines.find(({ id, verdict }) => needed.includes(id) && verdict !== "verified");
  const found = wrong ?? unsure;
  if (found !== undefined)
    throw new CertificateRefusedError(jobId, `${found.claim}: ${found.verdict}, ${found.reason}`);
  const absent = needed.find((id) => !lines.some((line) => line.id === id));
  if (absent !== undefined) throw new CertificateRefusedError(jobId, `nothing is known about ${absent}`);
}

/** Most certificates listed unless told otherwise: each is audited. */
export const defaultCertificateLimit = 10;

/** Owners whose jobs are looked for. A data set may have had more; the newest count. */
const maxOwners = 100;

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" });
const transferredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetTransferred" });

/**
 * The certificates of a data set, the newest first: public jobs over it alone, asked for by one who owned it. What others
 * opened is not looked at, so that nobody can bury them.
 *
 * @param options.limit - public jobs looked at, at most; those without a result are not listed.
 * @param options.workerUrl - who has results and programs; default: the endpoint of the enclave that settled.
 * @throws any error of `getDataset` and `scanEvents`. What is wrong with one certificate is in its entry.
 * @example
 * for (const entry of await listCertificates(client, datasetId)) console.log(entry.jobId, "verified" in entry)
 */
export async function listCertificates(
  client: Client,
  datasetId: Hex,
  options: { limit?: number; workerUrl?: string | undefined; workloadId?: Hex | undefined } = {},
): Promise<CertificateListing[]> {
  const { limit = defaultCertificateLimit, workerUrl, workloadId } = options;
  const address = client.deployment.contracts.jobMarket;
  const args = { requester: await ownersOf(client, datasetId) };
  const listed: CertificateListing[] = [];
  let seen = 0;
  for await (const log of scanEvents(client, { address, event: openedEvent, args, newestFirst: true })) {
    if (seen >= limit) break;
    const { jobId, order } = log.args;
    if (order.resultKey !== publicResultKey) continue;
    if (order.datasets.length !== 1 || order.datasets[0]?.datasetId !== datasetId.toLowerCase()) continue;
    seen += 1;
    try {
      const certificate = await certificateOf(client, jobId, workerUrl);
      listed.push({ jobId, verified: await verifyCertificate(client, certificate, { datasetId, workloadId }) });
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      if (!(error instanceof NoResultError)) listed.push({ jobId, problem: error });
    }
  }
  return listed;
}

/** Everybody who owned the data set, each once. */
async function ownersOf(client: Client, datasetId: Hex): Promise<Address[]> {
  const { registrant } = await getDataset(client, datasetId);
  const address = client.deployment.contracts.datasetRegistry;
  const owners = new Set<Address>();
  const filter = { address, event: transferredEvent, args: { datasetId }, newestFirst: true };
  for await (const log of scanEvents(client, filter)) {
    owners.add(log.args.to);
    if (owners.size === maxOwners) break;
  }
  return [...owners.add(registrant)];
}

/**
 * The certificate of a settled public job, put together from the chain and a worker. Not verified.
 *
 * @throws NoResultError | {@link CertificateRefusedError} | any error of `findJob`, `boundedFetch` and `openPublicResult`
 * @example
 * const certificate = await certificateOf(client, jobId, "https://worker.example")
 */
export async function certificateOf(client: Client, jobId: Hex, workerUrl?: string): Promise<Certificate> {
  const { chainId, contracts } = client.deployment;
  const { order, programUri, state, settlement } = await findJob(client, jobId);
  if (state !== "SettledOk" || settlement === undefined) throw new NoResultError(jobId, state, settlement?.failure);
  const [use] = order.datasets;
  if (order.resultKey !== publicResultKey || use === undefined)
    throw new CertificateRefusedError(jobId, "its result is not public");
  const url = workerUrl ?? (await getEnclave(client, settlement.signer)).endpoint;
  const { receipt, signature } = settlement.sent ?? (await fetchReceipt(url, jobId));
  requireReceipt(client, jobId, settlement, { receipt, signature });
  const sealedResult = await boundedFetch(serverUrl(url, `results/${jobId}`), { maxBytes: maxSealedBytes });
  const bundle = await gatherProgram(programUri, url);
  if (isMissing(bundle)) throw new CertificateRefusedError(jobId, bundle.missing);
  const { id: programId, manifest } = unpackProgram(bundle as Uint8Array);
  const { contentHash } = await getDataset(client, use.datasetId);
  const output = await openPublicResult(sealedResult, receipt);
  return {
    v: 1,
    ...{ chainId, jobMarket: contracts.jobMarket },
    ...{ datasetId: use.datasetId, contentHash, programId, jobId, receiptHash: settlement.receiptHash },
    ...{ manifest, order, receipt, signature, sealedResult, output },
  };
}

/** The certificate is about another data set than it is shown for. */
export class OtherDatasetError extends BaseError {
  override readonly name = "Certificate.OtherDatasetError";
  constructor(jobId: Hex, actual: Hex, expected: Hex) {
    super(`Certificate ${jobId} is of data set ${actual}, not of ${expected}.`, {
      hint: "It proves nothing about this data set. List its own with `dcm dataset certificates ID`.",
    });
  }
}

/** The certificate was made by code that the reader did not name. */
export class OtherWorkloadError extends BaseError {
  override readonly name = "Certificate.OtherWorkloadError";
  constructor(jobId: Hex, actual: Hex) {
    super(`Certificate ${jobId} was made by workload ${actual}, which is not the one you trust.`, {
      hint: "Whoever writes a workload decides what it signs: look at `dcm endorsement list`, or ask for another certificate.",
    });
  }
}
