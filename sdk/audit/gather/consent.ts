/**
 * Room: sdk/audit/gather/consent. Who owns a data set, and which consents were taken back when.
 */
import { getAbiItem } from "viem";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { type DatasetUse, domainOf, hashGrant } from "../../../protocol/eip712.ts";
import { type DatasetEvidence, isMissing, type Settlement } from "../evidence.ts";
import { acceptsSignature } from "./acceptsSignature.ts";
import type { ChainView } from "./chainView.ts";

const registeredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
const revokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantsRevoked" });
const nonceRevokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantNonceRevoked" });

/**
 * Evidence on one data set of the order, and on the grant that the settlement used for it.
 *
 * @param position - of the data set in the order.
 * @example
 * const dataset = await gatherDataset(view, order.datasets[0], 0, settlement)
 */
export async function gatherDataset(
  view: ChainView,
  use: DatasetUse,
  position: number,
  settlement: Settlement | undefined,
): Promise<DatasetEvidence> {
  const address = view.deployment.contracts.datasetRegistry;
  const { datasetId } = use;
  const [registered] = await view.events({ address, event: registeredEvent, args: { datasetId } });
  if (registered === undefined) {
    const missing = { missing: `data set ${datasetId} was never registered` };
    return { registration: missing, epochs: [], nonceRevocations: [], contractAccepts: missing };
  }
  const { owner, contentHash, salt, sizeBytes } = registered.args;
  const revoked = await view.events({ address, event: revokedEvent, args: { datasetId } });
  const epochs = revoked.map(({ args, ...where }) => ({ ...where, newEpoch: args.newEpoch }));
  const registration = { owner, contentHash, salt, sizeBytes };

  const grants = settlement?.grants;
  const signed = grants === undefined || isMissing(grants) ? undefined : grants[position];
  if (signed === undefined) {
    return { registration, epochs, nonceRevocations: [], contractAccepts: { missing: "there is no grant at hand" } };
  }
  const args = { owner, nonce: signed.grant.nonce };
  const { chainId, contracts } = view.deployment;
  const hash = hashGrant(domainOf(chainId, contracts.jobMarket), signed.grant);
  const contractAccepts = await acceptsSignature(view, owner, hash, signed.signature);
  const nonceRevocations = await view.events({ address, event: nonceRevokedEvent, args });
  return { registration, epochs, nonceRevocations, contractAccepts };
}
