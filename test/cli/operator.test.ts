/** Operators, auditors and whoever watches enclaves, with `dcm`. */
import { join } from "node:path";
import { expect } from "chai";
import { type Address, type Hex, isAddressEqual, keccak256 } from "viem";
import { domainOf, hashOperatorAuthorization } from "../../protocol/eip712.ts";
import { readOperatorAuthorization } from "../../protocol/operatorAuthorization.ts";
import { recoverSigner } from "../../protocol/signature.ts";
import { testPrivateKey } from "../../scripts/localChain.ts";
import { startWorld, type TestEnclave, type World, who } from "../sdk/support/world.ts";
import { pushCollateralOf } from "../support/attestation.ts";
import { testAccount } from "../support/chain.ts";
import { dcm, type Environment } from "./support/dcm.ts";

describe("dcm: operators and auditors", () => {
  let world: World;
  let one: TestEnclave;
  let two: TestEnclave;
  let operator: Environment;
  let stranger: Environment;
  before(async () => {
    world = await startWorld();
    one = await world.registerEnclave();
    two = await world.registerEnclave();
    const as = (index: number, home: string) => ({
      DCM_RPC_URL: world.chain.rpcUrl,
      DCM_DEPLOYMENT: world.deploymentFile,
      DCM_HOME: join(world.directory, home),
      DCM_PRIVATE_KEY: testPrivateKey(index),
    });
    operator = as(who.operator, "operator");
    stranger = as(who.stranger, "stranger");
  });
  after(() => world.close());

  async function json(environment: Environment, ...args: string[]) {
    const { code, stdout, stderr } = await dcm([...args, "--json"], environment);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout);
  }

  async function error(environment: Environment, ...args: string[]) {
    const { code, stderr } = await dcm([...args, "--json"], environment);
    return { code, ...JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error };
  }

  it("authorizes an agent in words that a worker takes, and that only the operator can sign", async () => {
    const agent: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const { code, stdout } = await dcm(["operator", "authorize", "--agent", agent, "--json"], operator);
    expect(code).to.equal(0);
    const given = readOperatorAuthorization(stdout);
    const { timestamp } = await world.chain.public.getBlock();
    expect(Number(given.validUntil - timestamp)).to.be.closeTo(365 * 86_400, 60);
    const account = testAccount(who.operator).address;
    const domain = domainOf(world.deployment.chainId, world.deployment.contracts.enclaveRegistry);
    const consent = { operator: account, agent, validUntil: given.validUntil };
    const signer = recoverSigner(hashOperatorAuthorization(domain, consent), given.signature);
    expect(signer !== undefined && isAddressEqual(signer, account)).to.equal(true);
    expect([given.operator, given.agent, given.simulated]).to.deep.equal([account, agent, true]);

    const text = (await dcm(["operator", "authorize", "--agent", agent, "--valid-for", "1"], operator)).stdout;
    expect(text).to.match(/^OPERATOR_AUTHORIZATION +\{"validUntil":[0-9]{10},"signature":"0x[0-9a-f]{130}"\}$/m);
    expect(
      (await error(operator, "operator", "authorize", "--agent", agent.toLowerCase().replace("5f", "5F"))).code,
    ).to.equal(2);
    expect((await error(operator, "operator", "authorize", "--agent", agent, "--valid-for", "0")).code).to.equal(2);
  });

  it("shows how an enclave stands, and demotes none that is in good standing", async () => {
    const key = one.account.address;
    const { stdout } = await dcm(["enclave", "show", key], stranger);
    expect(stdout)
      .to.match(/^state +Active$/m)
      .and.match(/^TCB when verified +UpToDate$/m);
    expect(stdout).to.match(
      /^TCB now +UpToDate \(platform UpToDate, TDX module UpToDate, quoting enclave UpToDate\)$/m,
    );
    expect(stdout)
      .to.match(/^demotable +no$/m)
      .and.match(/^PCK certificate +serial 0x[0-9a-f]+, until 20/m);
    const shown = await json(stranger, "enclave", "show", key);
    expect(shown.standing).to.deep.include({ certificateRevoked: false, advisoryIds: [] });
    const refused = await error(stranger, "enclave", "demote", key);
    expect([refused.code, refused.name]).to.deep.equal([1, "Demotion.NotDemotableError"]);
    expect(refused.hint).to.include("dcm collateral push");
  });

  it("retires one's own enclave only, and only once", async () => {
    const key = two.account.address;
    expect((await error(stranger, "operator", "retire", key)).message).to.match(/EnclaveRegistry_NotOperator/);
    expect(await json(operator, "operator", "retire", key)).to.include({ signingKey: key, simulated: true });
    expect((await error(operator, "operator", "retire", key)).message).to.match(/EnclaveRegistry_Ended/);
    const { stdout } = await dcm(["enclave", "list"], stranger);
    expect(stdout)
      .to.match(new RegExp(`^${key} +retired `, "m"))
      .and.match(new RegExp(`^${one.account.address} +live `, "m"));
  });

  it("demotes an enclave whose certificate was revoked, by whoever asks", async () => {
    const { platform } = world;
    const revoked = platform.collateral({
      now: Math.floor(Date.now() / 1000) - 1800,
      revoked: { leaves: [platform.serials.pckLeaf] },
      pckCrl: { number: 2 },
    });
    await pushCollateralOf(await world.clientOf(who.stranger), platform, revoked);
    const key = one.account.address;
    expect((await dcm(["enclave", "show", key], stranger)).stdout).to.match(/^demotable +yes, CertificateRevoked: /m);
    const demoted = await json(stranger, "enclave", "demote", key);
    expect(demoted.standing).to.include({ reason: "CertificateRevoked", certificateRevoked: true });
    expect((await json(stranger, "enclave", "show", key)).state).to.equal("Demoted");
    const ended = await error(stranger, "enclave", "demote", key);
    expect(ended.name).to.equal("Demotion.NotDemotableError");
    expect(ended.hint).not.to.include("dcm collateral push");
  });

  it("endorses a workload, replaces and withdraws the word, and lists what was last said", async () => {
    const workload = world.workloadId;
    const commit: Hex = `0x${"ab".repeat(20)}`;
    // As git prints it.
    const say = (uri: string) => ["endorsement", "endorse", workload, "--source", commit.slice(2), "--uri", uri];
    expect((await error(operator, "endorsement", "withdraw", workload)).message).to.match(/Endorsements_NotEndorsed/);
    await json(operator, ...say("https://auditor.example/1"));
    await json(operator, ...say("https://auditor.example/2\u001b[2J"));
    await json(stranger, ...say("https://other.example"));
    const list = (...more: string[]) => json(stranger, "endorsement", "list", "--workload", workload, ...more);
    const auditor = testAccount(who.operator).address;
    const { endorsements } = await list("--auditor", auditor);
    expect(endorsements).to.have.length(1);
    expect(endorsements[0]).to.deep.include({ auditor, sourceHash: `${commit}${"00".repeat(12)}`, withdrawnAt: 0 });
    expect((await list()).endorsements).to.have.length(2);
    expect((await json(stranger, "endorsement", "list", "--workload", keccak256("0x"))).endorsements).to.deep.equal([]);
    await json(operator, "endorsement", "withdraw", workload, "--reason-uri", "https://auditor.example/why");
    const { stdout } = await dcm(["endorsement", "list"], stranger);
    expect(stdout)
      .to.match(/withdrawn 20/)
      .and.not.include("\u001b");
    const wrong = await error(operator, "endorsement", "endorse", workload, "--source", "0x12", "--uri", "x");
    expect(wrong.code).to.equal(2);
  });
});
