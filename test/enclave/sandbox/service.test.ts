import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SandboxStartError, SandboxStoppedError } from "../../../enclave/sandbox/childProcess.ts";
import { quickjsEngine } from "../../../enclave/sandbox/engines/quickjs/index.ts";
import { packHead } from "../../../enclave/sandbox/frames.ts";
import { openSandbox, runnableEngines, type Sandbox } from "../../../enclave/sandbox/runProgram.ts";
import { SandboxSocketError, serveSandbox } from "../../../enclave/sandbox/serve.ts";
import { connectService, SandboxServiceError } from "../../../enclave/sandbox/serviceClient.ts";
import { findWall, walls } from "../../../enclave/sandbox/wall.ts";
import { duckdb, quickjs } from "../../../protocol/engines.ts";
import { startNode } from "../../../scripts/children.ts";
import { learned, nothingLearned, tryAll } from "./attempts.ts";
import { makeProgram } from "./makeProgram.ts";
import { descendantsOf, isRunning, type RunningService, startService, waitFor } from "./sandboxService.ts";

const mebibyte = 1024 * 1024;
const honest = {
  program: makeProgram("export default ({ data }) => data.length"),
  inputs: [Buffer.from("abc")],
  params: {},
};
const three = { status: "ok", output: 3 };
const forever = { ...honest, program: makeProgram("for (;;) {}", { limits: { fuel: 1e11, wallMs: 300_000 } }) };
const limits = {
  ...quickjsEngine.memory({ fuel: 1, memoryBytes: mebibyte, wallMs: 1 }, 0),
  ...{ bufferBytes: 64 * mebibyte, scratchBytes: 0, wallMs: 60_000 },
};
const id = "5a".repeat(16);
const process_ = { ask: "process", id, runtime: quickjs, limits };
const thrownBy = (run: Promise<unknown>) => run.catch((error: unknown) => error);

describe("the sandbox service", () => {
  let dir: string;
  let service: RunningService;
  let sandbox: Sandbox;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-service-"));
    service = await startService(join(dir, "sandbox.sock"));
  });
  beforeEach(async () => {
    sandbox = await openSandbox({ place: await connectService(service.socket), warm: 1 });
  });
  afterEach("no process is left, and the next job is unaffected", async () => {
    expect(await sandbox.run(honest)).to.deep.include(three);
    await sandbox.close();
    await waitFor(() => descendantsOf(service.pid).length === 0);
  });
  after(async () => {
    await service.child.stop();
    await rm(dir, { recursive: true });
  });

  /** Says what a connection is for, and then more. */
  function ask(head: object | Uint8Array, more = new Uint8Array()): Socket {
    const socket = connect({ path: service.socket, allowHalfOpen: true }).on("error", () => undefined);
    socket.write(Buffer.concat([head instanceof Uint8Array ? head : packHead(head), more]));
    return socket;
  }
  const endOf = async (socket: Socket) => {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    socket.destroy();
    return Buffer.concat(chunks);
  };

  it("runs programs as child processes would, and lets them learn nothing", async () => {
    const place = await connectService(service.socket);
    expect(place.wall.name).to.equal(service.wall);
    expect(runnableEngines(place.wall)).to.deep.equal(runnableEngines(await findWall()));
    const outcome = await sandbox.run({ program: tryAll(), inputs: [Buffer.from("CANARY")], params: {} });
    if (outcome.status !== "ok") return expect.fail(outcome.failure);
    expect(learned(outcome.output)).to.deep.equal(nothingLearned);
  });

  it("passes on large inputs and outputs, and failures by their names", async () => {
    const changes = {
      limits: { memoryBytes: 64 * mebibyte, fuel: 1e9 },
      output: { format: "json", schema: {}, maxBytes: 4 * mebibyte },
    } as const;
    const echo = makeProgram("export default ({ data }) => data", changes);
    const text = "0123456789abcdef".repeat(3 * 65_536);
    const outcome = await sandbox.run({ program: echo, inputs: [Buffer.from(text)], params: {} });
    if (outcome.status !== "ok") return expect.fail(outcome.failure);
    expect(outcome.output === text).to.equal(true);
    const endings = {
      FuelExhausted: sandbox.run({ ...honest, program: makeProgram("for (;;) {}") }),
      ProgramTrapped: sandbox.run({ ...honest, program: makeProgram("throw 1") }),
      MemoryExceeded: sandbox.run({ ...honest, program: makeProgram("export default () => new ArrayBuffer(1e9)") }),
      TimeExceeded: sandbox.run({
        ...honest,
        program: makeProgram("for (;;) {}", { limits: { fuel: 1e11, wallMs: 200 } }),
      }),
      InputMismatch: sandbox.run({ ...honest, inputs: [Uint8Array.of(0xc3, 0x28)] }),
    };
    for (const [failure, run] of Object.entries(endings))
      expect(await run).to.deep.include({ status: "failed", failure });
  });

  it("kills a run when its signal aborts", async () => {
    const stop = new AbortController();
    const run = thrownBy(sandbox.run(forever, stop.signal));
    await waitFor(() => descendantsOf(service.pid).length > 0);
    stop.abort();
    expect(await run).to.be.instanceOf(SandboxStoppedError);
  });

  it("ends the processes of a worker that is killed, also one that does not read what it is sent", async () => {
    const worker = startNode("test/enclave/sandbox/runInService.ts", [service.socket], {});
    await worker.waitForLine((line) => line === "fed" || undefined, 20_000);
    await sandbox.close(); // its own process goes first
    worker.process.kill("SIGKILL");
    await waitFor(() => descendantsOf(service.pid).length === 0);

    const life = ask(process_);
    await once(life, "data"); // its engine is up
    const file = Buffer.from("for (;;) {}");
    const job = {
      ...{ paramsBytes: 2, preparedBytes: 0, entry: "main.js", files: [{ path: "main.js", size: file.length }] },
      ...{ inputs: [], inputFiles: false, policy: null },
      limits: { fuel: 1e15, memoryBytes: mebibyte, outputBytes: 1 },
    };
    const input = ask({ ask: "input", id }, Buffer.concat([packHead(job), Buffer.from("{}"), file]));
    await once(life, "data"); // it has begun
    let isFull = false;
    while (!isFull) isFull = !input.write(new Uint8Array(mebibyte)) && input.writableLength > 4 * mebibyte;
    expect(descendantsOf(service.pid)).not.to.deep.equal([]);
    life.destroy();
    input.destroy();
    await waitFor(() => descendantsOf(service.pid).length === 0);
  });

  it("leaves no process when it is killed; the job is not failed, but waits for it, and so does readiness", async () => {
    const place = await connectService(service.socket);
    const run = thrownBy(sandbox.run(forever));
    await waitFor(() => descendantsOf(service.pid).length >= 2);
    const below = descendantsOf(service.pid);
    service.child.process.kill("SIGKILL");
    const error = await run;
    if (!(error instanceof SandboxServiceError)) return expect.fail(String(error));
    expect(error).to.include({
      name: "Sandbox.SandboxServiceError",
      message: "The sandbox service does not answer.",
      hint: "Look at the service `sandbox` and the volume of its socket (SANDBOX_SOCKET): jobs wait for it and are run anew.",
      retryable: true,
    });
    await waitFor(() => !below.some(isRunning));
    expect(await place.isUp()).to.equal(false);
    expect(await thrownBy(sandbox.run(honest))).to.be.instanceOf(SandboxServiceError);
    expect(await thrownBy(connectService(service.socket))).to.be.instanceOf(SandboxServiceError);
    service = await startService(service.socket); // over the socket that the other left
    expect(await place.isUp()).to.equal(true);
  });

  it("refuses what is no ask of a worker, and starts nothing for it", async () => {
    const hide = walls.find(({ name }) => name === service.wall)?.hides;
    const asks: (object | Uint8Array)[] = [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Uint8Array.of(255, 255, 255, 255),
      packHead({ ask: "facts", more: "x".repeat(5_000) }),
      {},
      { ask: "kill", id },
      { ask: "input", id },
      { ...process_, id: "../x" },
      { ...process_, runtime: { ...quickjs, version: "0" } },
      { ...process_, limits: { ...limits, wasmBytes: -1 } },
      { ...process_, limits: { ...limits, wallMs: 2 ** 40 } },
      { ...process_, environment: { A: "1" } },
      ...(hide ? [] : [{ ...process_, runtime: duckdb }]),
    ];
    await sandbox.close();
    await waitFor(() => descendantsOf(service.pid).length === 0);
    for (const bad of asks) expect(await endOf(ask(bad)), JSON.stringify(bad)).to.deep.equal(Buffer.alloc(0));
    expect(descendantsOf(service.pid)).to.deep.equal([]);
    expect(await endOf(ask(process_, Uint8Array.of(1)))).to.deep.equal(Buffer.alloc(0)); // nothing follows this ask
  });

  it("stops when it is told to, and its processes with it", async () => {
    const run = thrownBy(sandbox.run(forever));
    await waitFor(() => descendantsOf(service.pid).length >= 2);
    const below = descendantsOf(service.pid);
    await service.child.stop();
    expect(await service.child.exited).to.equal(0);
    expect(await run).to.be.instanceOf(SandboxServiceError);
    expect(below.filter(isRunning)).to.deep.equal([]);
    service = await startService(service.socket);
  });

  it("does not take the place of another service, or of a file", async () => {
    const file = join(dir, "file");
    await writeFile(file, "");
    for (const path of [service.socket, file, join(dir, "missing/sandbox.sock")]) {
      const error = await thrownBy(serveSandbox(path, walls[3] as (typeof walls)[number], () => undefined));
      if (!(error instanceof SandboxSocketError)) return expect.fail(String(error));
      expect(error).to.include({
        name: "Sandbox.SandboxSocketError",
        message: `The sandbox service cannot listen on ${path}.`,
        hint: "SANDBOX_SOCKET must lie in a folder that the service may write to, and be no other service's.",
        retryable: false,
      });
    }
  });

  it("does not start on settings that say nothing, or on a container that is no wall", async () => {
    const error = async (env: Record<string, string>) => {
      const child = startNode("enclave/sandbox/service.ts", [], env);
      expect(await child.exited).to.equal(1);
      return child.lines.stderr[0];
    };
    expect(await error({})).to.equal("error: SANDBOX_SOCKET must be an absolute path.");
    expect(await error({ SANDBOX_SOCKET: "sandbox.sock" })).to.equal("error: SANDBOX_SOCKET must be an absolute path.");
    const named = { SANDBOX_SOCKET: join(dir, "other.sock"), SANDBOX_WALL: "vm" };
    expect(await error(named)).to.equal('error: SANDBOX_WALL must be "container".');
  });
});

describe("a worker whose sandbox service was taken over", () => {
  let dir: string;
  let path: string;
  let server: Server | undefined;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-service-"));
    path = join(dir, "sandbox.sock");
  });
  afterEach(() => server?.close());
  after(() => rm(dir, { recursive: true }));

  /** A service that answers as it is told: to asks for facts, for processes, and for inputs. */
  async function pretend(answers: Partial<Record<"facts" | "process" | "input", (socket: Socket) => void>>) {
    const facts = (socket: Socket) => socket.end(packHead({ v: 1, wall: "none", hides: false }));
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (bytes: Buffer) => {
        const { ask } = JSON.parse(bytes.subarray(4, 4 + bytes.readUInt32LE()).toString()) as { ask: "facts" };
        ({ facts, ...answers })[ask]?.(socket);
        socket.resume().once("end", () => socket.end());
      });
    });
    await once(server.listen(path), "listening");
  }
  const run = async () => {
    const sandbox = await openSandbox({ place: await connectService(path), warm: 0 });
    return sandbox.run(honest).finally(() => sandbox.close());
  };
  const up = (socket: Socket) => socket.write("R");

  it("takes no facts but facts", async () => {
    for (const facts of [
      {},
      { v: 2, wall: "none", hides: false },
      { v: 1, wall: "moat", hides: true },
      { v: 1, wall: "none", hides: 1 },
      { v: 1, wall: "none", hides: false, more: "x".repeat(5_000) },
      Buffer.from("HTTP/1.1 200 OK"),
      Buffer.alloc(0),
    ]) {
      await pretend({ facts: (socket) => socket.end(facts instanceof Uint8Array ? facts : packHead(facts)) });
      expect(await thrownBy(connectService(path)), JSON.stringify(facts)).to.be.instanceOf(SandboxServiceError);
      server?.close();
    }
    await pretend({ facts: () => undefined });
    expect(await thrownBy(connectService(path))).to.be.instanceOf(SandboxServiceError);
  });

  it("does not take the end of the service for the program's", async () => {
    await pretend({ process: (socket) => socket.end() });
    expect(await thrownBy(run())).to.be.instanceOf(SandboxStartError);
    server?.close();
    let life: Socket | undefined;
    const start = (socket: Socket) => {
      life = socket;
      up(socket);
    };
    const begin = () => life?.write("B");
    await pretend({
      process: start,
      input: (socket) => {
        begin();
        setImmediate(() => [life, socket].map((end) => end?.destroy()));
      },
    });
    expect(await thrownBy(run())).to.be.instanceOf(SandboxServiceError);
    server?.close();
    await pretend({
      process: start,
      input: (socket) => {
        begin();
        socket.end("O");
        life?.end();
      },
    });
    expect(await run()).to.deep.equal({ status: "failed", failure: "ProgramTrapped", fuelUsed: 0 });
  });

  it("takes no more than an answer, and nothing before its time", async () => {
    const flood = (socket: Socket) => {
      const more = () => !socket.destroyed && socket.write(new Uint8Array(65_536), () => setImmediate(more));
      more();
    };
    await pretend({ process: flood });
    expect(await thrownBy(run())).to.be.instanceOf(SandboxStartError);
    server?.close();
    let life: Socket | undefined;
    await pretend({
      process: (socket) => {
        life = socket;
        up(socket);
      },
      input: () => {
        life?.write("B");
        if (life) flood(life);
      },
    });
    expect(await run()).to.deep.equal({ status: "failed", failure: "ProgramTrapped", fuelUsed: 0 });
  });
});
