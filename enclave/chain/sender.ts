/**
 * Room: enclave/chain. Sends the gas wallet's transactions: one at a time, each under the nonce after the last mined one.
 * So whatever an earlier life of the worker sent and nobody mined is replaced, never doubled.
 */
import type { Address, Hex } from "viem";
import { pause } from "../../protocol/chain/pause.ts";
import { openRpc, printable, type Rpc, rpcAmount, rpcCount } from "../../protocol/chain/rpc.ts";
import { BaseError } from "../../protocol/errors.ts";
import { hexUpTo } from "../../protocol/schemas.ts";
import { type Refusal, refusalOf, toQuantity } from "./call.ts";
import { WrongChainError } from "./connect.ts";
import { currentFees } from "./fees.ts";
import { type MinedReceipt, mineTransaction, SenderStoppedError } from "./mineTransaction.ts";
import type { Call, SenderOptions, SendSettings } from "./sendSettings.ts";

/** How a call ended. `mined`: with the wanted confirmations, and not reverted. */
export type Sent = { status: "mined"; receipt: MinedReceipt } | { status: "alreadyDone" };

/** See {@link openSender}. */
export type Sender = {
  /** The gas wallet. */
  address: Address;
  /**
   * Sends a call, waits until it is mined and confirmed. Calls queue up behind each other.
   *
   * @param alreadyDone - whether the effect is on chain; asked before every (re)send and after a revert.
   * @throws TransactionRefusedError, InsufficientGasMoneyError, FeeTooHighError, TransactionStuckError,
   * TransactionRevertedError, SenderStoppedError, RpcFailedError.
   */
  send(call: Call, alreadyDone: () => Promise<boolean>): Promise<Sent>;
  /** Asks the node whether the call would go through now; sends nothing. @throws TransactionRefusedError, RpcFailedError */
  simulate(call: Call): Promise<void>;
};

/** Gas limit of a transaction. Source: EIP-7825. */
const maxGas = 2n ** 24n;

/**
 * Opens the sender of a gas wallet. Only one process may send from a wallet: the store's lock sees to that.
 *
 * @throws {@link WrongChainError} if the provider serves another chain.
 * @example
 * const sender = await openSender({ client, account, chainId, confirmations: 1, maxFeePerGas: 500n * 10n ** 9n })
 * await sender.send({ to: market, data }, async () => (await reader.jobState(index, jobId, at)) !== "Open")
 */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const settings: SendSettings = {
    pollMs: 1000,
    bumpAfterMs: 30_000,
    giveUpMs: 600_000,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    ...options,
  };
  const rpc = openRpc(options.client, settings.timeoutMs);
  const actual = await rpc("eth_chainId", [], rpcCount);
  if (actual !== BigInt(settings.chainId)) throw new WrongChainError(actual, settings.chainId);

  let queue: Promise<unknown> = Promise.resolve();
  return {
    address: settings.account.address,
    send(call, alreadyDone) {
      const sent = queue.then(() => sendOne(rpc, settings, call, alreadyDone));
      queue = sent.catch(() => undefined); // its own caller hears of it
      return sent;
    },
    async simulate(call) {
      await dryRun(rpc, settings.account.address, call);
    },
  };
}

async function sendOne(
  rpc: Rpc,
  settings: SendSettings,
  call: Call,
  alreadyDone: () => Promise<boolean>,
): Promise<Sent> {
  const { account, pollMs, signal } = settings;
  const giveUpAt = performance.now() + settings.giveUpMs;
  await waitForEarlier(rpc, settings);

  for (let lastHash: Hex | undefined; ; ) {
    if (signal.aborted) throw new SenderStoppedError();
    if (await alreadyDone()) return { status: "alreadyDone" };
    const gas = await simulate(rpc, account.address, call);
    const fees = await currentFees(rpc, settings.maxFeePerGas);
    await requireMoney(rpc, account.address, gas * fees.maxFeePerGas + (call.value ?? 0n));
    const nonce = await rpc("eth_getTransactionCount", [account.address, "latest"], rpcCount);
    const ended = await mineTransaction(rpc, settings, { call, gas, fees, nonce, giveUpAt, alreadyDone });

    if (ended.status === "alreadyDone") return ended;
    if (ended.status === "stuck") throw new TransactionStuckError(account.address, nonce, ended.lastHash ?? lastHash);
    if (ended.status === "mined") {
      if (ended.receipt.succeeded) return ended;
      if (await alreadyDone()) return { status: "alreadyDone" };
      await simulate(rpc, account.address, call); // says why, if it would still revert
      throw new TransactionRevertedError(ended.receipt.transactionHash);
    }
    // Another transaction of this wallet took the nonce: look again, the effect may be its.
    lastHash = ended.lastHash;
    if (performance.now() > giveUpAt) throw new TransactionStuckError(account.address, nonce, lastHash);
    await pause(pollMs, signal);
  }
}

/** What an earlier life of the worker left in the pool gets one chance to be mined; then its nonce is taken. */
async function waitForEarlier(rpc: Rpc, { account, pollMs, bumpAfterMs, signal }: SendSettings): Promise<void> {
  const until = performance.now() + bumpAfterMs;
  const count = (block: string) => rpc("eth_getTransactionCount", [account.address, block], rpcCount);
  while (!signal.aborted && performance.now() < until && (await count("pending")) > (await count("latest"))) {
    await pause(pollMs, signal);
  }
}

/** @returns the gas limit to give: a quarter above the node's estimate. */
async function simulate(rpc: Rpc, from: Address, call: Call): Promise<bigint> {
  const request = await dryRun(rpc, from, call);
  const gas = await rpc("eth_estimateGas", [request, "latest"], rpcCount).catch((error) => {
    throw asRefused(call.to, error);
  });
  const limit = gas + gas / 4n;
  return limit < maxGas ? limit : maxGas;
}

/** With no more gas than a transaction may have. */
async function dryRun(rpc: Rpc, from: Address, { to, data, value = 0n }: Call) {
  const request = { from, to, data, value: toQuantity(value) };
  const call = { ...request, gas: toQuantity(maxGas) };
  await rpc("eth_call", [call, "latest"], hexUpTo(64 * 1024)).catch((error) => {
    throw asRefused(to, error);
  });
  return request;
}

function asRefused(to: Address, error: unknown): unknown {
  const refusal = refusalOf(error);
  return refusal === undefined ? error : new TransactionRefusedError(to, refusal);
}

async function requireMoney(rpc: Rpc, address: Address, needed: bigint): Promise<void> {
  const balance = await rpc("eth_getBalance", [address, "latest"], rpcAmount);
  if (balance < needed) throw new InsufficientGasMoneyError(address, needed, balance);
}

/** The contract refuses the call. */
export class TransactionRefusedError extends BaseError {
  override readonly name = "Chain.TransactionRefusedError";
  /** Name of the contract's error; its selector if it is not one of ours. */
  readonly errorName: string;
  readonly args: readonly unknown[];
  constructor(to: Address, { errorName, args }: Refusal) {
    super(`Contract ${to} refuses the call: ${errorName}(${printable(args.map(String).join(", "))}).`, {
      hint: "See the contract's error for what to change; nothing was sent, or what was sent had no effect.",
    });
    this.errorName = errorName;
    this.args = args;
  }
}

/** The gas wallet cannot pay for the transaction. */
export class InsufficientGasMoneyError extends BaseError {
  override readonly name = "Chain.InsufficientGasMoneyError";
  readonly address: Address;
  /** Wei. */
  readonly needed: bigint;
  /** Wei. */
  readonly balance: bigint;
  constructor(address: Address, needed: bigint, balance: bigint) {
    super(`Gas wallet ${address} holds ${balance} wei, the transaction may cost ${needed}.`, {
      hint: `Send at least ${needed - balance} wei to ${address}.`,
      retryable: true,
    });
    this.address = address;
    this.needed = needed;
    this.balance = balance;
  }
}

/** The transaction was not mined in time, with whatever fee was allowed. It may still be. */
export class TransactionStuckError extends BaseError {
  override readonly name = "Chain.TransactionStuckError";
  readonly nonce: bigint;
  readonly lastHash: Hex | undefined;
  constructor(address: Address, nonce: bigint, lastHash: Hex | undefined) {
    super(
      `Transaction ${nonce} of ${address} was not mined in time${lastHash ? ` (last tried as ${lastHash})` : ""}.`,
      {
        hint: "Raise the fee cap or check the RPC provider. The next transaction takes its place or finds its effect.",
        retryable: true,
      },
    );
    this.nonce = nonce;
    this.lastHash = lastHash;
  }
}

/** The transaction was mined, and reverted, though a simulation before and after it passes. */
export class TransactionRevertedError extends BaseError {
  override readonly name = "Chain.TransactionRevertedError";
  readonly transactionHash: Hex;
  constructor(transactionHash: Hex) {
    super(`Transaction ${transactionHash} reverted.`, {
      hint: "The state has changed since: try again.",
      retryable: true,
    });
    this.transactionHash = transactionHash;
  }
}
