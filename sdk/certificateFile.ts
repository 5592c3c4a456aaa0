/**
 * Room: sdk/certificateFile. A certificate: what a public job over one data set came to, in a file that a stranger can
 * check. What can be checked without the chain is checked here; `verifyCertificate` checks the rest.
 */
import { type Hex, isAddressEqual } from "viem";
import { z } from "zod";
import type { Deployment } from "../protocol/deployment.ts";
import { domainOf, hashOrder, hashReceipt, type JobOrder, type Receipt, receiptStatus } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { toJcs } from "../protocol/jcs.ts";
import { type Manifest, manifestSchema, policyHashOf, programIdOf } from "../protocol/program.ts";
import { publicIdentity, publicResultKey } from "../protocol/publicReader.ts";
import { orderSchema, orderToJson, receiptSchema, receiptToJson } from "../protocol/receiptJson.ts";
import { grantsRootOf, inputsRootOf } from "../protocol/roots.ts";
import { address, bytes32, hexOf } from "../protocol/schemas.ts";
import { decryptResult } from "./encryption.ts";
import { plainText } from "./plainText.ts";

/** Largest sealed result that is a certificate, in bytes. */
export const maxSealedBytes = 1024 * 1024;

/** Longest certificate file in bytes: the result sealed and open, the manifest, and the rest. */
export const maxCertificateBytes = 4 * maxSealedBytes;

/** A certificate file. `manifest` and `output` are what their hashes and commitments say, checked by the reader. */
export const certificateSchema = z.strictObject({
  v: z.literal(1),
  chainId: z.int().positive(),
  jobMarket: address,
  datasetId: bytes32,
  /** SHA-256 of the data set's ciphertext. */
  contentHash: bytes32,
  programId: bytes32,
  jobId: bytes32,
  receiptHash: bytes32,
  manifest: z.unknown().describe("the program's manifest; its canonical form hashes to programId"),
  order: orderSchema,
  receipt: receiptSchema,
  signature: hexOf(65),
  /** An age file, base64. */
  sealedResult: z
    .base64()
    .max(Math.ceil(maxSealedBytes / 3) * 4)
    .transform((text): Uint8Array => Uint8Array.fromBase64(text)),
  output: z.unknown().describe("what the program returned, as in the sealed result"),
});

/** A certificate, read from a file or made of a job. Nothing in it is to be believed before it is verified. */
export type Certificate = Omit<z.output<typeof certificateSchema>, "manifest" | "order"> & {
  manifest: Manifest;
  order: JobOrder;
};

/**
 * The JSON of a certificate file.
 *
 * @example
 * await writeFile("certificate.json", JSON.stringify(certificateToJson(certificate)))
 */
export function certificateToJson(certificate: Certificate) {
  const { order, receipt, sealedResult } = certificate;
  const wire = { order: orderToJson(order), receipt: receiptToJson(receipt) };
  return { ...certificate, ...wire, sealedResult: sealedResult.toBase64() };
}

/**
 * Reads a certificate file.
 *
 * @throws {@link BadCertificateFileError}
 * @example
 * const certificate = readCertificateFile(text, deployment)
 */
export function readCertificateFile(text: string, deployment: Deployment): Certificate {
  let json: unknown;
  try {
    if (text.length <= maxCertificateBytes) json = JSON.parse(text);
  } catch {
    throw new BadCertificateFileError("it is not JSON");
  }
  const parsed = certificateSchema.safeParse(json);
  const manifest = manifestSchema.safeParse(parsed.data?.manifest);
  if (!parsed.success || !manifest.success) throw new BadCertificateFileError("it does not have the fields of one");
  const { chainId, jobMarket } = parsed.data;
  if (chainId !== deployment.chainId || !isAddressEqual(jobMarket, deployment.contracts.jobMarket))
    throw new BadCertificateFileError(`it is for chain ${chainId}, market ${jobMarket}`);
  return { ...parsed.data, manifest: manifest.data };
}

/**
 * Checks that everything in a certificate belongs together: order, receipt, program, data set, content and output. Who
 * signed it, and whether the owner consented, only the chain can tell.
 *
 * @throws {@link CertificateRefusedError} | any error of `decryptResult`
 * @example
 * await checkCertificate(deployment, certificate)
 */
export async function checkCertificate(deployment: Deployment, certificate: Certificate): Promise<void> {
  const { jobId, datasetId, contentHash, programId, manifest, order, receipt, receiptHash } = certificate;
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  const [use, ...others] = order.datasets;
  const require = (fact: string, holds: boolean) => {
    if (!holds) throw new CertificateRefusedError(jobId, fact);
  };
  require("its order is another job's", hashOrder(domain, order) === jobId);
  require("its receipt has another hash", hashReceipt(domain, receipt) === receiptHash);
  require("its receipt is of another job", receipt.jobId === jobId);
  require("its job failed", receipt.status === receiptStatus.ok);
  require("its result is not public", order.resultKey === publicResultKey);
  require("its job is over several data sets", use !== undefined && others.length === 0);
  require("its job is over another data set", use?.datasetId === datasetId);
  const inputs = inputsRootOf([{ datasetId, contentHash }]);
  require("the enclave computed on another content", receipt.inputsRoot === inputs);
  require("the enclave used another grant", receipt.grantsRoot ===
    grantsRootOf(use === undefined ? [] : [use.grantHash]));
  require("its job ran another program", order.programId === programId && receipt.programId === programId);
  require("its manifest is another program's", programIdOf(manifest) === programId);
  require("the enclave enforced another output policy", policyHashOf(manifest) === receipt.policyHash);
  require("its job had other parameters", receipt.paramsHash === order.paramsHash);
  const output = await openPublicResult(certificate.sealedResult, receipt);
  require("its output is not the one that the enclave sealed", sameJson(output, certificate.output));
}

/**
 * What is in a public result.
 *
 * @throws {@link CertificateRefusedError} | any error of `decryptResult`
 * @example
 * const output = await openPublicResult(await fetchResult(workerUrl, jobId), receipt)
 */
export async function openPublicResult(
  sealed: Uint8Array,
  receipt: Pick<Receipt, "jobId" | "resultHash" | "outputCommitment">,
): Promise<unknown> {
  try {
    return (await decryptResult(publicIdentity, sealed, receipt)).output;
  } catch (error) {
    // Readers of JSON recurse, and a stranger's enclave may have signed anything.
    if (error instanceof RangeError) throw new CertificateRefusedError(receipt.jobId, "its output is nested too deep");
    throw error;
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  return b !== undefined && toJcs(a) === toJcs(b);
}

/** The file is no certificate for this deployment. */
export class BadCertificateFileError extends BaseError {
  override readonly name = "Certificate.BadCertificateFileError";
  constructor(fact: string) {
    super(`The certificate file cannot be used: ${fact}.`, {
      hint: "Take the file that `dcm dataset certify --out` wrote for this deployment, or list them from the chain.",
    });
  }
}

/** The certificate does not prove what it says. */
export class CertificateRefusedError extends BaseError {
  override readonly name = "Certificate.CertificateRefusedError";
  constructor(jobId: Hex, fact: string) {
    super(`Certificate ${jobId} is not good: ${plainText(fact, 400)}.`, {
      hint: "Do not rely on it. `dcm audit` on the job says more; the owner can have a new one made.",
    });
  }
}
