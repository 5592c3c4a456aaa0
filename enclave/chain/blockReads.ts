/**
 * Room: enclave/chain. Asks a node once for what many jobs want to know: the state of a block, named by its hash, never
 * changes, and the newest block is the same for all who ask at once.
 */
import type { RpcClient } from "../../protocol/chain/rpc.ts";

/** Blocks whose reads are remembered, and reads of one block. */
const maxBlocks = 4;
const maxReads = 1024;
/** Longest answer that is remembered, in hex digits: a data set's record with a long URI. In all 32 MiB at most. */
const maxDigits = 8192;

type Request = { method: string; params?: readonly unknown[] };
type Send = (request: Request) => Promise<unknown>;

/**
 * A client that sends a read by block hash (`eth_call`) once and hands out its answer again, for the last few blocks. What
 * failed is asked again, and what was answered with nothing, as by a node that lacks the block's state. Whether the block is
 * still on the chain such an answer does not tell.
 *
 * @example
 * const reader = openReader(rememberReads(client), deployment)
 */
export function rememberReads(client: RpcClient): RpcClient {
  const send = client.request as Send; // as protocol/chain/rpc.ts has it
  const blocks = new Map<string, Map<string, Promise<unknown>>>();

  function readsOf(blockHash: string): Map<string, Promise<unknown>> {
    const reads = blocks.get(blockHash) ?? new Map<string, Promise<unknown>>();
    blocks.delete(blockHash);
    blocks.set(blockHash, reads); // the last used is the last
    const [oldest] = blocks.keys();
    if (blocks.size > maxBlocks && oldest !== undefined) blocks.delete(oldest);
    return reads;
  }

  async function request(asked: Request): Promise<unknown> {
    const [, block] = (asked.params ?? []) as [unknown, { blockHash?: unknown } | undefined];
    if (asked.method !== "eth_call" || typeof block?.blockHash !== "string") return send(asked);
    const reads = readsOf(block.blockHash);
    const key = JSON.stringify(asked.params);
    const known = reads.get(key);
    if (known !== undefined) return known;
    const answer = send(asked);
    if (reads.size >= maxReads) return answer;
    reads.set(key, answer);
    const forget = () => reads.delete(key);
    answer.then((data) => isWorthKeeping(data) || forget(), forget);
    return answer;
  }

  return { request };
}

/** Nothing, or no text, is no contract's answer: remembered, one bad moment of the node would last as long as the block. */
function isWorthKeeping(data: unknown): boolean {
  return typeof data === "string" && data !== "0x" && data.length <= maxDigits;
}

/**
 * Shares an answer with all who ask the same within a short time of when it was asked for. A failure is shared with those who wait
 * for it, and then asked anew.
 *
 * @param ms - how old an answer may be, in milliseconds: no more than one may take to come.
 * @example
 * const newest = sharing(200, () => headBlock(client, "latest"))
 */
export function sharing<Q extends readonly (bigint | string)[], T>(
  ms: number,
  ask: (...question: Q) => Promise<T>,
): (...question: Q) => Promise<T> {
  let last: { at: number; question: Q; answer: Promise<T> } | undefined;
  return (...question) => {
    const at = performance.now();
    const isAsked = last?.question.every((part, i) => part === question[i]);
    if (last !== undefined && isAsked && at - last.at <= ms) return last.answer;
    const asked = { at, question, answer: ask(...question) };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}
