/**
 * Room: sdk/audit/isSignedBy. Who signed a hash, read as strictly as the contracts read signatures. Pure.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type Address, bytesToHex, type Hex, hexToBytes, isAddressEqual } from "viem";
import { publicKeyToAddress } from "viem/utils";

/**
 * Whether the key of `signer` signed.
 *
 * @param hash - 32 bytes.
 * @param signature - 65 bytes r || s || v. Another length, v other than 27 and 28, or a high s is nobody's signature.
 * @example
 * isSignedBy(hashReceipt(domain, receipt), signature, signer)
 */
export function isSignedBy(hash: Hex, signature: Hex, signer: Address): boolean {
  const recovered = recoverSigner(hash, signature);
  return recovered !== undefined && isAddressEqual(recovered, signer);
}

function recoverSigner(hash: Hex, signature: Hex): Address | undefined {
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) return undefined;
  const bytes = hexToBytes(signature);
  const recovery = (bytes[64] ?? 0) - 27;
  if (recovery !== 0 && recovery !== 1) return undefined;
  try {
    const parsed = secp256k1.Signature.fromCompact(bytes.subarray(0, 64)).addRecoveryBit(recovery);
    if (parsed.hasHighS()) return undefined;
    return publicKeyToAddress(bytesToHex(parsed.recoverPublicKey(hexToBytes(hash, { size: 32 })).toRawBytes(false)));
  } catch {
    return undefined; // r or s out of range, or no point with this r: nobody's signature
  }
}
