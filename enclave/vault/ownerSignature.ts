/**
 * Room: enclave/vault/ownerSignature. Whether a hash is signed by a data set's owner: an account's key, or a contract
 * by ERC-1271. The same rules as the market's, so that what is accepted here settles there.
 */
import { type Address, encodeFunctionData, type Hex, isAddressEqual, type PublicClient, parseAbi } from "viem";
import { answered, openRpc, RpcFailedError } from "../../protocol/chain/rpc.ts";
import { hexUpTo } from "../../protocol/schemas.ts";
import { recoverSigner } from "../../protocol/signature.ts";

const erc1271 = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
/** The magic value, left-aligned in a word. Source: ERC-1271. */
const magic = "0x1626ba7e";
/** What a stranger's contract may spend on saying yes. */
const gasLimit = "0x7a120"; // 500,000
const maxAnswerBytes = 16 * 1024;
const timeoutMs = 10_000;
/** What nodes answer with when the contract itself failed: a revert, out of gas, a bad opcode. */
const executionCodes = [3, -32000, -32015];

/**
 * Checks an owner's signature.
 *
 * @returns false for every malformed signature and for contracts that revert.
 * @throws `RpcFailedError` if the chain cannot be asked: that is no answer, and must not refuse anybody.
 * @example
 * const signed = await isSignedByOwner(client, dataset.owner, hashGrant(domain, grant), signature)
 */
export async function isSignedByOwner(
  client: PublicClient,
  owner: Address,
  digest: Hex,
  signature: Hex,
): Promise<boolean> {
  // As the market does: a key is tried first, also of an account that has code (EIP-7702).
  if (isSignedByKey(owner, digest, signature)) return true;
  const code = await answered("eth_getCode", client.getCode({ address: owner }));
  if (code === undefined || code === "0x") return false;
  const data = encodeFunctionData({ abi: erc1271, functionName: "isValidSignature", args: [digest, signature] });
  try {
    const call = { to: owner, data, gas: gasLimit };
    const answer = await openRpc(client, timeoutMs)("eth_call", [call, "latest"], hexUpTo(maxAnswerBytes));
    return answer.length === 66 && answer.startsWith(magic);
  } catch (error) {
    if (error instanceof RpcFailedError && saysNo(error)) return false;
    throw error;
  }
}

/**
 * Whether an account's own key signed a hash: needs no node's word.
 *
 * @example
 * if (isSignedByKey(order.requester, jobId, requesterSignature)) return "signed"
 */
export function isSignedByKey(account: Address, digest: Hex, signature: Hex): boolean {
  const signer = signerOf(digest, signature);
  return signer !== undefined && isAddressEqual(signer, account);
}

/** Whose signatures the last ones were: the same are asked for at each step of a job, and of every job of a grant. */
const known = new Map<string, Address | undefined>();
const maxKnown = 1024;
/** 65 bytes in hex: a contract's signature may be longer. */
const keySignatureLength = 2 + 2 * 65;

function signerOf(digest: Hex, signature: Hex): Address | undefined {
  if (signature.length !== keySignatureLength) return undefined;
  const key = `${digest} ${signature}`;
  if (known.has(key)) return known.get(key);
  const signer = recoverSigner(digest, signature);
  const [oldest] = known.keys();
  if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
  known.set(key, signer);
  return signer;
}

function saysNo({ code, data }: RpcFailedError): boolean {
  return data !== undefined || (code !== undefined && executionCodes.includes(code));
}
