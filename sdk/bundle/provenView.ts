/**
 * Room: sdk/bundle/provenView. The chain as proofs tell it, for the same gathering that asks an RPC online: what is not proven
 * does not exist here. Pure. May import: protocol, sdk/audit, sdk/proofs.
 */
import {
  type AbiEvent,
  type Address,
  ContractFunctionRevertedError,
  decodeEventLog,
  encodeErrorResult,
  encodeEventTopics,
  type GetTransactionReturnType,
  type Hex,
  isAddressEqual,
  keccak256,
  type TransactionReceipt,
} from "viem";
import { enclaveRegistryAbi } from "../../protocol/abi.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { BlockRef } from "../audit/evidence.ts";
import { type ChainView, NotShownError, type Wanted } from "../audit/gather/chainView.ts";
import { ContractRefusedError } from "../chainErrors.ts";
import type { ProvenChain, ProvenLog, ProvenReceipt } from "../proofs/chainProofs.ts";
import { constantOf } from "./constants.ts";
import type { CodeParameters } from "./expectedCode.ts";
import { storedRead } from "./storedReads.ts";

/** keccak256 of nothing: the code of an account without code. */
const noCode = keccak256("0x");

/** Most logs of a transaction: an index in a block is made of the transaction's and the log's. */
const maxLogs = 0x10000;

/**
 * Looks at proofs as at a chain.
 *
 * @param parameters - what the contracts' code fixes; whether that is so shows in their code hashes (`expectedCode`).
 * @returns a view whose functions throw `Proofs.NotProvenError` for what is not proven, and NotShownError for calls that no
 * proof can show. An event's `logIndex` says its place within the block, not its number.
 * @example
 * const evidence = await gatherOnChain(provenView(await openProofs(bundle.chain), deployment, parameters), jobId, shown)
 */
export function provenView(chain: ProvenChain, deployment: Deployment, parameters: CodeParameters): ChainView {
  const anchor = blockOf(chain.anchor.number);
  return {
    deployment,
    anchor,
    block: async (number) => blockOf(number),
    async events(wanted) {
      return chain.receipts.flatMap((receipt) => eventsIn(receipt, wanted)) as never; // decoded by the event that was wanted
    },
    async read(call, at = anchor.number) {
      return readIn({ ...call, args: call.args as readonly unknown[] }, at) as never; // as `call` says
    },
    async transaction(hash) {
      const { to, ...found } = chain.transaction(hash);
      return { ...found, to: to ?? null } as unknown as GetTransactionReturnType; // what gathering looks at is there
    },
    async receipt(hash) {
      return chain.receipt(hash) as unknown as TransactionReceipt; // what gathering looks at is there: the logs
    },
    hasCode: async (address) => chain.account(anchor.number, address).codeHash !== noCode,
    async requireAnchor() {
      // An anchor that is proven from stays.
    },
  };

  function blockOf(number: bigint): BlockRef {
    const { hash, timestamp } = chain.block(number);
    return { number, hash, timestamp };
  }

  function eventsIn<event extends AbiEvent>(receipt: ProvenReceipt, { address, event, args, block }: Wanted<event>) {
    const { blockNumber, transactionHash, transactionIndex } = receipt;
    if (block !== undefined && blockNumber !== block) return [];
    const topics = encodeEventTopics({ abi: [event] as AbiEvent[], eventName: event.name, args }) as TopicFilter;
    return receipt.logs
      .filter((log) => isAddressEqual(log.address, address) && fits(log, topics))
      .map((log) => ({
        block: blockOf(blockNumber),
        logIndex: transactionIndex * maxLogs + log.indexInTransaction,
        transactionHash,
        args: decoded(event, log, transactionHash),
      }));
  }

  function readIn(call: { address: Address; functionName: string; args: readonly unknown[] }, at: bigint): unknown {
    const constant = constantOf(call.functionName, deployment, parameters);
    if (constant !== undefined) return constant;
    const stored = storedRead(call.functionName, call.args);
    if (stored === undefined) throw notShown(call.functionName);
    const value = stored.read(stored.slots.map((slot) => chain.storage(at, call.address, slot)));
    if (value === undefined) throw refusal(call);
    return value;
  }
}

/** As the registry reverts for a key that it does not know: the one call here that does. */
function refusal({ functionName, args }: { functionName: string; args: readonly unknown[] }): ContractRefusedError {
  const errorName = "EnclaveRegistry_UnknownEnclave";
  const data = encodeErrorResult({ abi: enclaveRegistryAbi, errorName, args: [args[0] as Address] });
  return new ContractRefusedError(
    new ContractFunctionRevertedError({ abi: enclaveRegistryAbi, data, functionName }),
    undefined,
  );
}

type TopicFilter = readonly (Hex | readonly Hex[] | null | undefined)[];

function fits({ topics }: ProvenLog, wanted: TopicFilter): boolean {
  return wanted.every((topic, i) => topic === null || topic === undefined || topic === topics[i]);
}

function decoded(event: AbiEvent, { topics, data }: ProvenLog, transactionHash: Hex): unknown {
  try {
    return decodeEventLog({ abi: [event], topics: [...topics] as [Hex, ...Hex[]], data, strict: true }).args;
  } catch {
    throw new StrangeEventError(event.name, transactionHash); // viem throws for everything malformed
  }
}

/**
 * Why a call's answer cannot be had from proofs.
 *
 * @example
 * throw notShown("isValidSignature")
 */
export function notShown(functionName: string): NotShownError {
  return new NotShownError(
    functionName === "isValidSignature"
      ? "a contract's word on a signature (ERC-1271) is in no storage; the market asked it when it settled"
      : `what ${functionName} returns is in no storage that is proven`,
  );
}

/** A contract's event is not of the form that the contract gives it. */
export class StrangeEventError extends BaseError {
  override readonly name = "Bundle.StrangeEventError";
  constructor(event: string, transactionHash: Hex) {
    super(`${event} in transaction ${transactionHash} is not of its contract's form.`, {
      hint: "The deployment names other contracts than this project's.",
    });
  }
}
