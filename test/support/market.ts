/** The real market on a test chain, with a registry of enclaves that tests may fill. For tests. */
import { zeroAddress } from "viem";
import { deployContract } from "../../deploy/deployContracts.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import type { TestChain } from "./chain.ts";

/** Deploys DatasetRegistry, JobMarket and the double of the enclave registry. */
export async function deployMarket(chain: TestChain): Promise<Deployment> {
  const clients = { wallet: chain.wallet(0), chain: chain.public };
  const fromBlock = Number(await chain.public.getBlockNumber());
  const enclaveRegistry = await deployContract(clients, "mocks/MockEnclaveRegistry.sol/MockEnclaveRegistry", []);
  const datasetRegistry = await deployContract(clients, "market/DatasetRegistry.sol/DatasetRegistry", []);
  const registries = [enclaveRegistry, datasetRegistry] as const;
  const extension = await deployContract(clients, "market/MarketExtension.sol/MarketExtension", [...registries]);
  const jobMarket = await deployContract(clients, "market/JobMarket.sol/JobMarket", [...registries, extension]);
  return {
    chainId: 31337,
    fromBlock,
    contracts: {
      tdxCollateral: zeroAddress,
      tdxVerifier: zeroAddress,
      enclaveRegistry,
      endorsements: zeroAddress,
      datasetRegistry,
      jobMarket,
    },
    rootKey: `0x${"11".repeat(64)}`,
  };
}
