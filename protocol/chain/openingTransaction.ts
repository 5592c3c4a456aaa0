/**
 * Room: protocol/chain. Who ordered a job, proven by a signature and not by a node's word: the transaction that opened
 * it is signed by its requester, or carries its requester's signature of the order. Pure.
 * Limit: only accounts with a key of their own can be proven so. That a contract wallet signed an order (ERC-1271) is the
 * node's word, and the worker takes it as such: "told", see `OrderProof` in enclave/jobs/ports.
 */
import {
  type Address,
  decodeFunctionData,
  getAbiItem,
  type Hex,
  isAddressEqual,
  recoverTransactionAddress,
  serializeTransaction,
  type Transaction,
  type TransactionSerializable,
  toFunctionSelector,
} from "viem";
import { jobMarketAbi } from "../abi.ts";
import type { Deployment } from "../deployment.ts";
import { domainOf, hashOrder, type JobOrder } from "../eip712.ts";
import { recoverSigner } from "../signature.ts";

/** Most calls of a multicall that are looked through. */
const maxCalls = 1024;

const openSelector = toFunctionSelector(getAbiItem({ abi: jobMarketAbi, name: "open" }));

/**
 * The account that stands behind a job's order: its requester where the calldata hold that account's signature of the
 * order, else whoever signed the transaction.
 *
 * @param transaction - as a node tells it; its `from` is not believed.
 * @returns undefined if it is not a signed call of this deployment's market, on its chain, that opens `jobId`: by `open`,
 * or by a multicall of which that is a part.
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
    const opening = openingOf(input, (order) => hashOrder(domainOf(deployment.chainId, jobMarket), order) === jobId);
    if (opening === undefined) return undefined;
    const { requester, requesterSignature } = opening;
    const orderedBy = recoverSigner(jobId, requesterSignature);
    if (orderedBy !== undefined && isAddressEqual(orderedBy, requester)) return orderedBy;
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

/** Who is to be the requester of an opening, and the signature of the order that its call holds; maybe empty. */
export type Opening = { requester: Address; requesterSignature: Hex };

/**
 * The call of `open` for the order that is meant: the transaction's own, or one of its multicall.
 *
 * @returns undefined if there is none. Throws for calldata that are not the market's.
 * @example
 * const opening = openingOf(transaction.input, (order) => hashOrder(domain, order) === jobId)
 */
export function openingOf(data: Hex, isMeant: (order: JobOrder) => boolean): Opening | undefined {
  const { functionName, args } = decodeFunctionData({ abi: jobMarketAbi, data });
  const calls = functionName === "multicall" ? args[0].slice(0, maxCalls) : [data];
  for (const call of calls.filter((call) => call.startsWith(openSelector))) {
    const inner = decodeFunctionData({ abi: jobMarketAbi, data: call });
    if (inner.functionName !== "open") continue; // never: the selector is its own
    const [order, , , requesterSignature] = inner.args;
    if (isMeant(order)) return { requester: order.requester, requesterSignature };
  }
  return undefined;
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
