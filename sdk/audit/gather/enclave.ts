/**
 * Room: sdk/audit/gather/enclave. How the key that signed a receipt was registered, from the event and the calldata, and
 * what became of the registration.
 */
import { type Address, getAbiItem, type Hex } from "viem";
import { enclaveRegistryAbi } from "../../../protocol/abi.ts";
import { domainOf, hashOperatorAuthorization } from "../../../protocol/eip712.ts";
import { demotionReasons } from "../../../protocol/enclaveRecord.ts";
import { ContractRefusedError } from "../../chainErrors.ts";
import { gatherProof, ProofNotShownError, type ProofSource, type RegistrationProof } from "../../registration/proof.ts";
import type { EnclaveRecord, Missing, Registration, RegistrationCall, RegistrationChange } from "../evidence.ts";
import { isMissing } from "../evidence.ts";
import { acceptsSignature } from "./acceptsSignature.ts";
import type { ChainView } from "./chainView.ts";
import { gatherCollateral } from "./collateral.ts";

const registeredEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRegistered" });
const renewedEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRenewed" });
const retiredEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRetired" });
const demotedEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveDemoted" });

/**
 * The registration of a signing key.
 *
 * @example
 * const registration = await gatherRegistration(view, signer)
 */
export async function gatherRegistration(view: ChainView, signingKey: Address): Promise<Registration | Missing> {
  const address = view.deployment.contracts.enclaveRegistry;
  const [seen] = await view.events({ address, event: registeredEvent, args: { signingKey } });
  if (seen === undefined) return { missing: "the key was never registered" };
  const { block, logIndex, transactionHash, args } = seen;
  const call = await gatherCall(view, transactionHash);
  return {
    ...args,
    block,
    logIndex,
    changes: await gatherChanges(view, signingKey),
    call,
    collateral: isMissing(call)
      ? call
      : await gatherCollateral(view, args.tcb.platform, call.quote.pckIssuer, { block, logIndex }),
  };
}

async function gatherCall(view: ChainView, transactionHash: Hex): Promise<RegistrationCall | Missing> {
  const source: ProofSource = {
    deployment: view.deployment,
    transaction: (hash) => view.transaction(hash),
    events: (wanted) => view.events(wanted),
  };
  let proof: RegistrationProof;
  try {
    proof = await gatherProof(source, transactionHash);
  } catch (error) {
    if (error instanceof ProofNotShownError) return { missing: error.fact };
    throw error;
  }
  const { request, authorization, sender: agent } = proof;
  const boundBlock =
    request.blockNumber < view.anchor.number
      ? await view.block(request.blockNumber)
      : { missing: "the quote names a block that does not exist yet" };
  const { chainId, contracts } = view.deployment;
  const { operator } = request;
  const consent = { operator, agent, validUntil: authorization.validUntil };
  const hash = hashOperatorAuthorization(domainOf(chainId, contracts.enclaveRegistry), consent);
  const contractAccepts = await acceptsSignature(view, operator, hash, authorization.signature);
  const { quote, signature, pckLeafIn, qeReportIn } = proof;
  const shown = { quote, signature, pckLeafIn, qeReportIn, authorization, sender: agent };
  return { ...request, ...shown, transactionHash, boundBlock, contractAccepts };
}

async function gatherChanges(view: ChainView, signingKey: Address): Promise<RegistrationChange[]> {
  const address = view.deployment.contracts.enclaveRegistry;
  const args = { signingKey };
  const renewed = await view.events({ address, event: renewedEvent, args });
  const retired = await view.events({ address, event: retiredEvent, args });
  const demoted = await view.events({ address, event: demotedEvent, args });
  const changes: RegistrationChange[] = [
    ...renewed.map(({ block, logIndex, args: { tcbStatus, expiresAt, tcb } }) => ({
      ...{ block, logIndex, tcbStatus, expiresAt, tcb },
      how: "renewed" as const,
    })),
    ...retired.map(({ block, logIndex }) => ({ block, logIndex, how: "retired" as const })),
    ...demoted
      .filter(({ args: { reason } }) => demotionReasons[reason] !== "Expired")
      .map(({ block, logIndex, args: { tcbStatus } }) => ({ block, logIndex, tcbStatus, how: "demoted" as const })),
  ];
  return changes.sort((a, b) => Number(a.block.number - b.block.number) || a.logIndex - b.logIndex);
}

/**
 * What the registry's storage says of a signing key.
 *
 * @example
 * const record = await gatherRecord(view, signer)
 */
export async function gatherRecord(view: ChainView, signingKey: Address): Promise<EnclaveRecord | Missing> {
  const address = view.deployment.contracts.enclaveRegistry;
  try {
    return await view.read({ address, abi: enclaveRegistryAbi, functionName: "enclave", args: [signingKey] });
  } catch (error) {
    if (error instanceof ContractRefusedError) return { missing: "the registry's storage does not know the key" };
    throw error;
  }
}
