/**
 * Room: sdk/send. Reads and sends contract calls. Every call is simulated before it is sent, so that a refusal costs
 * no gas and comes with the contract's own error.
 */
import type {
  Abi,
  Address,
  ContractFunctionArgs,
  ContractFunctionName,
  ContractFunctionReturnType,
  Hex,
  TransactionReceipt,
} from "viem";
import { BaseError } from "../protocol/errors.ts";
import { toTypedError } from "./chainErrors.ts";
import { type Client, walletOf } from "./client.ts";

type Write = "payable" | "nonpayable";
type Read = "view" | "pure";

/** A call of a function that changes state. */
export type Call<abi extends Abi, name extends ContractFunctionName<abi, Write>> = {
  address: Address;
  abi: abi;
  functionName: name;
  args: ContractFunctionArgs<abi, Write, name>;
  /** Wei. */
  value?: bigint;
};

/** A mined transaction. */
export type Sent = { hash: Hex; gasUsed: bigint; blockNumber: bigint };

/** Longest wait for a transaction to be mined, in milliseconds. */
export const minedTimeoutMs = 180_000;

/**
 * Simulates a call, sends it, and waits until it is mined.
 *
 * @returns the transaction, its logs, and what the function returned in the simulation.
 * @throws {@link RevertedError} | {@link NotMinedError} | any of `chainErrors`
 * @example
 * const { hash } = await send(client, { address, abi, functionName: "revokeGrantNonce", args: [nonce] })
 */
export async function send<const abi extends Abi, name extends ContractFunctionName<abi, Write>>(
  client: Client,
  call: Call<abi, name>,
): Promise<Sent & { receipt: TransactionReceipt; result: ContractFunctionReturnType<abi, Write, name> }> {
  const wallet = walletOf(client);
  const result = await simulate(client, call);
  let hash: Hex;
  try {
    hash = await wallet.writeContract({
      ...(call as Call<Abi, string>),
      account: wallet.account,
      chain: client.chain.chain,
    });
  } catch (cause) {
    throw toTypedError(cause);
  }
  const receipt = await client.chain
    .waitForTransactionReceipt({ hash, timeout: minedTimeoutMs, retryCount: 20 })
    .catch((cause) => {
      throw new NotMinedError(hash, cause);
    });
  if (receipt.status !== "success") throw new RevertedError(receipt.transactionHash);
  // A wallet may have replaced the transaction: the receipt says which one was mined.
  return { hash: receipt.transactionHash, gasUsed: receipt.gasUsed, blockNumber: receipt.blockNumber, receipt, result };
}

/**
 * What a call would return now if the client's wallet sent it.
 *
 * @throws any of `chainErrors`
 * @example
 * await simulate(client, { address, abi, functionName: "cancel", args: [index, order] })
 */
export async function simulate<const abi extends Abi, name extends ContractFunctionName<abi, Write>>(
  client: Client,
  call: Call<abi, name>,
): Promise<ContractFunctionReturnType<abi, Write, name>> {
  try {
    const { result } = await client.chain.simulateContract({
      ...(call as Call<Abi, string>),
      account: walletOf(client).account,
    });
    return result as ContractFunctionReturnType<abi, Write, name>;
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/**
 * Reads from a contract at the latest block.
 *
 * @throws any of `chainErrors`
 * @example
 * const live = await read(client, { address, abi: enclaveRegistryAbi, functionName: "isLive", args: [key] })
 */
export async function read<const abi extends Abi, name extends ContractFunctionName<abi, Read>>(
  client: Client,
  call: { address: Address; abi: abi; functionName: name; args: ContractFunctionArgs<abi, Read, name> },
): Promise<ContractFunctionReturnType<abi, Read, name>> {
  try {
    const loose = call as { address: Address; abi: Abi; functionName: string; args: readonly unknown[] };
    return (await client.chain.readContract(loose)) as ContractFunctionReturnType<abi, Read, name>;
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/** The transaction was mined and reverted, although its simulation passed: the state changed in between. */
export class RevertedError extends BaseError {
  override readonly name = "Send.RevertedError";
  readonly hash: Hex;
  constructor(hash: Hex) {
    super(`Transaction ${hash} was mined and reverted.`, {
      hint: "The state changed after the simulation. Look at it and try again.",
    });
    this.hash = hash;
  }
}

/** The transaction was sent and is not mined yet. */
export class NotMinedError extends BaseError {
  override readonly name = "Send.NotMinedError";
  readonly hash: Hex;
  constructor(hash: Hex, cause: unknown) {
    super(`Transaction ${hash} was sent and is not seen mined.`, {
      hint: "It may still be mined: look for it before sending another.",
      retryable: true,
      cause,
    });
    this.hash = hash;
  }
}
