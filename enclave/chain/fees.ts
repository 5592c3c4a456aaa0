/**
 * Room: enclave/chain. What a transaction offers for its gas (EIP-1559). All amounts in wei.
 */
import { z } from "zod";
import { InconsistentSourceError } from "../../protocol/chain/chainSource.ts";
import { type Rpc, rpcAmount } from "../../protocol/chain/rpc.ts";
import { BaseError } from "../../protocol/errors.ts";

/** What is offered per unit of gas. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

const rpcBaseFee = z.object({ baseFeePerGas: rpcAmount }).nullable();

/**
 * Fees that hold while the base fee doubles.
 *
 * @param cap - most that is ever offered per unit of gas: a lying node cannot make the wallet burn more.
 * @throws {@link FeeTooHighError} (retryable) if the chain asks more than the cap.
 * @example
 * const fees = await currentFees(rpc, 500n * 10n ** 9n)
 */
export async function currentFees(rpc: Rpc, cap: bigint): Promise<Fees> {
  const block = await rpc("eth_getBlockByNumber", ["latest", false], rpcBaseFee);
  if (block === null) throw new InconsistentSourceError("it has no latest block");
  const tip = await rpc("eth_maxPriorityFeePerGas", [], rpcAmount);
  const needed = block.baseFeePerGas + tip;
  if (needed > cap) throw new FeeTooHighError(needed, cap);
  return within(cap, { maxFeePerGas: 2n * block.baseFeePerGas + tip, maxPriorityFeePerGas: tip });
}

/**
 * Fees that replace a transaction: at least an eighth more than before (nodes want a tenth), up to the cap.
 *
 * @example
 * const higher = raisedFees(fees, await currentFees(rpc, cap), cap)
 */
export function raisedFees(before: Fees, now: Fees, cap: bigint): Fees {
  const raised = (old: bigint, fresh: bigint) => max(fresh, old + old / 8n + 1n);
  return within(cap, {
    maxFeePerGas: raised(before.maxFeePerGas, now.maxFeePerGas),
    maxPriorityFeePerGas: raised(before.maxPriorityFeePerGas, now.maxPriorityFeePerGas),
  });
}

function within(cap: bigint, fees: Fees): Fees {
  const maxFeePerGas = min(cap, fees.maxFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: min(maxFeePerGas, fees.maxPriorityFeePerGas) };
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The chain asks more for gas than the worker may offer. */
export class FeeTooHighError extends BaseError {
  override readonly name = "Chain.FeeTooHighError";
  readonly needed: bigint;
  readonly cap: bigint;
  constructor(needed: bigint, cap: bigint) {
    super(`Gas costs ${needed} wei a unit, the cap is ${cap}.`, {
      hint: "Wait until gas is cheaper, or raise the worker's fee cap.",
      retryable: true,
    });
    this.needed = needed;
    this.cap = cap;
  }
}
