/**
 * Room: protocol/deployment. The file that says which contracts on which chain are meant. Pure.
 */
import { z } from "zod";
import { address, hexOf } from "./schemas.ts";

/** x || y of the public key of Intel's SGX Root CA (P-256, big-endian). Source: Intel SGX Root CA certificate, 2018-05-21. */
export const intelRootKey =
  "0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394";

/** A deployment of the contracts. */
export const deploymentSchema = z.strictObject({
  chainId: z.int().positive(),
  /** Block of the first of the contracts: listeners start here. */
  fromBlock: z.int().min(0),
  contracts: z.strictObject({
    tdxCollateral: address,
    tdxVerifier: address,
    enclaveRegistry: address,
    endorsements: address,
    datasetRegistry: address,
    jobMarket: address,
  }),
  /** x || y of the root key that collateral and quotes lead to. Not Intel's: the platform is SIMULATED. */
  rootKey: hexOf(64),
});

/** See {@link deploymentSchema}. */
export type Deployment = z.output<typeof deploymentSchema>;

/**
 * Whether the deployment trusts a root other than Intel's: its enclaves are simulated and keep nothing secret.
 *
 * @example
 * if (isSimulated(deployment)) console.log("SIMULATED")
 */
export function isSimulated(deployment: Deployment): boolean {
  return deployment.rootKey !== intelRootKey;
}
