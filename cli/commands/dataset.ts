/** Room: cli/commands/dataset. `dcm dataset`: publish, list, search, show, export the key; the rest in datasetOwner. */
import { dirname } from "node:path";
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Metadata } from "../../protocol/metadata.ts";
import { inputFormats } from "../../protocol/program.ts";
import type { Client } from "../../sdk/client.ts";
import type { DatasetListing, Payee } from "../../sdk/datasets.ts";
import { accountOf } from "../accounts.ts";
import { connect, connectWallet, homeOf, type ReadContext } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, fields, type GlobalOptions, type Output, progress, table } from "../output.ts";
import { id, integer, texts } from "../parse.ts";
import { addCertificateCommands } from "./certificate.ts";
import { addMetadataOptions, type MetadataOptions, metadataOf, payeesOf, priceFrom } from "./datasetOptions.ts";
import { addDatasetOwnerCommands } from "./datasetOwner.ts";

type AddOptions = GlobalOptions &
  MetadataOptions & {
    title: string;
    price: string;
    format: Metadata["format"];
    profile: boolean;
    payee?: string[];
    upload?: string[];
    uri?: string;
    out?: string;
  };
type ListOptions = GlobalOptions & { owner?: string; limit: number; retired?: boolean };

/**
 * Adds the commands.
 *
 * @example
 * addDatasetCommands(program)
 */
export function addDatasetCommands(program: Command): void {
  const dataset = program
    .command("dataset")
    .description("publish and find data sets, hand them over, end them, take consent back")
    .addHelpText(
      "after",
      `
Registered is what stands for the data: hash, size and place of the ciphertext, public metadata, who is paid. The data
themselves never leave you unencrypted. Who may compute on them, grants say: see \`dcm grant\`.

Example:
  $ dcm dataset list`,
    );

  const add = dataset
    .command("add")
    .description("encrypt a file and register it; title, columns and counts become public, the content does not")
    .argument("<file>", "the file; it is read, not changed")
    .requiredOption("--title <text>", "what it is")
    .requiredOption("--price <amount>", "asked for one use (see --per), in whole units, e.g. 2.50");
  addMetadataOptions(add)
    .option("--format <format>", "csv, json, text, parquet or bytes", format, "csv")
    .option("--no-profile", "do not publish columns, number of records and time range of a CSV file")
    .option("--payee <address:bps>", "who gets how many of 10,000 basis points of its payments (repeatable)", texts)
    .option("--upload <url>", "worker that stores the ciphertext (repeatable)", texts)
    .option("--uri <uri>", "where you will put the ciphertext yourself; needs --out")
    .option("--out <file>", "write the ciphertext here")
    .addHelpText(
      "after",
      `
Without --payee whoever owns the data set is paid. Payees, up to 16, share every payment for good: nobody can change
them, nor does a new owner. Shares are rounded down, the last payee gets the rest.
What metadata may hold: docs/schemas/dataset-metadata.schema.json.

Example:
  $ dcm dataset add co2.csv --title "CO2 at Mauna Loa" --price 2.50 --token 0x... --upload http://127.0.0.1:8080
  $ dcm dataset add co2.csv --title "CO2" --price 0 --uri https://example.org/co2.age --out co2.age
  $ dcm dataset add co2.csv --title "CO2" --price 1 --payee 0xA...:7500 --payee 0xB...:2500 --upload http://...`,
    )
    .action(answer(publish));

  dataset
    .command("list")
    .description("registered data sets, the newest first")
    .option("--owner <address>", "of this provider only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .option("--retired", "retired ones too")
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
    .description("data sets whose public metadata (title, topic, keywords, columns, ...) contain every word")
    .argument("<words...>", "in any case")
    .option("--owner <address>", "of this provider only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .option("--retired", "retired ones too")
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
    .action(answer(show));

  addDatasetOwnerCommands(dataset);
  addCertificateCommands(dataset);
}

async function show(options: GlobalOptions, datasetId: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { getDataset } = await import("../../sdk/datasets.ts");
  const found = await getDataset(client, datasetId);
  const { metadata, payees, pendingOwner, ...rest } = found;
  const text = fields([
    ["id", found.datasetId],
    ["state", found.retired ? "RETIRED: no grant of it holds" : "registered"],
    ["owner", found.owner],
    ["offered to", pendingOwner],
    ["paid", payees.length === 0 ? "the owner" : payees.map(shareOf).join(", ")],
    ["title", metadata?.title ?? "(no readable metadata)"],
    ["description", metadata?.description],
    ["topic", metadata?.topic],
    ["keywords", metadata?.keywords?.join(", ")],
    ["format", metadata?.format],
    ["columns", metadata?.columns?.map(columnOf).join(", ")],
    ["records", metadata?.records],
    ["time range", metadata?.timeRange?.join(" to ")],
    ["place", metadata?.place],
    ["language", metadata?.language],
    ["edition", metadata?.edition],
    ["licence", metadata?.licence],
    ["price", await priceOf(client, metadata)],
    ["ciphertext", `${found.sizeBytes} bytes, SHA-256 ${found.contentHash}`],
    ["uri", found.uri],
    ["consent epochs", `${found.epoch} (data set), ${found.ownerEpoch} (owner)`],
    ["certificates", `see dcm dataset certificates ${datasetId}`],
  ]);
  const json = { ...rest, payees, pendingOwner: pendingOwner ?? null, metadata: metadata ?? null };
  return { json, text, simulated };
}

function shareOf({ account, shareBps }: Payee): string {
  return `${account} ${shareBps / 100} %`;
}

function columnOf({ name, type, unit }: NonNullable<Metadata["columns"]>[number]): string {
  return `${name} (${unit === undefined ? type : `${type}, ${unit}`})`;
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

async function publish(options: AddOptions, file: string): Promise<Output> {
  if ((options.upload === undefined) === (options.uri === undefined) || (options.uri && !options.out)) {
    throw new UsageError("It is not clear where the ciphertext will be.", {
      hint: "Give --upload URL of a worker, or --uri URI and --out FILE to place it yourself.",
    });
  }
  const payees = await payeesOf(options.payee);
  const { client, home, simulated } = await connectWallet(options);
  const { encryptFile } = await import("../../sdk/node/encryptFile.ts");
  const { publishEncrypted } = await import("../../sdk/publishDataset.ts");
  const { uploadBlob } = await import("../../sdk/worker.ts");
  const { title, format, price } = options;
  const stated = { ...metadataOf(options), title, format, price: await priceFrom(client, { ...options, price }) };
  progress(`Encrypting ${file}...`);
  const describe = options.profile && format === "csv";
  const directory = options.out === undefined ? homeOf(options) : dirname(options.out);
  const published = await encryptFile(file, { directory, describe }, ({ description, ...encrypted }) =>
    publishEncrypted(client, {
      ...encrypted,
      contentHash: encrypted.sha256,
      metadata: { v: 1, ...stated, ...description },
      payees,
      keepKey: (datasetId, key) => home.saveDatasetKey(datasetId, key),
      async place() {
        if (options.out !== undefined) await encrypted.keepAs(options.out);
        let uri = options.uri ?? "";
        for (const url of options.upload ?? []) {
          progress(`Uploading ${encrypted.sizeBytes} bytes of ciphertext...`);
          ({ uri } = await uploadBlob(url, encrypted));
        }
        progress("Registering...");
        return uri;
      },
    }),
  );
  const { datasetId, contentHash, sizeBytes, uri, hash, gasUsed, metadata: described } = published;
  const text = fields([
    ["data set", datasetId],
    ["title", title],
    ["paid", payees.length === 0 ? undefined : payees.map(shareOf).join(", ")],
    ["records", described.records],
    ["columns", described.columns?.map((column) => column.name).join(", ")],
    ["time range", described.timeRange?.join(" to ")],
    ["uri", uri],
    ["transaction", hash],
    ["gas", gasUsed],
  ]);
  return {
    json: { datasetId, contentHash, sizeBytes, uri, payees, metadata: described, hash, gasUsed },
    text,
    simulated,
  };
}

async function filterOf({ owner, limit, retired = false }: ListOptions) {
  return { limit, retired, ...(owner === undefined ? {} : { owner: await accountOf("--owner", owner) }) };
}

async function listing({ client, simulated }: ReadContext, datasets: readonly DatasetListing[]): Promise<Output> {
  const rows: unknown[][] = [];
  for (const { datasetId, metadata, owner, retired } of datasets) {
    const title = `${retired ? "(retired) " : ""}${metadata?.title ?? "(no readable metadata)"}`;
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
  const { token, amount, unit = "use" } = metadata.price;
  const text = await tokenOf(client, token).then(
    (known) => formatAmount(amount, known),
    () => `${amount} units of ${token}`,
  );
  return `${text}${unitWords[unit]}`;
}

const unitWords = { use: "", outputRow: " per row of the result", inputByte: " per byte of the ciphertext" } as const;

function format(text: string): Metadata["format"] {
  const known = inputFormats.find((each) => each === text);
  if (known !== undefined) return known;
  throw new UsageError(`--format: ${JSON.stringify(text.slice(0, 40))} is not a format.`, {
    hint: `Give one of ${inputFormats.join(", ")}.`,
  });
}
