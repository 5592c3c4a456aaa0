/**
 * Room: enclave/attestation/identity. The enclave's two keys, made in memory at boot and never written anywhere:
 * they are bound to the measured code by the quote, not to an app id that an upgrade would inherit.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { getPublicKey, hashes, sign, utils } from "@noble/secp256k1";
import { type Address, bytesToHex, concatHex, type Hex, hexToBytes } from "viem";
import { publicKeyToAddress } from "viem/utils";
import { generateVaultKey, openKey, type SealedKey } from "../../protocol/sealing.ts";

// The library comes without hashes; RFC 6979 nonces need these two.
hashes.sha256 = (message) => Uint8Array.from(sha256(message));
hashes.hmacSha256 = (key, message) => Uint8Array.from(hmac(sha256, key, message));

/** What the enclave can do with its keys. The private halves are reachable through these functions only. */
export type EnclaveIdentity = {
  /** Address of the secp256k1 key that signs receipts. */
  signingKey: Address;
  /** HPKE public key that data set keys are sealed to. */
  vaultKey: Hex;
  /** Signs a 32-byte digest: r || s || v, 65 bytes, low s, v 27 or 28. */
  signDigest(digest: Hex): Hex;
  /** Opens a sealed data set key; throws `SealingError`. */
  openSealedKey(grantHash: Hex, sealed: SealedKey): Promise<Uint8Array>;
};

/**
 * Makes fresh keys.
 *
 * @example
 * const identity = await createIdentity()
 */
export async function createIdentity(): Promise<EnclaveIdentity> {
  const secretKey = utils.randomSecretKey();
  const vault = await generateVaultKey();
  return {
    signingKey: publicKeyToAddress(bytesToHex(getPublicKey(secretKey, false))),
    vaultKey: vault.publicKey,
    signDigest(digest) {
      // v3 of the library hashes by default and puts the recovery bit first.
      const signature = sign(hexToBytes(digest, { size: 32 }), secretKey, { prehash: false, format: "recovered" });
      const recovery = signature[0] ?? 0;
      return concatHex([bytesToHex(signature.subarray(1)), recovery === 0 ? "0x1b" : "0x1c"]);
    },
    openSealedKey: (grantHash, sealed) => openKey(vault.privateKey, grantHash, sealed),
  };
}
