/** Orders that are signed, given to the worker, and settled in one transaction against their payers' credit. */
import { expect } from "chai";
import { bytesToHex, type Hex } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import { failureCodes, hashOrder } from "../../../protocol/eip712.ts";
import { type SignedOrder, signedOrderToJson } from "../../../protocol/signedOrder.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { createClient } from "../../../sdk/client.ts";
import { decryptResult } from "../../../sdk/encryption.ts";
import { postOrder } from "../../../sdk/worker.ts";
import {
  bring,
  consent,
  countingProgram,
  fees,
  grantOf,
  mineAgain,
  problemOf,
  rawJob,
  stepSeen,
  timesSeen,
  transactionPending,
} from "../../support/hostile.ts";
import { releasedResult, settlement, settlements } from "../../support/outcomes.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";
import { fund, gains, signed, signOrder, until, viewOf } from "./people.ts";

const everyone = [1, 2, 3, 4, 5] as const; // operator, providers, requester, sponsor
const env = { GRANT_WAIT_SECONDS: "1" };
const cost = fees.operatorFee + fees.price;

describe("a signed order", () => {
  let s: Scenario;
  before(async () => {
    s = await startScenario({ env });
    await fund(s, 4, 40n * cost);
    await fund(s, 5, 20n * cost);
  });
  after(() => s.stop());

  async function order(changes: Parameters<typeof rawJob>[1]["changes"] = {}, delivered = true) {
    const program = countingProgram(s);
    const grant = delivered ? await consent(s, s.providers[0], program) : await grantOf(s, s.providers[0], program);
    const job = await rawJob(s, { program, grants: [grant], changes });
    return { ...job, params: bytesToHex(job.params), grant };
  }

  const settled = (jobId: `0x${string}`) => until(s, async () => (await settlements(s, jobId)).length > 0);

  it("is run and settled in one transaction; its result is released then, and its receipt is the chain's", async () => {
    const job = await order();
    const { gained } = await gains(s, everyone, async () => {
      expect(await postOrder(s.worker().url, await signed(s.requester, job))).to.deep.equal({ jobId: job.jobId });
      await settled(job.jobId);
    });
    expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, -cost, 0n]);
    const receipt = await settlement(s, job.jobId);
    const { output } = await decryptResult(job.identity, await releasedResult(s, job.jobId), receipt);
    expect(output).to.have.property("n").that.is.greaterThan(10_000);
    expect(await viewOf(s.worker().url, job.jobId)).to.include({ phase: "settled" });

    expect(await postOrder(s.worker().url, await signed(s.requester, job))).to.deep.equal({ jobId: job.jobId });
    expect(timesSeen(s, "ran", job.jobId)).to.equal(1);
  });

  it("may be paid by a sponsor, who signs it too", async () => {
    const sponsor = await createClient({
      rpcUrl: s.market.chain.rpcUrl,
      deployment: s.market.deployment,
      account: testAccount(5),
    });
    const job = await order();
    const paidFor = await signed(s.requester, job, sponsor);
    const jobId = hashOrder(s.requester.marketDomain, paidFor.order);
    const { gained } = await gains(s, everyone, async () => {
      await postOrder(s.worker().url, paidFor);
      await settled(jobId);
    });
    expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, 0n, -cost]);
  });

  it("survives SIGKILL between the answer and the settlement, and is settled once", async () => {
    const job = await order();
    await s.worker().child.stop();
    await s.restartWorker({ script: "test/support/killableWorker.ts", env: { ...env, KILL_AT: "ran" } });
    const doomed = s.worker();
    await bring(s, job.grant, { key: s.providers[0].datasetKey });
    const { gained } = await gains(s, everyone, async () => {
      await postOrder(doomed.url, await signed(s.requester, job));
      expect(await doomed.child.exited).to.equal("SIGKILL");
      await s.restartWorker({ env });
      await bring(s, job.grant, { key: s.providers[0].datasetKey });
      await settled(job.jobId);
    });
    expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, -cost, 0n]);
    await decryptResult(job.identity, await releasedResult(s, job.jobId), await settlement(s, job.jobId));
  });

  it("is settled with others that are ready when the one before is mined; one that is refused by then holds up none", async () => {
    const { control, public: chain } = s.market.chain;
    const [first, pair, own, revoked] = [await order(), await order(), await order(), await order()];
    const twin = { ...pair, order: { ...pair.order, nonce: pair.order.nonce ^ 1n } };
    const twinId = hashOrder(s.requester.marketDomain, twin.order);
    const { gained } = await gains(s, everyone, async () => {
      await control.setAutomine(false);
      await postOrder(s.worker().url, await signed(s.requester, first));
      await transactionPending(s);
      for (const job of [pair, twin, own, revoked]) await postOrder(s.worker().url, await signed(s.requester, job));
      for (const jobId of [pair.jobId, twinId, own.jobId, revoked.jobId]) await stepSeen(s, "saved", jobId);
      const { address, abi } = { address: s.market.deployment.contracts.datasetRegistry, abi: datasetRegistryAbi };
      const args = [revoked.grant.grant.nonce] as const;
      await s.market.chain.wallet(2).writeContract({ address, abi, functionName: "revokeGrantNonce", args });
      await mineAgain(s);
      for (const jobId of [first.jobId, pair.jobId, twinId, own.jobId, revoked.jobId]) await settled(jobId);
    });
    const filter = { address: s.requester.marketDomain.verifyingContract, abi: jobMarketAbi, fromBlock: 0n } as const;
    const transactionOf = async (jobId: Hex) => {
      const [event] = await chain.getContractEvents({ ...filter, eventName: "OrderSettled", args: { jobId } });
      return event?.transactionHash;
    };
    const together = await Promise.all([pair.jobId, twinId, own.jobId].map(transactionOf));
    expect(new Set(together).size).to.equal(1);
    expect(await transactionOf(first.jobId)).to.not.equal(together[0]);
    expect(await transactionOf(revoked.jobId)).to.not.equal(together[0]);
    for (const jobId of [first.jobId, pair.jobId, twinId, own.jobId]) {
      expect((await settlement(s, jobId)).failureCode).to.equal(0);
    }
    expect(failureCodes[(await settlement(s, revoked.jobId)).failureCode]).to.equal("GrantRefused");
    const fee = 4n * fees.operatorFee + fees.failureFee;
    expect(gained).to.deep.equal([fee, 4n * fees.price, 0n, -fee - 4n * fees.price, 0n]);
    for (const jobId of [pair.jobId, twinId]) {
      await decryptResult(pair.identity, await releasedResult(s, jobId), await settlement(s, jobId));
    }
  });

  it("survives SIGKILL while it waits in the pool with others: all are settled once", async () => {
    const { control } = s.market.chain;
    const [first, second, third] = [await order(), await order(), await order()];
    const ids = [first.jobId, second.jobId, third.jobId];
    const { gained } = await gains(s, everyone, async () => {
      await control.setAutomine(false);
      await postOrder(s.worker().url, await signed(s.requester, first));
      await transactionPending(s);
      for (const job of [second, third]) await postOrder(s.worker().url, await signed(s.requester, job));
      for (const jobId of ids) await stepSeen(s, "saved", jobId);
      await control.mine({ blocks: 1 });
      for (const jobId of ids.slice(1)) await stepSeen(s, "sending", jobId);
      await transactionPending(s);
      s.worker().child.process.kill("SIGKILL");
      await s.worker().child.exited;
      await mineAgain(s);
      await s.restartWorker({ env });
      for (const jobId of ids) await settled(jobId);
    });
    expect(gained).to.deep.equal([3n * fees.operatorFee, 3n * fees.price, 0n, -3n * cost, 0n]);
    for (const { jobId, identity } of [first, second, third]) {
      await decryptResult(identity, await releasedResult(s, jobId), await settlement(s, jobId));
    }
  });

  it("is settled anew, once, when a reorganisation takes back its settlement and the block that it rests on", async () => {
    const { control } = s.market.chain;
    const first = await order();
    const twin = { ...first, order: { ...first.order, nonce: first.order.nonce ^ 1n } };
    const ids = [first.jobId, hashOrder(s.requester.marketDomain, twin.order)] as const;
    const { gained } = await gains(s, everyone, async () => {
      const snapshot = await control.snapshot();
      await control.mine({ blocks: 4 }); // the first of them may be mined alike on the other branch
      for (const job of [first, twin]) await postOrder(s.worker().url, await signed(s.requester, job));
      for (const jobId of ids) await settled(jobId);
      const lost = await Promise.all(ids.map((jobId) => settlement(s, jobId)));
      await until(s, async () => (await viewOf(s.worker().url, ids[1])).phase === "settled");
      await control.revert({ id: snapshot });
      await control.mine({ blocks: 5, interval: 7 });
      for (const jobId of ids) await settled(jobId);
      const kept = await Promise.all(ids.map((jobId) => settlement(s, jobId)));
      for (const [i, { anchorHash, outputCommitment }] of kept.entries()) {
        expect(anchorHash).to.not.equal(lost[i]?.anchorHash);
        expect(outputCommitment).to.equal(lost[i]?.outputCommitment);
      }
    });
    expect(gained).to.deep.equal([2n * fees.operatorFee, 2n * fees.price, 0n, -2n * cost, 0n]);
  });

  it("that fails is paid its failure fee if it has one, and else not sent at all", async () => {
    const failing = await order({}, false);
    const { gained } = await gains(s, everyone, async () => {
      await postOrder(s.worker().url, await signed(s.requester, failing));
      await settled(failing.jobId);
    });
    expect(gained).to.deep.equal([fees.failureFee, 0n, 0n, -fees.failureFee, 0n]);

    const free = await order({ failureFee: 0n }, false);
    await postOrder(s.worker().url, await signed(s.requester, free));
    const { url } = s.worker();
    await until(s, async () => (await viewOf(url, free.jobId)).phase === "failed");
    expect(await settlements(s, free.jobId)).to.deep.equal([]);
    expect((await fetch(`${url}/receipts/${free.jobId}`)).status).to.equal(200);
    expect(await problemOf(`${url}/results/${free.jobId}`)).to.equal("404 Http.UnknownJobError");
  });

  it("is refused unsigned, unpaid, used up, late, or for what must be opened", async () => {
    const now = (await s.market.chain.public.getBlock()).timestamp;
    const post = async (body: SignedOrder) => {
      const response = await fetch(`${s.worker().url}/orders`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(signedOrderToJson(body)),
      });
      return (await response.json()) as { name: string; detail: string };
    };
    const refusal = (fact: string) => ({ name: "Jobs.OrderRefusedError", detail: `The order was refused: ${fact}.` });
    const good = await order();
    const provider = s.providers[0].client;
    const market = "for this chain and market";
    const cases: [SignedOrder, string][] = [
      [await signed(provider, good), `it is not signed by its requester ${market}`],
      [{ ...(await signed(s.requester, good)), params: "0x7b7d20" }, "the parameters are not those of its hash"],
      [
        await signed(s.requester, await order({ deadline: now + 30n })),
        "its deadline is less than 60 seconds ahead of the newest block",
      ],
      [await signed(s.requester, await order({ quorum: 2 })), "it must be opened on chain first"],
      [await signed(s.requester, await order({ operator: testAccount(9).address })), "it is for another operator"],
      [await signed(s.requester, await order({ offerHash: good.jobId })), "it names another offer than this worker's"],
    ];
    const sponsored = { ...good.order, payer: testAccount(5).address };
    const requesterSignature = await signOrder(s.requester, sponsored);
    const own = await signed(s.requester, good);
    const forged = { ...own, order: sponsored, requesterSignature, payerSignature: requesterSignature };
    cases.push([forged, `it is not signed by its payer ${market}`]);
    for (const [body, fact] of cases) expect(await post(body)).to.include(refusal(fact));

    const rich = await post(await signed(s.requester, await order({ operatorFee: 10n ** 12n })));
    expect(rich.name).to.equal("Jobs.PayerShortError");
    const hash = await s.market.chain.wallet(4).writeContract({
      address: s.market.deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "cancelNonce",
      args: [good.order.nonce],
    });
    await s.market.chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    await s.market.chain.control.mine({ blocks: 1 });
    expect(await post(await signed(s.requester, good))).to.include(refusal("its nonce is used"));
  });
});
