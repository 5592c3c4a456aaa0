import { expect } from "chai";
import { deployContract } from "../../deploy/deployContracts.ts";
import { startChain } from "../support/chain.ts";

describe("startChain", () => {
  it("serves a chain that contracts can be deployed on", async () => {
    const chain = await startChain();
    const token = await deployContract(
      { wallet: chain.wallet(0), chain: chain.public },
      "mocks/TestToken.sol/TestToken",
      [],
    );
    expect((await chain.public.getCode({ address: token }))?.length).to.be.greaterThan(2);
    await chain.close();
  });
});
