/**
 * Room: sdk/audit/gather/chainView. The chain as one RPC tells it, looked at from one block. Answers that contradict
 * each other are an error: there is nothing to judge then.
 */
import type {
  Abi,
  AbiEvent,
  Address,
  Chain,
  ContractFunctionArgs,
  ContractFunctionName,
  ContractFunctionReturnType,
  GetTransactionReturnType,
  Hex,
  PublicClient,
  TransactionReceipt,
  Transport,
} from "viem";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { toTypedError } from "../../chainErrors.ts";
import type { Client } from "../../client.ts";
import { type EventLog, scanEvents } from "../../scanEvents.ts";
import type { BlockRef, Position } from "../evidence.ts";

type View = "view" | "pure";

/** An event with its position. */
export type Seen<event extends AbiEvent> = Position & { args: ArgsOf<event>; transactionHash: Hex };

type ArgsOf<event extends AbiEvent> = EventLog<event> extends { args: infer args } ? args : never;

/** Which events to look for, from the deployment's first block to the anchor. */
export type Wanted<event extends AbiEvent> = {
  address: Address;
  event: event;
  args: Readonly<Record<string, unknown>>;
  /** This block alone. */
  block?: bigint;
};

/** The chain, seen from `anchor`. All functions throw typed errors. */
export type ChainView = {
  deployment: Deployment;
  anchor: BlockRef;
  block(number: bigint): Promise<BlockRef>;
  events<const event extends AbiEvent>(wanted: Wanted<event>): Promise<Seen<event>[]>;
  /** At the anchor, or at an earlier block, which not every RPC can. */
  read<const abi extends Abi, name extends ContractFunctionName<abi, View>>(
    call: { address: Address; abi: abi; functionName: name; args: ContractFunctionArgs<abi, View, name> },
    at?: bigint,
  ): Promise<ContractFunctionReturnType<abi, View, name>>;
  transaction(hash: Hex): Promise<GetTransactionReturnType>;
  receipt(hash: Hex): Promise<TransactionReceipt>;
  hasCode(address: Address): Promise<boolean>;
  /** Refuses the view if its anchor is no longer on the chain. */
  requireAnchor(): Promise<void>;
};

/** Most events of one kind that are looked at. */
const maxEvents = 10_000;

/**
 * Looks at the chain from one block.
 *
 * @param at - block number; default: the head.
 * @throws {@link ContradictoryChainError} | {@link WrongAuditChainError} | RpcError
 * @example
 * const view = await openChainView(chain, deployment)
 */
export async function openChainView(chain: PublicClient, deployment: Deployment, at?: bigint): Promise<ChainView> {
  const client: Client = {
    chain: chain as PublicClient<Transport, Chain>, // the chain's definition is not used in reading
    deployment,
    marketDomain: domainOf(deployment.chainId, deployment.contracts.jobMarket),
  };
  const chainId = await typed(chain.getChainId());
  if (chainId !== deployment.chainId) throw new WrongAuditChainError(chainId, deployment.chainId);

  const blocks = new Map<bigint, Promise<BlockRef>>();
  const fetchBlock = async (number?: bigint): Promise<BlockRef> => {
    const found = await typed(chain.getBlock(number === undefined ? { blockTag: "latest" } : { blockNumber: number }));
    if (found.number === null || found.hash === null || (number !== undefined && found.number !== number))
      throw new ContradictoryChainError(`block ${number ?? "latest"} is another one`);
    return { number: found.number, hash: found.hash, timestamp: found.timestamp };
  };
  const block = (number: bigint) => {
    const known = blocks.get(number) ?? fetchBlock(number);
    blocks.set(number, known);
    return known;
  };
  const anchor = await fetchBlock(at);

  const view: ChainView = {
    deployment,
    anchor,
    block,
    async events(wanted) {
      const seen: Seen<typeof wanted.event>[] = [];
      for await (const log of scanEvents(client, rangeOf(wanted, anchor.number))) {
        const where = await block(log.blockNumber);
        if (where.hash !== log.blockHash)
          throw new ContradictoryChainError(`an event of block ${where.number} is of a fork`);
        if (seen.length >= maxEvents) throw new ContradictoryChainError(`more than ${maxEvents} events of one kind`);
        const { args } = log as unknown as { args: ArgsOf<typeof wanted.event> }; // decoded by the event that was wanted
        seen.push({ block: where, logIndex: log.logIndex, args, transactionHash: log.transactionHash });
      }
      return seen;
    },
    async read(call, at = anchor.number) {
      const loose = call as { address: Address; abi: Abi; functionName: string; args: readonly unknown[] };
      return (await typed(chain.readContract({ ...loose, blockNumber: at }))) as never; // as `call` says
    },
    async transaction(hash) {
      const found = await typed(chain.getTransaction({ hash }));
      if (found.hash !== hash) throw new ContradictoryChainError(`transaction ${hash} is another one`);
      return found;
    },
    async receipt(hash) {
      const found = await typed(chain.getTransactionReceipt({ hash }));
      if (found.transactionHash !== hash) throw new ContradictoryChainError(`the receipt of ${hash} is another one`);
      return found;
    },
    async hasCode(address) {
      return ((await typed(chain.getCode({ address, blockNumber: anchor.number }))) ?? "0x") !== "0x";
    },
    async requireAnchor() {
      const now = await fetchBlock(anchor.number);
      if (now.hash !== anchor.hash) throw new ContradictoryChainError(`block ${anchor.number} was reorganised away`);
    },
  };
  return view;
}

function rangeOf<event extends AbiEvent>({ block, ...wanted }: Wanted<event>, last: bigint) {
  return block === undefined ? { ...wanted, toBlock: last } : { ...wanted, fromBlock: block, toBlock: block };
}

async function typed<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/** The RPC's answers cannot all be true, or the chain changed while it was looked at. */
export class ContradictoryChainError extends BaseError {
  override readonly name = "Audit.ContradictoryChainError";
  constructor(fact: string) {
    super(`The chain's answers contradict each other: ${fact}.`, {
      hint: "Run the audit again; if it stays so, use another RPC.",
      retryable: true,
    });
  }
}

/** The RPC serves another chain than the deployment is on. */
export class WrongAuditChainError extends BaseError {
  override readonly name = "Audit.WrongAuditChainError";
  constructor(actual: number, expected: number) {
    super(`The RPC serves chain ${actual}, the deployment is on chain ${expected}.`, {
      hint: "Give an RPC of the deployment's chain.",
    });
  }
}

/** A view of proofs alone cannot tell what a call returns. */
export class NotShownError extends BaseError {
  override readonly name = "Audit.NotShownError";
  readonly fact: string;
  constructor(fact: string) {
    super(`This does not show offline: ${fact}.`, { hint: "Audit the job online, with an RPC of the chain." });
    this.fact = fact;
  }
}
