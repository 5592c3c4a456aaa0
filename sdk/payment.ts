/**
 * Room: sdk/payment. How what is opened is paid for: from credit first, then by an allowance there is, by permit where
 * the token takes one, else by approving just what is lacking.
 */
import {
  type Address,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  parseAbi,
  zeroAddress,
} from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { ContractRefusedError } from "./chainErrors.ts";
import { addressOf, type Client } from "./client.ts";
import { creditOf } from "./credit.ts";
import { signPermit } from "./permits.ts";
import { type Call, read, type Sent, send, simulate } from "./send.ts";
import { tokenErrorsAbi } from "./tokens.ts";

/** How something was paid for. */
export type Payment = "credit" | "native" | "allowance" | "permit" | "approve";

/** A transaction that took money into escrow; `approveHashes` are the token's transactions sent before. */
export type Paid = Sent & { payment: Payment; approveHashes: readonly Hex[] };

/** With it, the errors of the token are decoded too. */
export const marketAbi = [...jobMarketAbi, ...tokenErrorsAbi] as const;

type Opening = "open" | "openSession";

// Without a return value: some tokens return nothing from `approve`.
const allowanceAbi = parseAbi([
  "function approve(address spender, uint256 amount)",
  "function allowance(address owner, address spender) view returns (uint256)",
]);

/**
 * Sends a call that escrows `cost`, and sees to it that the money is there. The money of a payer that is not the
 * client's wallet can only be its credit or its allowance.
 *
 * @throws any error of `send`
 * @example
 * const { result, payment } = await pay(client, { payer, token, cost }, { functionName: "open", args })
 */
export async function pay<const name extends Opening>(
  client: Client,
  { payer, token, cost }: { payer: Address; token: Address; cost: bigint },
  { functionName, args }: Pick<Call<typeof marketAbi, name>, "functionName" | "args">,
): Promise<Paid & { result: ContractFunctionReturnType<typeof marketAbi, "payable", name> }> {
  const address = client.deployment.contracts.jobMarket;
  const call = { address, abi: marketAbi, functionName, args } as Call<typeof marketAbi, name>;
  const plainly = async (payment: Payment, approveHashes: readonly Hex[] = [], value: bigint = 0n) => {
    const { hash, gasUsed, blockNumber, result } = await send(client, value === 0n ? call : { ...call, value });
    return { hash, gasUsed, blockNumber, result: result as never, payment, approveHashes };
  };
  const credit = await creditOf(client, payer, token);
  if (credit >= cost) return await plainly("credit");
  const lacking = cost - credit;
  if (!isAddressEqual(payer, addressOf(client))) return await plainly("allowance");
  if (token === zeroAddress) return await plainly("native", [], lacking);

  const pair = [payer, address] as const;
  const allowance = await read(client, { address: token, abi: allowanceAbi, functionName: "allowance", args: pair });
  if (allowance >= lacking) return await plainly("allowance");

  const permit = await signPermit(client, token, lacking);
  if (permit !== undefined) {
    const deposit = { abi: marketAbi, functionName: "depositWithPermit", args: [token, lacking, ...permit] } as const;
    const calls = [encodeFunctionData(deposit), encodeFunctionData(call as never)];
    const both = { address, abi: marketAbi, functionName: "multicall", args: [calls] } as const;
    if (await passesWithAllowance(simulate(client, both))) {
      const { hash, gasUsed, blockNumber, result } = await send(client, both);
      const returned = decodeFunctionResult({ abi: marketAbi, functionName, data: result[1] ?? "0x" } as never);
      return { hash, gasUsed, blockNumber, result: returned as never, payment: "permit", approveHashes: [] };
    }
  }
  // What the market refuses, it refuses before the token is asked: then nothing is approved either.
  await passesWithAllowance(simulate(client, call));
  return await plainly("approve", await approve(client, token, address, lacking, allowance));
}

/**
 * Approves exactly `amount` of a token to a spender, with as many transactions as that takes.
 *
 * @param current - the allowance there is: some tokens refuse to change one that is not zero.
 * @throws any error of `send`
 * @example
 * await approve(client, token, market, 1_000_000n, 0n)
 */
export async function approve(
  client: Client,
  token: Address,
  spender: Address,
  amount: bigint,
  current: bigint,
): Promise<Hex[]> {
  const call = { address: token, abi: allowanceAbi, functionName: "approve" } as const;
  const hashes: Hex[] = [];
  for (const step of current === 0n ? [amount] : [0n, amount])
    hashes.push((await send(client, { ...call, args: [spender, step] })).hash);
  return hashes;
}

/**
 * What a spender may take of the wallet's tokens.
 *
 * @throws any error of `read`
 * @example
 * const allowance = await allowanceOf(client, token, market)
 */
export async function allowanceOf(client: Client, token: Address, spender: Address): Promise<bigint> {
  const args = [addressOf(client), spender] as const;
  return await read(client, { address: token, abi: allowanceAbi, functionName: "allowance", args });
}

/** Whether a simulation passes; false if it fails in the token for want of an allowance. Other refusals are thrown. */
export async function passesWithAllowance(simulation: Promise<unknown>): Promise<boolean> {
  try {
    await simulation;
    return true;
  } catch (error) {
    const refusal = error instanceof ContractRefusedError ? error.contractError : undefined;
    if (
      refusal === undefined ||
      /^(JobMarket|Ledger|Sessions)_/.test(refusal) ||
      refusal === "ERC20InsufficientBalance"
    )
      throw error;
    return false; // the allowance, or an error of a token that is not known here: the call after approving says which
  }
}
