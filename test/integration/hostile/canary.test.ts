/**
 * A data set with a canary in it, programs that do all they can to get it out, a worker that is killed with it in
 * memory: and then the canary, the rest of the data, and their key are looked for everywhere.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bech32 } from "@scure/base";
import { expect } from "chai";
import type { FailureCode, SignedGrant } from "../../../protocol/eip712.ts";
import { type Manifest, type Program, packProgram } from "../../../protocol/program.ts";
import type { Child } from "../../../scripts/children.ts";
import { decryptResult } from "../../../sdk/encryption.ts";
import { blobUri } from "../../../sdk/worker.ts";
import { bring, expectNoEscrowLeft, grantOf, oneInputProgram, openRaw, type RawJob } from "../../support/hostile.ts";
import { leaksIn, leaksInFiles, leaksOnChain, type Traces, tracesOf, watchProcessTree } from "../../support/leaks.ts";
import { failureOf, releasedResult, settlement } from "../../support/outcomes.ts";
import { type Provider, type Scenario, startScenario } from "../../support/scenario.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const isLinux = process.platform === "linux";
const canary = `CANARY-${randomBytes(18).toString("hex")}`;
const body = randomBytes(24).toString("hex").toUpperCase();
const rows = `name,value\n${`${body},1\n`.repeat(50)}${canary},2\n`;

/** Puts the input into everything that is not the result. */
const shout = `
  for (const print of Object.values(console)) { print(data); print({ data }, new Error(data)); }
  globalThis[data] = data;
  Promise.reject(new Error(data));`;
const schema = {
  type: "object",
  additionalProperties: false,
  required: ["n"],
  properties: { n: { type: "integer", minimum: 0 } },
};

describe("a canary in a data set", () => {
  let s: Scenario;
  let provider: Provider;
  let secrets: Traces;
  const startedAt = Date.now();
  const lives: Child[] = [];
  const jobs: RawJob[] = [];
  const programs: Program[] = [];
  const shownByProcesses: Buffer[] = [];
  let mostProcesses = 0;
  /** Processes that could have written their memory to a file. */
  const mayDump = new Set<number>();
  const watching = new AbortController();
  let watch: Promise<void>;

  before(async () => {
    s = await startScenario();
    lives.push(s.worker().child);
    provider = await s.addProvider(2, new TextEncoder().encode(rows));
    const rawKey = bech32.decodeToBytes(provider.datasetKey.toLowerCase()).bytes;
    secrets = tracesOf({ canary, body, "the key's text": provider.datasetKey, "the key's bytes": rawKey });
    watch = watchProcesses();
  });
  after(async () => {
    watching.abort();
    await watch;
    await s.stop();
  });

  async function watchProcesses(): Promise<void> {
    while (!watching.signal.aborted) {
      const { child } = s.worker();
      const hasKeys = child.lines.stdout.some((line) => line.includes("worker.listening"));
      const { pids, dumping, shown } = await watchProcessTree(child.process.pid ?? 0);
      if (hasKeys) for (const pid of dumping) mayDump.add(pid);
      mostProcesses = Math.max(mostProcesses, pids.length);
      shownByProcesses.push(shown);
      await sleep(20);
    }
  }

  function program(source: string, output: Partial<Manifest["output"]> = {}, limits: Partial<Manifest["limits"]> = {}) {
    const made = oneInputProgram(s, source, {
      output: { format: "json", schema, maxBytes: 256, ...output },
      limits: { ...s.program.manifest.limits, ...limits },
    });
    programs.push(made);
    return made;
  }

  async function run(made: Program, failure: FailureCode): Promise<RawJob> {
    const signed = await grantOf(s, provider, made);
    await bring(s, signed, { key: provider.datasetKey });
    const job = await openRaw(s, { program: made, grants: [signed] });
    jobs.push(job);
    expect(await failureOf(s, job.jobId)).to.equal(failure);
    return job;
  }

  it("is read by programs that print it and return something harmless", async () => {
    await run(program(`export default ({ data }) => { ${shout} return { n: data.length }; };`), "None");
  });

  it("is thrown, in every way", async () => {
    await run(program(`export default ({ data }) => { ${shout} throw new Error(data); };`), "ProgramTrapped");
    await run(program(`export default async ({ data }) => import("./" + data.slice(-45));`), "ProgramTrapped");
  });

  it("is returned in a key that the schema refuses, and at a length that is refused", async () => {
    await run(program("export default ({ data }) => ({ n: 1, [data]: data });", { maxBytes: 16_384 }), "OutputRefused");
    await run(program("export default ({ data }) => ({ n: data });", { schema: {} }), "OutputTooLarge");
  });

  it("is held by a program that never ends", async () => {
    const limits = { fuel: 2_000_000 };
    await run(program(`export default ({ data }) => { ${shout} for (;;); };`, {}, limits), "FuelExhausted");
  });

  it("reaches the requester when it is the result: so it was really there", async () => {
    const open = program("export default ({ data }) => data;", { schema: {}, maxBytes: 16_384 });
    const job = await run(open, "None");
    const { output } = await decryptResult(
      job.identity,
      await releasedResult(s, job.jobId),
      await settlement(s, job.jobId),
    );
    expect(output).to.equal(rows);
  });

  for (const step of ["inputsDecrypted", "ran"] as const) {
    it(`is in the memory of a worker that is killed at "${step}"`, async () => {
      await s.worker().child.stop();
      const doomed = await s.restartWorker({ script: "test/support/killableWorker.ts", env: { KILL_AT: step } });
      lives.push(doomed.child);
      const { job, signed } = await openUnwaited(
        program(`export default ({ data }) => { ${shout} return { n: 1 }; };`),
      );
      expect(await doomed.child.exited).to.equal("SIGKILL");
      await revive(signed);
      expect(await failureOf(s, job.jobId)).to.equal("None");
    });
  }

  // Elsewhere than on Linux a sandbox cannot be seen from outside.
  if (isLinux) {
    it("is in the memory of a sandbox whose worker is killed, and which goes with it", async () => {
      const limits = { fuel: 100_000_000_000, wallMs: 1_500 };
      const { signed, job } = await openUnwaited(program("export default () => { for (;;); };", {}, limits));
      const { pid = 0 } = s.worker().child.process;
      let pids: number[] = [];
      while (pids.length < 2) ({ pids } = await watchProcessTree(pid));
      s.worker().child.process.kill("SIGKILL");
      await s.worker().child.exited;
      const end = Date.now() + 10_000;
      for (const each of pids)
        while ((await watchProcessTree(each)).shown.length > 0 && Date.now() < end) await sleep(20);
      expect(Date.now()).to.be.lessThan(end);
      await revive(signed);
      expect(await failureOf(s, job.jobId)).to.equal("TimeExceeded");
    });
  }

  async function openUnwaited(made: Program): Promise<{ job: RawJob; signed: SignedGrant }> {
    const signed = await grantOf(s, provider, made);
    await bring(s, signed, { key: provider.datasetKey });
    const job = await openRaw(s, { program: made, grants: [signed] });
    jobs.push(job);
    return { job, signed };
  }

  async function revive(signed: SignedGrant): Promise<void> {
    const { child } = await s.restartWorker();
    lives.push(child);
    await bring(s, signed, { key: provider.datasetKey });
  }

  describe("is found", () => {
    it("by this search in each of its forms, wherever it is planted", async () => {
      const folder = await mkdtemp(join(tmpdir(), "dcm-control-"));
      for (const [form, trace] of secrets) {
        await writeFile(join(folder, "planted"), Buffer.concat([randomBytes(1001), trace, randomBytes(1001)]));
        expect((await leaksInFiles(secrets, folder)).leaks, form).to.include(`${join(folder, "planted")}: ${form}`);
      }
      const plain = Buffer.from(rows);
      for (const shift of [0, 1, 2]) {
        const shifted = Buffer.concat([Buffer.alloc(shift, 1), plain]);
        for (const coding of ["base64", "base64url", "hex"] as const) {
          expect(leaksIn(secrets, "planted", shifted.toString(coding)).join()).to.contain("canary as");
        }
      }
      await rm(folder, { recursive: true });
    });
  });

  describe("is not found", () => {
    it("in anything that a worker or the simulator printed", () => {
      expect(lives).to.have.length(isLinux ? 6 : 5);
      for (const { lines } of [...lives, s.market.simulator.child]) {
        expect(leaksIn(secrets, "stdout", lines.stdout.join("\n"))).to.deep.equal([]);
        expect(leaksIn(secrets, "stderr", lines.stderr.join("\n"))).to.deep.equal([]);
      }
    });

    it("in any answer of the worker", async () => {
      const paths = ["attestation", `attestation?nonce=0x${"11".repeat(32)}`, "enclave", "healthz", "readyz"];
      for (const { jobId } of jobs) paths.push(`jobs/${jobId}`, `receipts/${jobId}`, `results/${jobId}`);
      for (const made of programs) paths.push(`blobs/${blobUri(packProgram(made)).slice("blob:".length)}`);
      paths.push(`blobs/${provider.contentHash.slice(2)}`);
      let answered = 0;
      for (const path of paths) {
        const response = await fetch(`${s.worker().url}/${path}`);
        const told = Buffer.concat([
          Buffer.from(JSON.stringify([...response.headers])),
          Buffer.from(await response.arrayBuffer()),
        ]);
        if (response.ok) answered += 1;
        expect(leaksIn(secrets, path, told)).to.deep.equal([]);
      }
      expect(answered).to.be.greaterThan(paths.length / 2);
    });

    it("on the chain", async () => {
      const { leaks, transactions } = await leaksOnChain(secrets, s.market.chain);
      expect(leaks).to.deep.equal([]);
      expect(transactions).to.be.greaterThan(2 * jobs.length);
    });

    if (isLinux) {
      it("in the command line, the environment or the open files of the worker or a sandbox", () => {
        expect(mostProcesses).to.be.greaterThan(1); // a sandbox was seen at work
        expect(leaksIn(secrets, "/proc", Buffer.concat(shownByProcesses))).to.deep.equal([]);
      });

      it("in a core file: no worker with keys, and no sandbox, may write one", async () => {
        expect([...mayDump]).to.deep.equal([]);
        // The check works: of this process, it says what its own limit says.
        const [, hard] = /^Max core file size +\S+ +(\S+)/m.exec(await readFile("/proc/self/limits", "utf8")) ?? [];
        const { dumping } = await watchProcessTree(process.pid);
        expect(dumping.includes(process.pid)).to.equal(hard !== "0");
      });
    }

    it("in any file of the worker's, of this project or of /tmp, while it runs and after it", async () => {
      await expectNoEscrowLeft(s);
      for (const stopped of [false, true]) {
        if (stopped) await s.worker().child.stop();
        const own = await leaksInFiles(secrets, s.dir);
        expect(own.leaks).to.deep.equal([]);
        expect(own.files).to.be.greaterThan(programs.length);
      }
      for (const folder of [root, tmpdir(), "/dev/shm"]) {
        const { leaks } = await leaksInFiles(secrets, folder, startedAt - 1000, ["node_modules", ".git"]);
        expect(leaks).to.deep.equal([]);
      }
    });
  });
});
