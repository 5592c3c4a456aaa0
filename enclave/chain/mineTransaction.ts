/**
 * Room: enclave/chain. Gets one transaction mined under one nonce: sends it, raises its fees while nobody takes it, and
 * watches every version of it until one is confirmed. Under one nonce at most one version can ever be mined.
 */
import { type Hex, keccak256 } from "viem";
import { z } from "zod";
import { pause } from "../../protocol/chain/pause.ts";
import { type Rpc, RpcFailedError, rpcCount } from "../../protocol/chain/rpc.ts";
import { BaseError } from "../../protocol/errors.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { currentFees, type Fees, raisedFees } from "./fees.ts";
import type { Call, SendSettings } from "./sendSettings.ts";

/** What the chain says of a mined transaction. */
export type MinedReceipt = {
  transactionHash: Hex;
  blockNumber: bigint;
  blockHash: Hex;
  gasUsed: bigint;
  succeeded: boolean;
};

/** One transaction to be mined. */
export type Transaction = {
  call: Call;
  gas: bigint;
  fees: Fees;
  nonce: bigint;
  /** On the clock of `performance.now()`. */
  giveUpAt: number;
  alreadyDone: () => Promise<boolean>;
};

/** How it ended. `nonceTaken`: by a transaction that is not a version of this one. */
export type Ended =
  | { status: "mined"; receipt: MinedReceipt }
  | { status: "alreadyDone" }
  | { status: "nonceTaken" | "stuck"; lastHash: Hex | undefined };

const rpcReceipt = z
  .object({
    transactionHash: bytes32,
    blockNumber: rpcCount,
    blockHash: bytes32,
    gasUsed: rpcCount,
    status: z.enum(["0x0", "0x1"]),
  })
  .transform(({ status, ...receipt }) => ({ ...receipt, succeeded: status === "0x1" }))
  .nullable();

const rpcBlockHash = z.object({ hash: bytes32 }).nullable();

/** How often in a row the nonce must be seen as used, and no receipt, until another transaction is blamed. */
const patience = 3;

/**
 * @throws {@link SenderStoppedError} when the signal aborts. Failing RPC calls are repeated until `giveUpAt`.
 * @example
 * const ended = await mineTransaction(rpc, settings, { call, gas, fees, nonce, giveUpAt, alreadyDone })
 */
export async function mineTransaction(rpc: Rpc, settings: SendSettings, transaction: Transaction): Promise<Ended> {
  const { nonce, alreadyDone, giveUpAt } = transaction;
  const hashes = new Set<Hex>();
  let lastHash: Hex | undefined;
  let fees = transaction.fees;
  let unseen = 0;

  for (;;) {
    const raw = await sign(settings, transaction, fees);
    lastHash = keccak256(raw);
    hashes.add(lastHash);
    const answer = await broadcast(rpc, raw);

    // Underpriced: somebody (an earlier life of ours) offers more under this nonce. No use in waiting.
    let bumpAt = performance.now() + (answer === "underpriced" ? settings.pollMs : settings.bumpAfterMs);
    while (performance.now() < bumpAt) {
      if (settings.signal.aborted) throw new SenderStoppedError();
      if (performance.now() > giveUpAt) return { status: "stuck", lastHash };
      const seen = await look(rpc, settings, hashes, nonce).catch(orUnknown);
      if (typeof seen === "object") return { status: "mined", receipt: seen };
      if (seen === "unconfirmed") bumpAt = performance.now() + settings.bumpAfterMs; // mined: only time is lacking
      unseen = seen === "nonceUsed" ? unseen + 1 : 0;
      if (unseen === patience) return { status: "nonceTaken", lastHash };
      await pause(settings.pollMs, settings.signal);
    }

    if ((await alreadyDone().catch(orUnknown)) === true) return { status: "alreadyDone" };
    const now = await currentFees(rpc, settings.maxFeePerGas).catch(orUnknown);
    fees = raisedFees(fees, now === "unknown" ? fees : now, settings.maxFeePerGas);
  }
}

function sign({ account, chainId }: SendSettings, { call, gas, nonce }: Transaction, fees: Fees): Promise<Hex> {
  const { to, data, value = 0n } = call;
  return account.signTransaction({ type: "eip1559", chainId, to, data, value, gas, nonce: Number(nonce), ...fees });
}

/** Whatever a node answers, the transaction may be on its way: only receipts and nonces decide. */
async function broadcast(rpc: Rpc, raw: Hex): Promise<"sent" | "underpriced"> {
  try {
    await rpc("eth_sendRawTransaction", [raw], bytes32);
    return "sent";
  } catch (error) {
    // Nodes have no code for this; both geth's and others' words hold "underpriced" or "replacement".
    const words = error instanceof RpcFailedError ? error.reason : "";
    return /underpriced|replacement/i.test(words) ? "underpriced" : "sent";
  }
}

/** A confirmed receipt of one of the versions, or what is known so far. */
async function look(rpc: Rpc, { account, confirmations }: SendSettings, hashes: ReadonlySet<Hex>, nonce: bigint) {
  const used = (await rpc("eth_getTransactionCount", [account.address, "latest"], rpcCount)) > nonce;
  for (const hash of hashes) {
    const receipt = await rpc("eth_getTransactionReceipt", [hash], rpcReceipt);
    if (receipt?.transactionHash !== hash) continue;
    const head = await rpc("eth_blockNumber", [], rpcCount);
    if (head - receipt.blockNumber + 1n < BigInt(confirmations)) return "unconfirmed";
    const block = await rpc("eth_getBlockByNumber", [`0x${receipt.blockNumber.toString(16)}`, false], rpcBlockHash);
    return block?.hash === receipt.blockHash ? receipt : "unconfirmed";
  }
  return used ? "nonceUsed" : "pending";
}

function orUnknown(error: unknown): "unknown" {
  if (error instanceof BaseError && error.retryable) return "unknown";
  throw error;
}

/** The worker is stopping. What was sent may still be mined. */
export class SenderStoppedError extends BaseError {
  override readonly name = "Chain.SenderStoppedError";
  constructor() {
    super("The sender was stopped before the transaction was confirmed.", {
      hint: "Ask for the effect on chain at the next start; it may be there.",
      retryable: true,
    });
  }
}
