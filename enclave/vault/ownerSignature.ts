/**
 * Room: enclave/vault/ownerSignature. Whether a hash is signed by a data set's owner: an account's key, or a contract
 * by ERC-1271. The same rules as the market's, so that what is accepted here settles there.
 */
import { type Address, encodeFunctionData, type Hex, isAddressEqual, type PublicClient, parseAbi } from "viem";
import { recoverSigner } from "../../protocol/signature.ts";

const erc1271 = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
/** The magic value, left-aligned in a word. Source: ERC-1271. */
const magic = "0x1626ba7e";
/** What a stranger's contract may spend on saying yes. */
const gasLimit = 500_000n;

/**
 * Checks an owner's signature.
 *
 * @returns false for every malformed signature and for contracts that revert.
 * @throws what the RPC client throws if the chain cannot be asked (contract owners only).
 * @example
 * const signed = await isSignedByOwner(client, dataset.owner, hashGrant(domain, grant), signature)
 */
export async function isSignedByOwner(
  client: PublicClient,
  owner: Address,
  digest: Hex,
  signature: Hex,
): Promise<boolean> {
  const code = await client.getCode({ address: owner });
  // As the market does: an account with code, a delegated one too, is asked; its key alone does not count.
  if (code === undefined || code === "0x") {
    const signer = recoverSigner(digest, signature);
    return signer !== undefined && isAddressEqual(signer, owner);
  }
  const data = encodeFunctionData({ abi: erc1271, functionName: "isValidSignature", args: [digest, signature] });
  const answer = await client.call({ to: owner, data, gas: gasLimit }).catch(() => undefined);
  return answer?.data !== undefined && answer.data.length === 66 && answer.data.startsWith(magic);
}
