/**
 * The container as the wall, in one that is put together here as the compose file has it put together.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { openSandbox, runnableEngines } from "../../../enclave/sandbox/runProgram.ts";
import { connectService } from "../../../enclave/sandbox/serviceClient.ts";
import { stands, walls } from "../../../enclave/sandbox/wall.ts";
import { input, makeSql } from "./duckdb/sqlWorld.ts";
import { makeProgram } from "./makeProgram.ts";
import { descendantsOf, waitFor } from "./sandboxService.ts";

const script = fileURLToPath(new URL("../../../enclave/sandbox/service.ts", import.meta.url));

/** What makes a container of it, by what it shuts. */
const parts = {
  network: "--net",
  root: "mount -o remount,bind,ro /",
  capabilities: "--bounding-set=-all",
  privileges: "--no-new-privs",
  user: "--map-user=65534",
  memory: "mount -t tmpfs -o size=4m,mode=1777,nosuid,nodev,noexec none /dev/shm",
};
type Part = keyof typeof parts;

/** The service in a container from which some parts are missing. No namespaces can be had in it. */
function startIn(dir: string, missing: readonly Part[] = []): ChildProcess {
  const use = (part: Part) => (missing.includes(part) ? [] : [parts[part]]);
  const setUp = [
    "set -eu",
    "(echo 0 > /proc/sys/user/max_user_namespaces)",
    'mount --bind "$1" "$1"',
    ...(missing.includes("memory") ? ["mount --bind /proc/self/task /dev/shm"] : [parts.memory]),
    ...use("root"),
    "shift",
    'exec "$@"',
  ].join("\n");
  const args = [
    ...[
      "--user",
      ...(missing.includes("user") ? ["--map-root-user"] : [parts.user, "--map-group=65534"]),
      "--keep-caps",
    ],
    ...[...use("network"), "--mount", "/bin/sh", "-c", setUp, "sh", dir],
    ...["/usr/bin/setpriv", ...use("privileges"), ...use("capabilities")],
    ...["--inh-caps=-all", "--ambient-caps=-all", process.execPath, script],
  ];
  const env = { SANDBOX_SOCKET: join(dir, "sandbox.sock"), SANDBOX_WALL: "container" };
  return spawn("/usr/bin/unshare", args, { env, stdio: ["ignore", "pipe", "pipe"] });
}

describe("the sandbox service in a container without namespaces", () => {
  let dir: string;
  let canContain: boolean;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-container-"));
    const namespaces = walls.find(({ name }) => name === "namespaces");
    canContain = namespaces !== undefined && (await stands(namespaces));
  });
  after(() => rm(dir, { recursive: true }));

  it("takes the container for the wall, runs native engines beside each other, and leaves nothing in memory", async () => {
    if (!canContain) return expect(canContain).to.equal(false); // nor can this machine make a container
    const service = startIn(dir);
    const [line] = await once(service.stdout as NonNullable<typeof service.stdout>, "data");
    expect(JSON.parse(String(line))).to.deep.equal({ message: "sandbox.serving", wall: "container", hides: true });
    const place = await connectService(join(dir, "sandbox.sock"));
    expect(runnableEngines(place.wall).map(({ engine }) => engine)).to.include("duckdb");
    const sandbox = await openSandbox({ place, warm: 0 });
    try {
      const sum = makeSql("SELECT sum(n) AS n FROM numbers", [input("numbers", "csv", "n:integer")], { params: {} });
      const runs = [
        [1, 2],
        [30, 40],
      ].map((numbers) =>
        sandbox.run({ program: sum, inputs: [Buffer.from(`n\n${numbers.join("\n")}\n`)], params: {} }),
      );
      expect((await Promise.all(runs)).map((outcome) => outcome.status === "ok" && outcome.output)).to.deep.equal([
        { rows: [{ n: 3 }] },
        { rows: [{ n: 70 }] },
      ]);
      // More than the folder holds: what was left there would show.
      const big = Buffer.from(`n\n${"1\n".repeat(768 * 1024)}`);
      for (let i = 0; i < 3; i++)
        expect(await sandbox.run({ program: sum, inputs: [big], params: {} })).to.deep.include({ status: "ok" });
      const js = makeProgram("export default ({ data }) => data.length");
      expect(await sandbox.run({ program: js, inputs: [Buffer.from("abc")], params: {} })).to.deep.include({
        output: 3,
      });
    } finally {
      await sandbox.close();
      service.kill("SIGKILL");
      await once(service, "exit");
    }
    await waitFor(() => descendantsOf(service.pid ?? 0).length === 0);
  });

  it("throws SandboxContainerError naming each thing that the container lets through", async () => {
    if (!canContain) return expect(canContain).to.equal(false);
    const holes: Record<Part, string> = {
      network: "network (network_mode: none)",
      root: "a writable root (read_only: true)",
      capabilities: "capabilities (cap_drop: [ALL])",
      privileges: "new privileges (no-new-privileges)",
      user: "root (user)",
      memory: "no folder in memory (/dev/shm)",
    };
    const say = async (missing: Part[]) => {
      const service = startIn(dir, missing);
      const lines: Buffer[] = [];
      service.stderr?.on("data", (chunk) => lines.push(chunk));
      const [code] = await once(service, "close");
      return `${code} ${Buffer.concat(lines)}`;
    };
    const words = (named: string) =>
      `1 error: The container does not hold a sandbox; it has ${named}.\nhint: Start the service as docs/PROGRAMS.md says, or without SANDBOX_WALL: native engines are then refused.\n`;
    const found = (missing: Part[]) => words(missing.map((part) => holes[part]).join(", "));
    const [some, others]: Part[][] = [
      ["network", "capabilities", "user"],
      ["root", "privileges", "memory"],
    ];
    expect(await Promise.all([say(some ?? []), say(others ?? [])])).to.deep.equal([
      found(some ?? []),
      found(others ?? []),
    ]);
  });
});
