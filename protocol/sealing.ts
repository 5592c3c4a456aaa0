/**
 * Room: protocol/sealing. HPKE (RFC 9180) sealing of data set keys to enclaves' vault keys. Pure but for randomness.
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode; the grant's hash is the AAD and, with a tag, the info.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { BaseError } from "./errors.ts";

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const info = new TextEncoder().encode("data-collab-market/dataset-key/v1");

/** A data set key sealed to one vault key under one grant. */
export type SealedKey = {
  /** The vault key (HPKE public key, 32 bytes) it is sealed to. */
  vaultKey: Hex;
  /** HPKE encapsulated key, 32 bytes. */
  enc: Hex;
  /** Ciphertext with tag. */
  ciphertext: Hex;
};

/** An HPKE key pair; the private half is not extractable. */
export type VaultKeyPair = { publicKey: Hex; privateKey: CryptoKey };

/**
 * Makes a vault key pair in memory.
 *
 * @example
 * const vault = await generateVaultKey()
 */
export async function generateVaultKey(): Promise<VaultKeyPair> {
  // Not the library's own generator: its private keys can be exported.
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as {
    publicKey: CryptoKey;
    privateKey: CryptoKey;
  };
  const publicKey = bytesToHex(new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)));
  return { publicKey, privateKey: pair.privateKey };
}

/**
 * Seals a data set key to an enclave under a grant.
 *
 * @param grantHash - EIP-712 hash of the grant, 32 bytes: nothing but this grant opens the key.
 * @throws {@link SealingError} if the vault key is not an X25519 key.
 * @example
 * const sealed = await sealKey(enclave.vaultKey, grantHash, datasetKey)
 */
export async function sealKey(vaultKey: Hex, grantHash: Hex, key: Uint8Array): Promise<SealedKey> {
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(toBuffer(hexToBytes(vaultKey)));
    const sender = await suite.createSenderContext({ recipientPublicKey, info: toBuffer(info) });
    const ciphertext = await sender.seal(toBuffer(key), toBuffer(hexToBytes(grantHash)));
    return {
      vaultKey,
      enc: bytesToHex(new Uint8Array(sender.enc)),
      ciphertext: bytesToHex(new Uint8Array(ciphertext)),
    };
  } catch (cause) {
    throw new SealingError("seal", cause);
  }
}

/**
 * Opens a sealed data set key.
 *
 * @param grantHash - the grant that the key is presented under.
 * @throws {@link SealingError} if it was sealed to another vault key, under another grant, or altered.
 * @example
 * const key = await openKey(vault.privateKey, grantHash, sealed)
 */
export async function openKey(privateKey: CryptoKey, grantHash: Hex, sealed: SealedKey): Promise<Uint8Array> {
  try {
    // The public half cannot be had from a key that stays inside; a wrong one gives another shared secret.
    const publicKey = await suite.kem.deserializePublicKey(toBuffer(hexToBytes(sealed.vaultKey)));
    const recipient = await suite.createRecipientContext({
      recipientKey: { privateKey, publicKey },
      enc: toBuffer(hexToBytes(sealed.enc)),
      info: toBuffer(info),
    });
    return new Uint8Array(
      await recipient.open(toBuffer(hexToBytes(sealed.ciphertext)), toBuffer(hexToBytes(grantHash))),
    );
  } catch (cause) {
    throw new SealingError("open", cause);
  }
}

function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** A key could not be sealed or opened. */
export class SealingError extends BaseError {
  override readonly name = "Sealing.SealingError";
  constructor(action: "seal" | "open", cause?: unknown) {
    super(`The data set key could not be ${action === "seal" ? "sealed" : "opened"}.`, {
      hint: "It must be sealed to this enclave's vault key, under this very grant.",
      cause,
    });
  }
}
