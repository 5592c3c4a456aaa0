/**
 * Deploys the contracts of the marketplace and says where they are. Used by `npm start`, `npm run dev` and
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
  /** The TCB statuses that may register: bit n stands for status n. Default: {@link defaultAllowedTcb}. */
  allowedTcb?: number;
  /** The least tcbEvaluationDataNumber that collateral may have. Default: {@link defaultMinimum}. */
  minimumEvaluationNumber?: number;
};

/** UpToDate and SWHardeningNeeded: bits 1 and 2. Source: `TcbStatus` in TcbTypes.sol. */
export const defaultAllowedTcb = 0b110;

/** What Intel published in November 2025, for TCB info and QE identity alike; 20 and 19 in August 2026. */
export const defaultMinimum = 18;

/** The clients that deploy: the wallet pays the gas and keeps no rights over the contracts. */
export type DeployClients = {
  wallet: WalletClient<Transport, Chain | undefined, Account>;
  chain: PublicClient;
};

/**
 * Deploys TdxCollateral, TdxVerifier, EnclaveRegistry, Endorsements, DatasetRegistry, and JobMarket with its extension.
 * No collateral is submitted: anyone does that, also the first worker.
 *
 * @returns the deployment, ready to be written to a file for `dcm --deployment`.
 * @example
 * const deployment = await deployContracts({ wallet, chain }, { rootKey, maxLifeSeconds: 604_800n })
 */
export async function deployContracts(clients: DeployClients, parameters: DeploymentParameters): Promise<Deployment> {
  const fromBlock = Number(await clients.chain.getBlockNumber());
  const rootX = slice(parameters.rootKey, 0, 32);
  const rootY = slice(parameters.rootKey, 32, 64);
  const { maxLifeSeconds, allowedTcb = defaultAllowedTcb, minimumEvaluationNumber = defaultMinimum } = parameters;
  const deploy = (artifact: string, args: readonly unknown[]) => deployContract(clients, artifact, args);
  const root = [rootX, rootY, minimumEvaluationNumber];
  const tdxCollateral = await deploy("attestation/TdxCollateral.sol/TdxCollateral", root);
  const tdxVerifier = await deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]);
  const policy = [tdxVerifier, maxLifeSeconds, allowedTcb];
  const enclaveRegistry = await deploy("enclave/EnclaveRegistry.sol/EnclaveRegistry", policy);
  const endorsements = await deploy("enclave/Endorsements.sol/Endorsements", []);
  const datasetRegistry = await deploy("market/DatasetRegistry.sol/DatasetRegistry", []);
  const registries = [enclaveRegistry, datasetRegistry];
  const extension = await deploy("market/MarketExtension.sol/MarketExtension", registries);
  const jobMarket = await deploy("market/JobMarket.sol/JobMarket", [...registries, extension]);
  return {
    chainId: await clients.chain.getChainId(),
    fromBlock,
    contracts: { tdxCollateral, tdxVerifier, enclaveRegistry, endorsements, datasetRegistry, jobMarket },
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
