/**
 * Room: simulator/mrConfigId. What dstack writes into MRCONFIGID, in each of its versions. Pure.
 * Source: Dstack-TEE/dstack, MRCONFIGID versions 1 to 3.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { toJcsBytes } from "../protocol/jcs.ts";

/** 1: compose hash; 2: hash of compose hash, app and key provider; 3: hash of a JSON document. */
export type MrConfigVersion = 1 | 2 | 3;

/** What is bound. */
export type MrConfig = {
  /** 32 bytes. */
  composeHash: Uint8Array;
  /** 20 bytes. */
  appId: Uint8Array;
  /** 20 bytes, or none. */
  instanceId: Uint8Array;
  /** Public key of the KMS, DER. */
  keyProviderId: Uint8Array;
};

/** Kind byte of a key provider: key management service. */
const kms = 2;

/**
 * MRCONFIGID and what is hashed into it.
 *
 * @returns `mrConfigId`, 48 bytes; `preimage`: what is behind the hash of version 2, the canonical JSON document of
 * version 3, nothing for version 1, which holds the compose hash itself.
 * @example
 * const { mrConfigId, preimage } = mrConfigIdOf(3, config)
 */
export function mrConfigIdOf(
  version: MrConfigVersion,
  config: MrConfig,
): { mrConfigId: Uint8Array; preimage: Uint8Array } {
  const preimage = preimageOf(version, config);
  const hash = hashOf(version, config, preimage);
  return { mrConfigId: concatBytes(Uint8Array.of(version), hash, new Uint8Array(15)), preimage };
}

function preimageOf(version: MrConfigVersion, config: MrConfig): Uint8Array {
  const { composeHash, appId, instanceId, keyProviderId } = config;
  if (version === 1) return new Uint8Array(0);
  if (version === 2) return concatBytes(composeHash, appId, Uint8Array.of(kms), keyProviderId);
  return toJcsBytes({
    app_id: bytesToHex(appId),
    compose_hash: bytesToHex(composeHash),
    ...(instanceId.length > 0 ? { instance_id: bytesToHex(instanceId) } : {}),
    key_provider: "kms",
    key_provider_id: bytesToHex(keyProviderId),
    version: 3,
  });
}

function hashOf(version: MrConfigVersion, config: MrConfig, preimage: Uint8Array): Uint8Array {
  if (version === 1) return config.composeHash;
  if (version === 2) return keccak_256(preimage);
  return sha256(concatBytes(utf8ToBytes("dstack-mr-config-v3:\0"), preimage));
}
