/**
 * Room: protocol/chain. JSON-RPC calls with a deadline, raw: nothing is believed before its shape is checked.
 * Raw also because viem's `call` follows CCIP-Read answers, which lets a hostile node send us to any URL.
 */
import { type Hex, BaseError as ViemError } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";
import { hexUpTo } from "../schemas.ts";
import { InconsistentSourceError } from "./chainSource.ts";

/** What can send JSON-RPC requests: a viem client of any kind. */
export type RpcClient = { request: unknown };

/** Sends one request and checks its answer against a schema. */
export type Rpc = <T extends z.ZodType>(method: string, params: readonly unknown[], answer: T) => Promise<z.output<T>>;

/** A block number, index or gas amount in an answer: hex, below 2^52. */
export const rpcCount = z
  .string()
  .regex(/^0x(0|[1-9a-f][0-9a-f]{0,12})$/)
  .transform(BigInt);

/** An amount of wei in an answer. */
export const rpcAmount = z
  .string()
  .regex(/^0x(0|[1-9a-f][0-9a-f]{0,63})$/)
  .transform(BigInt);

/**
 * Makes a {@link Rpc} of a client.
 *
 * @param client - give it `retryCount: 0`; whoever calls decides about retries.
 * @param timeoutMs - longest wait for one answer, whatever the client's transport does.
 * @throws {@link RpcFailedError} from each call that fails or takes too long, {@link InconsistentSourceError} if the
 * answer is malformed.
 * @example
 * const rpc = openRpc(client, 10_000)
 * const chainId = await rpc("eth_chainId", [], rpcCount)
 */
export function openRpc(client: RpcClient, timeoutMs: number): Rpc {
  // viem types `request` by a table of methods; the schema given by the caller is the type here.
  const request = client.request as (args: { method: string; params: readonly unknown[] }) => Promise<unknown>;
  return async function rpc(method, params, answer) {
    const result = await answered(method, request({ method, params }), timeoutMs);
    const parsed = answer.safeParse(result);
    if (!parsed.success) throw new InconsistentSourceError(`its answer to ${method} is malformed`);
    return parsed.data;
  };
}

/**
 * Waits for one of viem's own calls: bounded in time, and with its failure in our terms, which callers retry.
 *
 * @throws {@link RpcFailedError}
 * @example
 * const block = await answered("eth_getBlockByHash", client.getBlock({ blockHash }))
 */
export async function answered<T>(method: string, work: Promise<T>, timeoutMs = 10_000): Promise<T> {
  try {
    return await withTimeout(work, timeoutMs);
  } catch (error) {
    throw toRpcError(method, error);
  }
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // a late failure has nobody left to tell
  }
}

const revertData = hexUpTo(64 * 1024);

function toRpcError(method: string, error: unknown): RpcFailedError {
  if (error instanceof LateError) return new RpcFailedError(method, `no answer within ${error.timeoutMs} ms`);
  let code: number | undefined;
  let status: number | undefined;
  let data: Hex | undefined;
  for (let e: unknown = error, i = 0; typeof e === "object" && e !== null && i < 8; i++) {
    const fields = e as { code?: unknown; status?: unknown; data?: unknown; cause?: unknown };
    if (code === undefined && typeof fields.code === "number") code = fields.code;
    if (status === undefined && typeof fields.status === "number") status = fields.status;
    const inner = (fields.data as { data?: unknown } | null | undefined)?.data; // Hardhat wraps it once more
    data ??= revertData.safeParse(inner ?? fields.data).data;
    e = fields.cause;
  }
  // Words only of a JSON-RPC answer: those of a gateway in between may repeat the key that it was asked with.
  const words = error instanceof ViemError ? error.shortMessage : "the request failed";
  const details = code !== undefined && error instanceof ViemError ? error.details : "";
  const reason = status === undefined ? `${words} ${details}` : `HTTP status ${status}`;
  return new RpcFailedError(method, printable(reason), code, data);
}

/**
 * Somebody else's words: one short line of plain characters, without addresses of servers (they may hold API keys).
 *
 * @example
 * printable(error.message)
 */
export function printable(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "(url)")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 300);
}

class LateError extends Error {
  readonly timeoutMs: number;
  constructor(timeoutMs: number) {
    super();
    this.timeoutMs = timeoutMs;
  }
}

/**
 * A request to the RPC provider failed or took too long. Its cause is told in words, not attached: viem's errors hold
 * the URL, and the URL may hold the operator's API key.
 */
export class RpcFailedError extends BaseError {
  override readonly name = "Chain.RpcFailedError";
  readonly method: string;
  readonly reason: string;
  /** JSON-RPC error code, if the node answered with one. */
  readonly code: number | undefined;
  /** What a contract reverted with. */
  readonly data: Hex | undefined;
  constructor(method: string, reason: string, code?: number, data?: Hex) {
    super(`${method} failed: ${reason}.`, {
      hint: "Retried where that is safe. If it stays, check the RPC provider and its limits.",
      retryable: true,
    });
    this.method = method;
    this.reason = reason;
    this.code = code;
    this.data = data;
  }
}
