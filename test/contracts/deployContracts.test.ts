import { expect } from "chai";
import { type DeployClients, deployContract } from "../../deploy/deployContracts.ts";

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
