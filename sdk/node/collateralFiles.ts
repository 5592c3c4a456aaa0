/**
 * Room: sdk/node/collateralFiles. Collateral as folders: one file a part, or the one collateral.json of @phala/dcap-qvl.
 * Reads only: whether it is genuine is for `verifyCollateral`.
 */

import { access } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { maxJsonSize } from "../../protocol/collateral/canonicalJson.ts";
import { type Collateral, collateralFiles } from "../../protocol/collateral/collateral.ts";
import { maxCrlSize } from "../../protocol/collateral/crl.ts";
import { BaseError } from "../../protocol/errors.ts";
import { decodePem, maxCertificateSize, maxChainSize } from "../../protocol/quote/pemChain.ts";
import { sameBytes } from "../../protocol/sameBytes.ts";
import { readBounded, readText } from "./files.ts";

const bundleFile = "collateral.json";
const maxBundleSize = 1_048_576;

/** Longest file of each part, in bytes. */
const limits: Readonly<Record<keyof Collateral, number>> = {
  tcbInfo: maxJsonSize,
  tcbInfoSignature: 64,
  qeIdentity: maxJsonSize,
  qeIdentitySignature: 64,
  tcbSigning: maxCertificateSize,
  pckCa: maxCertificateSize,
  rootCa: maxCertificateSize,
  rootCaCrl: maxCrlSize,
  pckCrl: maxCrlSize,
};

/**
 * Reads a folder of collateral: the files of {@link collateralFiles}, or else `collateral.json`.
 *
 * @throws FileUnreadableError | {@link MalformedBundleError}
 * @example
 * const collateral = await readCollateralDir("collateral/b0c06f000000")
 */
export async function readCollateralDir(directory: string): Promise<Collateral> {
  const bundle = join(directory, bundleFile);
  if (!(await exists(join(directory, collateralFiles.tcbInfo))) && (await exists(bundle)))
    return parseBundle(bundle, await readText(bundle, maxBundleSize));
  const part = (name: keyof Collateral) => readBounded(join(directory, collateralFiles[name]), limits[name]);
  return {
    tcbInfo: await part("tcbInfo"),
    tcbInfoSignature: await part("tcbInfoSignature"),
    qeIdentity: await part("qeIdentity"),
    qeIdentitySignature: await part("qeIdentitySignature"),
    tcbSigning: await part("tcbSigning"),
    pckCa: await part("pckCa"),
    rootCa: await part("rootCa"),
    rootCaCrl: await part("rootCaCrl"),
    pckCrl: await part("pckCrl"),
  };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Hex, or a list of bytes: the package takes both. */
const binary = (max: number) =>
  z.union([
    z
      .string()
      .regex(/^([0-9a-fA-F]{2})*$/)
      .max(2 * max)
      .transform((hex) => Uint8Array.fromHex(hex)),
    z
      .array(z.int().min(0).max(255))
      .max(max)
      .transform((bytes) => Uint8Array.from(bytes)),
  ]);
const chain = z.string().max(maxChainSize);

const bundleSchema = z.object({
  pck_crl_issuer_chain: chain,
  root_ca_crl: binary(maxCrlSize),
  pck_crl: binary(maxCrlSize),
  tcb_info_issuer_chain: chain,
  tcb_info: z.string().max(maxJsonSize),
  tcb_info_signature: binary(64),
  qe_identity_issuer_chain: chain,
  qe_identity: z.string().max(maxJsonSize),
  qe_identity_signature: binary(64),
});

function parseBundle(path: string, text: string): Collateral {
  let read: z.output<typeof bundleSchema>;
  try {
    read = bundleSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new MalformedBundleError(path, "not collateral as @phala/dcap-qvl writes it", cause);
  }
  const [pckCa, rootCa] = readPair(path, "pck_crl_issuer_chain", read.pck_crl_issuer_chain);
  const [tcbSigning, tcbRoot] = readPair(path, "tcb_info_issuer_chain", read.tcb_info_issuer_chain);
  const [qeSigning, qeRoot] = readPair(path, "qe_identity_issuer_chain", read.qe_identity_issuer_chain);
  // A `Collateral` holds one of each: a bundle that mixes two would be half read.
  if (!sameBytes(tcbSigning, qeSigning)) throw new MalformedBundleError(path, "two TCB signing certificates");
  if (!sameBytes(rootCa, tcbRoot) || !sameBytes(rootCa, qeRoot)) throw new MalformedBundleError(path, "two root CAs");
  const bytes = (json: string) => new TextEncoder().encode(json);
  return {
    tcbInfo: bytes(read.tcb_info),
    tcbInfoSignature: read.tcb_info_signature,
    qeIdentity: bytes(read.qe_identity),
    qeIdentitySignature: read.qe_identity_signature,
    tcbSigning,
    pckCa,
    rootCa,
    rootCaCrl: read.root_ca_crl,
    pckCrl: read.pck_crl,
  };
}

function readPair(path: string, field: string, pem: string): [end: Uint8Array, root: Uint8Array] {
  let certificates: Uint8Array[];
  try {
    certificates = decodePem(new TextEncoder().encode(pem));
  } catch (cause) {
    throw new MalformedBundleError(path, `${field} is not PEM`, cause);
  }
  const [end, root] = certificates;
  if (end === undefined || root === undefined || certificates.length !== 2)
    throw new MalformedBundleError(path, `${field} has ${certificates.length} certificates, not 2`);
  return [end, root];
}

/** A collateral.json cannot be read. */
export class MalformedBundleError extends BaseError {
  override readonly name = "CollateralFiles.MalformedBundleError";
  constructor(path: string, fact: string, cause?: unknown) {
    super(`${path} cannot be read: ${fact}.`, {
      hint: "Write it with getCollateral of @phala/dcap-qvl, or give the nine files of a collateral folder.",
      cause,
    });
  }
}
