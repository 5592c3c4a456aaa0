/** A worker whose programs run in the sandbox service: honest jobs, a hostile one, and a service that is killed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Hex } from "viem";
import type { Readiness } from "../../enclave/http/workerApi.ts";
import {
  descendantsOf,
  isRunning,
  type RunningService,
  startService,
  waitFor,
} from "../enclave/sandbox/sandboxService.ts";
import { ended, failureOf } from "../support/outcomes.ts";
import { programOf } from "../support/programs.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

describe("a worker with a sandbox service", () => {
  let dir: string;
  let service: RunningService;
  let s: Scenario;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-service-"));
    service = await startService(join(dir, "sandbox.sock"));
    s = await startScenario({ env: { SANDBOX_SOCKET: service.socket } });
  });
  after(async () => {
    await s.stop();
    await service.child.stop();
    await rm(dir, { recursive: true });
  });

  const logged = (message: string, jobId: Hex) =>
    s.worker().child.lines.stdout.some((line) => line.includes(message) && line.includes(jobId));
  const readiness = async () => (await (await fetch(`${s.worker().url}/readyz`)).json()) as Readiness;
  const grants = async (terms = {}) => {
    const signed = await Promise.all(s.providers.map((provider) => s.grant(provider, terms)));
    await s.deliver();
    return signed;
  };

  it("runs every program there, and none itself", async () => {
    const honest = await s.ask(await grants());
    const thief = programOf(s.program, "export default () => import('node:fs').then((fs) => fs.readdirSync('/'))");
    const hostile = await s.ask(await grants({ programId: thief.id }), { run: thief });
    expect(await ended(s, honest.jobId)).to.equal("SettledOk");
    expect(await failureOf(s, hostile.jobId)).to.equal("ProgramTrapped");
    expect(descendantsOf(s.worker().child.process.pid ?? 0)).to.deep.equal([]);
    expect((await readiness()).ready).to.equal(true);
  });

  it("waits for a service that is killed in the middle of a job, says so, and runs the job anew", async () => {
    const below = descendantsOf(service.pid);
    service.child.process.kill("SIGSTOP"); // the job is given to it, and goes no further
    const { jobId } = await s.ask(await grants());
    await waitFor(() => logged("job.inputsFetched", jobId));
    service.child.process.kill("SIGKILL");
    await waitFor(() => logged("Sandbox.SandboxServiceError", jobId));
    await waitFor(() => !below.some(isRunning));
    const { ready, checks } = await readiness();
    expect(ready).to.equal(false);
    const reason = "the sandbox service does not answer; jobs wait for it";
    expect(checks.filter(({ ok }) => !ok)).to.deep.equal([{ name: "sandbox", ok: false, reason }]);

    service = await startService(service.socket);
    expect(await ended(s, jobId)).to.equal("SettledOk");
    expect((await readiness()).ready).to.equal(true);
  });

  it("leaves no process there when the worker stops", async () => {
    await waitFor(() => descendantsOf(service.pid).length > 0); // two wait for jobs
    await s.worker().child.stop();
    await waitFor(() => descendantsOf(service.pid).length === 0);
  });
});
