/**
 * Room: protocol/quote. Which enclave a report is of: Intel's TD quoting enclave, or none that is believed. Pure.
 * Source: Intel PCS API v4, "Get TD QE Identity"; Intel QVL, EnclaveReportVerifier (4.1.2.9.5 to 4.1.2.9.8).
 */
import type { EnclaveReport } from "./tdReport.ts";

/** What an enclave report must say. Masks tell which bits count. */
export type EnclaveIdentity = {
  miscSelect: number;
  miscSelectMask: number;
  /** 16 bytes: flags, then XFRM. */
  attributes: Uint8Array;
  attributesMask: Uint8Array;
  /** 32 bytes: hash of the key that signed the enclave. */
  mrSigner: Uint8Array;
  isvProdId: number;
};

/**
 * Intel's TD quoting enclave as published since 2023. The PCK key certifies reports of any enclave with provisioning
 * rights, and a host can make one: without this it could have any attestation key certified. Its ISVSVN is for
 * collateral to judge. Attributes: INIT and PROVISION_KEY, not DEBUG; MODE64BIT and XFRM are free.
 */
export const intelTdQe: EnclaveIdentity = {
  miscSelect: 0,
  miscSelectMask: 0xffff_ffff,
  attributes: Uint8Array.fromHex("11000000000000000000000000000000"),
  attributesMask: Uint8Array.fromHex("fbffffffffffffff0000000000000000"),
  mrSigner: Uint8Array.fromHex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"),
  isvProdId: 2,
};

const debugFlag = 0x02;

/**
 * How a report differs from an identity; undefined if it does not.
 *
 * @example
 * if (mismatchOf(report, intelTdQe) !== undefined) refuse()
 */
export function mismatchOf(report: EnclaveReport, identity: EnclaveIdentity): string | undefined {
  if (identity.mrSigner.some((byte, i) => byte !== report.mrSigner[i])) return "not signed by Intel";
  if (report.isvProdId !== identity.isvProdId) return "another enclave of Intel's";
  const misc = (report.miscSelect & identity.miscSelectMask) >>> 0;
  const attributes = identity.attributes.every(
    (byte, i) => byte === ((report.attributes[i] ?? 0) & (identity.attributesMask[i] ?? 0)),
  );
  // No mask can make a debug enclave trustworthy: its host reads its keys.
  const debug = ((report.attributes[0] ?? debugFlag) & debugFlag) !== 0;
  if (misc !== identity.miscSelect || !attributes || debug) return "a debug enclave, or of other attributes";
  return undefined;
}
