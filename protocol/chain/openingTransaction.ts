/**
 * Room: protocol/chain. Who ordered a job, proven by a signature and not by a node's word: the transaction that opened
 * it carries its requester's signature over the whole order. Pure.
 * Limit: only accounts that sign transactions themselves can be proven so; a contract wallet's order cannot.
 */
import {
  type Address,
  decodeFunctionData,
  type Hex,
  isAddressEqual,
  recoverTransactionAddress,
  serializeTransaction,
  type Transaction,
  type TransactionSerializable,
} from "viem";
import { jobMarketAbi } from "../abi.ts";
import type { Deployment } from "../deployment.ts";
import { domainOf, hashOrder } from "../eip712.ts";

/**
 * The account that signed a transaction which opens a job.
 *
 * @param transaction - as a node tells it; its `from` is not believed.
 * @returns undefined if it is not a signed call of this deployment's market, on its chain, that opens `jobId`.
 * @example
 * const signer = await openerOf(transaction, deployment, jobId)
 * if (signer === undefined || !isAddressEqual(signer, order.requester)) throw new UnprovenOrderError(jobId)
 */
export async function openerOf(
  transaction: Transaction,
  deployment: Deployment,
  jobId: Hex,
): Promise<Address | undefined> {
  const { to, input, r, s, v, yParity, chainId } = transaction;
  const { jobMarket } = deployment.contracts;
  try {
    if (chainId !== deployment.chainId || to === null || !isAddressEqual(to, jobMarket)) return undefined;
    const { functionName, args } = decodeFunctionData({ abi: jobMarketAbi, data: input });
    if (functionName !== "open" && functionName !== "openWithPermit") return undefined;
    if (hashOrder(domainOf(deployment.chainId, jobMarket), args[0]) !== jobId) return undefined;
    // Legacy transactions carry the chain in v.
    const signature = transaction.type === "legacy" || yParity === undefined ? { r, s, v } : { r, s, yParity };
    const serializedTransaction = serializeTransaction(unsigned(transaction), signature);
    return await recoverTransactionAddress({ serializedTransaction } as Parameters<
      typeof recoverTransactionAddress
    >[0]);
  } catch {
    return undefined; // viem throws for everything malformed
  }
}

/** The fields that a transaction of its type signs, and no others. */
function unsigned(transaction: Transaction): TransactionSerializable {
  const { chainId, nonce, gas, to, value, input: data, accessList } = transaction;
  const common = { chainId: Number(chainId), nonce, gas, to, value, data };
  const { maxFeePerGas, maxPriorityFeePerGas } = transaction;
  switch (transaction.type) {
    case "legacy":
      return { ...common, type: "legacy", gasPrice: transaction.gasPrice };
    case "eip2930":
      return { ...common, type: "eip2930", gasPrice: transaction.gasPrice, accessList: transaction.accessList };
    case "eip7702": {
      const { authorizationList } = transaction;
      return {
        ...common,
        type: "eip7702",
        maxFeePerGas,
        maxPriorityFeePerGas,
        accessList,
        authorizationList,
      } as TransactionSerializable;
    }
    default:
      return { ...common, type: "eip1559", maxFeePerGas, maxPriorityFeePerGas, accessList } as TransactionSerializable;
  }
}
