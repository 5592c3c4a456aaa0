import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startOwnService } from "../../../enclave/sandbox/ownService.ts";
import { openSandbox } from "../../../enclave/sandbox/runProgram.ts";
import { SandboxServiceError } from "../../../enclave/sandbox/serviceClient.ts";
import { findWall } from "../../../enclave/sandbox/wall.ts";
import { makeProgram } from "./makeProgram.ts";
import { descendantsOf, isRunning, waitFor } from "./sandboxService.ts";

const honest = {
  program: makeProgram("export default ({ data }) => data.length"),
  inputs: [Buffer.from("abc")],
  params: {},
};
const three = { status: "ok", output: 3 };
const forever = { ...honest, program: makeProgram("for (;;) {}", { limits: { fuel: 1e11, wallMs: 300_000 } }) };
const sockets = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("dcm-sandbox-"));
/** Descendants are told by the process that has started them: here, this one. */
const services = () => descendantsOf(process.pid);

describe("the worker's own sandbox service", () => {
  const { TMPDIR } = process.env;
  let dir: string;
  before("temporary folders are this test's alone: other suites' workers run at the same time", async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-own-"));
    process.env.TMPDIR = dir;
  });
  after(async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await rm(dir, { recursive: true });
  });

  it("runs programs behind the strongest wall that stands here, and is gone when it is closed", async () => {
    const [before, folders] = [services(), await sockets()];
    const { place, close } = await startOwnService(() => expect.fail());
    expect(place.wall.name).to.equal((await findWall()).name);
    const sandbox = await openSandbox({ place, warm: 1 });
    expect(await sandbox.run(honest)).to.deep.include(three);
    expect(services().length).to.be.greaterThan(before.length);
    await sandbox.close();
    await close();
    await waitFor(() => services().length === before.length);
    expect(await sockets()).to.deep.equal(folders);
  });

  it("is started again when it is killed: the run is lost, the next is not, and nobody is left behind", async () => {
    const problems: Error[] = [];
    const before = services();
    const { place, close } = await startOwnService((error) => problems.push(error));
    const sandbox = await openSandbox({ place, warm: 0 });
    try {
      const run = sandbox.run(forever).catch((error: unknown) => error);
      const own = () => services().filter((pid) => !before.includes(pid));
      await waitFor(() => own().length > 2);
      const killed = own();
      process.kill(Math.min(...killed), "SIGKILL"); // the oldest: the service itself
      expect(await run).to.be.instanceOf(SandboxServiceError);
      await waitFor(() => !killed.some(isRunning));
      await waitFor(() => place.isUp());
      expect(await sandbox.run(honest)).to.deep.include(three);
      expect(problems.map(({ name }) => name)).to.deep.equal(["Sandbox.SandboxServiceError"]);
    } finally {
      await sandbox.close();
      await close();
    }
    await waitFor(() => services().length === before.length);
  });

  it("ends with its worker, however that ends", async () => {
    const folders = await sockets();
    const script = new URL("runOwnService.ts", import.meta.url).pathname;
    const worker = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(worker.stdout, "data");
    const pids = descendantsOf(worker.pid ?? 0);
    expect(pids.length).to.be.greaterThan(2);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    await waitFor(() => !pids.some(isRunning));
    await waitFor(async () => (await sockets()).length === folders.length);
  });
});
