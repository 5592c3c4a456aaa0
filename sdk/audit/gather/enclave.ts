/**
 * Room: sdk/audit/gather/enclave. How the key that signed a receipt was registered, from the event and its calldata.
 */
import { type Address, decodeFunctionData, getAbiItem, type Hex, isAddressEqual } from "viem";
import { enclaveRegistryAbi } from "../../../protocol/abi.ts";
import { ContractRefusedError } from "../../chainErrors.ts";
import type { EnclaveRecord, Missing, Registration, RegistrationCall } from "../evidence.ts";
import type { ChainView } from "./chainView.ts";

const registeredEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRegistered" });

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
  return { ...args, block, logIndex, call: await gatherCall(view, transactionHash, signingKey) };
}

async function gatherCall(
  view: ChainView,
  transactionHash: Hex,
  signingKey: Address,
): Promise<RegistrationCall | Missing> {
  const elsewhere = {
    missing: "the key was registered through another contract: its quote does not show in the transaction",
  };
  const { to, input } = await view.transaction(transactionHash);
  if (to === null || !isAddressEqual(to, view.deployment.contracts.enclaveRegistry)) return elsewhere;
  let call: ReturnType<typeof decodeRegister>;
  try {
    call = decodeRegister(input);
  } catch {
    return { missing: "the registration's calldata cannot be read" };
  }
  if (call === undefined) return elsewhere;
  const [quote, pckLeaf, pckIssuer, request, signature] = call;
  if (!isAddressEqual(request.signingKey, signingKey)) return elsewhere;
  const boundBlock =
    request.blockNumber < view.anchor.number
      ? await view.block(request.blockNumber)
      : { missing: "the quote names a block that does not exist yet" };
  return { quote: { quote, pckLeaf, pckIssuer }, ...request, signature, boundBlock };
}

function decodeRegister(data: Hex) {
  const call = decodeFunctionData({ abi: enclaveRegistryAbi, data });
  return call.functionName === "register" ? call.args : undefined;
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
