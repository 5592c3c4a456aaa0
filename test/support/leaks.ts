/** Looks for secrets, however they may be written, in bytes, files, processes, a chain. For tests. */
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TestChain } from "./chain.ts";

/** A secret by name, in every form in which it might turn up. */
export type Traces = ReadonlyMap<string, Buffer>;

/** Larger files are not read: nothing here writes any. */
const maxFileBytes = 64 * 1024 * 1024;

/**
 * The forms of secrets: as it is, UTF-16, hex, JSON numbers, base64 in all three alignments.
 *
 * @example
 * const traces = tracesOf({ canary: "CANARY-1f" })
 */
export function tracesOf(secrets: Readonly<Record<string, string | Uint8Array>>): Traces {
  const traces = new Map<string, Buffer>();
  for (const [name, secret] of Object.entries(secrets)) {
    const bytes = Buffer.from(secret);
    const add = (form: string, trace: Buffer | string) => traces.set(`${name} as ${form}`, Buffer.from(trace));
    add("bytes", bytes);
    add("hex", bytes.toString("hex"));
    add("HEX", bytes.toString("hex").toUpperCase());
    add("numbers", [...bytes].join(","));
    add("spaced numbers", [...bytes].join(", "));
    if (typeof secret === "string") {
      const utf16 = Buffer.from(secret, "utf16le");
      add("UTF-16LE", utf16);
      add("UTF-16BE", Buffer.from(utf16).swap16());
      add("lower case", secret.toLowerCase());
    }
    for (const alignment of [0, 1, 2]) {
      // What a neighbour's bits would change is cut off at both ends.
      const padded = Buffer.concat([Buffer.alloc(alignment), bytes]);
      const whole = padded.subarray(0, padded.length - (padded.length % 3));
      const skipped = alignment === 0 ? 0 : 4;
      add(`base64 at ${alignment}`, whole.toString("base64").slice(skipped));
      add(`base64url at ${alignment}`, whole.toString("base64url").slice(skipped));
    }
  }
  return traces;
}

/** Which traces are in some bytes or text; each as "where: trace". */
export function leaksIn(traces: Traces, where: string, found: Uint8Array | string): string[] {
  const bytes = Buffer.from(found);
  return [...traces].filter(([, trace]) => bytes.includes(trace)).map(([name]) => `${where}: ${name}`);
}

/**
 * Which traces are in the files of a folder, or in their names.
 *
 * @param since - only files changed then or later, in ms since 1970.
 * @returns `files`: how many were read.
 */
export async function leaksInFiles(
  traces: Traces,
  folder: string,
  since = 0,
  skip: readonly string[] = [],
): Promise<{ leaks: string[]; files: number }> {
  const leaks: string[] = [];
  let files = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (skip.includes(entry.name) || skip.includes(path)) continue;
    if (entry.isDirectory()) {
      const inner = await leaksInFiles(traces, path, since, skip);
      leaks.push(...inner.leaks);
      files += inner.files;
    } else if (entry.isFile()) {
      const facts = await stat(path).catch(() => undefined); // others work in the same place: files come and go
      if (facts === undefined || facts.size > maxFileBytes || Math.max(facts.mtimeMs, facts.ctimeMs) < since) continue;
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) continue;
      files += 1;
      leaks.push(...leaksIn(traces, path, bytes), ...leaksIn(traces, path, entry.name));
    }
  }
  return { leaks, files };
}

/** Which traces are on a chain: in calldata, events, or anything else that a node tells of its blocks. */
export async function leaksOnChain(
  traces: Traces,
  chain: TestChain,
): Promise<{ leaks: string[]; transactions: number }> {
  const leaks: string[] = [];
  let transactions = 0;
  const newest = await chain.public.getBlockNumber();
  const look = (where: string, told: unknown, ...data: string[]) => {
    leaks.push(...leaksIn(traces, where, json(told)));
    for (const hex of data) leaks.push(...leaksIn(traces, where, Buffer.from(hex.slice(2), "hex")));
  };
  for (let number = 0n; number <= newest; number++) {
    const block = await chain.public.getBlock({ blockNumber: number, includeTransactions: true });
    transactions += block.transactions.length;
    look(`block ${number}`, block, block.extraData, ...block.transactions.map(({ input }) => input));
  }
  for (const log of await chain.public.getLogs({ fromBlock: 0n, toBlock: newest })) {
    look(`event in block ${log.blockNumber}`, log, log.data, ...log.topics);
  }
  return { leaks, transactions };
}

/**
 * What Linux shows of a process and all below it: command lines, environments, open files. Nothing of a process that has
 * ended, reaped or not, and nothing on other systems. `dumping`: those that may write a core file.
 */
export async function watchProcessTree(pid: number): Promise<{ pids: number[]; dumping: number[]; shown: Buffer }> {
  const pids = [pid];
  const dumping: number[] = [];
  const shown: Buffer[] = [];
  for (const each of pids) {
    const read = (file: string) => readFile(`/proc/${each}/${file}`).catch(() => Buffer.alloc(0));
    shown.push(await read("cmdline"), await read("environ"));
    if (/^Max core file size +(?! |0 +0 )/m.test((await read("limits")).toString())) dumping.push(each);
    for (const fd of await readdir(`/proc/${each}/fd`).catch(() => [])) {
      shown.push(Buffer.from(await readlink(`/proc/${each}/fd/${fd}`).catch(() => "")));
    }
    pids.push(...(await read(`task/${each}/children`)).toString().split(" ").filter(Boolean).map(Number));
  }
  return { pids, dumping, shown: Buffer.concat(shown) };
}

function json(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));
}
