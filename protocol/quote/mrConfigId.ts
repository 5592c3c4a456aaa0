/**
 * Room: protocol/quote. What MRCONFIGID of a dstack VM says, and the measurements that make a workload. Pure.
 * Mirrors `contracts/enclave/EnclaveRegistry.sol`.
 */
import { bytesToHex, type Hex } from "viem";
import type { WorkloadMeasurements } from "../attestationBinding.ts";
import { BaseError } from "../errors.ts";
import type { TdReport } from "./tdReport.ts";

/** Version byte, SHA-256 of the raw app-compose.json, zero padding. */
const version1 = { version: 0, composeHash: 1, padding: 33, end: 48 } as const;

/**
 * The compose hash in MRCONFIGID of version 1: 0x01 || SHA-256 || 15 zero bytes.
 *
 * @param mrConfigId - 48 bytes.
 * @returns 32 bytes.
 * @throws {@link ZeroMrConfigIdError} | {@link UnsupportedMrConfigIdError} | {@link MalformedMrConfigIdError}
 * @example
 * const composeHash = composeHashOf(parseQuote(bytes).report.mrConfigId)
 */
export function composeHashOf(mrConfigId: Uint8Array): Hex {
  if (mrConfigId.length !== version1.end) throw new MalformedMrConfigIdError(`${mrConfigId.length} bytes, expected 48`);
  if (mrConfigId.every((byte) => byte === 0)) throw new ZeroMrConfigIdError();
  const version = mrConfigId[version1.version];
  if (version !== 1) throw new UnsupportedMrConfigIdError(version ?? 0);
  if (mrConfigId.subarray(version1.padding).some((byte) => byte !== 0))
    throw new MalformedMrConfigIdError("its padding is not zero");
  return bytesToHex(mrConfigId.subarray(version1.composeHash, version1.padding));
}

/**
 * The measurements that `workloadIdOf` hashes.
 *
 * @throws what {@link composeHashOf} throws.
 * @example
 * const workloadId = workloadIdOf(measurementsOf(report))
 */
export function measurementsOf(report: TdReport): WorkloadMeasurements {
  return {
    composeHash: composeHashOf(report.mrConfigId),
    mrTd: bytesToHex(report.mrTd),
    rtMr0: bytesToHex(report.rtMr0),
    rtMr1: bytesToHex(report.rtMr1),
    rtMr2: bytesToHex(report.rtMr2),
    tdAttributes: bytesToHex(report.tdAttributes),
    xfam: bytesToHex(report.xfam),
  };
}

/** MRCONFIGID is zero: the VM is bound to no compose file. */
export class ZeroMrConfigIdError extends BaseError {
  override readonly name = "Quote.ZeroMrConfigIdError";
  constructor() {
    super("MRCONFIGID is zero: nothing binds the VM to a compose file.", {
      hint: "Start the VM with a dstack release that sets MRCONFIGID (0.5.4 or later).",
    });
  }
}

/** MRCONFIGID is of a version that is not read here. */
export class UnsupportedMrConfigIdError extends BaseError {
  override readonly name = "Quote.UnsupportedMrConfigIdError";
  constructor(version: number) {
    super(`MRCONFIGID of version ${version} is not supported.`, {
      hint: "Only version 1 (compose hash) is read; versions 2 and 3 need their preimage.",
    });
  }
}

/** MRCONFIGID is not well formed. */
export class MalformedMrConfigIdError extends BaseError {
  override readonly name = "Quote.MalformedMrConfigIdError";
  constructor(fact: string) {
    super(`MRCONFIGID is malformed: ${fact}.`, { hint: "The VM was not started by dstack; do not trust it." });
  }
}
