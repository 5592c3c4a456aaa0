/**
 * Room: sdk/scanEvents. Reads contract events in bounded ranges. The RPC is not believed: logs of another contract or
 * outside the range asked for are an error.
 */
import {
  type AbiEvent,
  type Address,
  type GetLogsReturnType,
  HttpRequestError,
  isAddressEqual,
  BaseError as ViemError,
} from "viem";
import { BaseError } from "../protocol/errors.ts";
import { toTypedError } from "./chainErrors.ts";
import type { Client } from "./client.ts";

/** Most blocks asked for at once. */
export const maxSpan = 10_000n;
const minSpan = 16n;

/** Which events to read. */
export type EventFilter<event extends AbiEvent> = {
  address: Address;
  /** One event, or several that are read together, in their common order. */
  event: event | readonly event[];
  /** Values of indexed arguments, if it is one event. */
  args?: Readonly<Record<string, unknown>>;
  /** First block; default: the deployment's. */
  fromBlock?: bigint;
  /** Last block; default: the head. */
  toBlock?: bigint;
  newestFirst?: boolean;
};

/** A decoded event of a mined block. */
export type EventLog<event extends AbiEvent> = event extends AbiEvent // one type for each of several
  ? GetLogsReturnType<event, [event], true, bigint, bigint>[number]
  : never;

/**
 * Yields events in order, or the newest first. Halves the range when the RPC refuses it, and grows it again.
 *
 * @throws {@link ForeignLogError} | RpcError
 * @example
 * for await (const log of scanEvents(client, { address, event })) console.log(log.args)
 */
export async function* scanEvents<const event extends AbiEvent>(
  client: Client,
  filter: EventFilter<event>,
): AsyncGenerator<EventLog<event>> {
  const first = filter.fromBlock ?? BigInt(client.deployment.fromBlock);
  const last = filter.toBlock ?? (await headOf(client));
  let span = maxSpan;
  let low = first;
  let high = last;
  while (low <= high) {
    const from = filter.newestFirst ? max(low, high - span + 1n) : low;
    const to = filter.newestFirst ? high : min(high, low + span - 1n);
    const logs = await logsOf(client, filter, from, to).catch((cause: unknown) => {
      if (span <= minSpan || isUnreachable(cause)) throw toTypedError(cause);
    });
    if (logs === undefined) {
      span /= 2n;
      continue;
    }
    yield* filter.newestFirst ? logs.toReversed() : logs;
    if (filter.newestFirst) high = from - 1n;
    else low = to + 1n;
    span = min(maxSpan, span * 2n);
  }
}

/**
 * The first event that fits, or undefined.
 *
 * @example
 * const opened = await findEvent(client, { address, event, args: { jobId } })
 */
export async function findEvent<const event extends AbiEvent>(
  client: Client,
  filter: EventFilter<event>,
): Promise<EventLog<event> | undefined> {
  for await (const log of scanEvents(client, filter)) return log;
  return undefined;
}

/**
 * Number of the newest block.
 *
 * @throws RpcError
 * @example
 * const head = await headOf(client)
 */
export async function headOf(client: Client): Promise<bigint> {
  return await client.chain.getBlockNumber({ cacheTime: 0 }).catch((cause) => {
    throw toTypedError(cause);
  });
}

async function logsOf<const event extends AbiEvent>(
  client: Client,
  filter: EventFilter<event>,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<EventLog<event>[]> {
  const { address, event, args } = filter;
  const wanted = Array.isArray(event) ? { events: event as readonly AbiEvent[] } : { event: event as AbiEvent, args };
  const logs = await client.chain.getLogs({ ...wanted, address, fromBlock, toBlock, strict: true });
  for (const log of logs) {
    const inRange = log.blockNumber !== null && log.blockNumber >= fromBlock && log.blockNumber <= toBlock;
    if (!isAddressEqual(log.address, address) || !inRange || log.removed) throw new ForeignLogError(address);
  }
  return logs as unknown as EventLog<event>[]; // `event` went in, so these are its logs
}

/** No answer at all: asking for less does not help. */
function isUnreachable(cause: unknown): boolean {
  if (cause instanceof BaseError) return true;
  const http = cause instanceof ViemError ? cause.walk((error) => error instanceof HttpRequestError) : null;
  return http instanceof HttpRequestError && http.status === undefined;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The RPC answered with logs that were not asked for. */
export class ForeignLogError extends BaseError {
  override readonly name = "ScanEvents.ForeignLogError";
  constructor(address: Address) {
    super(`The RPC answered with logs that are not of ${address} or not of the blocks asked for.`, {
      hint: "The RPC is faulty or lies. Use another one.",
    });
  }
}
