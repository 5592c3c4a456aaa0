import { expect } from "chai";
import { keccak256, zeroAddress, zeroHash } from "viem";
import { leavesPerTransaction, type Service, whyNoSession, whyNotServed } from "../../../enclave/jobs/serves.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import type { JobOrder, Offer } from "../../../protocol/eip712.ts";
import { sampleJob } from "../../support/emitter.ts";

const operator = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const token = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: operator } } as unknown as Deployment; // all that is read
const { order } = sampleJob(deployment, 1, { deadline: 1_000n });
const offer: Offer = {
  operator,
  workloadId: order.workloadId,
  token: zeroAddress,
  fee: 1n,
  pricePerSecond: 1n,
  validUntil: 1_000n,
  nonce: 0n,
};
const service: Service = {
  workloadId: order.workloadId,
  operator,
  minFees: {},
  minDisputeBonds: {},
  maxBonds: { [zeroAddress]: 5n },
  offer: { hash: keccak256("0x0f"), offer },
};
const offerHash = keccak256("0x0f");

describe("whyNotServed", () => {
  it("takes plain orders, offers, bonds up to the limit, and quorums", () => {
    const taken: Partial<JobOrder>[] = [
      {},
      { operator },
      { offerHash },
      { acceptBy: 900n, bond: 5n },
      { acceptBy: 900n, bond: 0n, token },
      { quorum: 5 },
    ];
    for (const changes of taken) expect(whyNotServed(service, { ...order, ...changes }, "opening")).to.equal(undefined);
    expect(whyNotServed(service, { ...order, offerHash }, "signature")).to.equal(undefined);
  });

  it("leaves alone what it cannot serve, or not for that", () => {
    const left: [Partial<JobOrder>, Partial<Service>, string][] = [
      [{ workloadId: zeroHash }, {}, "it is for another workload"],
      [{ operator: token }, {}, "it is for another operator"],
      [{}, { minFees: { [zeroAddress]: 8n } }, "its operator fee is below what this worker takes"],
      [{}, { minFees: { [token.toLowerCase()]: 0n } }, "its operator fee is below what this worker takes"],
      [{ session: offerHash }, {}, "it belongs to a session, or ought to"],
      [{ quorum: 0 }, {}, "there is no such quorum"],
      [{ quorum: 6 }, {}, "there is no such quorum"],
      [{ bond: 1n }, {}, "it has a bond, and nothing to accept"],
      [{ acceptBy: 900n, quorum: 2 }, {}, "it must be accepted by one enclave, and has a quorum"],
      [{ acceptBy: 900n, bond: 6n }, {}, "its bond is higher than this worker stakes"],
      [{ acceptBy: 900n, bond: 1n, token }, {}, "its bond is higher than this worker stakes"],
      [{ acceptBy: 900n, bond: 1n }, { maxBonds: {} }, "its bond is higher than this worker stakes"],
      [{ offerHash: keccak256("0x10") }, {}, "it names another offer than this worker's"],
      [{ offerHash }, { offer: undefined }, "it names another offer than this worker's"],
      [{ offerHash, token }, {}, "it is in another token than the offer"],
      [{ offerHash, deadline: 1_001n }, {}, "its deadline is after the offer ends"],
    ];
    for (const [changes, limits, why] of left) {
      expect(whyNotServed({ ...service, ...limits }, { ...order, ...changes }, "opening"), why).to.equal(why);
    }
    for (const changes of [{ quorum: 2 }, { acceptBy: 900n }]) {
      const why = whyNotServed(service, { ...order, ...changes }, "signature");
      expect(why).to.equal("it must be opened on chain first");
    }
  });
});

describe("whyNoSession", () => {
  const order = { ...sampleJob(deployment, 1).order, operator: service.operator, operatorFee: 70n };
  const terms = { maxJobs: 100, challengeSeconds: 600, disputeBond: 70n };
  const why = (changes: { order?: object; terms?: object; minDisputeBonds?: Service["minDisputeBonds"] }) => {
    const minDisputeBonds = changes.minDisputeBonds ?? {};
    const session = { order: { ...order, ...changes.order }, terms: { ...terms, ...changes.terms } };
    return whyNoSession({ ...service, minDisputeBonds }, session);
  };

  it("wants an operator, a bond that pays for showing a leaf, and time to show all of them", () => {
    expect(why({})).to.equal(undefined);
    const anyone = "its session names no operator: another's enclave may claim it";
    expect(why({ order: { operator: zeroAddress } })).to.equal(anyone);
    expect(why({ terms: { disputeBond: 69n } })).to.equal("its session's dispute bond is below 70");
    const minDisputeBonds = { [order.token.toLowerCase()]: 500n };
    expect(why({ minDisputeBonds })).to.equal("its session's dispute bond is below 500");
    expect(why({ minDisputeBonds, terms: { disputeBond: 500n } })).to.equal(undefined);
    const most = { maxJobs: 4096, challengeSeconds: 4_139 };
    const short = "its session's time for disputes is below 4140 seconds, too short to show all leaves in";
    expect(why({ terms: most })).to.equal(short);
    expect(why({ terms: { ...most, challengeSeconds: 4_140 } })).to.equal(undefined);
    const datasets = Array(16).fill(order.datasets[0]);
    const shorter = "its session's time for disputes is below 1800 seconds, too short to show all leaves in";
    expect(why({ order: { datasets }, terms: { challengeSeconds: 1_799 } })).to.equal(shorter);
  });

  it("shows few leaves at once that credit many: 256 payees each at most, within the gas of a transaction", () => {
    const leavesOf = (count: number, maxPrice = 5n) =>
      leavesPerTransaction({ datasets: Array(count).fill({ ...order.datasets[0], maxPrice }) });
    expect([1, 2, 3, 16].map((count) => leavesOf(count))).to.deep.equal([32, 16, 10, 2]);
    expect(leavesOf(16, 0n)).to.equal(32);
  });
});
