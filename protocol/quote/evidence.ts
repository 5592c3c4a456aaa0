/**
 * Room: protocol/quote. What to send to `ITdxVerifier.verify` beside a quote: the least that the platform's record
 * allows. Nothing here is believed by the contract. Pure: the chain is read through an argument.
 */
import { type AbiParameterToPrimitiveType, type Address, bytesToHex, getAbiItem, type Hex, zeroHash } from "viem";
import { tdxVerifierAbi } from "../abi.ts";
import { readCertificate } from "./certificate.ts";
import { parseQuote, type Quote, splitQuote } from "./parseQuote.ts";
import {
  hashAttestationKey,
  type P256Key,
  p256KeyOf,
  pckIdOf,
  platformOf,
  platformRecordOf,
  type RecordedPlatform,
} from "./platformRecord.ts";
import { readEnclaveReport } from "./tdReport.ts";

const evidenceAbi = [getAbiItem({ abi: tdxVerifierAbi, name: "verify" }).inputs[1]] as const;

/** `Evidence` of the contracts. */
export type Evidence = AbiParameterToPrimitiveType<(typeof evidenceAbi)[0]>;

/** What a quote is sent with. */
export type QuoteEvidence = {
  /** The quote, cut as short as `path` allows. */
  quote: Hex;
  evidence: Evidence;
  /** What the contract verifies: 1 everything, 2 all but the PCK certificate, 3 the report alone. */
  path: 1 | 2 | 3;
};

/** Chain state that decides the path; all of one block at best, but any answer is safe. */
export type EvidenceReader = {
  /** `ITdxCollateral.authorityNumber`. */
  authorityNumber(key: P256Key): Promise<number>;
  /** Place of `ITdxCollateral.revocationHint`. */
  revocationHint(issuer: number, serial: bigint): Promise<number>;
  /** `data` of `ITdxCollateral.qeIdentity`. */
  qeIdentityData(): Promise<Address>;
  /** `ITdxVerifier.platformRecord`. */
  platformRecord(pckId: Hex): Promise<Hex>;
  /** `attestationKeyHash` of the platform's last `PlatformRecorded`; undefined if it is not found or not worth finding. */
  recordedKeyHash(pckId: Hex): Promise<Hex | undefined>;
};

/** A platform that nothing is said of, for the paths on which it is not read. */
export const noPlatform: RecordedPlatform = {
  pckKey: { x: zeroHash, y: zeroHash },
  platformId: "0x00000000000000000000000000000000",
  serial: 0n,
  notAfter: 0n,
  issuer: 0,
  fmspc: "0x000000000000",
  pceId: "0x0000",
  pceSvn: 0,
  componentSvns: "0x00000000000000000000000000000000",
};

/**
 * Builds the cheapest evidence for a quote. An issuer that the chain does not know is not refused here: the contract
 * says what it is.
 *
 * @param bytes - a whole quote, header through certificate chain.
 * @throws what `splitQuote` and reading the leaf throw, what `chain` throws
 * @example
 * const { quote, evidence } = await buildEvidence(bytes, chain)
 */
export async function buildEvidence(bytes: Uint8Array, chain: EvidenceReader): Promise<QuoteEvidence> {
  const parsed = parseQuote(bytes);
  const split = splitQuote(bytes);
  const issuerKey = p256KeyOf(readCertificate(Uint8Array.fromHex(split.pckIssuer.slice(2))).publicKey);
  const leaf = Uint8Array.fromHex(split.pckLeaf.slice(2));
  const issuer = await chain.authorityNumber(issuerKey);
  const platform = platformOf(leaf, issuer);
  const revocationHint = issuer === 0 ? 0 : await chain.revocationHint(issuer, platform.serial);
  const rest = { issuerKey, platform: noPlatform, attestationKeyHash: zeroHash, qeIsvSvn: 0, revocationHint };

  const { isvSvn } = readEnclaveReport(parsed.qeReport);
  const pckId = pckIdOf(platform.pckKey);
  const record = issuer === 0 ? zeroHash : await chain.platformRecord(pckId);
  if (record !== zeroHash) {
    const relying = { ...rest, pckLeaf: "0x", platform } as const;
    const keyHash = hashAttestationKey(parsed.attestationKey, isvSvn, await chain.qeIdentityData());
    if (platformRecordOf(platform, keyHash) === record) {
      const evidence = { ...relying, attestationKeyHash: keyHash, qeIsvSvn: isvSvn };
      return { quote: bytesToHex(cutAfterKey(parsed)), evidence, path: 3 };
    }
    const recordedKeyHash = await chain.recordedKeyHash(pckId);
    if (recordedKeyHash !== undefined && platformRecordOf(platform, recordedKeyHash) === record)
      return { quote: split.quote, evidence: { ...relying, attestationKeyHash: recordedKeyHash }, path: 2 };
  }
  return { quote: split.quote, evidence: { ...rest, pckLeaf: split.pckLeaf }, path: 1 };
}

/** Header through attestation key. */
function cutAfterKey({ core, attestationKey }: Quote): Uint8Array {
  return core.subarray(0, attestationKey.byteOffset + attestationKey.length - core.byteOffset);
}
