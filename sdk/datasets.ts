/**
 * Room: sdk/datasets. Registering, listing and searching data sets. What is listed is what providers claim: only ids
 * are checked, against owner, content and salt.
 */
import { type Address, bytesToHex, getAbiItem, type Hex, keccak256, stringToBytes } from "viem";
import { z } from "zod";
import { datasetRegistryAbi } from "../protocol/abi.ts";
import { datasetIdOf } from "../protocol/attestationBinding.ts";
import { BaseError } from "../protocol/errors.ts";
import { type Metadata, metadataSchema, readMetadata } from "../protocol/metadata.ts";
import { addressOf, type Client } from "./client.ts";
import { plainText } from "./plainText.ts";
import { type EventLog, findEvent, scanEvents } from "./scanEvents.ts";
import { read, type Sent, send } from "./send.ts";

const registeredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });

/** A registered data set. `metadata` is undefined if the provider registered something else than metadata. */
export type DatasetListing = {
  datasetId: Hex;
  owner: Address;
  contentHash: Hex;
  salt: Hex;
  /** Of the ciphertext, in bytes. */
  sizeBytes: bigint;
  uri: string;
  metadata: Metadata | undefined;
  blockNumber: bigint;
  transactionHash: Hex;
};

/** A data set with its live state. */
export type DatasetDetails = DatasetListing & { epoch: number };

/** What is registered. */
export type Registration = { contentHash: Hex; salt: Hex; sizeBytes: bigint; uri: string; metadata: Metadata };

/** Narrows a listing. */
export type ListOptions = { owner?: Address /** Most data sets returned; the newest win. */; limit?: number };

/** Most data sets listed unless told otherwise. */
export const defaultListLimit = 1000;

/**
 * A fresh salt and the id that a registration by this wallet will have, known before anything is sent.
 *
 * @example
 * const { salt, datasetId } = newDatasetId(client, contentHash)
 */
export function newDatasetId(client: Client, contentHash: Hex): { salt: Hex; datasetId: Hex } {
  const salt = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  return { salt, datasetId: datasetIdOf(addressOf(client), contentHash, salt) };
}

/**
 * Registers a data set of the client's wallet. Its metadata become public for ever.
 *
 * @throws {@link BadMetadataError} | any error of `send`
 * @example
 * const { datasetId } = await registerDataset(client, { contentHash, salt, sizeBytes, uri, metadata })
 */
export async function registerDataset(client: Client, registration: Registration): Promise<Sent & { datasetId: Hex }> {
  const { contentHash, salt, sizeBytes, uri, metadata } = registration;
  const { hash, gasUsed, blockNumber } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "register",
    args: [contentHash, salt, sizeBytes, uri, metadataToText(metadata)],
  });
  return { hash, gasUsed, blockNumber, datasetId: datasetIdOf(addressOf(client), contentHash, salt) };
}

function metadataToText(metadata: Metadata): string {
  const text = JSON.stringify(metadata, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
  const parsed = metadataSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new BadMetadataError(z.prettifyError(parsed.error));
  return text;
}

/**
 * Registered data sets, the newest first.
 *
 * @throws {@link ForgedDatasetError} | any error of `scanEvents`
 * @example
 * const datasets = await listDatasets(client, { limit: 20 })
 */
export async function listDatasets(client: Client, options: ListOptions = {}): Promise<DatasetListing[]> {
  return await collect(client, options, () => true);
}

/**
 * Data sets whose title, topic, keywords, description or column names contain every word of `text`, in any case.
 *
 * @throws {@link ForgedDatasetError} | any error of `scanEvents`
 * @example
 * const datasets = await searchDatasets(client, "temperature")
 */
export async function searchDatasets(
  client: Client,
  text: string,
  options: ListOptions = {},
): Promise<DatasetListing[]> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return await collect(client, options, (dataset) => {
    const { title, topic, description, keywords = [], columns = [] } = dataset.metadata ?? {};
    const parts = [title, topic, description, ...keywords, ...columns.map((column) => column.name)];
    const haystack = parts.filter((part) => part !== undefined).join("\n");
    return words.every((word) => haystack.toLowerCase().includes(word));
  });
}

/**
 * One data set with its live state.
 *
 * @throws {@link UnknownDatasetError} | {@link ForgedDatasetError} | any error of `read`
 * @example
 * const { uri, epoch } = await getDataset(client, datasetId)
 */
export async function getDataset(client: Client, datasetId: Hex): Promise<DatasetDetails> {
  const address = client.deployment.contracts.datasetRegistry;
  const log = await findEvent(client, { address, event: registeredEvent, args: { datasetId } });
  if (log === undefined) throw new UnknownDatasetError(datasetId);
  const listing = toListing(log);
  const call = { address, abi: datasetRegistryAbi } as const;
  const { epoch, metadataHash } = await read(client, { ...call, functionName: "dataset", args: [datasetId] });
  if (metadataHash !== keccak256(stringToBytes(log.args.metadata))) throw new ForgedDatasetError(datasetId);
  return { ...listing, epoch };
}

async function collect(
  client: Client,
  { owner, limit = defaultListLimit }: ListOptions,
  wanted: (dataset: DatasetListing) => boolean,
): Promise<DatasetListing[]> {
  const found: DatasetListing[] = [];
  if (limit < 1) return found;
  const address = client.deployment.contracts.datasetRegistry;
  const args = owner === undefined ? {} : { owner };
  for await (const log of scanEvents(client, { address, event: registeredEvent, args, newestFirst: true })) {
    const listing = toListing(log);
    if (wanted(listing)) found.push(listing);
    if (found.length >= limit) break;
  }
  return found;
}

function toListing(log: EventLog<typeof registeredEvent>): DatasetListing {
  const { datasetId, owner, contentHash, salt, sizeBytes, uri, metadata } = log.args;
  if (datasetIdOf(owner, contentHash, salt) !== datasetId) throw new ForgedDatasetError(datasetId);
  return {
    datasetId,
    owner,
    contentHash,
    salt,
    sizeBytes,
    uri,
    metadata: readMetadata(metadata),
    blockNumber: log.blockNumber,
    transactionHash: log.transactionHash,
  };
}

/** Readers of the registry would not accept these metadata. */
export class BadMetadataError extends BaseError {
  override readonly name = "Datasets.BadMetadataError";
  constructor(detail: string) {
    super(`The metadata are not valid: ${plainText(detail, 300)}`, {
      hint: "Title up to 200 characters, up to 32 keywords of up to 40, up to 256 columns.",
    });
  }
}

/** No such data set. */
export class UnknownDatasetError extends BaseError {
  override readonly name = "Datasets.UnknownDatasetError";
  constructor(datasetId: Hex) {
    super(`There is no data set ${datasetId}.`, { hint: "Look it up with `dcm dataset list`." });
  }
}

/** The event is not what the registry can have said: id or metadata do not hash. */
export class ForgedDatasetError extends BaseError {
  override readonly name = "Datasets.ForgedDatasetError";
  constructor(datasetId: Hex) {
    super(`The RPC's record of data set ${datasetId} does not hash to what the registry holds.`, {
      hint: "The RPC is faulty or lies. Use another one.",
    });
  }
}
