/**
 * Room: protocol/attestationBinding. What a quote's report data and measurements bind: keys to code. Pure.
 * Mirrors `contracts/enclave/EnclaveRegistry.sol`.
 */
import { type Address, concatHex, encodeAbiParameters, type Hex, keccak256, sha256 } from "viem";

/** First field of the report data of a registration quote. */
export const registrationTag = "data-collab-market/enclave/v1";
/** First field of the report data of a quote made for a caller of GET /attestation. */
export const challengeTag = "data-collab-market/attestation/v1";

const zero32: Hex = `0x${"00".repeat(32)}`;

/** The keys of one enclave on one chain. */
export type EnclaveBinding = {
  chainId: bigint;
  /** EnclaveRegistry address. */
  registry: Address;
  operator: Address;
  signingKey: Address;
  /** HPKE public key. */
  vaultKey: Hex;
};

/**
 * Report data of a registration quote: sha256 of the binding, then 32 zero bytes.
 *
 * @returns 64 bytes.
 * @example
 * registrationReportData(binding, 17n, blockHash)
 */
export function registrationReportData(binding: EnclaveBinding, blockNumber: bigint, blockHash: Hex): Hex {
  const encoded = encodeAbiParameters(
    [
      { type: "string" },
      { type: "uint256" },
      { type: "address" },
      { type: "address" },
      { type: "address" },
      { type: "bytes32" },
      { type: "uint256" },
      { type: "bytes32" },
    ],
    [
      registrationTag,
      binding.chainId,
      binding.registry,
      binding.operator,
      binding.signingKey,
      keccak256(binding.vaultKey),
      blockNumber,
      blockHash,
    ],
  );
  return concatHex([sha256(encoded), zero32]);
}

/**
 * Report data of a quote made on demand for somebody's nonce.
 *
 * @param nonce - 32 bytes chosen by the caller.
 * @returns 64 bytes.
 * @example
 * challengeReportData(binding, nonce)
 */
export function challengeReportData(binding: EnclaveBinding, nonce: Hex): Hex {
  const encoded = encodeAbiParameters(
    [
      { type: "string" },
      { type: "uint256" },
      { type: "address" },
      { type: "address" },
      { type: "address" },
      { type: "bytes32" },
      { type: "bytes32" },
    ],
    [
      challengeTag,
      binding.chainId,
      binding.registry,
      binding.operator,
      binding.signingKey,
      keccak256(binding.vaultKey),
      nonce,
    ],
  );
  return concatHex([sha256(encoded), zero32]);
}

/** The measurements that make a workload; sizes in bytes: composeHash 32, MRs 48, attributes and XFAM 8. */
export type WorkloadMeasurements = {
  composeHash: Hex;
  mrTd: Hex;
  rtMr0: Hex;
  rtMr1: Hex;
  rtMr2: Hex;
  tdAttributes: Hex;
  xfam: Hex;
};

/**
 * The workload id: keccak256 over the measurements, concatenated (240 bytes).
 *
 * @example
 * const workloadId = workloadIdOf(measurements)
 */
export function workloadIdOf(m: WorkloadMeasurements): Hex {
  return keccak256(concatHex([m.composeHash, m.mrTd, m.rtMr0, m.rtMr1, m.rtMr2, m.tdAttributes, m.xfam]));
}

/**
 * A data set's id. Mirrors `DatasetRegistry.register`: whoever knows the salt can check the owner without a chain.
 *
 * @example
 * datasetIdOf(owner, contentHash, salt)
 */
export function datasetIdOf(owner: Address, contentHash: Hex, salt: Hex): Hex {
  return keccak256(
    encodeAbiParameters([{ type: "address" }, { type: "bytes32" }, { type: "bytes32" }], [owner, contentHash, salt]),
  );
}
