/** Three-block reorganisations of the real node under the worker: what was opened, run or settled on the lost branch. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { Hex } from "viem";
import { openJob } from "../../sdk/jobs.ts";
import { ended, settlement, settlements } from "../support/outcomes.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

describe("a three-block reorg", () => {
  let s: Scenario;
  before(async () => {
    s = await startScenario();
  });
  after(() => s.stop());

  const phaseOf = async (jobId: Hex) => {
    const response = await fetch(`${s.worker().url}/jobs/${jobId}`);
    return response.ok ? ((await response.json()) as { phase: string }).phase : response.status;
  };
  const until = async (condition: () => Promise<boolean>) => {
    for (let tries = 0; tries < 400; tries++) {
      if (await condition()) return;
      await sleep(25);
    }
    throw new Error(`waited in vain:\n${s.worker().child.lines.stdout.slice(-10).join("\n")}`);
  };

  it("that removes and re-adds a job's opening ends in one settlement", async () => {
    const { control } = s.market.chain;
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    const snapshot = await control.snapshot();
    const job = await s.ask(grants);
    await control.mine({ blocks: 2 });
    await until(async () => (await phaseOf(job.jobId)) === "open");

    await control.revert({ id: snapshot });
    await control.mine({ blocks: 4, interval: 7 });
    await until(async () => (await phaseOf(job.jobId)) === 404);

    const again = await openJob(s.requester, job.prepared);
    expect(again.jobId).to.equal(job.jobId);
    await s.deliver();
    expect(await ended(s, job.jobId)).to.equal("SettledOk");
    await settlement(s, job.jobId);
  });

  it("that removes a job's opening and its settlement, and re-adds the opening, settles it on the new branch", async () => {
    const { control } = s.market.chain;
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    const snapshot = await control.snapshot();
    await control.mine({ blocks: 2 }); // so that the receipt's anchor is lost too
    const job = await s.ask(grants);
    expect(await ended(s, job.jobId)).to.equal("SettledOk");
    const lost = await settlement(s, job.jobId);
    await until(async () => (await phaseOf(job.jobId)) === "settled");

    await control.revert({ id: snapshot });
    await control.mine({ blocks: 5, interval: 7 });
    expect(await settlements(s, job.jobId)).to.have.length(0);
    await openJob(s.requester, job.prepared);
    expect(await ended(s, job.jobId)).to.equal("SettledOk");
    const kept = await settlement(s, job.jobId);
    expect(kept.anchorHash).to.not.equal(lost.anchorHash);
    expect(kept.outputCommitment).to.equal(lost.outputCommitment);
  });

  it("that removes the worker's registration makes it register again, and jobs go on", async () => {
    const { control } = s.market.chain;
    const snapshot = await control.snapshot();
    const before = s.worker();
    await before.child.stop();
    const { url, child } = await s.restartWorker({ env: { HEAD_POLICY: "latest" } });
    const enclave = async () =>
      (await (await fetch(`${url}/enclave`)).json()) as { registered: boolean; registrationTx: Hex; gasWallet: Hex };
    const first = await enclave();

    await control.revert({ id: snapshot });
    await control.mine({ blocks: 4, interval: 7 });
    await until(async () => child.lines.stdout.some((line) => line.includes("enclave.registration-lost")));
    await until(async () => (await enclave()).registered);
    expect((await enclave()).registrationTx).to.not.equal(first.registrationTx);

    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    expect(await ended(s, (await s.ask(grants)).jobId)).to.equal("SettledOk");
  });
});
