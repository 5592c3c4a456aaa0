/**
 * Deploys the four contracts of the marketplace and says where they are. Used by `npm start`, `npm run dev` and
 * the tests. Reads Hardhat's artifacts; run `npm run build` before.
 */
import { readFile } from "node:fs/promises";
import {
  type Abi,
  type Account,
  type Address,
  type Chain,
  type Hex,
  type PublicClient,
  slice,
  type Transport,
  type WalletClient,
} from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { BaseError } from "../protocol/errors.ts";

/** What a deployment fixes for ever. */
export type DeploymentParameters = {
  /** x || y of the P-256 root public key, 64 bytes: Intel's or a simulated platform's. */
  rootKey: Hex;
  /** Longest life of an enclave's registration, in seconds. */
  maxLifeSeconds: bigint;
};

/** The clients that deploy: the wallet pays the gas and keeps no rights over the contracts. */
export type DeployClients = {
  wallet: WalletClient<Transport, Chain | undefined, Account>;
  chain: PublicClient;
};

/**
 * Deploys TdxVerifier, EnclaveRegistry, DatasetRegistry and JobMarket.
 *
 * @returns the deployment, ready to be written to a file for `dcm --deployment`.
 * @example
 * const deployment = await deployContracts({ wallet, chain }, { rootKey, maxLifeSeconds: 604_800n })
 */
export async function deployContracts(clients: DeployClients, parameters: DeploymentParameters): Promise<Deployment> {
  const fromBlock = Number(await clients.chain.getBlockNumber());
  const rootX = slice(parameters.rootKey, 0, 32);
  const rootY = slice(parameters.rootKey, 32, 64);
  const tdxVerifier = await deployContract(clients, "attestation/TdxVerifier.sol/TdxVerifier", [rootX, rootY]);
  const enclaveRegistry = await deployContract(clients, "enclave/EnclaveRegistry.sol/EnclaveRegistry", [
    tdxVerifier,
    parameters.maxLifeSeconds,
  ]);
  const datasetRegistry = await deployContract(clients, "market/DatasetRegistry.sol/DatasetRegistry", []);
  const jobMarket = await deployContract(clients, "market/JobMarket.sol/JobMarket", [enclaveRegistry, datasetRegistry]);
  return {
    chainId: await clients.chain.getChainId(),
    fromBlock,
    contracts: { tdxVerifier, enclaveRegistry, datasetRegistry, jobMarket },
    rootKey: parameters.rootKey,
  };
}

/**
 * Deploys one contract from its artifact.
 *
 * @param artifact - path under artifacts/contracts without `.json`, e.g. "mocks/TestToken.sol/TestToken".
 * @example
 * const token = await deployContract(clients, "mocks/TestToken.sol/TestToken", [])
 */
export async function deployContract(
  clients: DeployClients,
  artifact: string,
  args: readonly unknown[],
): Promise<Address> {
  const url = new URL(`../artifacts/contracts/${artifact}.json`, import.meta.url);
  const { abi, bytecode } = JSON.parse(await readFile(url, "utf8")) as { abi: Abi; bytecode: Hex };
  const hash = await clients.wallet.deployContract({ abi, bytecode, args, chain: clients.wallet.chain ?? null });
  const receipt = await clients.chain.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  if (receipt.status !== "success" || receipt.contractAddress == null) throw new NotDeployedError(artifact, hash);
  return receipt.contractAddress;
}

/** The deploying transaction was mined, but reverted. */
export class NotDeployedError extends BaseError {
  override readonly name = "Deploy.NotDeployedError";
  constructor(artifact: string, hash: Hex) {
    super(`${artifact} was not deployed: transaction ${hash} reverted.`, {
      hint: "Check the constructor's parameters, above all that the root key is a point on P-256.",
    });
  }
}
