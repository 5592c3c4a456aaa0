import { type ChildProcess, spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { SandboxStartError, SandboxStoppedError } from "../../../enclave/sandbox/childProcess.ts";
import { openSandbox, type Sandbox } from "../../../enclave/sandbox/runProgram.ts";
import { findWall, type Wall } from "../../../enclave/sandbox/wall.ts";
import { input, makeSql } from "./duckdb/sqlWorld.ts";
import { makeProgram } from "./makeProgram.ts";
import { isSandboxProcess, processesOf, runningOf } from "./watchProcesses.ts";

const mebibyte = 1024 * 1024;
const program = makeProgram("export default ({ data }) => data.length");
const request = { program, inputs: [new Uint8Array(3)], params: {} };
const three = { status: "ok", output: 3 };

describe("openSandbox", () => {
  const started: ChildProcess[] = [];
  const onStart = (message: unknown) => {
    const { process: child } = message as { process: ChildProcess };
    setImmediate(() => isSandboxProcess(child) && started.push(child)); // not started yet, it has no name
  };
  let wall: Wall;
  let sandbox: Sandbox;

  before(async () => {
    wall = await findWall();
  });
  beforeEach(async () => {
    started.length = 0;
    subscribe("child_process", onStart);
    sandbox = await openSandbox({ wall, warm: 2 });
    await waitFor(() => started.length === 2);
  });
  afterEach("no process is left when it is closed", async () => {
    await sandbox.close();
    unsubscribe("child_process", onStart);
    expect(processesOf(...started.map(({ pid }) => pid))).to.deep.equal([]);
  });

  const startedBy = async (work: () => Promise<unknown>) => {
    const before = started.length;
    await work();
    return started.length - before;
  };
  /** Until the processes that are being started have sent their first byte. */
  const allUp = () =>
    Promise.all(
      started.filter(isAlive).map((child) => waitFor(() => (child.stdout as { bytesRead?: number } | null)?.bytesRead)),
    );

  it("has as many processes wait as it was told, and starts one for each that was used", async () => {
    await waitFor(() => started.length === 2);
    expect(await sandbox.run(request)).to.deep.include(three);
    await waitFor(() => started.length === 3);
    await waitFor(() => started.filter(isAlive).length === 2);
  });

  it("uses each process once", async () => {
    const leak = makeProgram("globalThis.runs = (globalThis.runs ?? 0) + 1; export default () => globalThis.runs");
    for (let i = 0; i < 4; i++) expect(await sandbox.run({ ...request, program: leak })).to.deep.include({ output: 1 });
  });

  it("replaces one that dies while it waits, and no job sees it", async () => {
    await allUp();
    for (const child of [...started]) killInner(child);
    expect(await sandbox.run(request)).to.deep.include(three);
    await waitFor(() => started.filter(isAlive).length === 2);
  });

  it("starts a process for a job that needs more than a small one", async () => {
    const large = makeProgram("export default ({ data }) => data.length", { limits: { memoryBytes: 512 * mebibyte } });
    expect(await startedBy(() => sandbox.run({ ...request, program: large }))).to.equal(1);
    await waitFor(() => started.filter(isAlive).length === 2);
    const outcome = await sandbox.run({ program: large, inputs: [new Uint8Array(17 * mebibyte)], params: {} });
    expect(outcome).to.deep.include({ status: "ok", output: 17 * mebibyte });
  });

  it("keeps one process of another engine waiting once that was used, and a program sees no difference", async () => {
    if (!wall.hides) return expect(wall.hides).to.equal(false); // this machine runs no machine code
    const sql = makeSql("SELECT sum(n) AS n FROM numbers", [input("numbers", "csv", "n:integer")], { params: {} });
    const summing = { program: sql, inputs: [Buffer.from("n\n1\n2\n")], params: {} };
    const cold = await sandbox.run(summing);
    expect(cold).to.deep.include({ status: "ok", output: { rows: [{ n: 3 }] } });
    await waitFor(() => started.filter(isAlive).length === 3);
    await allUp();
    const before = started.length;
    expect(await sandbox.run(summing)).to.deep.equal(cold);
    await waitFor(() => started.filter(isAlive).length === 3);
    expect(started.length).to.equal(before + 1); // the one that waits now
  });

  it("starts processes for jobs when none waits", async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => sandbox.run(request)));
    for (const outcome of outcomes) expect(outcome).to.deep.include(three);
    await waitFor(() => started.filter(isAlive).length === 2);
  });

  it("gives a warm process's job all of its time", async () => {
    const busy = makeProgram("export default () => { for (;;); }", { limits: { fuel: 1e11, wallMs: 300 } });
    await allUp();
    await setTimeout(300);
    const startedAt = performance.now();
    expect(await sandbox.run({ ...request, program: busy })).to.deep.include({ failure: "TimeExceeded" });
    expect(performance.now() - startedAt).to.be.within(300, 1_500);
  });

  it("ends a run when its signal aborts, before or during it", async () => {
    const busy = makeProgram("export default () => { for (;;); }", { limits: { fuel: 1e11, wallMs: 60_000 } });
    const stop = new AbortController();
    const run = sandbox.run({ ...request, program: busy }, stop.signal).catch((error: unknown) => error);
    await setTimeout(200);
    stop.abort();
    expect(await run).to.be.instanceOf(SandboxStoppedError);
    expect(await sandbox.run(request, stop.signal).catch((error: unknown) => error)).to.be.instanceOf(
      SandboxStoppedError,
    );
  });

  it("leaves no waiting process behind when the worker is killed", async () => {
    for (const name of new Set([wall.name, "none"])) {
      const script = new URL("runIdle.ts", import.meta.url).pathname;
      const worker = spawn(process.execPath, [script, name], { stdio: ["ignore", "pipe", "inherit"] });
      const [printed] = await once(worker.stdout, "data");
      const groups: number[] = JSON.parse(String(printed));
      for (const group of groups) expect(runningOf(group)).not.to.deep.equal([]);
      worker.kill("SIGKILL");
      await once(worker, "exit");
      await waitFor(() => groups.every((group) => runningOf(group).length === 0));
    }
  });

  it("throws SandboxStartError where no process starts, and does not go on trying", async () => {
    await sandbox.close();
    const raised = { wrap: () => ["/bin/false"] as const, lower: () => undefined };
    const broken: Wall = { name: "limits", hides: false, raise: async () => raised };
    sandbox = await openSandbox({ wall: broken, warm: 2 });
    const error = await sandbox.run(request).catch((thrown: unknown) => thrown);
    if (!(error instanceof SandboxStartError)) return expect.fail(String(error));
    expect(error).to.include({
      name: "Sandbox.SandboxStartError",
      message: "The sandbox process did not start (wall: limits).",
      hint: "Look at the machine's free memory and process limits; nothing of the data was used.",
      retryable: true,
    });
    await setTimeout(100);
    const tries = started.length;
    await setTimeout(100);
    expect(started.length).to.equal(tries).and.to.be.lessThan(20);
  });
});

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** As the kernel would, short of memory: the process at work, and not what started it. */
function killInner({ pid }: ChildProcess): void {
  const inner = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  for (const target of inner.length > 0 ? inner : [pid ?? 0]) process.kill(target, "SIGKILL");
}

async function waitFor(isTrue: () => unknown): Promise<void> {
  const until = Date.now() + 10_000;
  while (!isTrue()) {
    expect(Date.now()).to.be.lessThan(until);
    await setTimeout(10);
  }
}
