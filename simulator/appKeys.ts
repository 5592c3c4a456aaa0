/**
 * Room: simulator/appKeys. The keys that dstack's KMS gives an app, and the chain of signatures that proves it. Pure.
 * They belong to the app id, not to the code: an upgraded app gets the same keys.
 * Source: Dstack-TEE/dstack 0.5.8, guest-agent `rpc_service.rs` and ra-tls `kdf.rs`.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Secrets } from "./secrets.ts";

/** Kinds of keys. They do not change a key's bytes, only what its signature chain says. */
export type KeyAlgorithm = "secp256k1" | "ed25519";

/** A derived key with the proof that the KMS meant it for this app. */
export type AppKey = {
  /** 32 bytes. */
  key: Uint8Array;
  /** Compressed secp256k1 point, or Ed25519 public key. */
  publicKey: Uint8Array;
  /** r || s || recovery id, 65 bytes each: app key over purpose and public key; KMS root over app id and app key. */
  signatureChain: readonly [Uint8Array, Uint8Array];
};

/** Derives the key of a path. */
export type AppKeys = (path: string, purpose: string, algorithm: KeyAlgorithm) => AppKey;

/**
 * dstack's derivation: HKDF-SHA256 with salt "RATLS" and the context parts, concatenated, as info.
 *
 * @returns 32 bytes.
 * @example
 * deriveKey(appKey, [utf8ToBytes("worker/store")])
 */
export function deriveKey(from: Uint8Array, context: readonly Uint8Array[]): Uint8Array {
  return hkdf(sha256, from, "RATLS", concatBytes(...context), 32);
}

/**
 * Opens the keys of an app on a platform's simulated KMS.
 *
 * @param appId - 20 bytes.
 * @example
 * const keyOf = createAppKeys(secrets, appId);
 * keyOf("worker/store", "storage", "secp256k1").key;
 */
export function createAppKeys(secrets: Secrets, appId: Uint8Array): AppKeys {
  const kmsRoot = secrets("KMS root", 32);
  const appKey = deriveKey(kmsRoot, [appId, utf8ToBytes("app-key")]);
  const appPublicKey = secp256k1.getPublicKey(appKey, true);
  const issued = signRecoverable(concatBytes(utf8ToBytes("dstack-kms-issued:"), appId, appPublicKey), kmsRoot);
  return function keyOf(path, purpose, algorithm) {
    const key = deriveKey(appKey, [utf8ToBytes(path)]);
    const publicKey = algorithm === "ed25519" ? ed25519.getPublicKey(key) : secp256k1.getPublicKey(key, true);
    const purposed = signRecoverable(utf8ToBytes(`${purpose}:${bytesToHex(publicKey)}`), appKey);
    return { key, publicKey, signatureChain: [purposed, issued] };
  };
}

/** secp256k1 over Keccak-256, no prefix, as r || s || recovery id. */
function signRecoverable(message: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(keccak_256(message), key);
  return concatBytes(signature.toBytes("compact"), Uint8Array.of(signature.recovery));
}
