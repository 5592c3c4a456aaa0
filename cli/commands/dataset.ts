/** Room: cli/commands/dataset. `dcm dataset`: publish, list, search, show, export the key. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Metadata } from "../../protocol/metadata.ts";
import type { Client } from "../../sdk/client.ts";
import type { DatasetListing } from "../../sdk/datasets.ts";
import { accountOf, accountOrZero } from "../accounts.ts";
import { connect, connectWallet, type ReadContext } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, fields, type GlobalOptions, type Output, progress, table } from "../output.ts";
import { id, integer, texts } from "../parse.ts";

type AddOptions = GlobalOptions & {
  title: string;
  price: string;
  token?: string;
  topic?: string;
  description?: string;
  keywords?: string;
  format: Metadata["format"];
  licence?: string;
  profile: boolean;
  upload?: string[];
  uri?: string;
  out?: string;
};
type ListOptions = GlobalOptions & { owner?: string; limit: number };

/**
 * Adds the commands.
 *
 * @example
 * addDatasetCommands(program)
 */
export function addDatasetCommands(program: Command): void {
  const dataset = program
    .command("dataset")
    .description("publish and find data sets")
    .addHelpText("after", "\nExample:\n  $ dcm dataset list");

  dataset
    .command("add")
    .description("encrypt a file and register it; title, columns and counts become public, the content does not")
    .argument("<file>", "the file; it is read, not changed")
    .requiredOption("--title <text>", "what it is")
    .requiredOption("--price <amount>", "asked for one use, in whole units, e.g. 2.50")
    .option("--token <address>", "token of the price (default: the native coin)")
    .option("--topic <text>", "field it belongs to")
    .option("--description <text>", "a few sentences")
    .option("--keywords <list>", "comma-separated")
    .option("--format <format>", "csv, json or text", format, "csv")
    .option("--licence <text>", "e.g. CC-BY-4.0")
    .option("--no-profile", "do not publish columns, number of records and time range of a CSV file")
    .option("--upload <url>", "worker that stores the ciphertext (repeatable)", texts)
    .option("--uri <uri>", "where you will put the ciphertext yourself; needs --out")
    .option("--out <file>", "write the ciphertext here")
    .addHelpText(
      "after",
      `
Example:
  $ dcm dataset add co2.csv --title "CO2 at Mauna Loa" --price 2.50 --token 0x... --upload http://127.0.0.1:8080
  $ dcm dataset add co2.csv --title "CO2" --price 0 --uri https://example.org/co2.age --out co2.age`,
    )
    .action(answer(add));

  dataset
    .command("list")
    .description("registered data sets, the newest first")
    .option("--owner <address>", "of this provider only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .addHelpText("after", "\nExample:\n  $ dcm dataset list --limit 20")
    .action(
      answer(async (options: ListOptions) => {
        const context = await connect(options);
        const { listDatasets } = await import("../../sdk/datasets.ts");
        return await listing(context, await listDatasets(context.client, await filterOf(options)));
      }),
    );

  dataset
    .command("search")
    .description("data sets whose title, topic, keywords, description or columns contain every word")
    .argument("<words...>", "in any case")
    .option("--owner <address>", "of this provider only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .addHelpText("after", "\nExample:\n  $ dcm dataset search temperature year")
    .action(
      answer(async (options: ListOptions, words: string[]) => {
        const context = await connect(options);
        const { searchDatasets } = await import("../../sdk/datasets.ts");
        return await listing(context, await searchDatasets(context.client, words.join(" "), await filterOf(options)));
      }),
    );

  dataset
    .command("key")
    .description("write a data set's key to a file of your own: whoever has it can read the data set")
    .argument("<id>", "your data set", id)
    .requiredOption("--out <file>", "where to; it must not exist, and is readable by you only")
    .addHelpText(
      "after",
      `\nExample:\n  $ dcm dataset key 0x${"12".repeat(32)} --out key.txt\n  $ age -d -i key.txt table.age > table.csv`,
    )
    .action(answer(exportKey));

  dataset
    .command("show")
    .description("everything public about one data set")
    .argument("<id>", "data set id", id)
    .addHelpText("after", `\nExample:\n  $ dcm dataset show 0x${"12".repeat(32)}`)
    .action(
      answer(async (options: GlobalOptions, datasetId: Hex) => {
        const { client, simulated } = await connect(options);
        const { getDataset } = await import("../../sdk/datasets.ts");
        const found = await getDataset(client, datasetId);
        const { metadata, ...rest } = found;
        const text = fields([
          ["id", found.datasetId],
          ["owner", found.owner],
          ["title", metadata?.title ?? "(no readable metadata)"],
          ["description", metadata?.description],
          ["topic", metadata?.topic],
          ["keywords", metadata?.keywords?.join(", ")],
          ["format", metadata?.format],
          ["columns", metadata?.columns?.map(({ name, type }) => `${name} (${type})`).join(", ")],
          ["records", metadata?.records],
          ["time range", metadata?.timeRange?.join(" to ")],
          ["licence", metadata?.licence],
          ["price", await priceOf(client, metadata)],
          ["ciphertext", `${found.sizeBytes} bytes, SHA-256 ${found.contentHash}`],
          ["uri", found.uri],
          ["consent epoch", found.epoch],
        ]);
        return { json: { ...rest, metadata: metadata ?? null }, text, simulated };
      }),
    );
}

/** Whoever has the file can open the ciphertext: with `age -d -i FILE`, or anything else that reads age files. */
async function exportKey(options: GlobalOptions & { out: string }, datasetId: Hex): Promise<Output> {
  const { home, simulated } = await connectWallet(options);
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  const key = await home.datasetKey(datasetId);
  if (key === undefined) {
    throw new UsageError(`The key of data set ${datasetId} is not in this home.`, {
      hint: "Use the wallet and home that `dcm dataset add` was run with.",
    });
  }
  await writeAtomic(options.out, `${key}\n`, { mode: 0o600, overwrite: false });
  return { json: { datasetId, file: options.out }, text: options.out, simulated };
}

async function add(options: AddOptions, file: string): Promise<Output> {
  if ((options.upload === undefined) === (options.uri === undefined) || (options.uri && !options.out)) {
    throw new UsageError("It is not clear where the ciphertext will be.", {
      hint: "Give --upload URL of a worker, or --uri URI and --out FILE to place it yourself.",
    });
  }
  const { client, home, simulated } = await connectWallet(options);
  const { readBounded, writeAtomic } = await import("../../sdk/node/files.ts");
  const { maxDatasetBytes } = await import("../../sdk/encryption.ts");
  const { publishDataset } = await import("../../sdk/publishDataset.ts");
  const { parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const { uploadBlob } = await import("../../sdk/worker.ts");
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const { title, topic, description, licence } = options;
  const keywords = options.keywords?.split(",").flatMap((word) => word.trim() || []);
  const metadata = {
    title,
    format: options.format,
    price: { token: token.address, amount: parseAmount(options.price, token) },
    ...(topic === undefined ? {} : { topic }),
    ...(description === undefined ? {} : { description }),
    ...(licence === undefined ? {} : { licence }),
    ...(keywords === undefined ? {} : { keywords }),
  };
  const bytes = await readBounded(file, maxDatasetBytes);
  progress(`Encrypting ${bytes.length} bytes...`);
  const published = await publishDataset(client, {
    bytes,
    metadata,
    describe: options.profile,
    keepKey: (datasetId, key) => home.saveDatasetKey(datasetId, key),
    async place(ciphertext) {
      if (options.out !== undefined) await writeAtomic(options.out, ciphertext, { mode: 0o644, overwrite: false });
      let uri = options.uri ?? "";
      for (const url of options.upload ?? []) {
        progress(`Uploading ${ciphertext.length} bytes of ciphertext...`);
        ({ uri } = await uploadBlob(url, ciphertext));
      }
      progress("Registering...");
      return uri;
    },
  });
  const { datasetId, contentHash, sizeBytes, uri, hash, gasUsed, metadata: described } = published;
  const text = fields([
    ["data set", datasetId],
    ["title", title],
    ["records", described.records],
    ["columns", described.columns?.map((column) => column.name).join(", ")],
    ["time range", described.timeRange?.join(" to ")],
    ["uri", uri],
    ["transaction", hash],
    ["gas", gasUsed],
  ]);
  return { json: { datasetId, contentHash, sizeBytes, uri, metadata: described, hash, gasUsed }, text, simulated };
}

async function filterOf({ owner, limit }: ListOptions) {
  return { limit, ...(owner === undefined ? {} : { owner: await accountOf("--owner", owner) }) };
}

async function listing({ client, simulated }: ReadContext, datasets: readonly DatasetListing[]): Promise<Output> {
  const rows: unknown[][] = [];
  for (const { datasetId, metadata, owner } of datasets) {
    const title = metadata?.title ?? "(no readable metadata)";
    rows.push([datasetId, title.slice(0, 40), metadata?.records, await priceOf(client, metadata), owner]);
  }
  const json = datasets.map((dataset) => ({ ...dataset, metadata: dataset.metadata ?? null }));
  const text = table(["id", "title", "records", "price", "owner"], rows, "No data sets.");
  return { json: { datasets: json }, text, simulated };
}

/** The price in words; the token is the provider's claim and need not exist. */
async function priceOf(client: Client, metadata: Metadata | undefined): Promise<string | undefined> {
  if (metadata?.price === undefined) return undefined;
  const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const { token, amount } = metadata.price;
  return await tokenOf(client, token).then(
    (known) => formatAmount(amount, known),
    () => `${amount} units of ${token}`,
  );
}

function format(text: string): Metadata["format"] {
  if (text === "csv" || text === "json" || text === "text") return text;
  throw new UsageError(`--format: ${JSON.stringify(text.slice(0, 40))} is not a format.`, {
    hint: "Give csv, json or text.",
  });
}
