/** Orders that are signed, given to the worker, and settled in one transaction against their payers' credit. */
import { expect } from "chai";
import { bytesToHex } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { hashOrder } from "../../../protocol/eip712.ts";
import { type SignedOrder, signedOrderToJson } from "../../../protocol/signedOrder.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { createClient } from "../../../sdk/client.ts";
import { decryptResult } from "../../../sdk/encryption.ts";
import { postOrder } from "../../../sdk/worker.ts";
import { bring, consent, countingProgram, fees, grantOf, problemOf, rawJob, timesSeen } from "../../support/hostile.ts";
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
    await fund(s, 4, 20n * cost);
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
