/**
 * Room: sdk/credit. What the market owes an account, and taking it out. Amounts in base units.
 */
import type { Address } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { BaseError } from "../protocol/errors.ts";
import { addressOf, type Client } from "./client.ts";
import { read, type Sent, send } from "./send.ts";
import { tokenErrorsAbi } from "./tokens.ts";

/**
 * What an account may withdraw of a token.
 *
 * @param token - zero for the native coin.
 * @throws any error of `read`
 * @example
 * const credit = await creditOf(client, me, token)
 */
export async function creditOf(client: Client, account: Address, token: Address): Promise<bigint> {
  const address = client.deployment.contracts.jobMarket;
  return await read(client, { address, abi: jobMarketAbi, functionName: "creditOf", args: [account, token] });
}

/**
 * Takes credit of the client's wallet out.
 *
 * @param options - `to`: default the wallet itself; `amount`: default all there is.
 * @throws {@link NoCreditError} | any error of `send`
 * @example
 * const { amount } = await withdraw(client, { token })
 */
export async function withdraw(
  client: Client,
  options: { token: Address; to?: Address; amount?: bigint },
): Promise<Sent & { amount: bigint; to: Address }> {
  const me = addressOf(client);
  const { token, to = me, amount = await creditOf(client, me, token) } = options;
  if (amount === 0n) throw new NoCreditError(me, token);
  const address = client.deployment.contracts.jobMarket;
  const abi = [...jobMarketAbi, ...tokenErrorsAbi] as const;
  const sent = await send(client, { address, abi, functionName: "withdraw", args: [token, to, amount] });
  return { hash: sent.hash, gasUsed: sent.gasUsed, blockNumber: sent.blockNumber, amount, to };
}

/** There is nothing to withdraw. */
export class NoCreditError extends BaseError {
  override readonly name = "Credit.NoCreditError";
  constructor(account: Address, token: Address) {
    super(`${account} has no credit in token ${token}.`, {
      hint: "See `dcm credit show`; name the token with --token.",
    });
  }
}
