/**
 * Room: sdk/publishDataset. From a file to a registered data set: describe, encrypt, keep the key, place the
 * ciphertext, register. In that order, so that a crash never leaves a registered data set without its key.
 * In memory; with sdk/node/encryptFile and `publishEncrypted` also what does not fit there.
 */
import type { Hex } from "viem";
import { type Metadata, metadataToText } from "../protocol/metadata.ts";
import type { Client } from "./client.ts";
import { newDatasetId, type Payee, registerDataset } from "./datasets.ts";
import { type CsvDescription, describeCsv } from "./describeCsv.ts";
import { encryptDataset } from "./encryption.ts";
import { requirePayees } from "./payees.ts";
import type { Sent } from "./send.ts";

/** What a provider says of a file; columns, records and time range come from the file itself. */
export type StatedMetadata = Omit<Metadata, "v" | keyof CsvDescription>;

/** What to publish, and where its parts go. */
export type Publication = {
  bytes: Uint8Array;
  /** Columns, records and time range are read from the file if it is CSV and `describe` is true. */
  metadata: StatedMetadata;
  describe: boolean;
  /** Who shares its payments, for good; default: whoever owns it is paid. */
  payees?: readonly Payee[];
  /** Keeps the data set key. Called, and awaited, before anything is sent. */
  keepKey: (datasetId: Hex, key: string) => Promise<void>;
  /** Places the ciphertext and says under which URI it will be found. */
  place: (ciphertext: Uint8Array) => Promise<string>;
};

/** An encrypted data set to publish; `place` as in {@link Publication}, and knows its ciphertext. */
export type EncryptedPublication = Pick<Publication, "payees" | "keepKey"> & {
  metadata: Metadata;
  key: string;
  /** SHA-256 of the ciphertext. */
  contentHash: Hex;
  /** Of the ciphertext, in bytes. */
  sizeBytes: number;
  place: () => Promise<string>;
};

/** A published data set. */
export type Published = Sent & { datasetId: Hex; contentHash: Hex; sizeBytes: bigint; uri: string; metadata: Metadata };

/**
 * Publishes a data set of the client's wallet.
 *
 * @throws any error of `describeCsv`, `registerDataset`, `encryptDataset`, `keepKey` and `place`
 * @example
 * const place = async (bytes: Uint8Array) => (await uploadBlob(workerUrl, bytes)).uri
 * const { datasetId } = await publishDataset(client, { bytes, metadata, describe: true, keepKey, place })
 */
export async function publishDataset(client: Client, publication: Publication): Promise<Published> {
  const { bytes, describe, place, ...rest } = publication;
  const described = describe && rest.metadata.format === "csv" ? describeCsv(bytes) : {};
  const metadata: Metadata = { v: 1, ...rest.metadata, ...described };
  requirePublishable(metadata, rest.payees);
  const { ciphertext, contentHash, key } = await encryptDataset(bytes);
  const sizeBytes = ciphertext.length;
  return publishEncrypted(client, { ...rest, metadata, contentHash, sizeBytes, key, place: () => place(ciphertext) });
}

/**
 * Publishes what is encrypted already, as a data set of the client's wallet.
 *
 * @throws any error of `registerDataset`, `keepKey` and `place`
 * @example
 * await publishEncrypted(client, { metadata, key, contentHash, sizeBytes, keepKey, place: async () => uri })
 */
export async function publishEncrypted(client: Client, publication: EncryptedPublication): Promise<Published> {
  const { metadata, contentHash, key, keepKey, place, payees = [] } = publication;
  requirePublishable(metadata, payees);
  const { salt, datasetId } = newDatasetId(client, contentHash);
  await keepKey(datasetId, key);
  const uri = await place();
  const sizeBytes = BigInt(publication.sizeBytes);
  const sent = await registerDataset(client, { contentHash, salt, sizeBytes, uri, metadata, payees });
  return { ...sent, datasetId, contentHash, sizeBytes, uri, metadata };
}

/** What the registry would refuse is not uploaded first. */
function requirePublishable(metadata: Metadata, payees: readonly Payee[] = []): void {
  metadataToText(metadata);
  requirePayees(payees);
}
