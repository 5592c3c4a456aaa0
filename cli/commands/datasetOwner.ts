/** Room: cli/commands/datasetOwner. `dcm dataset`, for owners: update, offer, take, retire, revoke. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Metadata } from "../../protocol/metadata.ts";
import type { Sent } from "../../sdk/send.ts";
import { accountOf } from "../accounts.ts";
import { connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, fields, type GlobalOptions, type Output } from "../output.ts";
import { id } from "../parse.ts";
import { addMetadataOptions, type MetadataOptions, metadataOf, priceFrom } from "./datasetOptions.ts";
import { grantNonce, requireOne } from "./revocation.ts";

type UpdateOptions = GlobalOptions &
  MetadataOptions & { title?: string; price?: string; uri?: string; metadata?: string };
type OfferOptions = GlobalOptions & { to?: string; withdraw?: boolean };
type RevokeOptions = GlobalOptions & { all?: boolean; nonce?: bigint };

const sampleId = `0x${"12".repeat(32)}`;

/**
 * Adds the commands.
 *
 * @example
 * addDatasetOwnerCommands(dataset)
 */
export function addDatasetOwnerCommands(dataset: Command): void {
  const change = dataset
    .command("update")
    .description("say anew what your data set is, or where its ciphertext lies")
    .argument("<id>", "your data set", id)
    .option("--title <text>", "what it is")
    .option("--price <amount>", "asked for one use (see --per), in whole units");
  addMetadataOptions(change)
    .option("--uri <uri>", "where the ciphertext lies; it must be the same ciphertext")
    .option("--metadata <file>", "take all metadata from this JSON file instead")
    .addHelpText(
      "after",
      `
What you do not give stays. Content, size and payees cannot change: another content is another data set. Grants stay in
force, with the prices that they name.

Example:
  $ dcm dataset update ${sampleId} --edition 2026-03 --uri ipfs://...`,
    )
    .action(answer(update));

  dataset
    .command("offer")
    .description("offer your data set to another owner, who must take it")
    .argument("<id>", "your data set", id)
    .option("--to <address>", "the new owner")
    .option("--withdraw", "take the offer back")
    .addHelpText(
      "after",
      `
Nothing changes until it is taken. Then every grant is void, and payments go to the new owner, or still to the payees
if it has any. Hand over the key (\`dcm dataset key\`) in private: without it the new owner can serve nobody.

Example:
  $ dcm dataset offer ${sampleId} --to 0x...`,
    )
    .action(answer(offer));

  dataset
    .command("take")
    .description("take a data set that is offered to your wallet; all grants of it become void")
    .argument("<id>", "the data set", id)
    .addHelpText("after", `\nExample:\n  $ dcm dataset take ${sampleId}`)
    .action(
      answer(async (options: GlobalOptions, datasetId: Hex) => {
        const { client, simulated } = await connectWallet(options);
        const { takeDataset } = await import("../../sdk/datasetOwner.ts");
        const { newEpoch, ...sent } = await takeDataset(client, datasetId);
        return done({ datasetId, newEpoch }, sent, simulated, [
          ["taken", datasetId],
          ["consent epoch", newEpoch],
        ]);
      }),
    );

  dataset
    .command("retire")
    .description("end your data set for good: no grant of it holds any more, none ever will")
    .argument("<id>", "your data set", id)
    .addHelpText("after", `\nOpen jobs on it fail and are refunded.\n\nExample:\n  $ dcm dataset retire ${sampleId}`)
    .action(
      answer(async (options: GlobalOptions, datasetId: Hex) => {
        const { client, simulated } = await connectWallet(options);
        const { retireDataset } = await import("../../sdk/datasetOwner.ts");
        const sent = await retireDataset(client, datasetId);
        return done({ datasetId }, sent, simulated, [["retired", datasetId]]);
      }),
    );

  dataset
    .command("revoke")
    .description("take consent back: of one data set, of all your data sets, or of the grants with one nonce")
    .argument("[id]", "void every grant given so far for this data set of yours", id)
    .option("--all", "void every grant that your wallet has given so far, for whatever data set")
    .option("--nonce <n>", "void your grants that carry this nonce", grantNonce)
    .addHelpText(
      "after",
      `
One transaction each, at once, for good: grants that you sign afterwards carry the next epoch and hold. What an enclave
has computed already cannot be taken back.

Example:
  $ dcm dataset revoke ${sampleId}
  $ dcm dataset revoke --all`,
    )
    .action(answer(revoke));
}

async function update(options: UpdateOptions, datasetId: Hex): Promise<Output> {
  const { title, price, uri, token, per } = options;
  if (price === undefined && (token !== undefined || per !== undefined)) {
    throw new UsageError("--token and --per say nothing without --price.", { hint: "Give --price too." });
  }
  const given = { ...metadataOf(options), ...(title === undefined ? {} : { title }) };
  const fromFile = options.metadata;
  if (fromFile !== undefined && (Object.keys(given).length > 0 || price !== undefined)) {
    throw new UsageError("--metadata replaces all metadata.", { hint: "Put the other fields into its file." });
  }
  if (fromFile === undefined && uri === undefined && price === undefined && Object.keys(given).length === 0) {
    throw new UsageError("There is nothing to change.", { hint: "Give --title, --uri, --metadata, ..." });
  }
  const { client, simulated } = await connectWallet(options);
  const { getDataset } = await import("../../sdk/datasets.ts");
  const { updateDataset } = await import("../../sdk/datasetOwner.ts");
  const now = await getDataset(client, datasetId);
  const before = fromFile === undefined ? now.metadata : await metadataIn(fromFile);
  if (before === undefined) {
    throw new UsageError("The data set has no readable metadata that could be changed.", {
      hint: "Give all of them: --metadata FILE.",
    });
  }
  const newPrice = price === undefined ? {} : { price: await priceFrom(client, { ...options, price }) };
  const metadata: Metadata = { ...before, ...given, ...newPrice };
  const sent = await updateDataset(client, datasetId, { uri: uri ?? now.uri, metadata });
  return done({ datasetId, uri: uri ?? now.uri, metadata }, sent, simulated, [
    ["updated", datasetId],
    ["title", metadata.title],
    ["uri", uri ?? now.uri],
  ]);
}

async function metadataIn(file: string): Promise<Metadata> {
  const { readBounded } = await import("../../sdk/node/files.ts");
  const { maxMetadataBytes, parseMetadata } = await import("../../protocol/metadata.ts");
  const text = new TextDecoder().decode(await readBounded(file, 4 * maxMetadataBytes)); // white space is not sent
  try {
    return parseMetadata(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError("--metadata: the file is not JSON.", {
      hint: "See docs/schemas/dataset-metadata.schema.json.",
    });
  }
}

async function offer(options: OfferOptions, datasetId: Hex): Promise<Output> {
  if ((options.to === undefined) === (options.withdraw === undefined)) {
    throw new UsageError("It is not clear to whom.", { hint: "Give --to ADDRESS, or --withdraw." });
  }
  const to = options.to === undefined ? undefined : await accountOf("--to", options.to);
  const { client, simulated } = await connectWallet(options);
  const { offerDataset } = await import("../../sdk/datasetOwner.ts");
  const sent = await offerDataset(client, datasetId, to);
  return done({ datasetId, to: to ?? null }, sent, simulated, [
    [to === undefined ? "offered to nobody" : "offered", datasetId],
    ["to", to],
  ]);
}

async function revoke(options: RevokeOptions, datasetId?: Hex): Promise<Output> {
  const what = requireOne(datasetId, options);
  const { client, simulated } = await connectWallet(options);
  const { revokeAllGrants, revokeAllOwnGrants, revokeGrantNonce } = await import("../../sdk/grants.ts");
  if (what === "all") {
    const { newOwnerEpoch, ...sent } = await revokeAllOwnGrants(client);
    return done({ newOwnerEpoch }, sent, simulated, [
      ["revoked", "all grants that you have given"],
      ["owner epoch", newOwnerEpoch],
    ]);
  }
  if ("nonce" in what) {
    const sent = await revokeGrantNonce(client, what.nonce);
    return done(what, sent, simulated, [["revoked", `your grants with nonce ${what.nonce}`]]);
  }
  const { newEpoch, ...sent } = await revokeAllGrants(client, what.datasetId);
  return done({ ...what, newEpoch }, sent, simulated, [
    ["revoked", `all grants of ${what.datasetId}`],
    ["consent epoch", newEpoch],
  ]);
}

function done(
  json: object,
  { hash, gasUsed }: Sent,
  simulated: boolean,
  lines: readonly (readonly [string, unknown])[],
): Output {
  return { json: { ...json, hash, gasUsed }, text: fields([...lines, ["transaction", hash]]), simulated };
}
