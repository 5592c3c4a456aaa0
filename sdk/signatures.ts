/**
 * Room: sdk/signatures. Signing typed data with the client's wallet, and telling who signed.
 */
import { type Address, type Hex, isAddressEqual, parseAbi } from "viem";
import { recoverSigner } from "../protocol/signature.ts";
import { ContractRefusedError, NoContractError, toTypedError } from "./chainErrors.ts";
import { type Client, walletOf } from "./client.ts";
import { read } from "./send.ts";

/** What is signed: as viem and wallets take it. */
export type TypedData = {
  domain: { name?: string; version?: string; chainId: number; verifyingContract: Address };
  types: Readonly<Record<string, readonly { name: string; type: string }[]>>;
  primaryType: string;
  message: object;
};

/**
 * Has the client's wallet sign typed data. Sends nothing.
 *
 * @throws NoWalletError | RejectedByWalletError | RpcError
 * @example
 * const signature = await signTyped(client, { domain, types: offerTypes, primaryType: "Offer", message: offer })
 */
export async function signTyped(client: Client, typed: TypedData): Promise<Hex> {
  const wallet = walletOf(client);
  try {
    const request = { ...typed, account: wallet.account } as Parameters<typeof wallet.signTypedData>[0];
    return await wallet.signTypedData(request);
  } catch (cause) {
    throw toTypedError(cause);
  }
}

const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);

/**
 * Whether an account signed a hash, as the market decides it: by its key, else by the word of the contract there
 * (ERC-1271).
 *
 * @param hash - 32 bytes.
 * @throws RpcError
 * @example
 * if (!(await isSignedBy(client, order.requester, jobId, signature))) throw new OrderNotSignedError()
 */
export async function isSignedBy(client: Client, account: Address, hash: Hex, signature: Hex): Promise<boolean> {
  const signer = recoverSigner(hash, signature);
  if (signer !== undefined && isAddressEqual(signer, account)) return true;
  const code = await client.chain.getCode({ address: account }).catch((cause) => {
    throw toTypedError(cause);
  });
  if (code === undefined || code === "0x") return false;
  const call = { address: account, abi: erc1271Abi, functionName: "isValidSignature" } as const;
  const magic = await read(client, { ...call, args: [hash, signature] }).catch((error) => {
    if (error instanceof ContractRefusedError || error instanceof NoContractError) return "0x";
    throw error;
  });
  return magic === "0x1626ba7e";
}
