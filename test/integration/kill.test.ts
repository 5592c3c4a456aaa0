/**
 * SIGKILL at every step of a job, then a new start: exactly one settlement, and the money goes where it was agreed.
 * Step "sent" is killed by the test itself while the transaction waits in the node's pool.
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { JobStep } from "../../enclave/jobs/ports.ts";
import { testAccount } from "../../scripts/localChain.ts";
import { creditOf } from "../../sdk/credit.ts";
import { decryptResult } from "../../sdk/encryption.ts";
import { fetchLogs } from "../../sdk/logApi.ts";
import { verifyJobLog } from "../../sdk/verifyLog.ts";
import { ended, releasedResult, settlement } from "../support/outcomes.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

const steps: JobStep[] = [
  "seen",
  "programChecked",
  "grantsChecked",
  "inputsFetched",
  "inputsDecrypted",
  "ran",
  "sealed",
  "signed",
  "saved",
  "sending",
  "settled",
];

describe("a worker killed with SIGKILL", () => {
  let s: Scenario;
  /** Says at which step the worker dies. Each worker finishes the job of the one before it, and dies at the next. */
  let killFile: string;
  const killable = () => ({ script: "test/support/killableWorker.ts", env: { KILL_FILE: killFile } });
  before(async () => {
    s = await startScenario();
    killFile = join(s.dir, "kill-at");
    await s.worker().child.stop();
    await s.restartWorker(killable());
  });
  after(() => s.stop());
  // Each test gives its own grants: brokers have nothing to bring to the workers of earlier tests.
  beforeEach(() => {
    for (const provider of s.providers) provider.grants.length = 0;
  });

  /** The worker dies of what is done. */
  async function killedAt<T>(step: JobStep, act: () => Promise<T>): Promise<T> {
    const { exited } = s.worker().child;
    await writeFile(killFile, step);
    const value = await act();
    expect(await exited).to.equal("SIGKILL");
    await rm(killFile);
    return value;
  }

  const credits = () =>
    Promise.all([1, 2, 3, 4].map((i) => creditOf(s.requester, testAccount(i).address, s.market.token)));

  for (const step of steps) {
    it(`at "${step}" and started again settles the job once`, async () => {
      const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
      await s.deliver();
      const before = await credits();
      const job = await killedAt(step, () => s.ask(grants));

      await s.restartWorker(killable());
      await s.deliver();
      expect(await ended(s, job.jobId)).to.equal("SettledOk");
      const receipt = await settlement(s, job.jobId);
      const { output } = await decryptResult(job.identity, await releasedResult(s, job.jobId), receipt);
      expect(output).to.have.property("n", 63);
      const gained = (await credits()).map((credit, i) => credit - (before[i] ?? 0n));
      expect(gained).to.deep.equal([1_000_000n, 2_500_000n, 2_500_000n, 0n]);
    });
  }

  it("while its settlement waits in the pool, and started again, settles the job once", async () => {
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    const { control } = s.market.chain;
    const job = await s.ask(grants);
    await control.setAutomine(false);
    await s
      .worker()
      .child.waitForLine(
        (line) => (line.includes("job.sending") && line.includes(job.jobId) ? true : undefined),
        20_000,
      );
    for (let pending = 0; pending === 0; ) {
      pending = (await control.getBlock({ blockTag: "pending" })).transactions.length;
    }
    s.worker().child.process.kill("SIGKILL");
    await s.worker().child.exited;
    await control.setAutomine(true);
    await control.mine({ blocks: 1 });

    await s.restartWorker(killable());
    await s.deliver();
    expect(await ended(s, job.jobId)).to.equal("SettledOk");
    const receipt = await settlement(s, job.jobId);
    await decryptResult(job.identity, await releasedResult(s, job.jobId), receipt);
  });

  it("with a receipt whose job fails refunds it once", async () => {
    // A program that throws: the FAILED receipt survives the kill as an Ok one does.
    const { failing, grants } = await failingJob(s);
    await s.deliver();
    const before = await credits();
    const job = await killedAt("saved", () => s.ask(grants, { run: failing }));
    await s.restartWorker();
    await s.deliver();
    expect(await ended(s, job.jobId)).to.equal("SettledFailed");
    await settlement(s, job.jobId);
    const gained = (await credits()).map((credit, i) => credit - (before[i] ?? 0n));
    expect(gained).to.deep.equal([100_000n, 0n, 0n, 5_900_000n]);
    // The receipt's key died with the process; its log is still there, and whole.
    const log = await verifyJobLog(s.requester.marketDomain, s.worker().url, job.jobId);
    expect(log.complete).to.equal(true);
    expect(log.entries.at(-1)?.entry).to.include({ type: "job.refused", failureCode: "ProgramTrapped" });
    const listed = (await fetchLogs(s.worker().url)).find(({ logId }) => logId === log.logId);
    expect(listed).to.include({ living: false, intact: true });
  });
});

async function failingJob(s: Scenario) {
  const { programOf } = await import("../support/programs.ts");
  const failing = programOf(s.program, 'export default () => { throw new Error("no"); };');
  const terms = { programId: failing.id };
  return { failing, grants: [await s.grant(s.providers[0], terms), await s.grant(s.providers[1], terms)] };
}
