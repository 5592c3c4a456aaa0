/**
 * Room: protocol/quote. ECDSA over P-256 and SHA-256, as all of Intel's signatures are. Pure.
 * Intel does not make s low: both are accepted, since nothing here identifies by signature.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "viem";

/**
 * Whether a key signed a message.
 *
 * @param signature - r || s; not 64 bytes: false.
 * @param publicKey - x || y, 64 bytes; a point off the curve: false.
 * @example
 * if (!isSignedP256(leaf.signature, leaf.signedPart, issuer.publicKey)) refuse()
 */
export function isSignedP256(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 64) return false;
  try {
    return p256.verify(signature, sha256(message), concatBytes([Uint8Array.of(4), publicKey]), { lowS: false });
  } catch {
    return false; // A point off the curve, or a zero r or s: no valid signature either.
  }
}
