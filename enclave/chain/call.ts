/**
 * Room: enclave/chain. One read of a contract, raw, and the contracts' errors in words.
 */
import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
} from "viem";
import {
  datasetRegistryAbi,
  enclaveRegistryAbi,
  jobMarketAbi,
  tdxCollateralAbi,
  tdxVerifierAbi,
} from "../../protocol/abi.ts";
import { InconsistentSourceError } from "../../protocol/chain/chainSource.ts";
import { type Rpc, RpcFailedError } from "../../protocol/chain/rpc.ts";
import { hexUpTo } from "../../protocol/schemas.ts";

/** The state of which block is read. By hash the answer is that block's or none; by number it is the node's word. */
export type At = { blockHash: Hex } | { blockNumber: bigint };

/** A contract's refusal, decoded. `errorName` is the selector if the error is of none of our contracts. */
export type Refusal = { errorName: string; args: readonly unknown[] };

const errorAbi = [
  ...jobMarketAbi,
  ...datasetRegistryAbi,
  ...enclaveRegistryAbi,
  ...tdxVerifierAbi,
  ...tdxCollateralAbi,
].filter((item) => item.type === "error");

/** What nodes answer with when what they ran failed: geth's revert, geth's and others' everything else. */
const executionCodes = [3, -32000, -32015];

/** Longest answer to a read: a data set's record with its URI is below this. */
const maxAnswerBytes = 16 * 1024;

type View = "view" | "pure";

/**
 * Calls a view function.
 *
 * @throws {@link RpcFailedError}; {@link refusalOf} tells whether the contract itself refused.
 * @throws {@link InconsistentSourceError} if the answer is not of the function's type, or there is no contract.
 * @example
 * const uses = await readContract(rpc, market, jobMarketAbi, "grantUses", [grantHash], { blockHash })
 */
export async function readContract<
  const abi extends Abi,
  name extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, name>,
>(
  rpc: Rpc,
  to: Address,
  abi: abi,
  functionName: name,
  args: args,
  at: At,
): Promise<ContractFunctionReturnType<abi, View, name, args>> {
  const call = { abi: abi as Abi, functionName: functionName as string, args: args as readonly unknown[] };
  const data = encodeFunctionData(call);
  const block = "blockHash" in at ? { blockHash: at.blockHash, requireCanonical: true } : toQuantity(at.blockNumber);
  const answer = await rpc("eth_call", [{ to, data }, block], hexUpTo(maxAnswerBytes));
  try {
    const decoded = decodeFunctionResult({ ...call, data: answer });
    return decoded as ContractFunctionReturnType<abi, View, name, args>; // decoded by the ABI of the type
  } catch {
    throw new InconsistentSourceError(`its answer to ${functionName} is not of that function's type`);
  }
}

/**
 * What a contract said when it reverted.
 *
 * @returns undefined if the error is no revert: the node failed, not the contract.
 * @example
 * catch (error) { if (refusalOf(error)?.errorName === "JobMarket_NotOpen") return }
 */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof RpcFailedError)) return undefined;
  const { data, code } = error;
  // Code 3 is geth's "execution reverted"; a revert without a reason carries no data at all.
  if (data === undefined || data === "0x") return code === 3 ? { errorName: "(no reason)", args: [] } : undefined;
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorAbi as Abi, data });
    return { errorName, args: args ?? [] };
  } catch {
    return { errorName: data.slice(0, 10), args: [] };
  }
}

/**
 * Whether the node ran a call and it failed, with or without a reason (a revert, a bad opcode, out of gas), as opposed to a
 * node that gave no answer.
 *
 * @example
 * catch (error) { if (isExecutionFailure(error)) return false; throw error }
 */
export function isExecutionFailure(error: unknown): boolean {
  if (!(error instanceof RpcFailedError)) return false;
  return error.data !== undefined || (error.code !== undefined && executionCodes.includes(error.code));
}

/** A number as JSON-RPC wants it. */
export function toQuantity(number: bigint): Hex {
  return `0x${number.toString(16)}`;
}
