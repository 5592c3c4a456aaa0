import { expect } from "chai";
import { hexToBytes, zeroHash } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import type { Outcome, RunnableJob } from "../../../enclave/jobs/ports.ts";
import { createRunner, type RunnerPorts } from "../../../enclave/jobs/runner.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, failureCodes } from "../../../protocol/eip712.ts";
import { sampleJob } from "../../support/emitter.ts";

const market = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
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

describe("createRunner, where blocks are final late", () => {
  const { jobId, index, order, params, programUri } = sampleJob(deployment, 1, { deadline: 10_000n });
  const job: RunnableJob = { jobId, index, order, programUri, params: hexToBytes(params), openedHash: zeroHash };
  /** The final block is a quarter of an hour old; the program does not come. */
  const anchor = { number: 1n, hash: zeroHash, timestamp: 9_000n } as const;

  async function attempt(newestTimestamp: bigint) {
    const saved: Outcome[] = [];
    const asked: string[] = [];
    const unused = () => Promise.reject(new Error("not reached"));
    const ports: RunnerPorts = {
      domain: domainOf(31337, market),
      workloadId: order.workloadId,
      operator: market,
      identity: await createIdentity(),
      log: { append: () => undefined, head: () => ({ root: zeroHash, size: 0n }) },
      grants: { find: () => undefined },
      chain: {
        anchor: async () => anchor,
        isCanonical: async () => true,
        isOrderProven: async () => true,
        isOpen: async () => true,
        dataset: unused,
        isGrantNonceRevoked: unused,
        grantUses: unused,
        isSignedBy: unused,
      },
      fetch: async (uri) => {
        asked.push(uri);
        return { status: "unavailable", fact: "not yet", final: false };
      },
      run: unused,
      alone: (work) => work(),
      observe: () => undefined,
      openJobs: () => [job],
      savedOutcome: () => undefined,
      saveOutcome: (_, outcome) => void saved.push(outcome),
      settle: async () => "ended",
      isRegistered: async () => true,
      newestTimestamp: async () => newestTimestamp,
      problem: () => undefined,
      waitMs: 60_000,
      now: () => 0,
    };
    const runner = createRunner(ports);
    runner.tick();
    await runner.idle();
    return {
      failures: saved.map(({ receipt }) => failureCodes[receipt.failureCode]),
      asked,
      said: runner.waitingFor(jobId),
    };
  }

  it("waits for what is missing while the newest block leaves time", async () => {
    const { failures, said } = await attempt(9_969n);
    expect(failures).to.deep.equal([]);
    expect(said).to.equal("ProgramUnavailable: not yet.");
  });

  it("fails the job when the newest block is 30 s before its deadline", async () => {
    expect(await attempt(9_970n)).to.deep.equal({
      failures: ["ProgramUnavailable"],
      asked: [programUri],
      said: "ended",
    });
  });

  it("begins nothing after the deadline by the newest block", async () => {
    expect(await attempt(10_001n)).to.deep.equal({ failures: [], asked: [], said: "tooLate" });
  });
});
