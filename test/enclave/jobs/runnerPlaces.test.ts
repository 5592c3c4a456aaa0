/** How many jobs a runner has in hand, and which of them hold a place. */
import { expect } from "chai";
import { type Address, type Hex, hexToBytes, keccak256, zeroHash } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import type { Fetched, RunnableJob, Settleable } from "../../../enclave/jobs/ports.ts";
import { createRunner, type RunnerPorts } from "../../../enclave/jobs/runner.ts";
import type { SettlementVerdict } from "../../../enclave/jobs/settlement.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf } from "../../../protocol/eip712.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const identity = await createIdentity();

type World = { count: number; by: "signature" | "opening"; saved: boolean };

/** Jobs whose programs and settlements come when told. */
function world({ count, by, saved }: World) {
  const made = Array.from({ length: count }, (_, n) => {
    const sample = sampleJob(deployment, n);
    const origin =
      by === "signature"
        ? ({ by, requesterSignature: "0x", payerSignature: "0x" } as const)
        : ({ by, index: BigInt(n), openedHash: zeroHash } as const);
    const job: RunnableJob = { ...sample, params: hexToBytes(sample.params), origin };
    return { job, receipt: sampleReceipt(sample, keccak256("0x01")) };
  });
  const receiptOf = new Map(made.map(({ job, receipt }) => [job.jobId, receipt]));
  const fetching: ((fetched: Fetched<Uint8Array>) => void)[] = [];
  const settling: { jobId: Hex; outcome: Settleable; end: (verdict: SettlementVerdict) => void }[] = [];
  const unused = () => Promise.reject(new Error("not reached"));
  const ports: RunnerPorts = {
    domain: domainOf(31337, market),
    workloadId: zeroHash,
    operator: market,
    identity,
    log: { sync: () => undefined, append: () => 0, head: () => ({ root: zeroHash, size: 0n }), prove: () => [] },
    lacksWallFor: () => false,
    grants: { find: () => undefined },
    chain: {
      anchor: async () => ({ number: 1n, hash: zeroHash, timestamp: 0n }),
      isCanonical: async () => true,
      proofOf: async () => "signed",
      standing: async () => ({ is: "open" }),
      dataset: unused,
      consent: unused,
      grantUses: unused,
      isSignedBy: unused,
    },
    fetch: () => new Promise((resolve) => fetching.push(resolve)),
    fetchCiphertext: unused,
    run: unused,
    inTurn: (_, work) => work(),
    observe: () => undefined,
    openJobs: () => made.map(({ job }) => job),
    savedOutcome(jobId) {
      const receipt = receiptOf.get(jobId);
      if (!saved || receipt === undefined) return undefined;
      const resultCiphertext = new Uint8Array(1024);
      return { receipt, signature: "0x", grants: [], resultCiphertext, signer: identity.signingKey };
    },
    saveOutcome: () => undefined,
    settle: ({ jobId }, outcome) => new Promise((end) => settling.push({ jobId, outcome, end })),
    accept: unused,
    giveUp: () => undefined,
    isRegistered: async () => true,
    newestTimestamp: async () => 0n,
    problem: () => undefined,
    waitMs: 60_000,
    now: () => 0,
  };
  return { runner: createRunner(ports), fetching, settling };
}

const pass = async () => {
  for (let i = 0; i < 200; i++) await Promise.resolve(); // what follows is promises only
};

describe("createRunner, of many jobs at once", () => {
  it("runs four, and begins the next when one of them stops, without another look at the chain", async () => {
    const { runner, fetching } = world({ count: 6, by: "signature", saved: false });
    runner.tick();
    await pass();
    expect(fetching).to.have.length(4);
    fetching[0]?.({ status: "unavailable", fact: "not yet", final: false });
    await pass();
    expect(fetching).to.have.length(5);
  });

  it("runs others while receipts of signed orders wait for the market, and keeps no result in memory for them", async () => {
    const { runner, settling } = world({ count: 10, by: "signature", saved: true });
    runner.tick();
    await pass();
    expect(settling).to.have.length(10);
    expect(settling.every(({ outcome }) => !("resultCiphertext" in outcome))).to.equal(true);
    expect(new Set(settling.map(({ jobId }) => jobId)).size).to.equal(10);
  });

  it("has 256 of them in hand at most", async () => {
    const { runner, settling } = world({ count: 260, by: "signature", saved: true });
    runner.tick();
    for (let i = 0; i < 10; i++) await pass();
    expect(settling).to.have.length(256);
    settling[0]?.end("ended");
    await pass();
    runner.tick();
    await pass();
    expect(settling).to.have.length(257);
  });

  it("runs no opened job before the ones before it are settled: each takes a transaction of its own", async () => {
    const { runner, settling } = world({ count: 6, by: "opening", saved: true });
    runner.tick();
    await pass();
    expect(settling).to.have.length(4);
    settling[0]?.end("ended");
    await pass();
    expect(settling).to.have.length(5);
  });

  it("waits for a place to run a signed order anew whose receipt the market does not take", async () => {
    const { runner, fetching, settling } = world({ count: 5, by: "signature", saved: true });
    runner.tick();
    await pass();
    for (const { end } of settling) end("rerun");
    await pass();
    expect(fetching).to.have.length(4);
    fetching[0]?.({ status: "unavailable", fact: "not yet", final: false });
    await pass();
    expect(fetching).to.have.length(5);
  });

  it("begins no other once it is to be idle", async () => {
    const { runner, fetching } = world({ count: 6, by: "signature", saved: false });
    runner.tick();
    await pass();
    const idle = runner.idle();
    for (const end of fetching) end({ status: "unavailable", fact: "not yet", final: false });
    await idle;
    expect(fetching).to.have.length(4);
  });
});
