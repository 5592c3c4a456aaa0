/**
 * Room: protocol/signature. Who signed a digest, by the rules the contracts keep: 65 bytes r || s || v, low s,
 * v 27 or 28. Synchronous and pure.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type Address, bytesToHex, type Hex, hexToBytes } from "viem";
import { publicKeyToAddress } from "viem/utils";

/**
 * Recovers the signer of a digest.
 *
 * @param digest - 32 bytes, for instance an EIP-712 hash.
 * @returns undefined if the signature is malformed: other length, high s, other v, no point.
 * @example
 * recoverSigner(hashReceipt(domain, receipt), signature) === enclave.signingKey
 */
export function recoverSigner(digest: Hex, signature: Hex): Address | undefined {
  try {
    const bytes = hexToBytes(signature);
    const v = bytes[64];
    if (bytes.length !== 65 || (v !== 27 && v !== 28)) return undefined;
    const parsed = secp256k1.Signature.fromCompact(bytes.slice(0, 64)).addRecoveryBit(v - 27);
    if (parsed.hasHighS()) return undefined;
    return publicKeyToAddress(bytesToHex(parsed.recoverPublicKey(hexToBytes(digest, { size: 32 })).toBytes(false)));
  } catch {
    return undefined; // the library throws for every malformed point or number
  }
}
