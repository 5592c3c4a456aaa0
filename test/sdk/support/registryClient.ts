/** A client of a deployment of which only the data set registry is there: for tests that ask nothing else. */
import { type Address, zeroAddress } from "viem";
import { domainOf } from "../../../protocol/eip712.ts";
import type { Client } from "../../../sdk/client.ts";
import type { TestChain } from "../../support/chain.ts";

/**
 * The client of one of the chain's accounts.
 *
 * @example
 * const owner = registryClient(chain, 1, registry);
 */
export function registryClient(chain: TestChain, account: number, datasetRegistry: Address): Client {
  const contracts = {
    tdxCollateral: zeroAddress,
    tdxVerifier: zeroAddress,
    enclaveRegistry: zeroAddress,
    endorsements: zeroAddress,
    datasetRegistry,
    jobMarket: zeroAddress,
  };
  return {
    chain: chain.public,
    wallet: chain.wallet(account),
    deployment: { chainId: 31337, fromBlock: 0, contracts, rootKey: "0x" },
    marketDomain: domainOf(31337, zeroAddress),
  };
}
