import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { deployContracts } from "../../deploy/deployContracts.ts";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type Deployment, intelRootKey } from "../../protocol/deployment.ts";
import { startChain, type TestChain, testAccount } from "../support/chain.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const url = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
/** The command under a program of its own, with the options of `dcm` that it reads. */
const script = `
  import { Command } from "commander";
  import { addWatchCommand } from ${url("cli/commands/watch.ts")};
  import { exitCodeOf, showError } from ${url("cli/failure.ts")};
  const program = new Command("dcm").option("--json").exitOverride().configureOutput({ outputError: () => {} });
  addWatchCommand(program);
  try {
    await program.parseAsync(process.argv.slice(1), { from: "user" });
  } catch (error) {
    showError(error, true);
    process.exitCode = exitCodeOf(error);
  }`;

describe("dcm watch", () => {
  let chain: TestChain;
  let deployment: Deployment;
  let dir: string;
  const me = testAccount(0).address;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "dcm-watch-"));
    chain = await startChain();
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    deployment = await deployContracts(clients, { rootKey: intelRootKey, maxLifeSeconds: 604_800n });
    writeFileSync(join(dir, "deployment.json"), JSON.stringify(deployment));
  });
  after(async () => {
    await chain.close();
    rmSync(dir, { recursive: true });
  });

  function start(args: string[]): ChildProcess {
    const env = { PATH: process.env.PATH, DCM_RPC_URL: chain.rpcUrl, DCM_DEPLOYMENT: join(dir, "deployment.json") };
    const all = ["--input-type=module", "-e", script, "watch", ...args];
    return spawn(process.execPath, all, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function run(child: ChildProcess) {
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        texts[name] += text;
      });
    }
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...texts, lines: texts.stdout.split("\n").slice(0, -1) };
  }

  async function cancel(nonce: bigint): Promise<bigint> {
    const call = { address: deployment.contracts.jobMarket, abi: jobMarketAbi, functionName: "cancelNonce" } as const;
    const hash = await chain.wallet(0).writeContract({ ...call, args: [nonce] });
    return (await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 })).blockNumber;
  }

  it("prints each event once over several runs, and a reorg, as JSON lines", async () => {
    const cursor = join(dir, "json.cursor");
    const watch = async () => {
      const { code, lines, stderr } = await run(start(["--json", "--cursor", cursor]));
      expect(code, stderr).to.equal(0);
      return lines.map((line) => {
        const { type, event, ancestor } = JSON.parse(line);
        return type === "event"
          ? `${event.eventName} ${event.args.account} ${event.args.nonce}`
          : `${type} ${ancestor}`;
      });
    };
    await cancel(1n);
    const kept = await cancel(2n);
    const id = await chain.control.snapshot();
    expect(await watch()).to.deep.equal([`NonceCancelled ${me} 1`, `NonceCancelled ${me} 2`]);
    expect(await watch()).to.deep.equal([]);
    await cancel(3n);
    expect(await watch()).to.deep.equal([`NonceCancelled ${me} 3`]);

    await chain.control.revert({ id });
    await chain.control.mine({ blocks: 1, interval: 7 });
    await cancel(4n);
    expect(await watch()).to.deep.equal([`reorg ${kept}`, `NonceCancelled ${me} 4`]);
  });

  it("follows in words until it is told to stop, and keeps where it was", async () => {
    const cursor = join(dir, "follow.cursor");
    const child = start(["--follow", "--poll-seconds", "1", "--cursor", cursor]);
    const running = run(child);
    await once(child.stdout as NodeJS.ReadableStream, "data"); // those before
    const block = await cancel(5n);
    await new Promise<void>((resolve) => {
      child.stdout?.on("data", (text: string) => text.includes("nonce=5") && resolve());
    });
    child.kill("SIGINT");
    const { code, lines } = await running;
    expect(code).to.equal(0);
    expect(lines.at(-1)).to.equal(`block ${block}  NonceCancelled  account=${me}  nonce=5`);
    expect(JSON.parse(readFileSync(cursor, "utf8")).chain.next).to.equal(Number(block) + 1);
  });

  it("refuses a file that is no cursor, and a head that nobody knows", async () => {
    const path = join(dir, "bad.cursor");
    writeFileSync(path, "{");
    const bad = await run(start(["--cursor", path]));
    expect([bad.code, JSON.parse(bad.stderr).error.name]).to.deep.equal([1, "WatchMarket.BadWatchCursorError"]);
    expect(readFileSync(path, "utf8")).to.equal("{");
    const unknown = await run(start(["--head", "newest"]));
    expect([unknown.code, JSON.parse(unknown.stderr).error.name]).to.deep.equal([2, "Cli.UsageError"]);
  });
});
