/** Jobs that are opened on terms that plain jobs do not have: metered prices, offers, acceptance under a bond. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Address, type Hex, keccak256 } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { settlementIn } from "../../../protocol/chain/settlingTransaction.ts";
import { hashGrant, priceUnits, type SignedGrant } from "../../../protocol/eip712.ts";
import type { Program } from "../../../protocol/program.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { createClient } from "../../../sdk/client.ts";
import { creditOf } from "../../../sdk/credit.ts";
import { getDataset } from "../../../sdk/datasets.ts";
import { offerFileOf, signOffer } from "../../../sdk/offers.ts";
import { fetchOffer } from "../../../sdk/worker.ts";
import {
  bring,
  consent,
  countingProgram,
  expectHonestJob,
  fees,
  oneInputProgram,
  openRaw,
  problemOf,
  timesSeen,
} from "../../support/hostile.ts";
import { ended, failureOf, releasedResult, settlement, stateOf } from "../../support/outcomes.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";
import { fund, gains, until, viewOf } from "./people.ts";

const parties = [1, 2, 3] as const; // operator and providers
const everyone = [...parties, 4] as const; // and the requester, who has credit here

describe("a job on terms of its own", () => {
  let s: Scenario;
  before(async () => {
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "1" } });
    await fund(s, 4, 100_000_000n);
  });
  after(() => s.stop());

  const now = async () => (await s.market.chain.public.getBlock()).timestamp;
  const ceilings = (grants: readonly SignedGrant[], ...most: bigint[]) => ({
    datasets: grants.map(({ grant }, i) => ({
      datasetId: grant.datasetId,
      grantHash: hashGrant(s.requester.marketDomain, grant),
      maxPrice: most[i] ?? 0n,
    })),
  });

  /** A job that settles Ok: its receipt, and what everyone gains. */
  async function settled(program: Program, grants: readonly SignedGrant[], changes: object) {
    const { gained, value: job } = await gains(s, everyone, async () => {
      const opened = await openRaw(s, { program, grants, changes });
      expect(await failureOf(s, opened.jobId)).to.equal("None");
      return opened;
    });
    return { gained, job, receipt: await settlement(s, job.jobId) };
  }

  describe("priced by rows or bytes", () => {
    const rows = 'export default ({ data }) => ({ rows: data.split("\\n").slice(0, 3) });';

    it("pays for the rows of the result, and refunds the rest of the ceiling", async () => {
      const program = oneInputProgram(s, rows);
      const perRow = { priceUnit: priceUnits.outputRow, price: 1_000n };
      const grants = [await consent(s, s.providers[0], program, perRow)];
      const { gained, receipt } = await settled(program, grants, ceilings(grants, 5_000n));
      expect(receipt).to.include({ outputRows: 3n, countedGrants: 1, runSeconds: 0 });
      expect(gained).to.deep.equal([fees.operatorFee, 3_000n, 0n, -fees.operatorFee - 3_000n]);
    });

    it("ends in PriceTooHigh when the rows come to more than the ceiling, and releases nothing", async () => {
      const program = oneInputProgram(s, rows);
      const perRow = { priceUnit: priceUnits.outputRow, price: 1_000n };
      const grants = [await consent(s, s.providers[0], program, perRow)];
      const { gained, value: job } = await gains(s, everyone, async () => {
        const opened = await openRaw(s, { program, grants, changes: ceilings(grants, 2_999n) });
        expect(await failureOf(s, opened.jobId)).to.equal("PriceTooHigh");
        return opened;
      });
      expect(gained).to.deep.equal([fees.failureFee, 0n, 0n, -fees.failureFee]);
      expect(await settlement(s, job.jobId)).to.include({ outputRows: 0n, countedGrants: 0 });
      expect(await problemOf(`${s.worker().url}/results/${job.jobId}`)).to.equal("404 Http.UnknownJobError");
      expect(timesSeen(s, "sealed", job.jobId)).to.equal(0);
    });

    it("pays for the bytes of the ciphertext", async () => {
      const program = countingProgram(s);
      const grants = [await consent(s, s.providers[0], program, { priceUnit: priceUnits.inputByte, price: 2n })];
      const { sizeBytes } = await getDataset(s.requester, s.providers[0].datasetId);
      const { gained, receipt } = await settled(program, grants, ceilings(grants, 10_000_000n));
      expect(gained[1]).to.equal(2n * BigInt(sizeBytes));
      expect(receipt.outputRows).to.equal(0n);
    });
  });

  it("shows the chain the paid grants only: of a free one it learns the hash in the receipt's root", async () => {
    const program = oneInputProgram(s, "export default ({ one, two }) => one.length + two.length;", {
      inputs: [
        { name: "one", format: "text" },
        { name: "two", format: "text" },
      ],
    });
    const free = await consent(s, s.providers[0], program, { price: 0n });
    const paid = await consent(s, s.providers[1], program);
    const { gained, job, receipt } = await settled(program, [free, paid], ceilings([free, paid], 0n, fees.price));
    expect(gained).to.deep.equal([fees.operatorFee, 0n, fees.price, -fees.operatorFee - fees.price]);
    expect(receipt.countedGrants).to.equal(0b10);
    const filter = { address: s.requester.marketDomain.verifyingContract, abi: jobMarketAbi, fromBlock: 0n } as const;
    const which = { eventName: "JobSettled", args: { jobId: job.jobId }, strict: true } as const;
    const [event] = await s.requester.chain.getContractEvents({ ...filter, ...which });
    const { input } = await s.requester.chain.getTransaction({ hash: event?.transactionHash as Hex });
    expect(settlementIn(input, s.requester.marketDomain, job.jobId)?.grants).to.have.length(1);
  });

  describe("that must be accepted", () => {
    const bond = 1_500_000n;
    const gasWallet = async () =>
      ((await (await fetch(`${s.worker().url}/enclave`)).json()) as { gasWallet: Address }).gasWallet;
    const bonded = async () => creditOf(s.requester, await gasWallet(), s.market.token);
    const env = () => ({ GRANT_WAIT_SECONDS: "1", MAX_BOND: `${s.market.token}:${bond}` });
    const open = async () => {
      const program = countingProgram(s);
      const grant = await consent(s, s.providers[0], program);
      const changes = { acceptBy: (await now()) + 600n, bond };
      return { grant, job: await openRaw(s, { program, grants: [grant], changes }) };
    };

    it("is left alone by a worker that stakes nothing", async () => {
      const { job } = await open();
      await expectHonestJob(s);
      expect([await stateOf(s, job.jobId), timesSeen(s, "accepting", job.jobId)]).to.deep.equal(["Open", 0]);
    });

    it("waits for the bond, is accepted, run after that, and settled; the bond comes back", async () => {
      await s.worker().child.stop();
      await s.restartWorker({ env: env() });
      const { job } = await open();
      await until(s, async () => (await viewOf(s.worker().url, job.jobId)).waiting === "Jobs.NotAcceptableError");
      await fund(s, 5, bond, await gasWallet());
      expect(await ended(s, job.jobId)).to.equal("SettledOk");
      expect(await bonded()).to.equal(bond);
      await releasedResult(s, job.jobId);
      const steps = s.worker().child.lines.stdout.filter((line) => line.includes(job.jobId) && line.includes('"job.'));
      const names = steps.map((line) => (JSON.parse(line) as { event: string }).event);
      expect(names.indexOf("job.accepted")).to.be.within(0, names.indexOf("job.seen"));
    });

    it("pays its bond to the requester when the enclave that accepted it is gone", async () => {
      await s.worker().child.stop();
      const killing = { ...env(), KILL_AT: "accepted" };
      const doomed = await s.restartWorker({ script: "test/support/killableWorker.ts", env: killing });
      const { grant, job } = await open();
      expect(await doomed.child.exited).to.equal("SIGKILL");
      await s.restartWorker({ env: env() });
      await bring(s, grant, { key: s.providers[0].datasetKey });
      await until(s, async () => (await viewOf(s.worker().url, job.jobId)).waiting === "acceptedByOther");
      expect([await stateOf(s, job.jobId), timesSeen(s, "seen", job.jobId)]).to.deep.equal(["Accepted", 0]);

      await s.market.chain.control.increaseTime({ seconds: 3_700 });
      const { gained } = await gains(s, everyone, async () => {
        const hash = await s.market.chain.wallet(9).writeContract({
          address: s.requester.marketDomain.verifyingContract,
          abi: jobMarketAbi,
          functionName: "expire",
          args: [job.index, job.order],
        });
        await s.market.chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
      });
      expect(gained).to.deep.equal([0n, 0n, 0n, job.cost + bond]);
      expect(await bonded()).to.equal(0n);
    });
  });

  it("under the operator's offer is charged by the second, and left alone under another's", async () => {
    const { rpcUrl } = s.market.chain;
    const operator = await createClient({ rpcUrl, deployment: s.market.deployment, account: testAccount(1) });
    const terms = {
      workloadId: s.workloadId,
      token: s.market.token,
      fee: 1_000n,
      pricePerSecond: 10n,
      validUntil: (await now()) + 86_400n,
    };
    const signed = await signOffer(operator, terms);
    const file = join(s.dir, "offer.json");
    await writeFile(file, JSON.stringify(offerFileOf(s.market.deployment, signed)));
    await s.worker().child.stop();
    await s.restartWorker({ env: { OFFER_FILE: file } });
    expect((await fetchOffer(s.worker().url)).offer).to.deep.equal(signed.offer);

    const program = countingProgram(s);
    const grants = [await consent(s, s.providers[0], program)];
    const other = await openRaw(s, { program, grants, changes: { offerHash: keccak256("0x01") } });
    const { gained, receipt } = await settled(program, grants, { offerHash: signed.offerHash });
    expect(receipt.runSeconds).to.be.within(1, 30);
    const fee = 1_000n + 10n * BigInt(receipt.runSeconds);
    expect(gained).to.deep.equal([fee, fees.price, 0n, -fee - fees.price]);
    expect([await stateOf(s, other.jobId), timesSeen(s, "seen", other.jobId)]).to.deep.equal(["Open", 0]);
  });
});
