/**
 * Room: protocol/quote. What `TdxVerifier` remembers of platforms, and its hashes. Pure.
 * Mirrors `contracts/attestation/TdxVerifier.sol` and `contracts/interfaces/TcbTypes.sol`.
 */
import {
  type AbiParameterToPrimitiveType,
  type Address,
  bytesToHex,
  concatHex,
  encodeAbiParameters,
  encodePacked,
  getAbiItem,
  type Hex,
  keccak256,
} from "viem";
import { tdxVerifierAbi } from "../abi.ts";
import { readCertificate, UnsupportedCertificateError } from "./certificate.ts";
import { platformIdOf, readSgxExtension } from "./sgxExtension.ts";
import type { TdReport } from "./tdReport.ts";

const tcbEvidenceAbi = [getAbiItem({ abi: tdxVerifierAbi, name: "assess" }).inputs[0]] as const;
const platformAbi = [tcbEvidenceAbi[0].components[0]] as const;

/** All that collateral judges of one quote; `TcbEvidence` of the contracts. */
export type TcbEvidence = AbiParameterToPrimitiveType<(typeof tcbEvidenceAbi)[0]>;
/** What a PCK leaf says of its platform; `Platform` of the contracts. */
export type RecordedPlatform = AbiParameterToPrimitiveType<(typeof platformAbi)[0]>;
/** A P-256 public key, big-endian coordinates. */
export type P256Key = RecordedPlatform["pckKey"];

/**
 * A public key as the contracts take it.
 *
 * @param key - x || y, 64 bytes.
 * @example
 * const issuerKey = p256KeyOf(readCertificate(collateral.pckCa).publicKey)
 */
export function p256KeyOf(key: Uint8Array): P256Key {
  return { x: bytesToHex(key.subarray(0, 32)), y: bytesToHex(key.subarray(32, 64)) };
}

/**
 * What the contract reads from a PCK leaf. Checks no signature, no date and no name.
 *
 * @param leaf - DER.
 * @param issuer - number of the CA that signed it, as `ITdxCollateral.authorityNumber` says.
 * @throws what reading the certificate throws
 * @example
 * const platform = platformOf(leaf, 1)
 */
export function platformOf(leaf: Uint8Array, issuer: number): RecordedPlatform {
  const { publicKey, serial, notAfter, sgxExtension } = readCertificate(leaf);
  if (sgxExtension === undefined) throw new UnsupportedCertificateError("no SGX extension");
  const { ppid, fmspc, pceId, pceSvn, componentSvns } = readSgxExtension(sgxExtension);
  return {
    pckKey: p256KeyOf(publicKey),
    platformId: platformIdOf(ppid),
    serial,
    notAfter: BigInt(notAfter),
    issuer,
    fmspc,
    pceId,
    pceSvn,
    componentSvns: bytesToHex(Uint8Array.from(componentSvns)),
  };
}

/**
 * What collateral judges of a quote.
 *
 * @param qeIsvSvn - security version of the quoting enclave.
 * @example
 * const tcb = tcbEvidenceOf(platform, parseQuote(bytes).report, qeIsvSvn)
 */
export function tcbEvidenceOf(platform: RecordedPlatform, report: TdReport, qeIsvSvn: number): TcbEvidence {
  const teeTcbSvn = bytesToHex(report.teeTcbSvn);
  const currentTeeTcbSvn = report.teeTcbSvn2 === undefined ? teeTcbSvn : bytesToHex(report.teeTcbSvn2);
  return { platform, teeTcbSvn, currentTeeTcbSvn, qeIsvSvn };
}

/** `QuoteVerdict.tcbEvidenceHash` of the contract. */
export function hashTcbEvidence(evidence: TcbEvidence): Hex {
  return keccak256(encodeAbiParameters(tcbEvidenceAbi, [evidence]));
}

/** keccak256 of the platform's ABI encoding. */
function hashPlatform(platform: RecordedPlatform): Hex {
  return keccak256(encodeAbiParameters(platformAbi, [platform]));
}

/** Under what a platform is recorded. */
export function pckIdOf(key: P256Key): Hex {
  return keccak256(concatHex([key.x, key.y]));
}

/**
 * An attestation key's part of a platform's record.
 *
 * @param attestationKey - x || y, 64 bytes.
 * @param qeIdentity - address of the identity's data, as `ITdxCollateral.qeIdentity` says.
 * @example
 * const keyHash = hashAttestationKey(quote.attestationKey, 4, identity.data)
 */
export function hashAttestationKey(attestationKey: Uint8Array, qeIsvSvn: number, qeIdentity: Address): Hex {
  return keccak256(
    concatHex([bytesToHex(attestationKey), encodePacked(["uint16", "address"], [qeIsvSvn, qeIdentity])]),
  );
}

/** What `TdxVerifier.platformRecord` holds for a platform and its attestation key. */
export function platformRecordOf(platform: RecordedPlatform, attestationKeyHash: Hex): Hex {
  return keccak256(concatHex([hashPlatform(platform), attestationKeyHash]));
}
