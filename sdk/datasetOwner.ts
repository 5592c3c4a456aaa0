/**
 * Room: sdk/datasetOwner. What an owner does with a registered data set: say what it is, hand it over, end it. Consent
 * is given and taken back in sdk/grants.
 */
import { type Address, type Hex, zeroAddress } from "viem";
import { datasetRegistryAbi } from "../protocol/abi.ts";
import { type Metadata, metadataToText } from "../protocol/metadata.ts";
import type { Client } from "./client.ts";
import { type Call, type Sent, send } from "./send.ts";

type Change = "update" | "offerOwnership" | "takeOwnership" | "retire";

/**
 * Says anew where the ciphertext of a data set of the wallet's lies, and what it is. Replaces both.
 *
 * @throws BadMetadataError | any error of `send`: DatasetRegistry_NotOwner, DatasetRegistry_Retired
 * @example
 * await updateDataset(client, datasetId, { uri, metadata: { ...metadata, edition: "2026-03" } })
 */
export async function updateDataset(
  client: Client,
  datasetId: Hex,
  { uri, metadata }: { uri: string; metadata: Metadata },
): Promise<Sent> {
  return await change(client, "update", [datasetId, uri, metadataToText(metadata)]);
}

/**
 * Offers a data set of the wallet's to another owner, who must take it; nothing changes until then.
 *
 * @param to - undefined takes an offer back.
 * @throws any error of `send`: DatasetRegistry_NotOwner, DatasetRegistry_Retired
 * @example
 * await offerDataset(client, datasetId, newOwner)
 */
export async function offerDataset(client: Client, datasetId: Hex, to: Address | undefined): Promise<Sent> {
  return await change(client, "offerOwnership", [datasetId, to ?? zeroAddress]);
}

/**
 * Takes a data set that was offered to the wallet. Every grant of it is void from then on; its payees stay.
 *
 * @returns with it the epoch that new grants carry.
 * @throws any error of `send`: DatasetRegistry_NotPendingOwner
 * @example
 * const { newEpoch } = await takeDataset(client, datasetId)
 */
export async function takeDataset(client: Client, datasetId: Hex): Promise<Sent & { newEpoch: number }> {
  const { hash, gasUsed, blockNumber, result } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "takeOwnership",
    args: [datasetId],
  });
  return { hash, gasUsed, blockNumber, newEpoch: result };
}

/**
 * Ends a data set of the wallet's for good: no grant of it holds any more, none ever will.
 *
 * @throws any error of `send`: DatasetRegistry_NotOwner, DatasetRegistry_Retired
 * @example
 * await retireDataset(client, datasetId)
 */
export async function retireDataset(client: Client, datasetId: Hex): Promise<Sent> {
  return await change(client, "retire", [datasetId]);
}

async function change<name extends Change>(
  client: Client,
  functionName: name,
  args: Call<typeof datasetRegistryAbi, name>["args"],
): Promise<Sent> {
  const address = client.deployment.contracts.datasetRegistry;
  const { hash, gasUsed, blockNumber } = await send(client, { address, abi: datasetRegistryAbi, functionName, args });
  return { hash, gasUsed, blockNumber };
}
