import { expect } from "chai";
import { getAddress } from "viem";
import { type DeployClients, deployContract, deployContracts } from "../../deploy/deployContracts.ts";
import { enclaveRegistryAbi, jobMarketAbi, tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import { deploymentSchema, intelRootKey } from "../../protocol/deployment.ts";
import { startChain, type TestChain } from "../support/chain.ts";

const hash = `0x${"11".repeat(32)}`;

describe("deployContract", () => {
  // Nodes name the address that a creation would have had also when it reverted.
  it("refuses a creation that was mined but reverted, though the receipt names an address", async () => {
    const receipt = { status: "reverted", contractAddress: `0x${"22".repeat(20)}` };
    const clients = {
      wallet: { deployContract: async () => hash, chain: undefined },
      chain: { waitForTransactionReceipt: async () => receipt },
    } as unknown as DeployClients;
    const thrown = await deployContract(clients, "market/DatasetRegistry.sol/DatasetRegistry", []).catch((e) => e);
    expect(thrown.name).to.equal("Deploy.NotDeployedError");
    expect(thrown.message).to.include(hash);
  });
});

describe("deployContracts", () => {
  let chain: TestChain;
  before(async () => {
    chain = await startChain();
  });
  after(() => chain.close());

  const deploy = (changes = {}) => {
    const parameters = { rootKey: intelRootKey, maxLifeSeconds: 604_800n, ...changes } as const;
    return deployContracts({ wallet: chain.wallet(0), chain: chain.public }, parameters);
  };
  const policyOf = async ({ contracts }: Awaited<ReturnType<typeof deploy>>) => {
    const registry = { address: contracts.enclaveRegistry, abi: enclaveRegistryAbi } as const;
    const verifier = { address: contracts.tdxVerifier, abi: tdxVerifierAbi } as const;
    const collateral = { address: contracts.tdxCollateral, abi: tdxCollateralAbi } as const;
    const { readContract } = chain.public;
    return {
      verifier: (await readContract({ ...registry, functionName: "verifier" })).toLowerCase(),
      collateral: (await readContract({ ...verifier, functionName: "collateral" })).toLowerCase(),
      rootKey: (await readContract({ ...collateral, functionName: "rootKey" })).map((part) => part.slice(2)).join(""),
      allowedTcb: await readContract({ ...registry, functionName: "allowedTcb" }),
      minimum: await readContract({ ...collateral, functionName: "minimumEvaluationNumber" }),
      maxLifeSeconds: await readContract({ ...registry, functionName: "maxLifeSeconds" }),
    };
  };

  it("deploys contracts that name each other, under the root and the policy that were given", async () => {
    const deployment = await deploy();
    expect(deploymentSchema.parse(JSON.parse(JSON.stringify(deployment)))).to.deep.equal(deployment);
    const { tdxVerifier, tdxCollateral } = deployment.contracts;
    const wired = { verifier: tdxVerifier, collateral: tdxCollateral, rootKey: intelRootKey.slice(2) };
    // UpToDate and SWHardeningNeeded.
    const expected = { ...wired, allowedTcb: 0b110, minimum: 18, maxLifeSeconds: 604_800n };
    expect(await policyOf(deployment)).to.deep.equal(expected);
    const strict = await policyOf(await deploy({ allowedTcb: 0b10, minimumEvaluationNumber: 19, maxLifeSeconds: 60n }));
    expect(strict).to.include({ allowedTcb: 0b10, minimum: 19, maxLifeSeconds: 60n });
  });

  it("deploys a market over the two registries, whose extension answers at its address", async () => {
    const { contracts } = await deploy();
    const market = { address: contracts.jobMarket, abi: jobMarketAbi } as const;
    const { readContract } = chain.public;
    expect(await readContract({ ...market, functionName: "enclaves" })).to.equal(getAddress(contracts.enclaveRegistry));
    expect(await readContract({ ...market, functionName: "datasets" })).to.equal(getAddress(contracts.datasetRegistry));
    const extension = await readContract({ ...market, functionName: "extension" });
    expect(await readContract({ ...market, address: extension, functionName: "enclaves" })).to.equal(
      getAddress(contracts.enclaveRegistry),
    );
  });

  it("does not deploy a policy that allows what nobody may allow", async () => {
    for (const allowedTcb of [0, 1 << 0, 1 << 7]) {
      const error = await deploy({ allowedTcb }).catch((e) => e);
      expect(String(error)).to.include(`EnclaveRegistry_BadPolicy(${allowedTcb})`);
    }
  });
});
