/**
 * Room: sdk/verifyRegistration. Verifies an enclave's registration anew, from the quote in the registering
 * transaction. Whoever seals a key does this, so that even a lying RPC cannot name a vault key that is not an
 * enclave's.
 */
import { bytesToHex, decodeFunctionData, type Hex, isAddressEqual, keccak256 } from "viem";
import { enclaveRegistryAbi } from "../protocol/abi.ts";
import { registrationReportData, workloadIdOf } from "../protocol/attestationBinding.ts";
import { BaseError } from "../protocol/errors.ts";
import { measurementsOf } from "../protocol/quote/mrConfigId.ts";
import { verifyQuote } from "../protocol/quote/verifyQuote.ts";
import { toTypedError } from "./chainErrors.ts";
import type { Client } from "./client.ts";
import type { EnclaveListing } from "./enclaves.ts";

/**
 * Checks that the enclave's vault key is bound by a genuine quote, under the deployment's root, to its workload, to
 * this chain and registry.
 *
 * @param atUnixSeconds - when the platform's certificates must be valid: the caller's own clock.
 * @throws {@link RegistrationNotProvenError} | any error of `verifyQuote` | RpcError
 * @example
 * await verifyRegistration(client, enclave, Math.floor(Date.now() / 1000))
 */
export async function verifyRegistration(
  client: Client,
  enclave: EnclaveListing,
  atUnixSeconds: number,
): Promise<void> {
  const { chainId, contracts, rootKey } = client.deployment;
  const transaction = await client.chain.getTransaction({ hash: enclave.transactionHash }).catch((cause) => {
    throw toTypedError(cause);
  });
  const [quote, pckLeaf, pckIssuer, request] = decodeRegister(transaction.input, enclave);
  const { report } = verifyQuote({ quote, pckLeaf, pckIssuer }, rootKey, atUnixSeconds);
  if (
    !isAddressEqual(request.signingKey, enclave.signingKey) ||
    keccak256(request.vaultKey) !== keccak256(enclave.vaultKey)
  )
    throw new RegistrationNotProvenError(enclave, "its transaction registers other keys");
  const block = await client.chain.getBlock({ blockNumber: request.blockNumber }).catch((cause) => {
    throw toTypedError(cause);
  });
  const { operator, signingKey, vaultKey } = enclave;
  const binding = { chainId: BigInt(chainId), registry: contracts.enclaveRegistry, operator, signingKey, vaultKey };
  if (registrationReportData(binding, request.blockNumber, block.hash) !== bytesToHex(report.reportData))
    throw new RegistrationNotProvenError(enclave, "its quote binds other keys, or is for another chain or registry");
  if (workloadIdOf(measurementsOf(report)) !== enclave.workloadId)
    throw new RegistrationNotProvenError(enclave, "its quote is of another workload");
}

function decodeRegister(input: Hex, enclave: EnclaveListing) {
  try {
    const call = decodeFunctionData({ abi: enclaveRegistryAbi, data: input });
    if (call.functionName === "register") return call.args;
  } catch {
    // Said below.
  }
  // Registered through another contract: its quote cannot be found, so nothing is taken on trust.
  throw new RegistrationNotProvenError(enclave, "its transaction is not a plain call of register");
}

/** The registration does not prove what it says. */
export class RegistrationNotProvenError extends BaseError {
  override readonly name = "VerifyRegistration.RegistrationNotProvenError";
  constructor(enclave: Pick<EnclaveListing, "signingKey">, fact: string) {
    super(`The registration of enclave ${enclave.signingKey} proves nothing: ${fact}.`, {
      hint: "Give it no key. If the RPC is not your own, use another one.",
    });
  }
}
