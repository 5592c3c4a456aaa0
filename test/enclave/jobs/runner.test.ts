import { expect } from "chai";
import { type Address, getAddress, hexToBytes, keccak256, zeroHash } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import { TransactionRevertedError } from "../../../enclave/chain/sender.ts";
import type { Fetched, Outcome, RunnableJob, Standing } from "../../../enclave/jobs/ports.ts";
import { createRunner, type RunnerPorts } from "../../../enclave/jobs/runner.ts";
import type { SettlementVerdict } from "../../../enclave/jobs/settlement.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, failureCodes, type JobOrder } from "../../../protocol/eip712.ts";
import { sampleJob, sampleReceipt } from "../../support/emitter.ts";

const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const stranger: Address = getAddress(`0x${"77".repeat(20)}`);
const deployment: Deployment = {
  chainId: 31337,
  fromBlock: 0,
  contracts: {
    tdxCollateral: market,
    tdxVerifier: market,
    enclaveRegistry: market,
    endorsements: market,
    datasetRegistry: market,
    jobMarket: market,
  },
  rootKey: `0x${"11".repeat(64)}`,
};
const identity = await createIdentity();
/** The final block is a quarter of an hour old. */
const anchor = { number: 1n, hash: zeroHash, timestamp: 9_000n } as const;

type World = {
  changes?: Partial<JobOrder>;
  signed?: boolean;
  standing?: Standing;
  newestTimestamp?: bigint;
  /** The key that signed an outcome kept from before. */
  savedBy?: Address;
  savedOk?: boolean;
  verdicts?: (SettlementVerdict | "mined in vain")[];
  waitMs?: number;
  /** What fetching the program comes to; default: it may yet come. */
  fetched?: Fetched<Uint8Array>;
  /** A minute apart; default 1. */
  ticks?: number;
  /** Filled with the types of the log's entries. */
  logged?: string[];
};

/** One try of one job whose program does not come. */
async function attempt(world: World) {
  const { changes, signed = false, standing = { is: "open" }, newestTimestamp = 9_500n, verdicts = [] } = world;
  const sample = sampleJob(deployment, 1, { deadline: 10_000n, ...changes });
  const { jobId, index, order, params, programUri } = sample;
  const job: RunnableJob = {
    jobId,
    order,
    programUri,
    params: hexToBytes(params),
    origin: signed
      ? { by: "signature", requesterSignature: "0x", payerSignature: "0x" }
      : { by: "opening", index, openedHash: zeroHash },
  };
  const receipt = sampleReceipt(sample, world.savedOk ? keccak256("0x01") : undefined);
  const earlier = { receipt, signature: "0x", grants: [], resultCiphertext: null } as const;
  let clock = 0;
  const done: string[] = [];
  const saved: Outcome[] = [];
  const unused = () => Promise.reject(new Error("not reached"));
  const ports: RunnerPorts = {
    domain: domainOf(31337, market),
    workloadId: order.workloadId,
    operator: market,
    identity,
    log: {
      sync: () => undefined,
      append: ({ type }) => (world.logged?.push(type) ?? 1) - 1,
      head: () => ({ root: zeroHash, size: 0n }),
      prove: () => [],
    },
    grants: { find: () => undefined },
    chain: {
      anchor: async () => anchor,
      isCanonical: async () => true,
      proofOf: async () => "signed",
      standing: async () => standing,
      dataset: unused,
      consent: unused,
      grantUses: unused,
      isSignedBy: unused,
    },
    fetch: async () => {
      done.push("fetch");
      return world.fetched ?? { status: "unavailable", fact: "not yet", final: false };
    },
    fetchCiphertext: unused,
    lacksWallFor: () => false,
    run: unused,
    inTurn: (_, work) => work(),
    observe: () => undefined,
    openJobs: () => [job],
    savedOutcome: () => (world.savedBy === undefined ? undefined : { ...earlier, signer: world.savedBy }),
    saveOutcome: (_, outcome) => void saved.push(outcome),
    settle: async () => {
      done.push("settle");
      const verdict = verdicts.shift() ?? "ended";
      if (verdict === "mined in vain") throw new TransactionRevertedError(zeroHash);
      return verdict;
    },
    accept: async () => void done.push("accept"),
    giveUp: (_, why) => void done.push(`give up: ${why}`),
    isRegistered: async () => true,
    newestTimestamp: async () => newestTimestamp,
    problem: () => undefined,
    waitMs: world.waitMs ?? 60_000,
    now: () => clock,
  };
  const runner = createRunner(ports);
  for (let tick = 0; tick < (world.ticks ?? 1); tick++) {
    runner.tick();
    await runner.idle();
    clock += 60_000;
  }
  const failures = saved.map(({ receipt }) => failureCodes[receipt.failureCode]);
  return { failures, done, said: runner.waitingFor(jobId) };
}

describe("createRunner, where blocks are final late", () => {
  it("waits for what is missing while the newest block leaves time", async () => {
    const { failures, said } = await attempt({ newestTimestamp: 9_969n });
    expect(failures).to.deep.equal([]);
    expect(said).to.equal("ProgramUnavailable: not yet.");
  });

  it("fails the job when the newest block is 30 s before its deadline", async () => {
    expect(await attempt({ newestTimestamp: 9_970n })).to.deep.equal({
      failures: ["ProgramUnavailable"],
      done: ["fetch", "settle"],
      said: "ended",
    });
  });

  it("begins nothing after the deadline by the newest block", async () => {
    expect(await attempt({ newestTimestamp: 10_001n })).to.deep.equal({ failures: [], done: [], said: "tooLate" });
  });
});

describe("createRunner, of a job that must be accepted", () => {
  const changes = { acceptBy: 9_900n, bond: 5n };
  const ours: Standing = { is: "accepted", by: identity.signingKey };
  const theirs: Standing = { is: "accepted", by: stranger };

  it("accepts it, and touches nothing of it until the acceptance is seen on chain", async () => {
    const accepting = await attempt({ changes, standing: { is: "unaccepted" }, savedBy: identity.signingKey });
    expect(accepting).to.deep.equal({ failures: [], done: ["accept"], said: "accepted" });
    expect((await attempt({ changes, standing: ours })).done).to.deep.equal(["fetch"]);
  });

  it("leaves it alone when another enclave has accepted it, also after signing something itself", async () => {
    for (const savedBy of [undefined, identity.signingKey]) {
      const { done, said } = await attempt({ changes, standing: theirs, ...(savedBy && { savedBy }) });
      expect([done, said]).to.deep.equal([[], "acceptedByOther"]);
    }
  });

  it("runs it anew when it has accepted it itself, and only an earlier life has signed something", async () => {
    expect((await attempt({ changes, standing: ours, savedBy: stranger })).done).to.deep.equal(["fetch"]);
  });

  it("settles what an earlier life of this worker accepted and signed, and runs nothing anew for it", async () => {
    expect(await attempt({ changes, standing: theirs, savedBy: stranger })).to.deep.include({ done: ["settle"] });
    for (const verdict of ["rerun", "consentEnded"] as const) {
      const again = await attempt({ changes, standing: theirs, savedBy: stranger, verdicts: [verdict] });
      expect([again.done, again.said]).to.deep.equal([["settle"], "acceptedByOther"]);
    }
  });
});

describe("createRunner, of an accepted job whose result the market does not take", () => {
  const accepted = {
    changes: { acceptBy: 9_900n, bond: 5n },
    standing: { is: "accepted", by: identity.signingKey },
    savedBy: identity.signingKey,
    savedOk: true,
    verdicts: ["retry"],
  } as const;

  it("tries the same again while there is time", async () => {
    const { failures, done, said } = await attempt({ ...accepted, verdicts: ["retry"], newestTimestamp: 9_939n });
    expect([failures, done, said]).to.deep.equal([[], ["settle"], "retry"]);
  });

  it("fails it before the deadline, so that its bond is not lost", async () => {
    const { failures, done, said } = await attempt({ ...accepted, verdicts: ["retry"], newestTimestamp: 9_940n });
    expect([failures, done, said]).to.deep.equal([["GrantRefused"], ["settle", "settle"], "ended"]);
  });

  it("never does so to a job without a bond", async () => {
    const plain = {
      savedBy: identity.signingKey,
      savedOk: true,
      verdicts: ["retry" as const],
      newestTimestamp: 9_999n,
    };
    expect((await attempt(plain)).failures).to.deep.equal([]);
  });
});

describe("createRunner, of a job whose settlement passes when it is simulated, and is mined in vain", () => {
  const vain = { savedBy: identity.signingKey, savedOk: true, ticks: 1_440 }; // a day
  const verdicts = () => Array(1_440).fill("mined in vain");

  it("pauses ever longer, so that its gas money lasts", async () => {
    for (const signed of [true, false]) {
      const { done } = await attempt({ ...vain, signed, verdicts: verdicts() });
      expect(done.length).to.be.within(8, 20);
    }
  });

  it("fails it after ten tries where a bond is at stake", async () => {
    const accepted = { changes: { bond: 5n }, standing: { is: "accepted", by: identity.signingKey } } as const;
    const { failures, done } = await attempt({ ...vain, ...accepted, ticks: 12, verdicts: verdicts().slice(0, 11) });
    expect([failures, done.length]).to.deep.equal([["GrantRefused"], 13]);
  });
});

describe("createRunner, of a job with a quorum", () => {
  const changes = { quorum: 3 };

  it("does nothing more once its platform has said its word", async () => {
    const counted = await attempt({ changes, standing: { is: "counted" }, savedBy: identity.signingKey });
    expect(counted).to.deep.equal({ failures: [], done: [], said: "counted" });
  });

  it("ends quietly when another enclave on the platform was first", async () => {
    const { done, said } = await attempt({ changes, savedBy: identity.signingKey, verdicts: ["counted"] });
    expect([done, said]).to.deep.equal([["settle"], "counted"]);
  });

  it("says nothing where a host could have brought the failure about", async () => {
    const { failures, done, said } = await attempt({ changes, waitMs: 0 });
    expect([failures, done, said]).to.deep.equal([[], ["fetch"], "Jobs.AbstainedError"]);
  });

  it("tries again what may yet come, and nothing else", async () => {
    const waiting: string[] = [];
    const { done: tried } = await attempt({ changes, waitMs: 0, ticks: 3, logged: waiting });
    expect([tried, waiting]).to.deep.equal([["fetch", "fetch", "fetch"], []]);
    const fetched = { status: "mismatch", fact: "another file" } as const;
    const logged: string[] = [];
    const { failures, done, said } = await attempt({ changes, waitMs: 0, ticks: 3, fetched, logged });
    expect([failures, done, said]).to.deep.equal([[], ["fetch"], "Jobs.AbstainedError"]);
    expect(logged).to.deep.equal(["job.abstained"]);
  });

  it("does not take back its word when a consent ends before the others have said theirs", async () => {
    const { failures, done } = await attempt({ changes, savedBy: identity.signingKey, verdicts: ["consentEnded"] });
    expect([failures, done]).to.deep.equal([[], ["settle"]]);
  });
});

describe("createRunner, of a signed order", () => {
  it("runs nothing while its payer cannot pay, and gives it up after its deadline", async () => {
    const unpaid = await attempt({ signed: true, standing: { is: "unpaid" } });
    expect(unpaid).to.deep.equal({ failures: [], done: [], said: "unpaid" });
    const late = await attempt({ signed: true, standing: { is: "unpaid" }, newestTimestamp: 10_001n });
    expect(late).to.deep.equal({ failures: [], done: ["give up: tooLate"], said: "tooLate" });
  });

  it("gives it up when its nonce is gone, or its payer cannot pay, for ten tries; an opened job never", async () => {
    for (const is of ["ended", "unpaid"] as const) {
      expect((await attempt({ signed: true, standing: { is }, ticks: 10 })).done).to.deep.equal([]);
      expect((await attempt({ signed: true, standing: { is }, ticks: 11 })).done).to.deep.equal(["give up: tooLate"]);
      expect((await attempt({ standing: { is: "ended" }, ticks: 11 })).done).to.deep.equal([]);
    }
  });

  it("sends a FAILED receipt only if the order pays a failure fee: nothing is in escrow for it", async () => {
    const paid = await attempt({ signed: true, waitMs: 0 });
    expect(paid).to.deep.equal({ failures: ["ProgramUnavailable"], done: ["fetch", "settle"], said: "ended" });
    const unpaid = await attempt({ signed: true, waitMs: 0, changes: { failureFee: 0n } });
    const done = ["fetch", "give up: notWorthIt"];
    expect(unpaid).to.deep.equal({ failures: ["ProgramUnavailable"], done, said: "notWorthIt" });
    const opened = await attempt({ waitMs: 0, changes: { failureFee: 0n } });
    expect(opened.done).to.deep.equal(["fetch", "settle"]);
  });
});
