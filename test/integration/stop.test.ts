/** SIGTERM in the middle of a run, as a service manager sends it: to the worker and to the sandbox process at once. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { type LogEntry, readLogEntry } from "../../protocol/logEntry.ts";
import { fetchLogEntries } from "../../sdk/logApi.ts";
import { verifyJobLog, verifyLivingLog } from "../../sdk/verifyLog.ts";
import { bring, grantOf, oneInputProgram, openRaw, stepSeen } from "../support/hostile.ts";
import { ended, settlement } from "../support/outcomes.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

const source = `export default ({ data }) => {
  let sum = 0;
  for (let i = 0; i < 25_000_000; i++) sum = (sum + i) % 7;
  return { n: data.length };
};`;

describe("a worker stopped with SIGTERM", () => {
  let s: Scenario;
  before(async () => {
    s = await startScenario();
  });
  after(() => s.stop());

  const sandboxesOf = async (pid: number) =>
    (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean).map(Number);

  for (const [name, all] of [["alone", false] as const, ["with its sandbox process", true] as const]) {
    it(`${name} during a run ends soon, signs nothing, and carries the job out when it is started again`, async () => {
      const { limits } = s.program.manifest;
      const program = oneInputProgram(s, source, { limits: { ...limits, fuel: 100_000_000_000, wallMs: 60_000 } });
      const [provider] = s.providers;
      const grant = await grantOf(s, provider, program);
      await bring(s, grant, { key: provider.datasetKey });
      const { jobId } = await openRaw(s, { program, grants: [grant] });
      await stepSeen(s, "inputsDecrypted", jobId);
      const { process: worker, exited, lines } = s.worker().child;
      for (let pids: number[] = []; pids.length === 0; pids = await sandboxesOf(worker.pid ?? 0));

      const stoppedAt = performance.now();
      worker.kill("SIGTERM");
      if (all) for (const pid of await sandboxesOf(worker.pid ?? 0)) process.kill(pid, "SIGTERM");
      expect(await exited).to.equal(0);
      expect(performance.now() - stoppedAt).to.be.below(2_000);
      expect(lines.stdout.filter((line) => line.includes('"job.signed"') && line.includes(jobId))).to.deep.equal([]);

      await s.restartWorker();
      await bring(s, grant, { key: provider.datasetKey });
      expect(await ended(s, jobId)).to.equal("SettledOk");
      await settlement(s, jobId);

      // Each life has a log of its own, which names the one before; that tells of the run that came to nothing.
      const { url } = s.worker();
      const { logId, previous, entries } = await verifyLivingLog(s.requester.marketDomain, url);
      if (previous === null) throw new Error("a log of the stopped worker");
      expect(previous.intact).to.equal(true);
      const old = await fetchLogEntries(url, previous.logId, { from: 0, to: previous.size });
      const typesOf = (found: readonly (LogEntry | undefined)[]) =>
        found.flatMap((entry) =>
          entry !== undefined && "jobId" in entry && entry.jobId === jobId ? [entry.type] : [],
        );
      const stopped = ["grant.checked", "key.opened", "input.decrypted", "input.destroyed"];
      expect(typesOf(old.map(readLogEntry))).to.deep.equal(stopped);
      const run = [...stopped.slice(0, 3), "program.ran", "input.destroyed", "result.sealed"];
      expect(typesOf(entries).slice(0, 6)).to.deep.equal(run);
      const shown = await verifyJobLog(s.requester.marketDomain, url, jobId);
      expect([shown.logId, shown.complete]).to.deep.equal([logId, true]);
      expect(typesOf(shown.entries.map(({ entry }) => entry))).to.deep.equal(run);
    });
  }
});
