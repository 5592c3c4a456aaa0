/**
 * Room: simulator/secrets. All secrets of a simulated platform, grown from one seed. They protect nothing:
 * whoever holds the seed holds them all.
 */
import { mapHashToField } from "@noble/curves/abstract/modular.js";
import { p256 } from "@noble/curves/nist.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { BaseError } from "../protocol/errors.ts";

/** Bytes in a platform's seed. */
export const seedSize = 32;

/** Gives the secret bytes of a label: the same for the same seed, and unrelated between labels. */
export type Secrets = (label: string, length: number) => Uint8Array;

/** A P-256 key pair: 32-byte scalar and 65-byte uncompressed point. */
export type P256KeyPair = { privateKey: Uint8Array; publicKey: Uint8Array };

/**
 * Opens the tree of secrets under a seed.
 *
 * @throws {@link BadSeedError} if it is not 32 bytes.
 * @example
 * const secrets = secretsOf(seed);
 * secrets("PPID", 16);
 */
export function secretsOf(seed: Uint8Array): Secrets {
  if (seed.length !== seedSize) throw new BadSeedError(seed.length);
  return (label, length) => hkdf(sha256, seed, "data-collab-market/simulator/v1", label, length);
}

/**
 * The P-256 key pair of a label.
 *
 * @example
 * const root = p256KeyPair(secrets, "root CA")
 */
export function p256KeyPair(secrets: Secrets, label: string): P256KeyPair {
  const privateKey = mapHashToField(secrets(label, 48), p256.CURVE.n);
  return { privateKey, publicKey: p256.getPublicKey(privateKey, false) };
}

/** The seed has the wrong size. */
export class BadSeedError extends BaseError {
  override readonly name = "Simulator.BadSeedError";
  constructor(length: number) {
    super(`The seed is ${length} bytes, expected ${seedSize}.`, {
      hint: "Give 32 bytes (64 hex digits), or none for a random platform.",
    });
  }
}
