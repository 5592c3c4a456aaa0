/**
 * Room: sdk/bundle/constants. What the contracts' views return from immutables: it stands in their code, so that a proven code
 * hash proves it. Pure.
 */
import { slice } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import type { CodeParameters } from "./expectedCode.ts";

/**
 * What a view returns that reads no storage.
 *
 * @returns undefined if it is none of these.
 * @example
 * constantOf("enclaves", deployment, parameters) // the enclave registry's address
 */
export function constantOf(
  functionName: string,
  { contracts, rootKey }: Deployment,
  { allowedTcb }: CodeParameters,
): unknown {
  const constants: Readonly<Record<string, unknown>> = {
    enclaves: contracts.enclaveRegistry,
    datasets: contracts.datasetRegistry,
    verifier: contracts.tdxVerifier,
    collateral: contracts.tdxCollateral,
    rootKey: [slice(rootKey, 0, 32), slice(rootKey, 32, 64)],
    allowedTcb,
  };
  return Object.hasOwn(constants, functionName) ? constants[functionName] : undefined;
}
