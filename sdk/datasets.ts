/**
 * Room: sdk/datasets. Registering, listing and searching data sets. What is listed is what providers claim: only ids
 * are checked, against registrant, content and salt.
 */
import { type Address, bytesToHex, getAbiItem, type Hex, isAddressEqual, keccak256, stringToBytes } from "viem";
import { datasetRegistryAbi } from "../protocol/abi.ts";
import { datasetIdOf } from "../protocol/attestationBinding.ts";
import { BaseError } from "../protocol/errors.ts";
import { type Metadata, metadataToText, readMetadata } from "../protocol/metadata.ts";
import { addressOf, type Client } from "./client.ts";
import { requirePayees } from "./payees.ts";
import { type EventLog, findEvent, scanEvents } from "./scanEvents.ts";
import { read, type Sent, send } from "./send.ts";

const registeredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
const updatedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetUpdated" });
const transferredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetTransferred" });
const retiredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRetired" });
/** All that a listing is made of. */
const listedEvents = [registeredEvent, updatedEvent, transferredEvent, retiredEvent] as const;

/** One of those who share a data set's payments, in basis points of them. */
export type Payee = { account: Address; shareBps: number };

/** A registered data set. `metadata` is undefined if the provider registered something else than metadata. */
export type DatasetListing = {
  datasetId: Hex;
  /** Whose it is now; `registrant` made the registration. */
  owner: Address;
  registrant: Address;
  contentHash: Hex;
  salt: Hex;
  /** Of the ciphertext, in bytes. */
  sizeBytes: bigint;
  uri: string;
  metadata: Metadata | undefined;
  /** None: its owner is paid. */
  payees: readonly Payee[];
  /** Whether it is over: no grant of it holds any more. */
  retired: boolean;
  /** Of the registration. */
  blockNumber: bigint;
  transactionHash: Hex;
};

/** A data set with its live state. */
export type DatasetDetails = DatasetListing & {
  /** Grants carry both: consent epochs of the data set and of its owner. */
  epoch: number;
  ownerEpoch: number;
  /** To whom the owner offers it. */
  pendingOwner: Address | undefined;
};

/** What is registered. */
export type Registration = {
  contentHash: Hex;
  salt: Hex;
  sizeBytes: bigint;
  uri: string;
  metadata: Metadata;
  /** Who shares its payments, for good; default: whoever owns it is paid. */
  payees?: readonly Payee[];
};

/** Narrows a listing. */
export type ListOptions = {
  /** Of this owner only. */
  owner?: Address;
  /** Most data sets returned; the newest win. */
  limit?: number;
  /** Retired ones too. */
  retired?: boolean;
};

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
 * Registers a data set of the client's wallet. Its metadata become public for ever, its payees stay for ever.
 *
 * @throws BadMetadataError | BadPayeesError | any error of `send`
 * @example
 * const { datasetId } = await registerDataset(client, { contentHash, salt, sizeBytes, uri, metadata })
 */
export async function registerDataset(client: Client, registration: Registration): Promise<Sent & { datasetId: Hex }> {
  const { contentHash, salt, sizeBytes, uri, metadata, payees = [] } = registration;
  requirePayees(payees);
  const { hash, gasUsed, blockNumber } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "register",
    args: [contentHash, salt, Number(sizeBytes), uri, metadataToText(metadata), payees],
  });
  return { hash, gasUsed, blockNumber, datasetId: datasetIdOf(addressOf(client), contentHash, salt) };
}

/**
 * Registered data sets, the newest first, as they are now.
 *
 * @throws {@link ForgedDatasetError} | any error of `scanEvents`
 * @example
 * const datasets = await listDatasets(client, { limit: 20 })
 */
export async function listDatasets(client: Client, options: ListOptions = {}): Promise<DatasetListing[]> {
  return await collect(client, options, () => true);
}

/**
 * Data sets whose public metadata contain every word of `text`, in any case: title, topic, keywords, description,
 * place, language, edition, licence, format, or names, descriptions and units of columns.
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
  return await collect(client, options, ({ metadata }) => {
    const haystack = metadata === undefined ? "" : wordsOf(metadata).join("\n").toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

/**
 * One data set with its live state.
 *
 * @throws {@link UnknownDatasetError} | {@link ForgedDatasetError} | any error of `read`
 * @example
 * const { uri, epoch, ownerEpoch } = await getDataset(client, datasetId)
 */
export async function getDataset(client: Client, datasetId: Hex): Promise<DatasetDetails> {
  const address = client.deployment.contracts.datasetRegistry;
  const call = { address, abi: datasetRegistryAbi } as const;
  const log = await findEvent(client, { address, event: registeredEvent, args: { datasetId } });
  if (log === undefined) throw new UnknownDatasetError(datasetId);
  const registered = listingOf(log);
  const [now, payees, pendingOwner] = await Promise.all([
    read(client, { ...call, functionName: "dataset", args: [datasetId] }),
    read(client, { ...call, functionName: "payeesOf", args: [datasetId] }),
    read(client, { ...call, functionName: "pendingOwnerOf", args: [datasetId] }),
  ]);
  const ownerEpoch = await read(client, { ...call, functionName: "ownerEpochOf", args: [now.owner] });
  const metadata = await metadataUnder(client, now.metadataHash, log);
  return {
    ...registered,
    owner: now.owner,
    sizeBytes: BigInt(now.sizeBytes),
    uri: now.uri,
    metadata: readMetadata(metadata),
    payees,
    retired: now.retired,
    epoch: now.epoch,
    ownerEpoch,
    pendingOwner: isAddressEqual(pendingOwner, nobody) ? undefined : pendingOwner,
  };
}

const nobody = "0x0000000000000000000000000000000000000000";

/** The metadata that the registry holds the hash of: those of the last update, else of the registration. */
async function metadataUnder(client: Client, metadataHash: Hex, registered: RegisteredLog): Promise<string> {
  const { address, args } = registered;
  if (keccak256(stringToBytes(args.metadata)) === metadataHash) return args.metadata;
  const { datasetId } = args;
  const updated = await findEvent(client, { address, event: updatedEvent, args: { datasetId }, newestFirst: true });
  if (updated === undefined || keccak256(stringToBytes(updated.args.metadata)) !== metadataHash)
    throw new ForgedDatasetError(datasetId);
  return updated.args.metadata;
}

/** From the newest event back: what happened to a data set is met before its registration. */
async function collect(
  client: Client,
  { owner, limit = defaultListLimit, retired = false }: ListOptions,
  wanted: (dataset: DatasetListing) => boolean,
): Promise<DatasetListing[]> {
  const found: DatasetListing[] = [];
  if (limit < 1) return found;
  const address = client.deployment.contracts.datasetRegistry;
  const later = new Map<Hex, Partial<DatasetListing>>();
  for await (const log of scanEvents(client, { address, event: listedEvents, newestFirst: true })) {
    const { datasetId } = log.args;
    const known = later.get(datasetId);
    if (log.eventName !== "DatasetRegistered") {
      later.set(datasetId, { ...changeOf(log), ...known });
      continue;
    }
    const listing = { ...listingOf(log), ...known };
    later.delete(datasetId);
    if (listing.retired && !retired) continue;
    if (owner !== undefined && !isAddressEqual(listing.owner, owner)) continue;
    if (wanted(listing)) found.push(listing);
    if (found.length >= limit) break;
  }
  return found;
}

type RegisteredLog = EventLog<typeof registeredEvent>;
type LaterLog = EventLog<typeof updatedEvent | typeof transferredEvent | typeof retiredEvent>;

function changeOf(log: LaterLog): Partial<DatasetListing> {
  if (log.eventName === "DatasetRetired") return { retired: true };
  if (log.eventName === "DatasetTransferred") return { owner: log.args.to };
  return { uri: log.args.uri, metadata: readMetadata(log.args.metadata) };
}

function listingOf(log: RegisteredLog): DatasetListing {
  const { datasetId, owner, contentHash, salt, sizeBytes, uri, metadata, payees } = log.args;
  if (datasetIdOf(owner, contentHash, salt) !== datasetId) throw new ForgedDatasetError(datasetId);
  return {
    datasetId,
    owner,
    registrant: owner,
    contentHash,
    salt,
    sizeBytes: BigInt(sizeBytes),
    uri,
    metadata: readMetadata(metadata),
    payees,
    retired: false,
    blockNumber: log.blockNumber,
    transactionHash: log.transactionHash,
  };
}

/** All that is searched. */
function wordsOf(metadata: Metadata): string[] {
  const {
    title,
    topic,
    description,
    place,
    language,
    edition,
    licence,
    format,
    keywords = [],
    columns = [],
  } = metadata;
  const ofColumns = columns.flatMap((column) => [column.name, column.description, column.unit]);
  const all = [title, topic, description, place, language, edition, licence, format, ...keywords, ...ofColumns];
  return all.filter((part) => part !== undefined);
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
