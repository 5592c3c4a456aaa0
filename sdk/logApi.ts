/**
 * Room: sdk/logApi. The worker's answers about logs as functions. Nothing is believed: see sdk/logProofs.
 * Mirrors `docs/HTTP.md`.
 */
import type { Address, Hex } from "viem";
import type { z } from "zod";
import {
  consistencySchema,
  inclusionSchema,
  type LogSummary,
  type LogView,
  logEntriesSchema,
  logsSchema,
  logViewSchema,
  maxEntriesAtOnce,
} from "../protocol/logJson.ts";
import { boundedFetch, serverUrl } from "./boundedFetch.ts";
import { BadAnswerError, type ExchangeOptions } from "./worker.ts";

/** 256 entries of 4 KiB, as JSON text in JSON. */
const maxAnswerBytes = 4 * 1024 * 1024;

async function get<T>(
  workerUrl: string,
  { path, query = {} }: { path: string; query?: Record<string, number> },
  schema: z.ZodType<T>,
  options: ExchangeOptions,
): Promise<T> {
  const url = serverUrl(workerUrl, path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const bytes = await boundedFetch(url, { ...options, maxBytes: maxAnswerBytes });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new BadAnswerError("GET /logs");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new BadAnswerError("GET /logs");
  return parsed.data;
}

/**
 * The logs that a worker tells of, newest first.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const [living] = await fetchLogs("https://worker.example")
 */
export async function fetchLogs(workerUrl: string, options: ExchangeOptions = {}): Promise<LogSummary[]> {
  return (await get(workerUrl, { path: "logs" }, logsSchema, options)).logs;
}

/**
 * A log's size and root, with the last signed word of its key.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`: 404 if it has no such log
 * @example
 * const { head } = await fetchLogView("https://worker.example", signingKey)
 */
export async function fetchLogView(workerUrl: string, logId: Address, options: ExchangeOptions = {}): Promise<LogView> {
  return await get(workerUrl, { path: `logs/${logId}` }, logViewSchema, options);
}

/**
 * Entries from one index to before another, as texts.
 *
 * @throws {@link BadAnswerError}, also if there are fewer | any error of `boundedFetch`
 * @example
 * const [boot] = await fetchLogEntries("https://worker.example", signingKey, { from: 0, to: 1 })
 */
export async function fetchLogEntries(
  workerUrl: string,
  logId: Address,
  { from, to }: { from: number; to: number },
  options: ExchangeOptions = {},
): Promise<string[]> {
  const entries: string[] = [];
  while (from + entries.length < to) {
    const query = { from: from + entries.length, count: Math.min(maxEntriesAtOnce, to - from - entries.length) };
    const page = await get(workerUrl, { path: `logs/${logId}/entries`, query }, logEntriesSchema, options);
    if (page.entries.length === 0 || page.entries.length > query.count) throw new BadAnswerError("GET /logs");
    for (const entry of page.entries) entries.push(entry);
  }
  return entries;
}

/**
 * An inclusion proof.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const proof = await fetchInclusion("https://worker.example", signingKey, { index: 0, size: 9 })
 */
export async function fetchInclusion(
  workerUrl: string,
  logId: Address,
  query: { index: number; size: number },
  options: ExchangeOptions = {},
): Promise<Hex[]> {
  return (await get(workerUrl, { path: `logs/${logId}/inclusion`, query }, inclusionSchema, options)).proof;
}

/**
 * A consistency proof.
 *
 * @throws {@link BadAnswerError} | any error of `boundedFetch`
 * @example
 * const proof = await fetchConsistency("https://worker.example", signingKey, { from: 3, to: 9 })
 */
export async function fetchConsistency(
  workerUrl: string,
  logId: Address,
  query: { from: number; to: number },
  options: ExchangeOptions = {},
): Promise<Hex[]> {
  return (await get(workerUrl, { path: `logs/${logId}/consistency`, query }, consistencySchema, options)).proof;
}
