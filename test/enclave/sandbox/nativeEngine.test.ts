import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Engine } from "../../../enclave/sandbox/engines/engine.ts";
import { unpackFrame } from "../../../enclave/sandbox/frames.ts";
import { here } from "../../../enclave/sandbox/place.ts";
import { runJob, SandboxWallError } from "../../../enclave/sandbox/runJob.ts";
import { type RaisedWall, stands, UnusablePathError, type Wall, walls } from "../../../enclave/sandbox/wall.ts";
import { quickjs } from "../../../protocol/engines.ts";
import { watchProcesses } from "./watchProcesses.ts";

const mebibyte = 1024 * 1024;
const limits = { fuel: 1, memoryBytes: 64 * mebibyte, wallMs: 20_000 };

/** A native engine as the sandbox sees one: what its guest does stands in for machine code, as far as Node lets it. */
function engineOf(body: string, nativeFiles: string[]): Engine {
  const guest = `
    import * as fs from "node:fs";
    const attempt = (work) => { try { return String(work()).slice(0, 80); } catch (error) { return error.code ?? error.name; } };
    export const load = async () => async (job) => new TextEncoder().encode(JSON.stringify((() => { ${body} })()));`;
  return {
    runtime: { ...quickjs, engine: "duckdb" },
    native: true,
    formats: ["bytes"],
    load: async () => ({ code: { guest }, artifacts: [], pinnedWasm: false, nativeFiles }),
    memory: () => ({ wasmBytes: 0, heapBytes: 64 * mebibyte, nativeBytes: 64 * mebibyte }),
  };
}

async function answerOf(engine: Engine, wall: Wall, inputs: Uint8Array[]): Promise<unknown> {
  const sizes = inputs.map((bytes, i) => ({ name: `t${i}`, format: "bytes" as const, size: bytes.length }));
  const head = { paramsBytes: 0, preparedBytes: 0, entry: "q.sql", files: [], inputs: sizes, policy: null };
  const inputBytes = inputs.reduce((sum, { length }) => sum + length, 0);
  const end = await runJob({ place: here(wall) }, engine, {
    head,
    blobs: [],
    inputs,
    inputBytes,
    limits,
    outputBytes: mebibyte,
  });
  if (end.end !== "answered") return end.end;
  return JSON.parse(new TextDecoder().decode(unpackFrame(end.answer)?.body));
}

describe("a native engine", () => {
  const watch = watchProcesses();
  let hiding: Wall[];
  let dir: string;
  let own: string;

  before(async () => {
    const flags = await Promise.all(walls.map(stands));
    hiding = walls.filter(({ hides }, i) => hides && flags[i]);
    dir = await mkdtemp(join(tmpdir(), "dcm-native-"));
    own = join(dir, "engine.node");
    await writeFile(own, "machine code");
    await writeFile(join(dir, "beside"), "secret");
  });
  after(async () => {
    watch.stop();
    await rm(dir, { recursive: true });
  });
  afterEach(() => expect(watch.survivors()).to.deep.equal([]));

  it("finds its inputs in memory, its own files, and nothing else, behind every wall that hides files", async () => {
    const body = `return {
      inputs: job.inputs.map(({ path, bytes }) => [path, bytes.length, fs.readFileSync(path, "hex").length / 2, fs.readFileSync(path)[0]]),
      own: attempt(() => fs.readFileSync("${own}")), beside: attempt(() => fs.readFileSync("${dir}/beside")),
      ownWritten: attempt(() => fs.writeFileSync("${own}", "x")),
      data: attempt(() => fs.writeFileSync("/data/more", "x")), root: attempt(() => fs.writeFileSync("/more", "x")),
      password: attempt(() => fs.readFileSync("/etc/passwd")), };`;
    const denied = "ERR_ACCESS_DENIED";
    for (const wall of hiding)
      expect(
        await answerOf(engineOf(body, [own]), wall, [Uint8Array.of(5), new Uint8Array(3 * mebibyte).fill(6)]),
        wall.name,
      ).to.deep.equal({
        inputs: [
          ["/data/0", 0, 1, 5],
          ["/data/1", 0, 3 * mebibyte, 6],
        ],
        own: "machine code",
        beside: denied,
        ownWritten: denied,
        data: "undefined",
        root: denied,
        password: denied,
      });
  });

  it("sees no more without Node's own checks: the wall holds machine code", async () => {
    let connections = 0;
    const server = createServer(() => connections++).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const script = `
      const fs = require("node:fs"); const net = require("node:net"); const { spawnSync } = require("node:child_process");
      const attempt = (work) => { try { return String(work()).slice(0, 80); } catch (error) { return error.code ?? error.name; } };
      const fill = () => { for (let i = 0; i < 8; i++) fs.writeFileSync("/data/" + i, Buffer.alloc(65536, 1)); };
      const seen = {
        root: fs.readdirSync("/").filter((name) => !["lib", "lib64", "usr", "old", "data"].includes(name)).join(),
        old: attempt(() => fs.readdirSync("/old").length), own: attempt(() => fs.readFileSync("${own}")),
        beside: attempt(() => fs.readFileSync("${dir}/beside")), dir: attempt(() => fs.readdirSync("${dir}")),
        password: attempt(() => fs.readFileSync("/etc/passwd")), memory: attempt(() => fs.readFileSync("/proc/1/environ")),
        device: attempt(() => fs.readFileSync("/dev/mem")), binaries: attempt(() => fs.readdirSync("/usr/bin").join()),
        ownWritten: attempt(() => fs.appendFileSync("${own}", "x")), ownReplaced: attempt(() => fs.unlinkSync("${own}")),
        libraries: attempt(() => fs.writeFileSync("/usr/lib/x", "x")), outside: attempt(() => fs.writeFileSync("/x", "x")),
        chmod: attempt(() => fs.chmodSync("${own}", 0o777)), full: attempt(fill), big: attempt(() => fs.writeFileSync("/data/0", Buffer.alloc(300000))),
        shell: attempt(() => { throw spawnSync("/bin/sh", ["-c", "echo"]).error; }), user: process.getuid(), root2: attempt(() => process.setuid(0)),
        environment: Object.keys(process.env).filter((name) => name !== "PWD").join(),
      };
      net.connect(${port}, "127.0.0.1", () => done("connected")).on("error", (error) => done(error.code));
      const done = (network) => console.log(JSON.stringify({ ...seen, network }));`;
    try {
      for (const wall of hiding) {
        const settings = { cpuSeconds: 10, dataBytes: 2 ** 30, files: [own], scratchBytes: 4 * 65_536 };
        const raised = await wall.raise(settings);
        const [file, ...args] = raised.wrap([process.execPath, "-e", script]);
        const { stdout } = spawnSync(file, args, { env: {}, cwd: "/", encoding: "utf8" });
        raised.lower(true);
        const { binaries, root, network, ...seen } = JSON.parse(stdout);
        // The way to its own files, and no more: their folders' names.
        expect(root.split(",").sort(), wall.name).to.deep.equal(
          [...new Set([own, process.execPath].map((path) => path.split("/")[1]))].sort(),
        );
        expect(binaries, wall.name).to.be.oneOf(["ENOENT", "prlimit,setpriv,unshare"]);
        expect(network, wall.name).to.be.oneOf(["ECONNREFUSED", "ENETUNREACH"]);
        const readOnly = "EROFS";
        expect(seen, wall.name).to.deep.equal({
          old: wall.name === "bubblewrap" ? "ENOENT" : "0",
          own: "machine code",
          beside: "ENOENT",
          dir: "engine.node",
          password: "ENOENT",
          memory: "ENOENT",
          device: "ENOENT",
          ownWritten: readOnly,
          ownReplaced: readOnly,
          libraries: readOnly,
          outside: readOnly,
          chmod: readOnly,
          full: "ENOSPC",
          big: "ENOSPC",
          shell: "ENOENT",
          ...(wall.name === "bubblewrap" ? { user: 65_534, root2: "EINVAL" } : { user: 0, root2: "undefined" }),
          environment: "",
        });
      }
      expect(connections).to.equal(0);
    } finally {
      server.close();
    }
  });

  it("may have no more than 64 processes and threads where its user has none but them", async () => {
    const settings = { cpuSeconds: 10, dataBytes: 2 ** 30, files: [], scratchBytes: 4096 };
    const show = ["/usr/bin/prlimit", "--noheadings", "--raw", "--output=RESOURCE,SOFT,HARD"] as const;
    for (const wall of hiding.filter(({ name }) => name === "namespaces")) {
      const raised = await wall.raise(settings);
      const [file, ...args] = raised.wrap(show);
      const { stdout } = spawnSync(file, args, { env: {}, cwd: "/", encoding: "utf8" });
      raised.lower(true);
      const limits = Object.fromEntries(stdout.split("\n").map((line) => [line.split(" ")[0], line]));
      const { NPROC, NOFILE, CORE, DATA, FSIZE } = limits;
      expect([NPROC, NOFILE, CORE, DATA, FSIZE]).to.deep.equal([
        "NPROC 64 64",
        "NOFILE 64 64",
        "CORE 0 0",
        `DATA ${2 ** 30} ${2 ** 30}`,
        "FSIZE 4096 4096",
      ]);
    }
  });

  it("has no right, and can make no namespace in which it had some", async () => {
    const settings = { cpuSeconds: 10, dataBytes: 2 ** 30, files: [], scratchBytes: 0 };
    for (const wall of hiding.filter(({ name }) => name === "namespaces")) {
      const raised = await wall.raise(settings);
      const run = (command: readonly [string, ...string[]]) => {
        const [file, ...args] = raised.wrap(command);
        return spawnSync(file, args, { env: {}, cwd: "/", encoding: "utf8" });
      };
      const rights = Object.fromEntries(
        run(["/usr/bin/setpriv", "--dump"])
          .stdout.split("\n")
          .map((line) => line.split(": ") as [string, string]),
      );
      expect(rights).to.include({
        no_new_privs: "1",
        "Inheritable capabilities": "[none]",
        "Ambient capabilities": "[none]",
        "Capability bounding set": "[none]",
        Securebits: "noroot,noroot_locked",
      });
      for (const kind of ["--user", "--mount", "--net", "--pid", "--ipc"]) {
        const { status, stderr } = run(["/usr/bin/unshare", kind, "/usr/bin/setpriv", "--version"]);
        expect([status, /^unshare: unshare failed: (.*)$/m.exec(stderr)?.[1]], kind).to.deep.equal([
          1,
          kind === "--user" ? "No space left on device" : "Operation not permitted",
        ]);
      }
      raised.lower(true);
    }
  });

  it("enters a file system that another has left, if it cannot be written to, and none that anybody may be in", async () => {
    const open = () => readdirSync("/proc/self/fd").length;
    for (const wall of hiding.filter(({ name }) => name === "namespaces")) {
      const own = ["/usr/bin/true", "/usr/bin/false"]; // a kind of its own: no other test has left any
      const raise = (scratchBytes = 0) => wall.raise({ cpuSeconds: 1, dataBytes: 1, files: own, scratchBytes });
      const placeOf = ({ wrap }: RaisedWall) => wrap(["/x"]).filter((part) => /^--(user|mount)=/.test(part));
      const before = open();
      const [one, other] = [await raise(), await raise()];
      expect(placeOf(one)).to.have.length(2).and.not.to.deep.equal(placeOf(other));
      const left = placeOf(one);
      one.lower(true);
      const next = await raise();
      expect(placeOf(next)).to.deep.equal(left);
      next.lower(false);
      other.lower(false);
      const writable = await raise(4096);
      writable.lower(true);
      expect(open()).to.equal(before); // none was kept
    }
  });

  it("throws SandboxWallError behind a wall that does not hide files", async () => {
    for (const wall of walls.filter(({ hides }) => !hides)) {
      const thrown = await answerOf(engineOf("return 1", []), wall, []).catch((error: unknown) => error);
      if (!(thrown instanceof SandboxWallError)) return expect.fail(String(thrown));
      expect(thrown).to.include({
        name: "Sandbox.SandboxWallError",
        message: `Programs for duckdb are not run here: the wall around the sandbox (${wall.name}) does not hide files.`,
        hint: "Install bubblewrap, or allow user namespaces: docs/PROGRAMS.md says what each wall needs.",
        retryable: false,
      });
    }
  });

  it("throws UnusablePathError for a file whose path a tool could take for something else", async () => {
    const settings = { cpuSeconds: 1, dataBytes: 1, scratchBytes: 0 };
    for (const path of ["relative", "/a b", "/a/../etc/passwd", "/a/.", "/$(id)", "/a;b", "/a\nb", "", "/"])
      for (const wall of walls.filter(({ hides }) => hides)) {
        const put = wall.raise({ ...settings, files: [path] }).then(({ wrap }) => wrap(["/usr/bin/node"]));
        const error = await put.catch((thrown: unknown) => thrown);
        if (!(error instanceof UnusablePathError)) return expect.fail(`${path}: ${String(error)}`);
        expect(error).to.include({
          name: "Sandbox.UnusablePathError",
          message: "A file of an engine, or Node itself, lies under a path with characters that walls are not given.",
          hint: "Install the worker under an absolute path of letters, digits and @ _ + = . , - only.",
        });
      }
  });
});
