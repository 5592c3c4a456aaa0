import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { startProcess } from "../../../enclave/sandbox/childProcess.ts";
import type { JobFeed } from "../../../enclave/sandbox/feed.ts";
import type { ChildEnd } from "../../../enclave/sandbox/sandboxProcess.ts";
import { findWall, NoRootError, stands, type Wall, walls } from "../../../enclave/sandbox/wall.ts";
import { runningOf, watchProcesses } from "./watchProcesses.ts";

const mebibyte = 1024 * 1024;
const memory = { wasmBytes: 64 * mebibyte, heapBytes: 64 * mebibyte, nativeBytes: 0 };
const limits = { ...memory, bufferBytes: 64 * mebibyte, scratchBytes: 0, wallMs: 20_000, answerBytes: 4096 };
const up = "send(Uint8Array.of(0x52));";
const begin = "read(new Uint8Array(1)); send(Uint8Array.of(0x42));";
const ready = `${up}${begin}`;
const noJob: JobFeed = { head: Uint8Array.of(1), blobs: [], inputs: [] };

/** Runs `body` as the sandbox process itself: what a program could do that has broken the engine. */
function startWith(body: string, wall: Wall, changes: Partial<typeof limits> = {}) {
  const sandbox = `export async function main(load, read, send) { const length = read(new Uint8Array(4))[0];
    read(new Uint8Array(length)); ${body} }`;
  const parts = {
    code: { sandbox, guest: "export const load = 1" },
    artifacts: [],
    pinnedWasm: false,
    nativeFiles: [],
  };
  return startProcess(parts, { ...limits, ...changes }, wall);
}

async function runAsChild(
  body: string,
  wall: Wall,
  changes: Partial<typeof limits> = {},
  job: JobFeed = noJob,
): Promise<ChildEnd> {
  const child = startWith(body, wall, changes);
  try {
    if (!(await child.ready)) return { end: "unused" };
    return await child.run(job, { ...limits, ...changes });
  } finally {
    await child.kill();
  }
}

/** A wall that starts something else. */
function wallOf(command: readonly [string, ...string[]]): Wall {
  return { name: "limits", hides: false, raise: async () => ({ wrap: () => command, lower: () => undefined }) };
}

/** Everything is tried; the answer says how each attempt ended. */
const probe = (port: number) => `
  ${ready}
  const found = {};
  const attempt = async (name, work) => {
    try { found[name] = String(await work()).slice(0, 80); } catch (error) { found[name] = error.code ?? error.name; }
  };
  const fs = await import("node:fs"); const net = await import("node:net"); const dns = await import("node:dns/promises");
  const processes = await import("node:child_process"); const workers = await import("node:worker_threads");
  await attempt("read /etc/passwd", () => fs.readFileSync("/etc/passwd"));
  await attempt("read own code", () => fs.readFileSync(process.execPath));
  await attempt("read environment", () => fs.readFileSync("/proc/self/environ"));
  await attempt("read memory of parent", () => fs.openSync("/proc/" + process.ppid + "/mem"));
  await attempt("list /", () => fs.readdirSync("/"));
  await attempt("write file", () => fs.writeFileSync("/tmp/sandbox-escape", "x"));
  await attempt("change the engine", () => fs.writeSync(3, "x"));
  await attempt("change the engine's rights", () => fs.fchmodSync(3, 0o777));
  await attempt("write in /dev/shm", () => fs.writeFileSync("/dev/shm/sandbox-escape", "x"));
  await attempt("connect TCP", () => new Promise((resolve, reject) => net.connect(${port}, "127.0.0.1", resolve).on("error", reject)));
  await attempt("listen TCP", () => new Promise((resolve, reject) => net.createServer().on("error", reject).listen(0, resolve)));
  await attempt("connect Unix", () => new Promise((resolve, reject) => net.connect("/tmp/x.sock", resolve).on("error", reject)));
  await attempt("send UDP", async () => { const udp = (await import("node:dgram")).createSocket("udp4");
    return new Promise((resolve, reject) => udp.on("error", reject).send("x", ${port}, "127.0.0.1", (e) => e ? reject(e) : resolve("sent"))); });
  await attempt("resolve name", () => dns.lookup("localhost"));
  await attempt("fetch", () => fetch("http://127.0.0.1:${port}").catch((error) => { throw error.cause ?? error; }));
  await attempt("spawn", () => processes.spawn("/bin/ls").pid);
  await attempt("worker", () => new workers.Worker("1", { eval: true }));
  await attempt("inspector", async () => (await import("node:inspector")).open());
  await attempt("addon", () => process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6"));
  await attempt("binding", () => process.binding("fs"));
  await attempt("WASI", async () => new (await import("node:wasi")).WASI({ version: "preview1", preopens: { "/": "/" } }));
  await attempt("eval", () => eval("1"));
  await attempt("import file", () => import("file:///etc/hostname"));
  found.environment = Object.keys(process.env).filter((name) => name !== "PWD").join();
  found.arguments = process.argv.slice(1).join();
  found.user = process.getuid();
  found.parent = process.ppid;
  send(new TextEncoder().encode(JSON.stringify(found)));
  process.exit(0);
`;

describe("startProcess", () => {
  const watch = watchProcesses();
  let standing: Wall[];
  before(async () => {
    const flags = await Promise.all(walls.map(stands));
    standing = walls.filter((_, i) => flags[i]);
  });
  after(() => watch.stop());
  afterEach(() => expect(watch.survivors()).to.deep.equal([]));

  it("lets a process that has broken out of the engine reach nothing, behind every wall of this machine", async () => {
    let connections = 0;
    const server = createServer(() => connections++).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    process.env.SANDBOX_TEST_SECRET = "CANARY-env";
    try {
      expect(standing.map((wall) => wall.name)).to.include("none");
      for (const wall of standing) {
        const end = await runAsChild(probe(port), wall);
        if (end.end !== "answered") return expect.fail(`${wall.name}: ${end.end}`);
        const { user, parent, ...found } = JSON.parse(new TextDecoder().decode(end.answer));
        const denied = "ERR_ACCESS_DENIED";
        expect(found, wall.name).to.deep.equal({
          "read /etc/passwd": denied,
          "read own code": denied,
          "read environment": denied,
          "read memory of parent": denied,
          "list /": denied,
          "write file": denied,
          "change the engine": "EBADF", // all processes of an engine read it from one open file
          "change the engine's rights": denied,
          "write in /dev/shm": denied,
          "connect TCP": denied,
          "listen TCP": denied,
          "connect Unix": denied,
          "send UDP": denied,
          "resolve name": denied,
          fetch: denied,
          spawn: denied,
          worker: denied,
          inspector: denied,
          addon: "ERR_DLOPEN_DISABLED",
          binding: denied,
          WASI: denied,
          eval: "EvalError",
          "import file": wall.hides ? "ERR_MODULE_NOT_FOUND" : denied,
          environment: "",
          arguments: "",
        });
        if (wall.name === "bubblewrap" || wall.name === "namespaces") {
          expect(user, wall.name).to.equal(wall.name === "bubblewrap" ? 65_534 : 0); // of a namespace that owns nothing
          expect(parent, wall.name).to.be.oneOf([0, 1]); // it sees no process but its own
        }
      }
      expect(connections).to.equal(0);
    } finally {
      delete process.env.SANDBOX_TEST_SECRET;
      server.close();
    }
  });

  it("hands the job over and the answer back, whatever the sizes of the pieces", async () => {
    const body = `${ready} const all = read(new Uint8Array(5 * 2 ** 20 + 6));
      send(Uint8Array.of(1)); send(new Uint8Array(300000).fill(2)); send(all.subarray(0, 2)); send(all.subarray(-4));
      process.exit(0);`;
    const owned = Uint8Array.of(9, 10);
    async function* chunks() {
      yield Uint8Array.of(8);
      yield new Uint8Array(0);
      yield owned;
    }
    const job: JobFeed = {
      head: Uint8Array.of(0),
      blobs: [Uint8Array.of(7), new Uint8Array(5 * mebibyte)],
      inputs: [Uint8Array.of(0, 11), { sizeBytes: 3, chunks: chunks(), owned: true }],
    };
    const end = await runAsChild(body, await findWall(), { answerBytes: 300_007 }, job);
    const answer = new Uint8Array(300_007).fill(2);
    answer[0] = 1;
    answer.set([7, 0, 11, 8, 9, 10], 300_001);
    expect(end).to.deep.equal({ end: "answered", answer: Buffer.from(answer) });
    expect(owned).to.deep.equal(Uint8Array.of(0, 0));
  });

  describe("when an input comes in chunks", () => {
    const readAll = `${ready} for (;;) read(new Uint8Array(1));`;
    const jobOf = (chunks: AsyncIterable<Uint8Array>, sizeBytes: number): JobFeed => ({
      ...noJob,
      inputs: [{ sizeBytes, chunks }],
    });
    async function* count(chunks: number) {
      for (let i = 0; i < chunks; i++) yield Uint8Array.of(i);
    }

    it("says so if it is not of its size", async () => {
      const wall = await findWall();
      for (const size of [0, 2, 4])
        expect(await runAsChild(readAll, wall, {}, jobOf(count(3), size))).to.deep.equal({ end: "misfed" });
    });

    it("throws what its source throws", async () => {
      const broken = new RangeError("the source broke");
      async function* breaking() {
        yield Uint8Array.of(1);
        throw broken;
      }
      const thrown = await runAsChild(readAll, await findWall(), {}, jobOf(breaking(), 9)).catch((error) => error);
      expect(thrown).to.equal(broken);
    });

    it("ends it if it stalls, or is not read, and takes no more of it than fits between", async () => {
      const wall = await findWall();
      async function* stalling() {
        yield Uint8Array.of(1);
        await new Promise(() => undefined);
      }
      const timeout = { end: "timeout" };
      expect(await runAsChild(readAll, wall, { wallMs: 200 }, jobOf(stalling(), 9))).to.deep.equal(timeout);
      let taken = 0;
      let returned = false;
      async function* endless() {
        try {
          for (;;) {
            taken += 65_536;
            yield new Uint8Array(65_536);
          }
        } finally {
          returned = true;
        }
      }
      const idle = `${ready} for (;;);`;
      expect(await runAsChild(idle, wall, { wallMs: 200 }, jobOf(endless(), 2 ** 40))).to.deep.equal(timeout);
      expect(taken).to.be.within(65_536, mebibyte);
      await setTimeout(10);
      expect(returned).to.equal(true);
    });
  });

  it("kills a process that answers too much, or never ends", async () => {
    const wall = await findWall();
    const flood = `${ready} for (;;) send(new Uint8Array(1000));`;
    expect(await runAsChild(flood, wall)).to.deep.equal({ end: "died" });
    const one = `${ready} send(new Uint8Array(4097)); await new Promise((resolve) => setTimeout(resolve, 60000));`;
    expect(await runAsChild(one, wall)).to.deep.equal({ end: "died" });
    const busy = `${ready} for (;;);`;
    expect(await runAsChild(busy, wall, { wallMs: 200 })).to.deep.equal({ end: "timeout" });
    const idle = `${ready} send(new Uint8Array(9)); setInterval(() => {}, 1000); process.on("SIGTERM", () => {});`;
    expect(await runAsChild(idle, wall, { wallMs: 200 })).to.deep.equal({ end: "timeout" });
  });

  it("survives a process that leaves without an answer, or runs out of memory", async () => {
    const wall = await findWall();
    const nothing = { end: "answered", answer: Buffer.alloc(0) };
    expect(await runAsChild(`${ready} process.exit(3);`, wall)).to.deep.equal(nothing);
    const heap = `${ready} const a = []; for (;;) a.push(new Array(1000).fill({}));`;
    expect(await runAsChild(heap, wall)).to.deep.equal(nothing);
  });

  it("caps the memory that an engine may have", async () => {
    const source = `${ready} let pages = 0; try { const m = new WebAssembly.Memory({ initial: 1 });
      for (;;) { m.grow(16); pages += 16; } } catch { send(Uint8Array.of(pages / 16)); }`;
    const end = await runAsChild(source, await findWall(), { wasmBytes: 32 * mebibyte });
    expect(end).to.deep.equal({ end: "answered", answer: Buffer.of(31) });
  });

  it("leaves no process behind when the worker is killed, behind every wall of this machine", async () => {
    for (const wall of standing) {
      const script = new URL("runForever.ts", import.meta.url).pathname;
      const worker = spawn(process.execPath, [script, wall.name], { stdio: ["ignore", "pipe", "inherit"] });
      const [printed] = await once(worker.stdout, "data"); // the id of its sandbox process, once that runs
      const group = Number(printed);
      expect(runningOf(group), wall.name).not.to.deep.equal([]);
      worker.kill("SIGKILL");
      await once(worker, "exit");
      for (let i = 0; i < 100 && runningOf(group).length > 0; i++) await setTimeout(50);
      expect(runningOf(group), wall.name).to.deep.equal([]);
    }
  });

  it("says that it does not get ready, whatever it does instead", async () => {
    const wall = await findWall();
    for (const body of ["", "throw new Error('no')", "send(Uint8Array.of(0x51)); for (;;);", "syntax error"]) {
      const child = startWith(body, wall);
      expect(await child.ready, body).to.equal(false);
      await child.kill();
    }
    const missing = wallOf(["/nonexistent/node"]);
    expect(await startWith("", missing).ready).to.equal(false);
  });

  it("tells a process that dies before it begins from one that dies in its job", async () => {
    const wall = await findWall();
    expect(await runAsChild(`${up} process.exit(0);`, wall)).to.deep.equal({ end: "unused" });
    expect(await runAsChild(`${up} send(Uint8Array.of(0x43));`, wall)).to.deep.equal({ end: "unused" });
    expect(await runAsChild(`${ready} process.exit(0);`, wall)).to.deep.include({ end: "answered" });
  });
});

describe("findWall", () => {
  it("finds the first wall that stands", async () => {
    for (const wall of walls) {
      if (!(await stands(wall))) continue;
      expect((await findWall()).name).to.equal(wall.name);
      break;
    }
  });

  it("says that a wall without its tools does not stand", async () => {
    expect(await stands(wallOf(["/nonexistent/prlimit"]))).to.equal(false);
    expect(await stands(wallOf(["/bin/false"]))).to.equal(false);
    expect(await stands({ ...wallOf(["/bin/true"]), raise: () => Promise.reject(new NoRootError()) })).to.equal(false);
  });
});
