/** Room: cli/commands/watch. `dcm watch`: the market's events as they come, one line each. */
import type { Command } from "commander";
import type { HeadPolicy } from "../../protocol/chain/viemSource.ts";
import { plainText } from "../../sdk/plainText.ts";
import type { WatchCursor } from "../../sdk/watchCursor.ts";
import type { MarketNews } from "../../sdk/watchMarket.ts";
import { connect } from "../context.ts";
import { UsageError } from "../failure.ts";
import { type GlobalOptions, progress } from "../output.ts";
import { integer } from "../parse.ts";

type WatchOptions = GlobalOptions & { cursor?: string; follow?: boolean; head: string; pollSeconds: number };

/** A cursor remembers up to 4,096 blocks, of some 200 bytes each. */
const maxCursorBytes = 2 * 1024 * 1024;
/** After so many lines the cursor is written, besides at the head and at the end. */
const saveEvery = 100;

/**
 * Adds the command.
 *
 * @example
 * addWatchCommand(program)
 */
export function addWatchCommand(program: Command): void {
  program
    .command("watch")
    .description("print the market's events and reorgs, one line each; with --json one JSON value a line")
    .option("--cursor <file>", "go on where this file says, and keep it up to date; made if there is none")
    .option("--follow", "go on with what comes, until Ctrl-C")
    .option("--head <which>", "newest block that counts: latest, safe or finalized", "latest")
    .option("--poll-seconds <n>", "how often the chain is looked at", integer(1, 3600), 2)
    .addHelpText(
      "after",
      `
After a reorg, what was printed of blocks above its ancestor is void. A crash may print the last lines once more.

Example:
  $ dcm watch --cursor market.cursor --follow --json`,
    )
    .action(async (_: unknown, command: Command) => await watch(command.optsWithGlobals<WatchOptions>()));
}

async function watch(options: WatchOptions): Promise<void> {
  const head = headOf(options.head);
  const { client, simulated } = await connect(options);
  const { watchMarket } = await import("../../sdk/watchMarket.ts");
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  if (simulated) progress("SIMULATED: the enclaves of this deployment keep nothing secret.");

  let cursor = await readCursor(options.cursor);
  let unsaved = 0;
  const save = async () => {
    if (unsaved > 0 && cursor !== undefined) await writeCursor(options.cursor, cursor);
    unsaved = 0;
  };
  const news = watchMarket(client, {
    signal: stop.signal,
    head,
    pollMs: options.pollSeconds * 1000,
    ...(cursor === undefined ? {} : { cursor }),
    onFailure: (error) => progress(`The RPC failed (${error instanceof Error ? error.name : "?"}). Trying again.`),
    onBadLog: ({ blockNumber, logIndex }) => progress(`Log ${logIndex} of block ${blockNumber} is no event: left out.`),
  });
  try {
    for await (const one of news) {
      cursor = one.cursor;
      unsaved++;
      if (one.type !== "caughtUp") process.stdout.write(`${options.json ? toJson(one) : toLine(one)}\n`);
      if (one.type === "caughtUp" || unsaved >= saveEvery) await save();
      if (one.type === "caughtUp" && !options.follow) break;
    }
  } finally {
    await save();
  }
}

function headOf(text: string): HeadPolicy {
  if (text === "latest" || text === "safe" || text === "finalized") return text;
  throw new UsageError(`There is no head "${plainText(text, 40)}".`, { hint: "Give latest, safe or finalized." });
}

async function readCursor(path: string | undefined): Promise<WatchCursor | undefined> {
  if (path === undefined) return undefined;
  const { isMissing, readText } = await import("../../sdk/node/files.ts");
  const { BadWatchCursorError, readWatchCursor } = await import("../../sdk/watchCursor.ts");
  const text = await readText(path, maxCursorBytes).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  if (text === undefined) return undefined;
  try {
    return readWatchCursor(JSON.parse(text));
  } catch (cause) {
    throw cause instanceof BadWatchCursorError ? cause : new BadWatchCursorError(cause);
  }
}

async function writeCursor(path: string | undefined, cursor: WatchCursor): Promise<void> {
  if (path === undefined) return;
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  const { watchCursorToJson } = await import("../../sdk/watchCursor.ts");
  await writeAtomic(path, `${JSON.stringify(watchCursorToJson(cursor))}\n`, { mode: 0o600, overwrite: true });
}

function toJson(news: MarketNews): string {
  const { cursor: _, ...shown } = news;
  const text = JSON.stringify(shown, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
  // Strangers' text: what moves a terminal's cursor or turns its direction is escaped.
  return text.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Block, name and the plain arguments; structs only with --json. */
function toLine(news: MarketNews): string {
  if (news.type === "caughtUp") return `head ${news.head}`;
  if (news.type === "reorg") return `reorg: what was told of blocks above ${news.ancestor} is void`;
  const { blockNumber, eventName, args } = news.event;
  const plain = Object.entries(args as Record<string, unknown>)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name}=${plainText(String(value), 80)}`);
  return [`block ${blockNumber}`, eventName, ...plain].join("  ");
}
