/**
 * The life of a registration, by the worker itself against the real contracts: renewed in time and after downtime,
 * collateral refreshed, demoted by a TCB recovery, retired. Days pass by the chain's clock; Intel is played here, under the
 * simulated platform's root.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { Address, Hex } from "viem";
import { enclaveRegistryAbi, tdxCollateralAbi } from "../../protocol/abi.ts";
import { createClient } from "../../sdk/client.ts";
import { demoteEnclave, NotDemotableError, standingOf } from "../../sdk/demotion.ts";
import { getEnclave } from "../../sdk/enclaves.ts";
import { retireEnclave } from "../../sdk/operators.ts";
import { type Simulator, startSimulator } from "../../simulator/startSimulator.ts";
import { pushCollateralOf } from "../support/attestation.ts";
import { testAccount } from "../support/chain.ts";
import { ended, settlements } from "../support/outcomes.ts";
import { rejection } from "../support/rejection.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

const day = 86_400;
const seed: Hex = `0x${"5c".repeat(32)}`;

describe("a registration's life", () => {
  let s: Scenario;
  let intel: Simulator;
  let passed = 0;
  before(async () => {
    const appCompose = await readFile(new URL("../../deploy/app-compose.json", import.meta.url), "utf8");
    const clock = () => Math.floor(Date.now() / 1000) + passed;
    intel = await startSimulator({ appCompose, seed: Buffer.from(seed.slice(2), "hex"), clock });
    s = await startScenario({ seed, env: { COLLATERAL_URL: intel.pcsUrl } });
  });
  after(async () => {
    await s.stop();
    await intel.close();
  });

  type View = {
    signingKey: Address;
    expiresAt: string;
    collateralExpiresAt: string;
    registrationTx: Hex;
    tcbStatus: string;
    gasWallet: Address;
  };
  const view = async () => (await (await fetch(`${s.worker().url}/enclave`)).json()) as View;
  const pass = async (seconds: number) => {
    passed += seconds;
    await s.market.chain.control.increaseTime({ seconds });
    await s.market.chain.control.mine({ blocks: 1 });
  };
  const now = async () => (await s.market.chain.public.getBlock()).timestamp;
  const lines = () => s.worker().child.lines.stdout;
  const logged = (text: string) => lines().filter((line) => line.includes(text)).length;
  const until = async (condition: () => Promise<boolean> | boolean) => {
    for (let tries = 0; tries < 400; tries++) {
      if (await condition()) return;
      await sleep(50);
    }
    throw new Error(`waited in vain:\n${[...lines().slice(-10), ...s.worker().child.lines.stderr].join("\n")}`);
  };
  const isLive = async () => {
    const { enclaveRegistry: address } = s.market.deployment.contracts;
    const call = { address, abi: enclaveRegistryAbi, functionName: "isLive" } as const;
    return s.market.chain.public.readContract({ ...call, args: [(await view()).signingKey] });
  };
  const gasOf = async (hash: Hex) => (await s.market.chain.public.getTransactionReceipt({ hash })).gasUsed;
  const aJob = async () => {
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    return s.ask(grants);
  };

  it("is renewed past its half, under the same keys, and jobs go on", async () => {
    const first = await view();
    expect(first.tcbStatus).to.equal("UpToDate");
    await pass(2 * day);
    await sleep(1500);
    expect(logged("enclave.renewed")).to.equal(0);
    await pass(2 * day);
    await until(() => logged("enclave.renewed") === 1);
    const renewed = await view();
    expect(BigInt(renewed.expiresAt)).to.be.greaterThan((await now()) + BigInt(7 * day - 60));
    expect([renewed.signingKey, renewed.registrationTx]).to.deep.equal([first.signingKey, first.registrationTx]);
    expect(await ended(s, (await aJob()).jobId)).to.equal("SettledOk");
  });

  it("is renewed after it has expired, with collateral that is refreshed because it nears its end", async () => {
    const pushed = logged("collateral.recorded");
    expect(pushed).to.equal(6);
    const before = await view();
    await pass(21 * day);
    await until(() => logged("enclave.renewed") === 2);
    expect(await isLive()).to.equal(true);
    // The four dated items, each once; certificates last for years.
    expect(logged("collateral.recorded")).to.equal(pushed + 4);
    const after = await view();
    expect(BigInt(after.collateralExpiresAt)).to.be.greaterThan(BigInt(before.collateralExpiresAt));
    expect(after.signingKey).to.equal(before.signingKey);
    const { tdxCollateral: address } = s.market.deployment.contracts;
    const item = { address, abi: tdxCollateralAbi, functionName: "qeIdentity" } as const;
    const { nextUpdate } = await s.market.chain.public.readContract(item);
    expect(BigInt(nextUpdate)).to.be.greaterThan((await now()) + BigInt(28 * day));
    expect(await ended(s, (await aJob()).jobId)).to.equal("SettledOk");
  });

  it("ends with exit code 3 when its operator retires it; a restart registers new keys, more cheaply", async () => {
    const first = await view();
    const { rpcUrl } = s.market.chain;
    const operator = await createClient({ rpcUrl, deployment: s.market.deployment, account: testAccount(1) });
    await retireEnclave(operator, first.signingKey);
    expect(await s.worker().child.exited).to.equal(3);
    expect(s.worker().child.lines.stderr.join("\n")).to.include(`enclave ${first.signingKey} was retired`);
    await s.restartWorker({ env: { COLLATERAL_URL: intel.pcsUrl } });
    const second = await view();
    expect(second.signingKey).to.not.equal(first.signingKey);
    // The platform is known: neither its certificate nor the QE report is sent or verified again.
    expect(await gasOf(second.registrationTx)).to.be.lessThan(((await gasOf(first.registrationTx)) * 85n) / 100n);
    expect(logged("collateral.recorded")).to.equal(0);
  });

  it("is demoted by anyone once Intel's recovery is on chain: nothing is settled, and the worker says why", async () => {
    const { signingKey } = await view();
    const stranger = s.providers[0].client;
    const good = await standingOf(stranger, signingKey);
    expect([good.reason, good.status?.tcb]).to.deep.equal([undefined, "UpToDate"]);
    await rejection(demoteEnclave(stranger, good), NotDemotableError);

    const recovery = intel.publish({
      statuses: { platform: "OutOfDate" },
      tcbInfo: { tcbEvaluationDataNumber: 30 },
      qeIdentity: { tcbEvaluationDataNumber: 30 },
    });
    await pass(180);
    await pushCollateralOf(stranger, intel.platform, recovery);
    const standing = await standingOf(stranger, signingKey);
    expect([standing.reason, standing.status]).to.deep.equal([
      "TcbStatus",
      { tcb: "OutOfDate", platform: "OutOfDate", module: "UpToDate", qe: "UpToDate" },
    ]);
    expect(standing.advisoryIds).to.deep.equal(["INTEL-SA-99999"]);

    // Agreed and paid for, and the keys are missing still: had they come, nothing could be settled any more.
    const job = await s.ask([await s.grant(s.providers[0]), await s.grant(s.providers[1])]);
    await demoteEnclave(stranger, standing);
    expect(await s.worker().child.exited).to.equal(3);
    expect(s.worker().child.lines.stderr.join("\n")).to.include(`enclave ${signingKey} was demoted`);
    expect(await getEnclave(stranger, signingKey)).to.include({ live: false, state: "Demoted" });
    expect(await settlements(s, job.jobId)).to.deep.equal([]);
  });

  it("is refused to a platform that is not up to date, with what to do", async () => {
    await s.restartWorker({ env: { COLLATERAL_URL: intel.pcsUrl } }).catch(() => undefined);
    expect(await s.worker().child.exited).to.equal(1);
    const words = s.worker().child.lines.stderr.join("\n");
    expect(words).to.include("TdxVerifier_TcbStatusNotAllowed(5, 6)").and.include("Update the host");
  });
});
