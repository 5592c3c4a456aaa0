/** Real receipts of the real worker, brought to the market by somebody who would like them to say something else. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type Address, type Hex, keccak256, recoverAddress, toHex, zeroHash } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { deployContract } from "../../../deploy/deployContracts.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { hashReceipt, type Receipt, receiptTypes, type SignedGrant, shownGrantOf } from "../../../protocol/eip712.ts";
import { outcomeOf } from "../../../protocol/outcome.ts";
import type { Program } from "../../../protocol/program.ts";
import { signedReceiptSchema } from "../../../protocol/receiptJson.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { ContractRefusedError } from "../../../sdk/chainErrors.ts";
import { type Client, createClient } from "../../../sdk/client.ts";
import { chainTime } from "../../../sdk/grants.ts";
import { openJob } from "../../../sdk/jobs.ts";
import { simulate } from "../../../sdk/send.ts";
import {
  bring,
  consent,
  countingProgram,
  expectHonestJob,
  expectNoEscrowLeft,
  mineAgain,
  openRaw,
  problemOf,
  type RawJob,
  rawJob,
  stepSeen,
  timesSeen,
  timesSeenSoon,
  transactionPending,
  withoutMining,
} from "../../support/hostile.ts";
import { failureOf, settlement } from "../../support/outcomes.ts";
import { rejection } from "../../support/rejection.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";

const daySeconds = 86_400;
const secp256k1n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("a receipt of the worker", () => {
  let s: Scenario;
  let program: Program;
  let grants: SignedGrant[];
  /** Settled Ok. */
  let settled: RawJob;
  /** Run and signed; its settlement waits in the node's pool. */
  let open: RawJob;
  /** The order of `open`, opened at another market too. */
  let copy: RawJob;
  let otherMarket: Client;
  let ofSettled: { receipt: Receipt; signature: Hex };
  let ofOpen: { receipt: Receipt; signature: Hex };

  before(async () => {
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "0" } });
    program = countingProgram(s);
    const notAfter = (await chainTime(s.requester)) + BigInt(30 * daySeconds);
    grants = [await consent(s, s.providers[0], program, { notAfter })];
    settled = await openRaw(s, { program, grants });
    expect(await failureOf(s, settled.jobId)).to.equal("None");
    const prepared = await prepare();
    otherMarket = await deployOtherMarket();
    copy = { ...prepared, ...(await openJob(otherMarket, prepared)) };
    open = await heldBack(prepared);
    ofSettled = await receiptOf(settled.jobId);
    ofOpen = await receiptOf(open.jobId);
  });
  after(async () => {
    try {
      await expectNoEscrowLeft(s);
    } finally {
      await s.stop();
    }
  });

  async function prepare() {
    const deadline = (await chainTime(s.requester)) + BigInt(30 * daySeconds);
    return rawJob(s, { program, grants, changes: { deadline } });
  }

  async function deployOtherMarket(): Promise<Client> {
    const { rpcUrl, wallet, public: chain } = s.market.chain;
    const { contracts } = s.market.deployment;
    const registries = [contracts.enclaveRegistry, contracts.datasetRegistry];
    const deploy = (artifact: string, args: readonly Hex[]) =>
      deployContract({ wallet: wallet(0), chain }, artifact, args);
    const extension = await deploy("market/MarketExtension.sol/MarketExtension", registries);
    const jobMarket = await deploy("market/JobMarket.sol/JobMarket", [...registries, extension]);
    const deployment = { ...s.market.deployment, contracts: { ...contracts, jobMarket } };
    return createClient({ rpcUrl, deployment, account: testAccount(4), pollingIntervalMs: 50 });
  }

  /** A job that was run, and whose settlement the node does not mine. */
  async function heldBack(prepared?: Awaited<ReturnType<typeof prepare>>): Promise<RawJob> {
    const job = prepared ?? (await prepare());
    const opened = await withoutMining(s, () => openJob(s.requester, job));
    await stepSeen(s, "sending", job.jobId);
    await transactionPending(s);
    return { ...job, ...opened };
  }

  async function waitingFor(jobId: Hex, reason: string): Promise<void> {
    for (let waiting = ""; waiting !== reason; await sleep(50)) {
      const view = (await (await fetch(`${s.worker().url}/jobs/${jobId}`)).json()) as { waiting?: string };
      waiting = view.waiting ?? "";
    }
  }

  async function receiptOf(jobId: Hex) {
    const answer = await fetch(`${s.worker().url}/receipts/${jobId}`);
    return signedReceiptSchema.parse(await answer.json());
  }

  type Settling = { receipt: Receipt; signature: Hex; grants?: readonly SignedGrant[]; client?: Client };
  const settle = (job: RawJob, { receipt, signature, grants: brought = grants, client = s.requester }: Settling) =>
    simulate(client, {
      address: client.deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "settle",
      args: [job.index, job.order, outcomeOf(receipt), signature, brought.map(shownGrantOf), []],
    });

  async function refused(job: RawJob, settling: Settling) {
    const { contractError, args } = await rejection(settle(job, settling), ContractRefusedError);
    return { contractError, args };
  }

  const signerOf = (receipt: Receipt, signature: Hex) =>
    recoverAddress({ hash: hashReceipt(s.requester.marketDomain, receipt), signature });

  it("settles its job, whoever brings it", () => settle(open, ofOpen));

  it("is refused a second time", async () => {
    const expected = { contractError: "JobMarket_NotOpen", args: { jobId: settled.jobId, state: 2 } };
    expect(await refused(settled, ofSettled)).to.deep.equal(expected);
  });

  it("is refused for another job: there it has another hash, and nobody has signed that", async () => {
    const receipt = { ...ofSettled.receipt, jobId: open.jobId };
    const signer = await signerOf(receipt, ofSettled.signature);
    const notLive = { contractError: "JobMarket_EnclaveNotLive", args: { signer } };
    expect(await refused(open, ofSettled)).to.deep.equal(notLive);
  });

  it("is refused with any field changed", async () => {
    const changes: Partial<Receipt>[] = [
      { resultHash: toHex(1, { size: 32 }) },
      { outputCommitment: toHex(1, { size: 32 }) },
      { inputsRoot: toHex(1, { size: 32 }) },
      { grantsRoot: toHex(1, { size: 32 }) },
      { policyHash: toHex(1, { size: 32 }) },
      { logRoot: toHex(1, { size: 32 }) },
      { logSize: ofOpen.receipt.logSize + 1n },
      { fuelUsed: 0n },
      { outputRows: 1n },
      { runSeconds: 1 },
      { countedGrants: 0 },
    ];
    for (const change of changes) {
      const receipt = { ...ofOpen.receipt, ...change };
      const signer = await signerOf(receipt, ofOpen.signature);
      const notLive = { contractError: "JobMarket_EnclaveNotLive", args: { signer } };
      expect(await refused(open, { ...ofOpen, receipt })).to.deep.equal(notLive);
    }
    const bad = { contractError: "JobMarket_BadOutcome", args: { jobId: open.jobId } };
    for (const change of [{ failureCode: 1 }, { resultHash: zeroHash }, { outputCommitment: zeroHash }]) {
      expect(await refused(open, { ...ofOpen, receipt: { ...ofOpen.receipt, ...change } })).to.deep.equal(bad);
    }
  });

  it("is refused with its signature made high-s, cut, stretched or empty", async () => {
    const { signature } = ofOpen;
    const s1 = BigInt(`0x${signature.slice(66, 130)}`);
    const highS = toHex(secp256k1n - s1, { size: 32 }).slice(2);
    const otherV = signature.endsWith("1b") ? "1c" : "1b";
    const malformed: Hex[] = [
      `${signature.slice(0, 66)}${highS}${otherV}` as Hex, // the same key signs, by the curve
      signature.slice(0, -2) as Hex,
      `${signature}00`,
      `${signature.slice(0, -2)}1d` as Hex,
      `0x${"00".repeat(65)}`,
      "0x",
    ];
    expect(s1 < secp256k1n / 2n).to.equal(true);
    for (const bad of malformed) {
      const expected = { contractError: "JobMarket_BadSignature", args: { signatureHash: keccak256(bad) } };
      expect(await refused(open, { ...ofOpen, signature: bad })).to.deep.equal(expected);
    }
  });

  it("is refused if an unregistered key signed it", async () => {
    const stranger = privateKeyToAccount(generatePrivateKey());
    const signature = await stranger.signTypedData({
      domain: s.requester.marketDomain,
      types: receiptTypes,
      primaryType: "Receipt",
      message: ofOpen.receipt,
    });
    const expected = { contractError: "JobMarket_EnclaveNotLive", args: { signer: stranger.address } };
    expect(await refused(open, { ...ofOpen, signature })).to.deep.equal(expected);
  });

  it("is refused with other grants than the job's", async () => {
    const [first] = grants as [SignedGrant];
    const count = { contractError: "JobMarket_GrantCountMismatch", args: { grants: 0n, countedGrants: 1 } };
    expect(await refused(open, { ...ofOpen, grants: [] })).to.deep.equal(count);
    const cheaper = { ...first, grant: { ...first.grant, notAfter: first.grant.notAfter + 1n } };
    const { contractError, args } = await refused(open, { ...ofOpen, grants: [cheaper] });
    expect(contractError).to.equal("JobMarket_GrantMismatch");
    expect(args.expected).to.equal(open.order.datasets[0]?.grantHash);
  });

  it("is refused by another market with the same registries, where the same order is open too", async () => {
    const client = otherMarket;
    expect(copy.jobId).to.not.equal(open.jobId);
    const receipt = { ...ofOpen.receipt, jobId: copy.jobId };
    const hash = hashReceipt(client.marketDomain, receipt);
    const signer = await recoverAddress({ hash, signature: ofOpen.signature });
    const notLive = { contractError: "JobMarket_EnclaveNotLive", args: { signer } };
    expect(await refused(copy, { ...ofOpen, client })).to.deep.equal(notLive);
  });

  it("settled its job once when all of that was tried", async () => {
    await mineAgain(s);
    expect(await failureOf(s, open.jobId)).to.equal("None");
    expect((await settlement(s, open.jobId)).resultHash).to.equal(ofOpen.receipt.resultHash);
  });

  it("is refused once the registration has expired, and then no data are opened until the keys are new", async () => {
    const job = await heldBack();
    const signed = await receiptOf(job.jobId);
    const { control } = s.market.chain;
    await control.increaseTime({ seconds: 7 * daySeconds });
    const { gasWallet } = (await (await fetch(`${s.worker().url}/enclave`)).json()) as { gasWallet: Address };
    await control.mine({ blocks: 1 }); // the settlement that waited, too late
    // The worker would renew its registration once it has seen the block; without gas money it cannot.
    await control.setBalance({ address: gasWallet, value: 0n });
    await control.setAutomine(true);
    const expected = { contractError: "JobMarket_EnclaveNotLive", args: { signer: signed.signer } };
    expect(await refused(job, signed)).to.deep.equal(expected);
    expect(await problemOf(`${s.worker().url}/results/${job.jobId}`)).to.equal("409 Http.ResultHeldBackError");
    await waitingFor(job.jobId, "Jobs.RegistrationOverError");
    // It is looked up on its own rounds: ready until the next one.
    while ((await fetch(`${s.worker().url}/readyz`)).status !== 503) await sleep(50);
    const late = await openRaw(s, { program, grants });
    await waitingFor(late.jobId, "Jobs.RegistrationOverError");
    expect([timesSeen(s, "inputsDecrypted", job.jobId), timesSeen(s, "seen", late.jobId)]).to.deep.equal([1, 0]);

    await s.worker().child.stop();
    await s.restartWorker({ env: { GRANT_WAIT_SECONDS: "60" } });
    for (const grant of grants) await bring(s, grant, { key: s.providers[0].datasetKey });
    for (const { jobId } of [job, late]) {
      expect(await failureOf(s, jobId)).to.equal("None");
      expect(await timesSeenSoon(s, "inputsDecrypted", jobId)).to.equal(1);
    }
    await expectHonestJob(s);
  });
});
