/**
 * Room: sdk/audit/isSignedBy. Who signed a hash, read as strictly as the contracts read signatures. Pure.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { recoverSigner } from "../../protocol/signature.ts";

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
