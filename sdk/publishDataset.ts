/**
 * Room: sdk/publishDataset. From a file to a registered data set: describe, encrypt, keep the key, place the
 * ciphertext, register. In that order, so that a crash never leaves a registered data set without its key.
 */
import type { Hex } from "viem";
import { type Metadata, metadataToText } from "../protocol/metadata.ts";
import type { Client } from "./client.ts";
import { newDatasetId, type Payee, registerDataset } from "./datasets.ts";
import { type CsvDescription, describeCsv } from "./describeCsv.ts";
import { encryptDataset } from "./encryption.ts";
import { requirePayees } from "./payees.ts";
import type { Sent } from "./send.ts";

/** What to publish, and where its parts go. */
export type Publication = {
  bytes: Uint8Array;
  /** Columns, records and time range are read from the file if it is CSV and `describe` is true. */
  metadata: Omit<Metadata, "v" | keyof CsvDescription>;
  describe: boolean;
  /** Who shares its payments, for good; default: whoever owns it is paid. */
  payees?: readonly Payee[];
  /** Keeps the data set key. Called, and awaited, before anything is sent. */
  keepKey: (datasetId: Hex, key: string) => Promise<void>;
  /** Places the ciphertext and says under which URI it will be found. */
  place: (ciphertext: Uint8Array) => Promise<string>;
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
  const { bytes, describe, keepKey, place, payees = [] } = publication;
  const described = describe && publication.metadata.format === "csv" ? describeCsv(bytes) : {};
  const metadata: Metadata = { v: 1, ...publication.metadata, ...described };
  metadataToText(metadata); // what the registry would refuse is not uploaded first
  requirePayees(payees);
  const { ciphertext, contentHash, key } = await encryptDataset(bytes);
  const { salt, datasetId } = newDatasetId(client, contentHash);
  await keepKey(datasetId, key);
  const uri = await place(ciphertext);
  const sizeBytes = BigInt(ciphertext.length);
  const sent = await registerDataset(client, { contentHash, salt, sizeBytes, uri, metadata, payees });
  return { ...sent, datasetId, contentHash, sizeBytes, uri, metadata };
}
