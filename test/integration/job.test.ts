/** A paid job on real private data, through every room, and what the chain and the requester have afterwards. */
import { expect } from "chai";
import { creditOf } from "../../sdk/credit.ts";
import { decryptResult } from "../../sdk/encryption.ts";
import { testAccount } from "../../scripts/localChain.ts";
import { ended, releasedResult, settlement } from "../support/outcomes.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

describe("a paid job", () => {
  let s: Scenario;
  before(async () => {
    s = await startScenario();
  });
  after(() => s.stop());

  it("pays both providers and the operator, and gives the requester what the program computed", async () => {
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    const job = await s.ask(grants);
    expect(await ended(s, job.jobId)).to.equal("SettledOk");

    const receipt = await settlement(s, job.jobId);
    const { output } = await decryptResult(job.identity, await releasedResult(s, job.jobId), receipt);
    expect(output).to.deep.equal({ n: 63, r: 0.9601902642499779, firstYear: 1958, lastYear: 2020 });

    const credit = (index: number) => creditOf(s.requester, testAccount(index).address, s.market.token);
    expect(await Promise.all([1, 2, 3, 4].map(credit))).to.deep.equal([1_000_000n, 2_500_000n, 2_500_000n, 0n]);
  });
});
