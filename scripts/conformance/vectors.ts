/**
 * Room: scripts/conformance. Reads a folder of vectors: index.json, quotes, collateral. Nothing in it is believed; what
 * is wrong with one pair is that pair's error.
 */
import { isAbsolute, join, normalize, sep } from "node:path";
import { z } from "zod";
import { type Collateral, collateralFiles } from "../../protocol/collateral/collateral.ts";
import { readCrl } from "../../protocol/collateral/crl.ts";
import { readQeIdentity } from "../../protocol/collateral/qeIdentity.ts";
import { readTcbInfo } from "../../protocol/collateral/tcbInfo.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { splitQuote } from "../../protocol/quote/parseQuote.ts";
import { readBounded, readText } from "../../sdk/node/files.ts";

const maxIndexBytes = 16 * 1024 * 1024;
/** Far beyond what is taken anywhere: the contracts are to say what is too long. */
const maxFileBytes = 128 * 1024;
/** Pairs without a time of their own are left out where all together would be more: of N forgeries, N x N say nothing. */
const maxCrossed = 1000;
const hourSeconds = 3600;
/** Far beyond every date in collateral, and within what an EVM starts at. Unix seconds. */
const maxTime = 2 ** 40;

const name = z.string().max(200);
const path = z.string().max(500);
const indexSchema = z.object({
  quotes: z.record(name, z.object({ file: path })),
  collateral: z.record(name, z.object({ dir: path, window: z.array(z.string()).nullish().catch(undefined) })),
  verdicts: z
    .array(
      z.object({
        quote: name,
        collateral: name,
        at: z.int().min(1).max(maxTime),
      }),
    )
    .nullish(),
});

/** One run: names as in the index, time in Unix seconds. */
export type Pair = { quote: string; collateral: string; at: number };

/** What was read, or why it could not be. */
export type Read<T> = { value: T } | { error: BaseError };

/** A folder of vectors. Files are read once. */
export type Vectors = {
  pairs: readonly Pair[];
  /** How many pairs were left out. */
  leftOut: number;
  quote(name: string): Promise<Read<Uint8Array>>;
  collateral(name: string): Promise<Read<Collateral>>;
};

/**
 * Opens a folder of vectors. Its pairs: each entry of `verdicts` at its time; then every quote with every collateral that
 * has no entry, an hour after the later of the collateral's and the PCK leaf's first second. The latter are left out
 * where there are entries and more than a thousand pairs.
 *
 * @throws {@link BadIndexError} if index.json cannot be used
 * @example
 * const { pairs } = await openVectors("test/vectors/tdx")
 */
export async function openVectors(directory: string): Promise<Vectors> {
  const index = await readIndex(join(directory, "index.json"));
  const quote = cached(async (key) => await readInside(directory, index.quotes[key]?.file, key));
  const collateral = cached(async (key) => await readBundle(directory, index.collateral[key]?.dir, key));
  const pairs: Pair[] = (index.verdicts ?? []).map(({ quote: q, collateral: c, at }) => ({
    quote: q,
    collateral: c,
    at,
  }));
  const listed = new Set(pairs.map((pair) => JSON.stringify([pair.quote, pair.collateral])));
  const crossed = Object.keys(index.quotes).length * Object.keys(index.collateral).length;
  if (pairs.length === 0 && crossed === 0) throw new BadIndexError(join(directory, "index.json"), "it names no pair");
  if (pairs.length > 0 && crossed > maxCrossed)
    return { pairs, leftOut: Math.max(0, crossed - listed.size), quote, collateral };
  for (const q of Object.keys(index.quotes))
    for (const [c, { window }] of Object.entries(index.collateral)) {
      if (listed.has(JSON.stringify([q, c]))) continue;
      const starts = [windowStart(window) ?? collateralStart(await collateral(c)), leafStart(await quote(q))];
      pairs.push({ quote: q, collateral: c, at: Math.min(Math.max(0, ...starts) + hourSeconds, maxTime) });
    }
  return { pairs, leftOut: 0, quote, collateral };
}

async function readIndex(file: string): Promise<z.output<typeof indexSchema>> {
  try {
    return indexSchema.parse(JSON.parse(await readText(file, maxIndexBytes)));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const fact = issue === undefined ? "not readable JSON" : `${issue.path.join(".")}: ${issue.message}`;
    throw new BadIndexError(file, cause instanceof BaseError ? cause.message : fact, cause);
  }
}

function requireInside(path: string, key: string): string {
  if (isAbsolute(path) || normalize(path).split(sep)[0] === "..")
    throw new BadVectorError(key, `lies outside: ${path}`);
  return path;
}

/** A file named by the index, which must lie in its folder. */
async function readInside(directory: string, file: string | undefined, key: string): Promise<Uint8Array> {
  if (file === undefined) throw new BadVectorError(key, "is not in index.json");
  return await readBounded(join(directory, requireInside(file, key)), maxFileBytes);
}

async function readBundle(directory: string, dir: string | undefined, key: string): Promise<Collateral> {
  if (dir === undefined) throw new BadVectorError(key, "is not in index.json");
  const parts = Object.entries(collateralFiles) as [keyof Collateral, string][];
  const read = parts.map(async ([part, file]) => [part, await readInside(directory, join(dir, file), key)] as const);
  return Object.fromEntries(await Promise.all(read)) as Collateral; // one entry a part
}

function cached<T>(read: (key: string) => Promise<T>): (key: string) => Promise<Read<T>> {
  const known = new Map<string, Promise<Read<T>>>();
  return (key) => {
    const found = known.get(key) ?? settle(read(key));
    known.set(key, found);
    return found;
  };
}

async function settle<T>(reading: Promise<T>): Promise<Read<T>> {
  try {
    return { value: await reading };
  } catch (error) {
    if (error instanceof BaseError) return { error };
    throw error;
  }
}

/* TIMES */

function windowStart(window: readonly string[] | null | undefined): number | undefined {
  const time = Date.parse(window?.[0] ?? "");
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** 0 where nothing can be read: then every check of a date says so. */
function collateralStart(read: Read<Collateral>): number {
  if ("error" in read) return 0;
  const { value } = read;
  return firstOf(
    () => readTcbInfo(value.tcbInfo).issueDate,
    () => readQeIdentity(value.qeIdentity).issueDate,
    () => readCrl(value.pckCrl).thisUpdate,
    () => readCrl(value.rootCaCrl).thisUpdate,
  );
}

function leafStart(read: Read<Uint8Array>): number {
  if ("error" in read) return 0;
  return firstOf(() => readCertificate(Uint8Array.fromHex(splitQuote(read.value).pckLeaf.slice(2))).notBefore);
}

function firstOf(...reads: readonly (() => number)[]): number {
  let latest = 0;
  for (const read of reads) {
    try {
      latest = Math.max(latest, read());
    } catch (error) {
      if (!(error instanceof BaseError)) throw error; // What cannot be read is refused by the verifiers.
    }
  }
  return latest;
}

/** index.json cannot be used: there is nothing to run. */
export class BadIndexError extends BaseError {
  override readonly name = "Conformance.BadIndexError";
  constructor(file: string, fact: string, cause?: unknown) {
    super(`${file} cannot be used: ${fact.replace(/\.$/, "")}.`, {
      hint: "Give a folder with an index.json like that of test/vectors/tdx: quotes, collateral, verdicts.",
      cause,
    });
  }
}

/** A quote or a collateral of the index cannot be read. */
export class BadVectorError extends BaseError {
  override readonly name = "Conformance.BadVectorError";
  constructor(key: string, fact: string) {
    super(`${key} ${fact}.`, { hint: "Paths in index.json are relative to its folder and stay inside." });
  }
}
