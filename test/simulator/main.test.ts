import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DstackClient } from "@phala/dstack-sdk";
import { expect } from "chai";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { collateralFiles } from "../../protocol/collateral/collateral.ts";
import { keyCoordinates, readQuote } from "./readQuote.ts";

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const manifest = path("deploy/app-compose.json");

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [path("simulator/main.ts"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs to the end. */
async function run(...args: string[]) {
  const child = start(...args);
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    text.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    text.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...text };
}

/** Waits for the JSON line. */
async function ready(child: ChildProcess) {
  if (child.stdout === null) throw new Error("no stdout");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return JSON.parse(line);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown[]> {
  const exited = once(child, "exit");
  child.kill(signal);
  return exited;
}

describe("simulator/main", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dcm-sim-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("serves, tells what to deploy with, and is the same machine again with the same seed", async () => {
    const socket = join(folder, "dstack.sock");
    const out = join(folder, "out");
    const args = ["--app-compose", manifest, "--socket", socket, "--seed", "0a".repeat(32), "--out", out];
    const first = start(...args);
    const line = await ready(first);
    expect(line).to.include({ simulated: true, endpoint: socket, socket, workloadId: workloadIdOf(line.workload) });
    const { root } = readQuote(Buffer.from((await new DstackClient(socket).getQuote("")).quote, "hex"));
    expect(`0x${keyCoordinates(root)}`).to.equal(line.rootKey);
    expect(await readFile(join(out, "root.pem"), "utf8")).to.equal(root.toString());
    expect(JSON.parse(await readFile(join(out, "simulator.json"), "utf8"))).to.deep.equal(line);
    const tcbInfo = await readFile(join(out, "collateral", "tcb_info.json"), "utf8");
    expect(await (await fetch(`${line.pcsUrl}/tdx/certification/v4/tcb?fmspc=B0C06F000000`)).text()).to.include(
      tcbInfo,
    );
    expect((await readdir(join(out, "collateral"))).sort()).to.deep.equal(Object.values(collateralFiles).sort());
    expect(await stop(first, "SIGKILL")).to.deep.equal([null, "SIGKILL"]);

    const second = start(...args); // the socket of the killed one is still there
    const { pcsUrl } = line;
    expect({ ...(await ready(second)), pcsUrl }).to.deep.equal(line);
    expect(await stop(second, "SIGTERM")).to.deep.equal([0, null]);
    expect(() => new DstackClient(socket)).to.throw(`Unix socket file ${socket} does not exist`);
  });

  it("serves HTTP on a free port by default, warns that it is simulated, stops on SIGINT", async () => {
    const child = start("--app-compose", manifest, "--quote-form", "v5-td15", "--mr-config", "3");
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const line = await ready(child);
    expect(line.socket).to.equal(null);
    const { quote } = await new DstackClient(line.endpoint).getQuote("");
    expect([quote.slice(0, 4), quote.slice(2 * (54 + 184), 2 * (54 + 185))]).to.deep.equal(["0500", "03"]);
    expect(await stop(child, "SIGINT")).to.deep.equal([0, null]);
    expect(stderr).to.equal("SIMULATED platform: its quotes prove nothing about confidentiality.\n");
  });

  it("teaches with --help", async () => {
    const { code, stdout, stderr } = await run("--help");
    expect([code, stderr]).to.deep.equal([0, ""]);
    expect(stdout).to.include("node simulator/main.ts --app-compose deploy/app-compose.json --port 8090");
  });

  it("names what is wrong with its arguments", async () => {
    const usage = (detail: string) => ({
      code: 2,
      stdout: "",
      stderr: `Simulator.UsageError: Wrong usage: ${detail}.\nRun \`node simulator/main.ts --help\`.\n`,
    });
    const results = await Promise.all([
      run(),
      run("--bogus"),
      run("--app-compose", manifest, "--port", "65536"),
      run("--app-compose", manifest, "--pcs-port", "x"),
      run("--app-compose", manifest, "--quote-form", "v3"),
      run("--app-compose", manifest, "--mr-config", "0"),
      run("--app-compose", manifest, "--seed", "00"),
    ]);
    expect(results).to.deep.equal([
      usage("--app-compose is missing"),
      usage("an argument is unknown or lacks its value"),
      usage("--port is not a number from 0 to 65535"),
      usage("--pcs-port is not a number from 0 to 65535"),
      usage("--quote-form is not v4, v5-td10, v5-td15"),
      usage("--mr-config is not 1, 2, 3"),
      usage("--seed is not 64 digits of hex"),
    ]);
  });

  it("refuses a manifest that it cannot read or boot", async () => {
    const latin1 = join(folder, "latin1.json");
    await writeFile(latin1, Uint8Array.of(0x22, 0xfc, 0x22));
    const results = await Promise.all([
      run("--app-compose", join(folder, "none.json")),
      run("--app-compose", latin1),
      run("--app-compose", "/dev/zero"),
    ]);
    const line = (detail: string) =>
      `Simulator.BadAppComposeError: The app-compose manifest cannot be booted: ${detail}`;
    expect(results.map(({ code, stdout, stderr }) => [code, stdout, stderr.split("\n")[0]])).to.deep.equal([
      [1, "", line(`${join(folder, "none.json")} cannot be read as UTF-8`)],
      [1, "", line(`${latin1} cannot be read as UTF-8`)],
      [1, "", line("it is 262145 bytes, at most 262144 are taken")],
    ]);
  });
});
