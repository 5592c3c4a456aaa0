/**
 * Room: sdk/audit/gather/consent. Who owns a data set, and which consents were taken back when.
 */
import { getAbiItem, type Hex, parseAbi } from "viem";
import { datasetRegistryAbi } from "../../../protocol/abi.ts";
import { type DatasetUse, domainOf, hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import { ContractRefusedError, NoContractError } from "../../chainErrors.ts";
import { type DatasetEvidence, isMissing, type Settlement } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import type { ChainView } from "./chainView.ts";

const registeredEvent = getAbiItem({ abi: datasetRegistryAbi, name: "DatasetRegistered" });
const revokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantsRevoked" });
const nonceRevokedEvent = getAbiItem({ abi: datasetRegistryAbi, name: "GrantNonceRevoked" });

const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
/** What ERC-1271 has a contract return. */
const accepted = "0x1626ba7e";

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
  const nonceRevocations = await view.events({ address, event: nonceRevokedEvent, args });
  return { registration, epochs, nonceRevocations, contractAccepts: await asksOwner(view, owner, signed) };
}

/** Asked only where the signature is not the owner's own: a contract's word is as good as the RPC's. */
async function asksOwner(view: ChainView, owner: Hex, { grant, signature }: SignedGrant): Promise<boolean> {
  const { chainId, contracts } = view.deployment;
  const hash = hashGrant(domainOf(chainId, contracts.jobMarket), grant);
  if (isSignedBy(hash, signature, owner) || !(await view.hasCode(owner))) return false;
  try {
    const call = {
      address: owner,
      abi: erc1271Abi,
      functionName: "isValidSignature",
      args: [hash, signature],
    } as const;
    return (await view.read(call)) === accepted;
  } catch (error) {
    if (error instanceof ContractRefusedError || error instanceof NoContractError) return false;
    throw error;
  }
}
