import { expect } from "chai";
import { type Address, type Hex, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  createTakeOrder,
  maxOrders,
  maxOrdersPerPayer,
  OrderRefusedError,
  PayerShortError,
  type TakeOrderPorts,
  TooManyOrdersError,
} from "../../../enclave/jobs/takeOrder.ts";
import { isSignedByKey } from "../../../enclave/vault/ownerSignature.ts";
import { costOf } from "../../../protocol/charges.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashOrder, type JobOrder } from "../../../protocol/eip712.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import { sampleJob } from "../../support/emitter.ts";
import { rejection } from "../../support/rejection.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const domain = domainOf(31337, market);
const requester = privateKeyToAccount(`0x${"21".repeat(32)}`);
const payer = privateKeyToAccount(`0x${"22".repeat(32)}`);
const now = 1_000_000n;
const year = 365n * 86_400n;

const waitingIn = (orders: () => Iterable<JobOrder>) => ({
  waiting: () => [...orders()].length,
  waitingOf: () => [...orders()],
});

/** A taker that remembers what it kept. */
function taker(world: Partial<TakeOrderPorts> & { credit?: bigint } = {}) {
  const kept = new Map<Hex, JobOrder>();
  const { credit = 10n ** 9n, ...ports } = world;
  const take = createTakeOrder({
    domain,
    reader: { isNonceUsed: async () => false, creditOf: async () => credit },
    chain: {
      isSignedBy: async (account, digest, signature) => isSignedByKey(account, digest, signature),
    },
    look: async () => ({ now, at: { blockHash: zeroHash } }),
    whyNotServed: () => undefined,
    isKnown: (jobId) => kept.has(jobId),
    ...waitingIn(() => kept.values()),
    keep: (jobId, { order }) => void kept.set(jobId, order),
    ...ports,
  });
  return { take, kept };
}

async function signedOrder(number: number, changes: Partial<JobOrder> = {}, by = requester): Promise<SignedOrder> {
  const parties = { requester: requester.address, payer: requester.address, deadline: now + 600n };
  const { order, programUri, params } = sampleJob(deployment, number, { ...parties, ...changes });
  const requesterSignature = await by.sign({ hash: hashOrder(domain, order) });
  return { order, programUri, params, requesterSignature, payerSignature: "0x" };
}

const refusal = async (work: Promise<unknown>) => (await rejection(work, OrderRefusedError)).message;
const said = (fact: string) => `The order was refused: ${fact}.`;

describe("createTakeOrder", () => {
  it("keeps an order that is in order, once", async () => {
    const { take, kept } = taker();
    const signed = await signedOrder(1);
    const jobId = hashOrder(domain, signed.order);
    expect(await take(signed)).to.deep.equal({ jobId });
    expect([...kept.keys()]).to.deep.equal([jobId]);
    expect(await take({ ...signed, requesterSignature: "0x" })).to.deep.equal({ jobId });
  });

  it("refuses what is not signed by requester and payer", async () => {
    const { take, kept } = taker();
    const whose = "for this chain and market";
    expect(await refusal(take(await signedOrder(1, {}, payer)))).to.equal(
      said(`it is not signed by its requester ${whose}`),
    );
    const sponsored = await signedOrder(1, { payer: payer.address });
    expect(await refusal(take(sponsored))).to.equal(said(`it is not signed by its payer ${whose}`));
    const { requesterSignature } = sponsored;
    const twice = { ...sponsored, payerSignature: requesterSignature };
    expect(await refusal(take(twice))).to.equal(said(`it is not signed by its payer ${whose}`));
    expect(kept.size).to.equal(0);
    const payerSignature = await payer.sign({ hash: hashOrder(domain, sponsored.order) });
    await take({ ...sponsored, payerSignature });
    expect(kept.size).to.equal(1);
  });

  it("refuses terms that could not settle, and deadlines too near or too far", async () => {
    const { take } = taker();
    const cases: [Partial<JobOrder>, string][] = [
      [{ failureFee: 8n }, "its failure fee is above its operator fee"],
      [{ deadline: now + 59n }, "its deadline is less than 60 seconds ahead of the newest block"],
      [{ deadline: now + year + 1n }, "its deadline is more than a year ahead"],
    ];
    for (const [changes, fact] of cases)
      expect(await refusal(take(await signedOrder(1, changes)))).to.equal(said(fact));
    const other = { ...(await signedOrder(1)), params: "0x7b7d" as Hex };
    expect(await refusal(take(other))).to.equal(said("the parameters are not those of its hash"));
    await take(await signedOrder(2, { deadline: now + 60n }));
    await take(await signedOrder(3, { deadline: now + year }));
    const elsewhere = taker({ whyNotServed: () => "it is for another workload" });
    expect(await refusal(elsewhere.take(await signedOrder(1)))).to.equal(said("it is for another workload"));
  });

  it("refuses a nonce that is used, or that another order here has", async () => {
    const used = taker({ reader: { isNonceUsed: async () => true, creditOf: async () => 10n ** 9n } });
    expect(await refusal(used.take(await signedOrder(1)))).to.equal(said("its nonce is used"));
    const { take } = taker();
    await take(await signedOrder(1));
    const twin = await signedOrder(1, { operatorFee: 9n });
    expect(await refusal(take(twin))).to.equal(said("another order with its nonce waits here"));
  });

  it("counts what the payer's other orders here may cost: its credit is spent once", async () => {
    const { order } = await signedOrder(1);
    const { take } = taker({ credit: 2n * costOf(order) });
    await take(await signedOrder(1));
    await take(await signedOrder(2));
    const error = await rejection(take(await signedOrder(3)), PayerShortError);
    expect([error.needed, error.credit]).to.deep.equal([3n * costOf(order), 2n * costOf(order)]);
    await take(await signedOrder(4, { token: market })); // another token is another credit
  });

  it("holds only so many, and of one payer", async () => {
    const { order } = await signedOrder(0);
    const many = (count: number, changes: Partial<JobOrder> = {}) =>
      Array.from({ length: count }, (_, i): JobOrder => ({ ...order, ...changes, nonce: BigInt(i + 10) }));
    const ofPayer = taker(waitingIn(() => many(maxOrdersPerPayer)));
    await rejection(ofPayer.take(await signedOrder(1)), TooManyOrdersError);
    const ofOthers = taker(waitingIn(() => many(maxOrders - 1, { payer: payer.address })));
    await ofOthers.take(await signedOrder(1));
    const full = taker({ waiting: () => maxOrders });
    await rejection(full.take(await signedOrder(1)), TooManyOrdersError);
  });

  it("asks again whether there is room when the chain has answered", async () => {
    const { order } = await signedOrder(0);
    let answered = false;
    const { take, kept } = taker({
      reader: {
        isNonceUsed: async () => false,
        creditOf: async () => {
          answered = true;
          return 10n ** 9n;
        },
      },
      ...waitingIn(() =>
        Array.from({ length: answered ? maxOrdersPerPayer : 0 }, (_, i) => ({ ...order, nonce: BigInt(i + 10) })),
      ),
    });
    await rejection(take(await signedOrder(1)), TooManyOrdersError);
    expect(kept.size).to.equal(0);
  });

  it("takes one of two orders that come at once and would pass the credit together, and the same order once", async () => {
    const { order } = await signedOrder(1);
    const pair = taker({ credit: costOf(order) });
    const both = await Promise.allSettled([pair.take(await signedOrder(1)), pair.take(await signedOrder(2))]);
    expect(both.map(({ status }) => status)).to.have.members(["fulfilled", "rejected"]);
    const { reason } = both.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(reason)
      .to.be.instanceOf(PayerShortError)
      .and.to.include({ needed: 2n * costOf(order), credit: costOf(order) });
    expect(pair.kept.size).to.equal(1);

    let times = 0;
    const kept = new Map<Hex, JobOrder>();
    const { take } = taker({
      credit: costOf(order),
      isKnown: (jobId) => kept.has(jobId),
      ...waitingIn(() => kept.values()),
      keep: (jobId, signed) => {
        times++;
        kept.set(jobId, signed.order);
      },
    });
    const same = await signedOrder(1);
    const jobId = hashOrder(domain, same.order);
    expect(await Promise.all([take(same), take(same)])).to.deep.equal([{ jobId }, { jobId }]);
    expect(times).to.equal(1);
  });
});
