/**
 * Room: sdk/audit/gather/acceptsSignature. Whether a contract accepts a signature as its own (ERC-1271).
 */
import { type Address, type Hex, parseAbi } from "viem";
import { ContractRefusedError, NoContractError } from "../../chainErrors.ts";
import type { Missing } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type ChainView, NotShownError } from "./chainView.ts";

const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
/** What ERC-1271 has a contract return. */
const accepted = "0x1626ba7e";

/**
 * Asks an owner that is a contract. Asked only where the signature is not the owner's own: a contract's word is as good as
 * the RPC's.
 *
 * @returns false if `owner` signed itself, or is no contract; what is missing where the view cannot ask.
 * @example
 * const contractAccepts = await acceptsSignature(view, owner, hashGrant(domain, grant), signature)
 */
export async function acceptsSignature(
  view: ChainView,
  owner: Address,
  hash: Hex,
  signature: Hex,
): Promise<boolean | Missing> {
  if (isSignedBy(hash, signature, owner) || !(await view.hasCode(owner))) return false;
  const call = { address: owner, abi: erc1271Abi, functionName: "isValidSignature", args: [hash, signature] } as const;
  try {
    return (await view.read(call)) === accepted;
  } catch (error) {
    if (error instanceof ContractRefusedError || error instanceof NoContractError) return false;
    if (error instanceof NotShownError) return { missing: error.fact };
    throw error;
  }
}
