import { once } from "node:events";
import { createServer } from "node:net";
import { expect } from "chai";
import { type ChildEnd, runChild, SandboxStartError } from "../../../enclave/sandbox/childProcess.ts";
import { findWall, stands, type Wall, walls } from "../../../enclave/sandbox/wall.ts";
import { watchProcesses } from "./watchProcesses.ts";

const mebibyte = 1024 * 1024;
const limits = { wallMs: 20_000, answerBytes: 4096, engineBytes: 64 * mebibyte, heapBytes: 64 * mebibyte };
const ready = "send(Uint8Array.of(0x52));";

/** Runs `body` as the sandbox process itself: what a program could do that has broken the engine. */
function runAsChild(body: string, wall: Wall, changes: Partial<typeof limits> = {}): Promise<ChildEnd> {
  const sandbox = `export async function main(payload, send) { ${body} }`;
  return runChild({ sandbox }, [new TextEncoder().encode("payload")], { ...limits, ...changes }, wall);
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

describe("runChild", () => {
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
          "import file": denied,
          environment: "",
          arguments: "",
        });
        if (wall.name === "bubblewrap" || wall.name === "namespaces") {
          expect(user, wall.name).to.equal(65_534);
          expect(parent, wall.name).to.be.oneOf([0, 1]); // it sees no process but its own
        }
      }
      expect(connections).to.equal(0);
    } finally {
      delete process.env.SANDBOX_TEST_SECRET;
      server.close();
    }
  });

  it("hands the payload over and the answer back, whatever the sizes of the pieces", async () => {
    const source = `export async function main(payload, send) {
      send(Uint8Array.of(0x52, 1)); send(new Uint8Array(300000).fill(2)); send(payload.subarray(0, 2)); send(payload.subarray(-1)); }`;
    const payload = [Uint8Array.of(7), new Uint8Array(5 * mebibyte), new Uint8Array(0), Uint8Array.of(8)];
    const end = await runChild({ sandbox: source }, payload, { ...limits, answerBytes: 300_004 }, await findWall());
    const answer = new Uint8Array(300_004).fill(2);
    answer[0] = 1;
    answer.set([7, 0, 8], 300_001);
    expect(end).to.deep.equal({ end: "answered", answer: Buffer.from(answer) });
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
    const end = await runAsChild(source, await findWall(), { engineBytes: 8 * mebibyte });
    expect(end).to.deep.equal({ end: "answered", answer: Buffer.of(7) });
  });

  it("throws SandboxStartError if the process does not get ready", async () => {
    const wall = await findWall();
    for (const body of ["", "throw new Error('no')", "send(Uint8Array.of(0x51)); for (;;);", "syntax error"]) {
      const error = await runAsChild(body, wall).catch((thrown: unknown) => thrown);
      if (!(error instanceof SandboxStartError)) return expect.fail(`${body}: ${String(error)}`);
      expect(error).to.include({
        name: "Sandbox.SandboxStartError",
        message: `The sandbox process did not start (wall: ${wall.name}).`,
        hint: "Look at the machine's free memory and process limits; nothing of the data was used.",
        retryable: true,
      });
      expect(error.cause).to.equal(undefined);
    }
    const missing: Wall = { name: "none", wrap: () => ["/nonexistent/node"] };
    const error = await runAsChild("", missing).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(SandboxStartError);
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
    expect(await stands({ name: "limits", wrap: (command) => ["/nonexistent/prlimit", ...command] })).to.equal(false);
    expect(await stands({ name: "limits", wrap: () => ["/bin/false"] })).to.equal(false);
  });
});
