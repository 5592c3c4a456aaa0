/**
 * Room: sdk/audit/gather/consent. Who owned a data set when, and which consents were taken back when.
 */
import { getAbiItem } from "viem";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { type DatasetUse, domainOf, hashGrant } from "../../../protocol/eip712.ts";
import { type DatasetEvidence, type Ending, isMissing, type Settlement } from "../evidence.ts";
import { ownerAt } from "../position.ts";
import { acceptsSignature } from "./acceptsSignature.ts";
import type { ChainView } from "./chainView.ts";

const registeredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
const revokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantsRevoked" });
const transferredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetTransferred" });
const retiredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRetired" });
const ownerRevokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "OwnerGrantsRevoked" });
const nonceRevokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantNonceRevoked" });

/**
 * Evidence on one data set of the order, and on the grant that the settlement used for it.
 *
 * @param position - of the data set in the order.
 * @example
 * const dataset = await gatherDataset(view, order.datasets[0], 0, ending, settlement)
 */
export async function gatherDataset(
  view: ChainView,
  use: DatasetUse,
  position: number,
  ending: Ending | undefined,
  settlement: Settlement | undefined,
): Promise<DatasetEvidence> {
  const address = view.deployment.contracts.datasetRegistry;
  const { datasetId } = use;
  const args = { datasetId };
  const nothing = { epochs: [], transfers: [], retirements: [], ownerEpochs: [], nonceRevocations: [] };
  const [registered] = await view.events({ address, event: registeredEvent, args });
  if (registered === undefined) {
    const missing = { missing: `data set ${datasetId} was never registered` };
    return { ...nothing, registration: missing, contractAccepts: missing };
  }
  const { owner: firstOwner, contentHash, salt, sizeBytes, payees } = registered.args;
  const revoked = await view.events({ address, event: revokedEvent, args });
  const transferred = await view.events({ address, event: transferredEvent, args });
  const retirements = await view.events({ address, event: retiredEvent, args });
  const epochs = [...revoked, ...transferred].map(({ args: { newEpoch }, block, logIndex }) => ({
    block,
    logIndex,
    newEpoch,
  }));
  const transfers = transferred.map(({ args: { to }, block, logIndex }) => ({ block, logIndex, to }));
  const registration = { owner: firstOwner, contentHash, salt, sizeBytes, payees };
  const owner = ownerAt(firstOwner, transfers, ending);
  const ownerRevoked = await view.events({ address, event: ownerRevokedEvent, args: { owner } });
  const ownerEpochs = ownerRevoked.map(({ args: { newOwnerEpoch }, block, logIndex }) => ({
    block,
    logIndex,
    newOwnerEpoch,
  }));
  const known = { registration, epochs, transfers, retirements, ownerEpochs };

  const grants = settlement?.grants;
  const signed = grants === undefined || isMissing(grants) ? undefined : grants[position];
  if (signed === undefined)
    return { ...known, nonceRevocations: [], contractAccepts: { missing: "there is no grant at hand" } };
  const { chainId, contracts } = view.deployment;
  const hash = hashGrant(domainOf(chainId, contracts.jobMarket), signed.grant);
  const contractAccepts = await acceptsSignature(view, owner, hash, signed.signature);
  const nonce = { owner, nonce: signed.grant.nonce };
  const nonceRevocations = await view.events({ address, event: nonceRevokedEvent, args: nonce });
  return { ...known, nonceRevocations, contractAccepts };
}
