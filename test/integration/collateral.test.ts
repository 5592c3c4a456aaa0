/** Collateral from a PCS to a real chain, by `dcm collateral` and by the sdk. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { deployContracts } from "../../deploy/deployContracts.ts";
import { collateralItems } from "../../protocol/collateral/calls.ts";
import { type Collateral, collateralFiles } from "../../protocol/collateral/collateral.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { quotePlatformOf } from "../../protocol/quote/quotePlatform.ts";
import { testPrivateKey } from "../../scripts/localChain.ts";
import { createClient } from "../../sdk/client.ts";
import { planFor, pushCollateral } from "../../sdk/collateral/collateralPlan.ts";
import { fetchPlatformCollateral } from "../../sdk/collateral/fetchPlatformCollateral.ts";
import { listCollateral } from "../../sdk/collateral/listCollateral.ts";
import { startSimulator } from "../../simulator/startSimulator.ts";
import { dcm, forEach } from "../cli/support/dcm.ts";
import { august, bundle, quote as intelQuote } from "../protocol/collateral/bundles.ts";
import { startChain, type TestChain, testAccount } from "../support/chain.ts";
import { failureOf } from "../support/failureOf.ts";

const day = 86_400;
type Step = { item: string; state: string; refusal?: string; transaction?: { functionName: string } };
type Answer = { steps: Step[]; sent: { item: string; gasUsed: string }[]; complete: boolean; simulated: boolean };

describe("dcm collateral", () => {
  let chain: TestChain;
  let simulator: Awaited<ReturnType<typeof startSimulator>>;
  let directory: string;
  let quote: string;
  let deployment: Deployment;
  let environment: Record<string, string>;

  before(async () => {
    chain = await startChain();
    const appCompose = await readFile(new URL("../../deploy/app-compose.json", import.meta.url), "utf8");
    simulator = await startSimulator({ appCompose });
    directory = await mkdtemp(join(tmpdir(), "dcm-collateral-"));
    quote = join(directory, "quote.bin");
    await writeFile(quote, simulator.platform.quote(new Uint8Array(64)));
    await useDeployment();
  });
  after(async () => {
    await simulator.close();
    await chain.close();
    await rm(directory, { recursive: true });
  });

  /** A fresh deployment, for the commands that follow. */
  async function useDeployment() {
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    deployment = await deployContracts(clients, { rootKey: simulator.rootKey, maxLifeSeconds: 604_800n });
    const file = join(directory, "deployment.json");
    await writeFile(file, JSON.stringify(deployment));
    environment = { DCM_RPC_URL: chain.rpcUrl, DCM_DEPLOYMENT: file, DCM_HOME: join(directory, "home") };
  }

  const withWallet = () => ({ ...environment, DCM_PRIVATE_KEY: testPrivateKey(1) });
  const run = async (args: string[], env: Record<string, string> = environment) => {
    const { code, stdout, stderr } = await dcm(["collateral", ...args, "--json"], env);
    return { code, stderr, answer: (stdout === "" ? {} : JSON.parse(stdout)) as Answer };
  };
  const states = ({ steps }: Answer) => Object.fromEntries(steps.map(({ item, state }) => [item, state]));
  const planned = ({ steps }: Answer) => steps.flatMap(({ item, transaction }) => (transaction ? [item] : []));
  const sentBy = async () => {
    const { code, answer, stderr } = await run(["push", "--pcs", simulator.pcsUrl, "--quote", quote], withWallet());
    expect(code, stderr).to.equal(0);
    return answer.sent.map(({ item }) => item);
  };
  const connect = () =>
    createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(1), pollingIntervalMs: 50 });

  async function writeFolder(name: string, collateral: Collateral): Promise<string> {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    for (const [part, file] of Object.entries(collateralFiles))
      await writeFile(join(folder, file), collateral[part as keyof Collateral]);
    return folder;
  }

  it("says what an empty chain lacks, sends it in order, and then nothing more", async () => {
    const bare = await run(["plan", "--quote", quote]);
    expect(bare.code).to.equal(1);
    expect(states(bare.answer)).to.deep.equal(Object.fromEntries(collateralItems.map((item) => [item, "missing"])));
    expect(planned(bare.answer)).to.deep.equal([]);

    const plan = await run(["plan", "--quote", quote, "--pcs", simulator.pcsUrl]);
    expect(plan.code, plan.stderr).to.equal(0);
    expect(planned(plan.answer)).to.deep.equal([...collateralItems]);
    expect(plan.answer.simulated).to.equal(true);

    const dry = await run(["push", "--pcs", simulator.pcsUrl, "--quote", quote, "--dry-run"]); // needs no wallet
    expect([dry.code, planned(dry.answer)]).to.deep.equal([0, [...collateralItems]]);
    expect(await chain.public.getTransactionCount({ address: testAccount(1).address })).to.equal(0);

    const push = await run(["push", "--pcs", simulator.pcsUrl, "--quote", quote], withWallet());
    expect(push.code, push.stderr).to.equal(0);
    expect(push.answer.sent.map(({ item }) => item)).to.deep.equal([...collateralItems]);
    expect(push.answer.sent.every(({ gasUsed }) => Number(gasUsed) > 21_000)).to.equal(true);
    expect(push.answer.complete).to.equal(true);
    expect(push.stderr).to.match(/Sending tcbInfo\.\.\.\ntcbInfo is recorded: \d+ gas, 0x[0-9a-f]{64}\n$/);

    expect(await sentBy()).to.deep.equal([]);
    const done = await run(["plan", "--quote", quote]);
    expect(done.code).to.equal(0);
    expect(states(done.answer)).to.deep.equal(Object.fromEntries(collateralItems.map((item) => [item, "current"])));
    expect((await dcm(["collateral", "plan", "--quote", quote], environment)).stdout).to.match(/Nothing to do\.\n/);
  });

  it("shows what is recorded", async () => {
    const client = await connect();
    const listing = await listCollateral(client);
    expect(listing.authorities.map(({ authority, role, revoked }) => [authority, role, revoked])).to.deep.equal([
      [1, "PckPlatformCa", false],
      [2, "TcbSigning", false],
    ]);
    expect(listing.items.map(({ item, fmspc, issuer, number }) => [item, fmspc ?? issuer, number])).to.deep.equal([
      ["rootCrl", undefined, 1],
      ["pckCrl", 1, 1],
      ["qeIdentity", undefined, 19],
      ["tcbInfo", "0xb0c06f000000", 20],
    ]);
    expect((await listCollateral(client, "0x00806f050000")).items).to.have.length(3);
    const { stdout, code } = await dcm(["collateral", "show", "--fmspc", "B0C06F000000"], environment);
    expect(code).to.equal(0);
    expect(stdout).to.match(/1 +PckPlatformCa +0x[0-9a-f]+ +\d{4}-/);
    expect(stdout).to.match(/tcbInfo +0xb0c06f000000 +20 +2 +\d{4}-/);
    expect(stdout).to.contain("SIMULATED");
  });

  it("sends a TCB recovery and a revocation, and no reissue of the same", async () => {
    await chain.control.increaseTime({ seconds: 10 });
    await chain.control.mine({ blocks: 1 });
    simulator.publish({});
    expect(await sentBy()).to.deep.equal([]);
    simulator.publish({ statuses: { platform: "OutOfDate" }, tcbInfo: { tcbEvaluationDataNumber: 21 } });
    expect(await sentBy()).to.deep.equal(["tcbInfo"]);
    const leaves = [Uint8Array.of(1, 2, 3)];
    simulator.publish({
      statuses: { platform: "OutOfDate" },
      tcbInfo: { tcbEvaluationDataNumber: 21 },
      revoked: { leaves },
    });
    expect(await sentBy()).to.deep.equal(["pckCrl"]);
    // The server goes back to what was before: the chain does not.
    simulator.publish({});
    const { code, answer } = await run(["push", "--pcs", simulator.pcsUrl, "--quote", quote, "--dry-run"]);
    expect(code).to.equal(0);
    expect(answer.steps.find(({ item }) => item === "tcbInfo")).to.include({
      state: "newer available",
      refusal: "its number, 20, is below the recorded 21",
    });
    expect(planned(answer)).to.deep.equal(["pckCrl"]); // the certificate is not on the newer list: that counts
  });

  it("goes on where it was interrupted, and takes a folder", async () => {
    await useDeployment();
    const folder = await writeFolder("folder", simulator.current());
    const client = await connect();
    const subject = quotePlatformOf(await readFile(quote));
    const offered = await fetchPlatformCollateral(simulator.pcsUrl, subject);
    const { steps } = await planFor(client, subject, offered, 0);
    expect(await pushCollateral(client, steps.slice(0, 3))).to.have.length(3);
    const rest = await run(["push", folder], withWallet());
    expect(rest.code, rest.stderr).to.equal(0);
    expect(rest.answer.sent.map(({ item }) => item)).to.deep.equal(["pckCrl", "qeIdentity", "tcbInfo"]);
    const again = await run(["push", folder, "--fmspc", "0xB0C06F000000"], withWallet());
    expect([again.code, again.answer.sent]).to.deep.equal([0, []]);
  });

  it("stops at what the contract refuses, and exits 1", async () => {
    await useDeployment();
    const forged = simulator.current();
    const folder = await writeFolder("forged", { ...forged, qeIdentitySignature: forged.tcbInfoSignature });
    const { code, stderr } = await run(["push", folder], withWallet());
    expect(code).to.equal(1);
    expect(JSON.parse(stderr.split("\n").at(-2) ?? "").error).to.include({
      name: "Chain.ContractRefusedError",
      message: "The contract refused: TdxCollateral_BadSignature(kind: QeIdentity)",
    });
    const { answer } = await run(["plan", "--quote", quote]);
    expect(states(answer)).to.include({ pckCrl: "current", qeIdentity: "missing", tcbInfo: "missing" });
  });

  it("says what has run out, and that old collateral does not mend it", async () => {
    const old = await writeFolder("old", simulator.current());
    expect((await run(["push", old], withWallet())).code).to.equal(0);
    const soon = await run(["plan", "--quote", quote, "--within", String(40 * day)]);
    expect(soon.code).to.equal(0);
    expect(states(soon.answer)).to.include({ tcbSigning: "current", rootCrl: "expires soon", tcbInfo: "expires soon" });
    await chain.control.increaseTime({ seconds: 31 * day });
    await chain.control.mine({ blocks: 1 });
    const expired = await run(["push", old], withWallet());
    expect([expired.code, expired.answer.sent, expired.answer.complete]).to.deep.equal([1, [], false]);
    expect(expired.stderr).to.contain("tcbInfo is not sent: it has expired");
    const text = await dcm(["collateral", "plan", "--quote", quote, "--collateral", old], environment);
    expect(text.code).to.equal(1);
    expect(text.stdout).to.match(/tcbInfo +expired .* not sent: it has expired/);
    expect(text.stdout).to.contain("What is offered does not mend it: fetch newer collateral.");
    simulator.publish({ now: Number((await chain.public.getBlock()).timestamp) });
    expect(await sentBy()).to.deep.equal(["rootCrl", "pckCrl", "qeIdentity", "tcbInfo"]);
  });

  it("refuses what it cannot do, with exit code 2 for what was not said", async () => {
    const usage: [string[], Record<string, string>][] = [
      [["push"], withWallet()],
      [["push", directory, "--pcs", simulator.pcsUrl], withWallet()],
      [["push", "--pcs", simulator.pcsUrl], withWallet()],
      [["push", "--pcs", simulator.pcsUrl, "--fmspc", "b0c06f"], withWallet()],
      [["push", "--pcs", simulator.pcsUrl, "--fmspc", "b0c06f000000", "--ca", "root"], withWallet()],
      [["push", "--pcs", simulator.pcsUrl, "--fmspc", "b0c06f000000"], environment], // no wallet
      [["plan"], environment],
      [["plan", "--quote", quote, "--collateral", directory, "--pcs", simulator.pcsUrl], environment],
      [["plan", "--quote", quote], {}],
    ];
    await forEach(usage, async ([args, env]) => {
      const { code, stderr } = await run(args, env);
      expect(code, `${args.join(" ")}: ${stderr}`).to.equal(2);
    });
    const failures: [string[], string][] = [
      [["plan", "--quote", join(directory, "nothing")], "Files.FileUnreadableError"],
      [["push", directory], "Files.FileUnreadableError"],
      [["push", "--pcs", "http://127.0.0.1:1", "--fmspc", "b0c06f000000"], "BoundedFetch.ServerUnreachableError"],
      [["push", "--pcs", simulator.pcsUrl, "--fmspc", "00806f050000"], "Pcs.PcsRefusedError"],
      [["push", "--pcs", simulator.pcsUrl, "--fmspc", "b0c06f000000", "--ca", "processor"], "Pcs.PcsRefusedError"],
    ];
    await forEach(failures, async ([args, name]) => {
      const { code, stderr } = await run(args, withWallet());
      expect(code).to.equal(1);
      expect(JSON.parse(stderr.split("\n").at(-2) ?? "").error.name).to.equal(name);
    });
    const other = join(directory, "intel.bin");
    await writeFile(other, intelQuote("nearmpc_2026-08-14_50328c652"));
    const foreign = await run(["plan", "--quote", other, "--pcs", simulator.pcsUrl]);
    expect(foreign.code).to.equal(1);
    expect(foreign.answer.steps.find(({ item }) => item === "pckCa")).to.include({
      state: "missing",
      refusal: "it is of another CA than the platform's",
    });
  });

  it("sends nothing under another root than the deployment's", async () => {
    const folder = await writeFolder("intel", bundle(august));
    for (const args of [
      ["push", folder],
      ["push", folder, "--dry-run"],
      ["plan", "--quote", quote, "--collateral", folder],
    ]) {
      const { code, stderr } = await run(args, withWallet());
      expect(code).to.equal(1);
      const { name, message } = JSON.parse(stderr.split("\n").at(-2) ?? "").error;
      expect(name).to.equal("Collateral.OtherRootError");
      expect(message).to.contain("0x0ba9c4c0c0c86193").and.to.contain(simulator.rootKey.slice(0, 18));
    }
  });

  it("says what a push would leave", async () => {
    await useDeployment();
    const now = Number((await chain.public.getBlock()).timestamp);
    const old = simulator.platform.collateral({ now: now - 40 * day });
    const partly = await writeFolder("partly", { ...simulator.publish({ now }), pckCrl: old.pckCrl });
    const { code, stdout } = await dcm(["collateral", "plan", "--quote", quote, "--collateral", partly], environment);
    expect(code).to.equal(1);
    expect(stdout).to.contain("5 to send: dcm collateral push. That does not mend pckCrl.\n");
  });

  it("needs coins of the wallet, and says so", async () => {
    await useDeployment();
    const poor = { ...environment, DCM_PRIVATE_KEY: `0x${"42".repeat(32)}` };
    const folder = await writeFolder("poor", simulator.current());
    const { code, stderr } = await run(["push", folder], poor);
    expect(code).to.equal(1);
    expect(JSON.parse(stderr.split("\n").at(-2) ?? "").error.name).to.equal("Chain.NotEnoughCoinError");
    const client = await createClient({ rpcUrl: chain.rpcUrl, deployment });
    const { steps } = await planFor(client, quotePlatformOf(await readFile(quote)), simulator.current(), 0);
    expect(await failureOf(pushCollateral(client, steps))).to.have.property("name", "Client.NoWalletError");
  });
});
