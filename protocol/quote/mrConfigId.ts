/**
 * Room: protocol/quote. What MRCONFIGID of a dstack VM says, and the measurements that make a workload. Pure.
 * Mirrors `contracts/enclave/MrConfigId.sol`.
 * Source: Dstack-TEE/dstack, dstack-types/src/mr_config.rs (versions 1 to 3 of MRCONFIGID).
 */
import { bytesToHex, concatBytes, type Hex, keccak256, sha256, stringToBytes } from "viem";
import type { WorkloadMeasurements } from "../attestationBinding.ts";
import { BaseError } from "../errors.ts";
import { keyProviderKinds } from "./keyProvider.ts";
import type { TdReport } from "./tdReport.ts";

/** Version byte, 32 bytes of commitment, zero padding. */
const at = { version: 0, commitment: 1, padding: 33, end: 48 } as const;

/** compose hash (32 bytes) || app id (20) || key provider kind (1) || key provider id (the rest). */
const preimage = { appId: 32, kind: 52, keyProviderId: 53 } as const;
const maxKeyProviderId = 256;
const documentDomain = stringToBytes("dstack-mr-config-v3:\0");
/** JCS sorts keys: only `app_id`, whole bytes and at most 32 of them, can come before `compose_hash`. */
const documentStart = /^\{(?:"app_id":"(?:[0-9a-f]{2}){0,32}",)?"compose_hash":"([0-9a-f]{64})"[,}]/;
const composeHashKey = '"compose_hash"';

/** Bytes of evidence that each version takes. */
const evidenceSize: Readonly<Record<number, { min: number; max: number }>> = {
  1: { min: 0, max: 0 },
  2: { min: preimage.keyProviderId, max: preimage.keyProviderId + maxKeyProviderId },
  3: { min: 0, max: 4096 },
};

/**
 * The compose hash that MRCONFIGID commits to.
 *
 * @param mrConfigId - 48 bytes: version || commitment (32 bytes) || 15 zero bytes. Commitment of version 1: the compose
 * hash; 2: keccak256(evidence); 3: sha256("dstack-mr-config-v3:" || 0x00 || evidence).
 * @param evidence - version 1: empty; 2: compose hash (32 bytes) || app id (20) || key provider kind (1, at most 4) ||
 * key provider id (at most 256); 3: the JCS document, at most 4,096 bytes, which starts with
 * `{"compose_hash":"<64 lowercase hex>"`, or with `{"app_id":"<an even count of lowercase hex, at most 64>",` before that
 * key, then `,` or `}`, and holds `"compose_hash"` once.
 * @returns 32 bytes.
 * @throws {@link MalformedMrConfigIdError} (size), {@link ZeroMrConfigIdError}, {@link UnsupportedMrConfigIdError},
 * {@link MalformedMrConfigIdError} (padding), {@link ConfigEvidenceSizeError}, {@link UnknownKeyProviderError},
 * {@link ConfigEvidenceMismatchError}, {@link ConfigDocumentError}, in this order.
 * @example
 * const composeHash = composeHashOf(parseQuote(bytes).report.mrConfigId)
 */
export function composeHashOf(mrConfigId: Uint8Array, evidence: Uint8Array = new Uint8Array()): Hex {
  const version = versionOf(mrConfigId);
  const limits = evidenceSize[version];
  if (limits === undefined) throw new UnsupportedMrConfigIdError(version);
  if (mrConfigId.subarray(at.padding).some((byte) => byte !== 0))
    throw new MalformedMrConfigIdError("its padding is not zero");
  if (evidence.length < limits.min || evidence.length > limits.max)
    throw new ConfigEvidenceSizeError(version, evidence.length, limits);
  const commitment = bytesToHex(mrConfigId.subarray(at.commitment, at.padding));
  if (version === 1) return commitment;
  const kind = evidence[preimage.kind] ?? 0;
  if (version === 2 && kind >= keyProviderKinds.length) throw new UnknownKeyProviderError(kind);
  const hash = version === 2 ? keccak256(evidence) : sha256(concatBytes([documentDomain, evidence]));
  if (hash !== commitment) throw new ConfigEvidenceMismatchError(version, hash, commitment);
  return version === 2 ? bytesToHex(evidence.subarray(0, preimage.appId)) : composeHashIn(evidence);
}

/**
 * The version of MRCONFIGID.
 *
 * @param mrConfigId - 48 bytes.
 * @returns its first byte, 0 to 255: not necessarily a version that {@link composeHashOf} reads.
 * @throws {@link MalformedMrConfigIdError} (size), {@link ZeroMrConfigIdError}, in this order.
 * @example
 * versionOf(report.mrConfigId) // 1
 */
export function versionOf(mrConfigId: Uint8Array): number {
  if (mrConfigId.length !== at.end) throw new MalformedMrConfigIdError(`${mrConfigId.length} bytes, expected 48`);
  if (mrConfigId.every((byte) => byte === 0)) throw new ZeroMrConfigIdError();
  return mrConfigId[at.version] ?? 0;
}

/** Nothing is parsed: whatever else the document holds, this is the one place where it names a compose hash. */
function composeHashIn(document: Uint8Array): Hex {
  const text = Array.from(document, (byte) => String.fromCharCode(byte)).join("");
  const composeHash = documentStart.exec(text)?.[1];
  if (composeHash === undefined) throw new ConfigDocumentError("it does not start with app_id and compose_hash");
  if (text.indexOf(composeHashKey) !== text.lastIndexOf(composeHashKey))
    throw new ConfigDocumentError("compose_hash stands in it more than once");
  return `0x${composeHash}`;
}

/**
 * The measurements that `workloadIdOf` hashes.
 *
 * @param evidence - see {@link composeHashOf}.
 * @throws what {@link composeHashOf} throws.
 * @example
 * const workloadId = workloadIdOf(measurementsOf(report))
 */
export function measurementsOf(report: TdReport, evidence?: Uint8Array): WorkloadMeasurements {
  return {
    composeHash: composeHashOf(report.mrConfigId, evidence),
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
    super(`MRCONFIGID of version ${version} is not supported.`, { hint: "dstack writes versions 1, 2 and 3." });
  }
}

/** MRCONFIGID is not well formed. */
export class MalformedMrConfigIdError extends BaseError {
  override readonly name = "Quote.MalformedMrConfigIdError";
  constructor(fact: string) {
    super(`MRCONFIGID is malformed: ${fact}.`, { hint: "The VM was not started by dstack; do not trust it." });
  }
}

/** The evidence has a size that MRCONFIGID's version does not allow. */
export class ConfigEvidenceSizeError extends BaseError {
  override readonly name = "Quote.ConfigEvidenceSizeError";
  constructor(version: number, size: number, { min, max }: { min: number; max: number }) {
    super(`Evidence for MRCONFIGID of version ${version} is ${size} bytes, expected ${min} to ${max}.`, {
      hint: "Version 1 takes none, version 2 the preimage, version 3 the configuration document.",
    });
  }
}

/** The preimage names a key provider of a kind that dstack does not have. */
export class UnknownKeyProviderError extends BaseError {
  override readonly name = "Quote.UnknownKeyProviderError";
  constructor(kind: number) {
    super(
      `The preimage of MRCONFIGID names a key provider of kind ${kind}, expected 0 to ${keyProviderKinds.length - 1}.`,
      {
        hint: `dstack knows ${keyProviderKinds.join(", ")}; do not trust a VM that has another.`,
      },
    );
  }
}

/** The evidence is not what MRCONFIGID commits to. */
export class ConfigEvidenceMismatchError extends BaseError {
  override readonly name = "Quote.ConfigEvidenceMismatchError";
  constructor(version: number, hash: Hex, commitment: Hex) {
    super(`Evidence for MRCONFIGID of version ${version} hashes to ${hash}, the quote commits to ${commitment}.`, {
      hint: "Give the preimage or document of this very VM, byte for byte.",
    });
  }
}

/** The configuration document does not name its compose hash where it must. */
export class ConfigDocumentError extends BaseError {
  override readonly name = "Quote.ConfigDocumentError";
  constructor(fact: string) {
    super(`The configuration document is not canonical: ${fact}.`, {
      hint: "dstack writes it in the form of RFC 8785 (JCS); do not trust a VM that has another.",
    });
  }
}
