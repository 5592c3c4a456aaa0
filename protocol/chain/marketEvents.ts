/**
 * Room: protocol/chain. Decodes the logs of the marketplace's contracts into typed events. Pure.
 * What a hash in the event can prove is checked here: an opened job is the order that its id is the hash of. A
 * settlement's receipt and order are in its transaction: see `settlementIn`.
 */
import {
  type Abi,
  type Address,
  type DecodeEventLogReturnType,
  decodeEventLog,
  type Hex,
  keccak256,
  size,
  stringToBytes,
} from "viem";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../abi.ts";
import { datasetIdOf } from "../attestationBinding.ts";
import type { Deployment } from "../deployment.ts";
import { domainOf, hashOrder, hashSession } from "../eip712.ts";
import { maxParamsBytes, maxProgramUriBytes } from "../limits.ts";
import { orderSchema, orderToJson } from "../receiptJson.ts";
import type { ChainLog } from "./chainSource.ts";
import type { BlockRef } from "./cursor.ts";
import type { ChainEvent } from "./followChain.ts";

/** Where on the chain an event is. */
export type EventPosition = {
  address: Address;
  blockNumber: bigint;
  blockHash: Hex;
  transactionHash: Hex;
  logIndex: number;
};

type Placed<E> = E extends unknown ? E & EventPosition : never;

/** An event of one of the contracts: `eventName`, `args` as in its interface, and where it is. */
export type MarketEvent = Placed<
  | DecodeEventLogReturnType<typeof jobMarketAbi>
  | DecodeEventLogReturnType<typeof datasetRegistryAbi>
  | DecodeEventLogReturnType<typeof enclaveRegistryAbi>
>;

/** One kind of {@link MarketEvent}. */
export type MarketEventOf<Name extends MarketEvent["eventName"]> = Extract<MarketEvent, { eventName: Name }>;

/** What happened on the chain, decoded. */
export type MarketChainEvent =
  | { type: "reorg"; ancestor: bigint; dropped: readonly BlockRef[] }
  | { type: "market"; event: MarketEvent };

/**
 * Decodes the events of a step.
 *
 * @param deployment - whose contracts are meant; logs of others are skipped.
 * @returns the events in order, and how many logs were skipped as unknown, undecodable or not what their hashes say.
 * @example
 * const { events, skipped } = decodeMarketEvents(deployment, step.events)
 */
export function decodeMarketEvents(deployment: Deployment, events: readonly ChainEvent[]) {
  const decoded: MarketChainEvent[] = [];
  let skipped = 0;
  for (const event of events) {
    if (event.type === "reorg") decoded.push(event);
    else {
      const market = decodeMarketLog(deployment, event.log);
      if (market === undefined) skipped++;
      else decoded.push({ type: "market", event: market });
    }
  }
  return { events: decoded, skipped };
}

/**
 * Decodes one log.
 *
 * @returns undefined if it is not a well-formed event of the deployment's contracts.
 * @example
 * const event = decodeMarketLog(deployment, log)
 * if (event?.eventName === "JobOpened") console.log(event.args.jobId)
 */
export function decodeMarketLog(deployment: Deployment, log: ChainLog): MarketEvent | undefined {
  const abi = abiOf(deployment, log.address);
  if (abi === undefined) return undefined;
  try {
    const { eventName, args } = decodeEventLog({ abi, topics: [...log.topics] as [], data: log.data, strict: true });
    const { address, blockNumber, blockHash, transactionHash, logIndex } = log;
    const position: EventPosition = { address, blockNumber, blockHash, transactionHash, logIndex };
    const event = { eventName, args, ...position } as unknown as MarketEvent; // decoded by the very ABI of the type
    return isTrue(deployment, event) ? event : undefined;
  } catch {
    return undefined; // viem throws for everything malformed; the caller counts it
  }
}

function abiOf({ contracts }: Deployment, emitter: Address): Abi | undefined {
  const same = (contract: Address) => contract.toLowerCase() === emitter.toLowerCase();
  if (same(contracts.jobMarket)) return jobMarketAbi;
  if (same(contracts.datasetRegistry)) return datasetRegistryAbi;
  if (same(contracts.enclaveRegistry)) return enclaveRegistryAbi;
  return undefined;
}

/** Whether an event agrees with the hashes it carries. The contracts would emit no other. */
function isTrue(deployment: Deployment, event: MarketEvent): boolean {
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  switch (event.eventName) {
    case "JobOpened": {
      const { jobId, order, params, programUri } = event.args;
      return (
        size(params) <= maxParamsBytes &&
        stringToBytes(programUri).length <= maxProgramUriBytes &&
        orderSchema.safeParse(orderToJson(order)).success &&
        keccak256(params) === order.paramsHash &&
        hashOrder(domain, order) === jobId
      );
    }
    case "SessionOpened": {
      const { sessionId, order, terms } = event.args;
      return orderSchema.safeParse(orderToJson(order)).success && hashSession(domain, order, terms) === sessionId;
    }
    case "DatasetRegistered": {
      const { datasetId, owner, contentHash, salt } = event.args;
      return datasetIdOf(owner, contentHash, salt) === datasetId;
    }
    default:
      return true;
  }
}
