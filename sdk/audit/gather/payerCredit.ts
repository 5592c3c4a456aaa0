/**
 * Room: sdk/audit/gather/payerCredit. What a payer's credit went through in the block in which a job took money: its
 * balance before and after, and every event of that block that moves it. Source: IMarket, "Every change of a credit".
 */
import {
  type AbiEvent,
  type Address,
  erc20Abi,
  getAbiItem,
  type Hex,
  isAddressEqual,
  parseEventLogs,
  zeroAddress,
} from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { costOf } from "../../../protocol/charges.ts";
import { RpcError } from "../../chainErrors.ts";
import type { Missing, PayerCredit } from "../evidence.ts";
import type { ChainView, Seen } from "./chainView.ts";

const deposited = getAbiItem({ abi: jobMarketAbi, name: "Deposited" });
const credited = getAbiItem({ abi: jobMarketAbi, name: "Credited" });
const debited = getAbiItem({ abi: jobMarketAbi, name: "Debited" });
const withdrawn = getAbiItem({ abi: jobMarketAbi, name: "Withdrawn" });
const opened = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" });
const sessionOpened = getAbiItem({ abi: jobMarketAbi, name: "SessionOpened" });
const groupSettled = getAbiItem({ abi: jobMarketAbi, name: "OrderGroupSettled" });

/**
 * Follows an account's credit through one block.
 *
 * @param where - the block, and the transaction in it that took the money.
 * @example
 * const payerCredit = await gatherPayerCredit(view, order.payer, order.token, { number, transactionHash })
 */
export async function gatherPayerCredit(
  view: ChainView,
  account: Address,
  token: Address,
  { number, transactionHash }: { number: bigint; transactionHash: Hex },
): Promise<PayerCredit | Missing> {
  const address = view.deployment.contracts.jobMarket;
  const here = <const event extends AbiEvent>(event: event, args: object): Promise<Seen<event>[]> =>
    view.events({ address, event, args: { ...args }, block: number });
  const call = { address, abi: jobMarketAbi, functionName: "creditOf", args: [account, token] } as const;
  try {
    const [before, after] = [await view.read(call, number - 1n), await view.read(call, number)];
    const mine = { account, token };
    const [deposits, credits] = [await here(deposited, mine), await here(credited, mine)];
    const [debits, withdrawals] = [await here(debited, mine), await here(withdrawn, mine)];
    const groups = await here(groupSettled, { payer: account, token });
    const isMine = (order: { payer: Address; token: Address }) =>
      isAddressEqual(order.payer, account) && isAddressEqual(order.token, token);
    const jobs = (await here(opened, {})).filter(({ args }) => isMine(args.order));
    const sessions = (await here(sessionOpened, {})).filter(({ args }) => isMine(args.order));
    const inTransaction = deposits.filter((seen) => seen.transactionHash === transactionHash);
    return {
      before,
      after,
      added: sum([...deposits, ...credits].map(({ args }) => args.amount)),
      taken: sum([
        ...[...debits, ...withdrawals].map(({ args }) => args.amount),
        ...groups.map(({ args }) => args.charged),
        ...jobs.map(({ args }) => costOf(args.order)),
        ...sessions.map(({ args }) => BigInt(args.terms.maxJobs) * costOf(args.order)),
      ]),
      paidIn: sum(inTransaction.map(({ args }) => args.amount)),
      arrived: await arrivedIn(view, transactionHash, token),
    };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { missing: `the RPC does not tell the payer's credit around block ${number}` };
  }
}

/** What a transaction moved to the market. */
async function arrivedIn(view: ChainView, transactionHash: Hex, token: Address): Promise<bigint | Missing> {
  const market = view.deployment.contracts.jobMarket;
  if (token === zeroAddress) {
    const { to, value } = await view.transaction(transactionHash);
    if (to !== null && isAddressEqual(to, market)) return value;
    return {
      missing: "the market was called by another contract: the coin sent along does not show in the transaction",
    };
  }
  const { logs } = await view.receipt(transactionHash);
  const ofToken = logs.filter((log) => isAddressEqual(log.address, token));
  const transfers = parseEventLogs({ abi: erc20Abi, eventName: "Transfer", logs: ofToken });
  return sum(transfers.filter(({ args }) => isAddressEqual(args.to, market)).map(({ args }) => args.value));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
