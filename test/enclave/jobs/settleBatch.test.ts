import { expect } from "chai";
import { type Address, decodeFunctionData, type Hex, hexToBytes, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  InsufficientGasMoneyError,
  TransactionRefusedError,
  TransactionRevertedError,
} from "../../../enclave/chain/sender.ts";
import type { SignedWork } from "../../../enclave/jobs/orderGroups.ts";
import type { JobStep } from "../../../enclave/jobs/ports.ts";
import { createSettleBatch, maxBatch } from "../../../enclave/jobs/settleBatch.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { RpcFailedError } from "../../../protocol/chain/rpc.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashOrder, type JobOrder, type SignedGrant } from "../../../protocol/eip712.ts";
import { commonOrder } from "../../../protocol/orderGroup.ts";
import { outcomeOf } from "../../../protocol/outcome.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const domain = domainOf(31337, market);
const requester = privateKeyToAccount(`0x${"21".repeat(32)}`);
const cost = 10n;

/** A FAILED receipt of order number `n`, unless it has grants; the order is signed by its requester unless told not to. */
async function workOf(
  n: number,
  { changes = {}, grants = [], signed = true }: Partial<Made> = {},
): Promise<SignedWork & { n: number }> {
  const parties = { requester: requester.address, payer: requester.address };
  const sample = sampleJob(deployment, n, { ...parties, ...changes });
  const hash = hashOrder(domain, sample.order);
  const requesterSignature = signed ? await requester.sign({ hash }) : "0x1234";
  const job = {
    ...sample,
    params: hexToBytes(sample.params),
    origin: { by: "signature", requesterSignature, payerSignature: "0x" } as const,
  };
  const receipt = sampleReceipt(sample, grants.length > 0 ? keccak256("0x01") : undefined);
  return { n, job, outcome: { receipt, signature: `0x${"5a".repeat(65)}`, grants } };
}

type Made = { changes: Partial<JobOrder>; grants: SignedGrant[]; signed: boolean };

/** What the market refuses an order with, or what else becomes of a transaction with it in it. */
type Fault = string | "out of gas" | "in vain";

/** A market that takes all orders of a transaction or none, in the order of their numbers' credit. Mines when told. */
function world({ faults = {}, credit = 10n ** 9n, manual = false }: Partial<World> = {}) {
  const settled = new Set<number>();
  const sent: number[][] = [];
  const steps: [JobStep, Hex][] = [];
  const state = { credit, down: false, money: Number.POSITIVE_INFINITY, simulated: 0 };
  const mined: (() => void)[] = [];

  const numbersOf = (data: Hex): number[] => {
    const { functionName, args } = decodeFunctionData({ abi: jobMarketAbi, data });
    if (functionName !== "settleOrders") throw new Error(functionName);
    return args[0].flatMap(({ items }) => items.map(({ nonce }) => Number(nonce)));
  };
  const check = (numbers: readonly number[]) => {
    if (state.down) throw new RpcFailedError("eth_call", "no answer within 10000 ms");
    for (const n of numbers) {
      const fault = faults[n];
      if (fault === "out of gas") throw new RpcFailedError("eth_call", "out of gas", -32000);
      if (settled.has(n)) throw refused("JobMarket_NonceUsed");
      if (fault !== undefined && fault !== "in vain") throw refused(fault);
    }
    if (BigInt(numbers.length) * cost > state.credit) throw refused("Ledger_InsufficientCredit");
  };
  const refused = (errorName: string) => new TransactionRefusedError(market, { errorName, args: [] });

  const settle = createSettleBatch({
    market,
    offer: undefined,
    observe: (step, jobId) => void steps.push([step, jobId]),
    standingNow: async ({ order }) => ({ is: settled.has(Number(order.nonce)) ? "ended" : "open" }),
    sender: {
      async simulate({ data }) {
        state.simulated += 1;
        check(numbersOf(data));
      },
      async send({ data }, alreadyDone) {
        if (await alreadyDone()) return { status: "alreadyDone" };
        const numbers = numbersOf(data);
        check(numbers);
        if (numbers.length > state.money) throw new InsufficientGasMoneyError(market, 2n, 1n);
        sent.push(numbers);
        if (manual) await new Promise<void>((resolve) => mined.push(resolve));
        if (numbers.some((n) => faults[n] === "in vain")) throw new TransactionRevertedError(keccak256("0x"));
        for (const n of numbers) settled.add(n);
        state.credit -= BigInt(numbers.length) * cost;
        const place = { transactionHash: keccak256("0x"), blockHash: keccak256("0x"), blockNumber: 1n };
        return { status: "mined", receipt: { ...place, gasUsed: 1n, succeeded: true } };
      },
    },
  });
  const mine = async () => {
    mined.shift()?.();
    for (let i = 0; i < 50; i++) await Promise.resolve(); // what follows is promises only
  };
  const settleAll = (works: readonly SignedWork[]) =>
    Promise.all(works.map((work) => settle(work).catch((error: Error) => error.name)));
  return { settle, settleAll, settled, sent, steps, state, mine };
}

type World = { faults: Record<number, Fault>; credit: bigint; manual: boolean };

const works = (count: number, first = 0) => Promise.all(Array.from({ length: count }, (_, i) => workOf(first + i)));

describe("createSettleBatch", () => {
  it("sends a lone order at once, and what comes while it is mined together", async () => {
    const w = world({ manual: true });
    const [lone, ...others] = await works(6);
    const first = w.settle(lone as SignedWork);
    await w.mine();
    expect(w.sent).to.deep.equal([[0]]);
    const rest = w.settleAll(others);
    expect(w.sent).to.have.length(1);
    await w.mine();
    await w.mine();
    await w.mine();
    expect([await first, ...(await rest)]).to.deep.equal(Array(6).fill("ended"));
    expect(w.sent).to.deep.equal([[0], [1, 2, 3, 4, 5]]);
    const stepsOf = (work: SignedWork) => w.steps.filter(([, jobId]) => jobId === work.job.jobId).map(([step]) => step);
    for (const work of [lone, ...others]) expect(stepsOf(work as SignedWork)).to.deep.equal(["sending", "settled"]);
  });

  it("sends orders of the same terms and grants as one group, others as groups of their own", async () => {
    const grant = { grant: grantOf(1n), signature: "0xaa" } as const;
    const resigned = { grant: grantOf(1n), signature: "0xbb" } as const;
    const made = await Promise.all([
      workOf(1, { grants: [grant] }),
      workOf(2, { changes: { operatorFee: 8n }, grants: [grant] }),
      workOf(3, { grants: [grant], changes: { deadline: 5_000_000_000n } }),
      workOf(4, { grants: [resigned] }),
    ]);
    let data: Hex = "0x";
    const settle = createSettleBatch({
      market,
      offer: undefined,
      observe: () => undefined,
      standingNow: async () => ({ is: "open" }),
      sender: {
        simulate: async () => undefined,
        async send(call) {
          if (data === "0x") await Promise.resolve();
          data = call.data;
          return { status: "alreadyDone" };
        },
      },
    });
    await Promise.all([settle(await workOf(9)), ...made.map((work) => settle(work))]);
    const { args } = decodeFunctionData({ abi: jobMarketAbi, data });
    const groups = args?.[0] as readonly { order: JobOrder; items: readonly Record<string, unknown>[] }[];
    expect(groups.map(({ items }) => items.map(({ nonce }) => nonce))).to.deep.equal([[1n, 3n], [2n], [4n]]);
    const [one] = made;
    expect(hashOrder(domain, groups[0]?.order as JobOrder)).to.equal(hashOrder(domain, commonOrder(one.job.order)));
    expect(groups[0]?.items[0]).to.deep.equal({
      paramsHash: one.job.order.paramsHash,
      deadline: one.job.order.deadline,
      nonce: 1n,
      requesterSignature: one.job.origin.requesterSignature,
      payerSignature: "0x",
      receiptSignature: one.outcome.signature,
      outcome: outcomeOf(one.outcome.receipt),
    });
  });

  it("settles the others in one transaction when the market refuses some, and gives each of those its own verdict", async () => {
    const faults = {
      3: "JobMarket_NonceUsed",
      4: "JobMarket_GrantRevoked",
      9: "JobMarket_BadAnchor",
      12: "JobMarket_DeadlinePassed",
      15: "JobMarket_NotSignedBy",
    };
    const w = world({ faults });
    const verdicts = await w.settleAll(await works(16));
    const expected: string[] = Array(16).fill("ended");
    [expected[4], expected[9], expected[12], expected[15]] = ["consentEnded", "rerun", "tooLate", "retry"];
    expect(verdicts).to.deep.equal(expected);
    expect(w.sent).to.deep.equal([[0], [1, 2, 5, 6, 7, 8, 10, 11, 13, 14]]);
  });

  it("settles those that a credit suffices for, the first that came, and no other", async () => {
    const w = world({ credit: 7n * cost });
    const verdicts = await w.settleAll(await works(11));
    expect(verdicts).to.deep.equal([...Array(7).fill("ended"), ...Array(4).fill("retry")]);
    expect(w.sent).to.deep.equal([[0], [1, 2, 3, 4, 5, 6]]);
  });

  it("finds one on which the node runs out of gas: only its own try fails", async () => {
    const w = world({ faults: { 5: "out of gas" } });
    const verdicts = await w.settleAll(await works(8));
    expect(verdicts[5]).to.equal("Chain.RpcFailedError");
    expect(verdicts.filter((verdict) => verdict === "ended")).to.have.length(7);
    expect(w.sent).to.deep.equal([[0], [1, 2, 3, 4, 6, 7]]);
  });

  it("asks a node that gives no answer once for all of them, and takes them again afterwards", async () => {
    const w = world();
    const made = await works(9);
    w.state.down = true;
    expect(await w.settleAll(made)).to.deep.equal(Array(9).fill("Chain.RpcFailedError"));
    expect(w.state.simulated).to.equal(0);
    w.state.down = false;
    expect(await w.settleAll(made)).to.deep.equal(Array(9).fill("ended"));
  });

  it("settles the others by halves where one passes each simulation and is mined in vain, and sends fewer at once then", async () => {
    const w = world({ faults: { 6: "in vain" } });
    const verdicts = await w.settleAll(await works(9));
    expect(
      verdicts.map((verdict, n) => (verdict === "ended" ? undefined : [n, verdict])).filter(Boolean),
    ).to.deep.equal([[6, "Chain.TransactionRevertedError"]]);
    expect(w.sent.slice(1)).to.deep.equal([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [5, 6],
      [5],
      [6],
      [7, 8],
    ]);
    // Halved thrice, doubled twice.
    await w.settleAll(await works(maxBatch, 100));
    expect(w.sent.slice(8).map(({ length }) => length)).to.deep.equal([1, 32, 31]);
  });

  it("grows again from the smallest batch", async () => {
    const w = world({ faults: { 1: "in vain", 2: "in vain", 3: "in vain", 4: "in vain" } });
    for (let round = 0; round < 3; round++) await w.settleAll(await works(5));
    const before = w.sent.length;
    expect(await w.settleAll(await works(31, 100))).to.deep.equal(Array(31).fill("ended"));
    expect(w.sent.slice(before).map(({ length }) => length)).to.deep.equal([1, 2, 4, 8, 16]);
  });

  it("goes down to what the gas wallet can pay for", async () => {
    const w = world();
    w.state.money = 2;
    expect(await w.settleAll(await works(8))).to.deep.equal(Array(8).fill("ended"));
    expect(w.sent).to.deep.equal([[0], [1], [2, 3], [4, 5], [6, 7]]);
    w.state.money = 0;
    const none = await w.settleAll(await works(3, 50));
    expect(none).to.deep.equal(Array(3).fill("Chain.InsufficientGasMoneyError"));
  });

  it("sends nothing where all have ended in the meantime", async () => {
    const w = world();
    const made = await works(5);
    for (const { n } of made) w.settled.add(n);
    expect(await w.settleAll(made)).to.deep.equal(Array(5).fill("ended"));
    expect(w.sent).to.deep.equal([]);
  });

  it("brings orders whose parties are contracts to the market one by one", async () => {
    const w = world();
    const made = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => workOf(n, { signed: n !== 2 && n !== 4 })));
    const sponsored = await workOf(6, { changes: { payer: market } });
    expect(await w.settleAll([...made, sponsored])).to.deep.equal(Array(7).fill("ended"));
    expect(w.sent).to.deep.equal([[0], [1, 3, 5], [2], [4], [6]]);
  });

  it("keeps a transaction within its gas and its bytes", async () => {
    const many = world();
    expect(await many.settleAll(await works(2 * maxBatch + 1))).to.deep.equal(Array(2 * maxBatch + 1).fill("ended"));
    expect(many.sent.map(({ length }) => length)).to.deep.equal([1, maxBatch, maxBatch]);

    // Four grants each, and terms of their own: 1,820,000 gas at most.
    const dear = world();
    const grants = [1n, 2n, 3n, 4n].map((nonce) => ({ grant: grantOf(nonce), signature: "0xaa" }) as const);
    await dear.settleAll(
      await Promise.all(
        Array.from({ length: 14 }, (_, n) => workOf(n, { grants, changes: { operatorFee: BigInt(n + 1) } })),
      ),
    );
    expect(dear.sent.map(({ length }) => length)).to.deep.equal([1, 6, 6, 1]);

    // 16 members of a council sign with 1,392 bytes; longer signatures are a hostile owner's.
    const long = world();
    const signature: Hex = `0x${"cc".repeat(20_000)}`;
    const one = [{ grant: grantOf(1n), signature }];
    await long.settleAll(
      await Promise.all(
        Array.from({ length: 9 }, (_, n) => workOf(n, { grants: one, changes: { operatorFee: BigInt(n + 1) } })),
      ),
    );
    expect(long.sent.map(({ length }) => length)).to.deep.equal([1, 4, 4]);
  });

  it("comes to what one by one would, whatever is wrong with whichever orders", async () => {
    let seed = 20_261_123;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >> 8) % below;
    };
    const kinds = ["JobMarket_GrantUsedUp", "JobMarket_EnclaveNotLive", "out of gas", "in vain"];
    const expected: Record<string, string> = {
      JobMarket_GrantUsedUp: "consentEnded",
      JobMarket_EnclaveNotLive: "rerun",
      "out of gas": "Chain.RpcFailedError",
      "in vain": "Chain.TransactionRevertedError",
    };
    const made = await works(24);
    for (let round = 0; round < 12; round++) {
      const faults: Record<number, Fault> = {};
      for (const { n } of made) if (random(4) === 0) faults[n] = kinds[random(kinds.length)] as Fault;
      const verdicts = await world({ faults }).settleAll(made);
      expect(verdicts).to.deep.equal(made.map(({ n }) => expected[faults[n] ?? ""] ?? "ended"));
    }
  });

  it("fails nobody else for an order that cannot be sent at all", async () => {
    const w = world();
    const [good, other] = await works(2);
    const { job, outcome } = await workOf(7);
    const broken = { job, outcome: { ...outcome, receipt: { ...outcome.receipt, fuelUsed: -1n } } };
    const all = w.settleAll([good as SignedWork, broken, other as SignedWork]);
    expect(await all).to.deep.equal(["ended", "IntegerOutOfRangeError", "ended"]);
    expect(w.sent).to.deep.equal([[0], [1]]);
  });
});

function grantOf(nonce: bigint): SignedGrant["grant"] {
  const zero: Address = "0x0000000000000000000000000000000000000000";
  return {
    datasetId: keccak256("0x03"),
    programId: keccak256("0x01"),
    workloadId: keccak256("0x02"),
    requester: zero,
    operator: zero,
    token: zero,
    priceUnit: 0,
    price: 1n,
    maxUses: 0n,
    notBefore: 0n,
    notAfter: 4_000_000_000n,
    resultReaders: [],
    epoch: 0,
    ownerEpoch: 0,
    nonce,
  };
}
