import { expect } from "chai";
import { type Address, decodeFunctionData, hexToBytes, recoverAddress, zeroHash } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import { type AcceptPorts, acceptJob, NotAcceptableError } from "../../../enclave/jobs/acceptJob.ts";
import type { OrderProof, RunnableJob, Standing } from "../../../enclave/jobs/ports.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashAcceptance } from "../../../protocol/eip712.ts";
import type { GrantPackage } from "../../../protocol/grantPackage.ts";
import { sampleJob } from "../../support/emitter.ts";
import { rejection } from "../../support/rejection.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const gasWallet: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const identity = await createIdentity();
const domain = domainOf(31337, market);
const sample = sampleJob(deployment, 1, { acceptBy: 2_000n, deadline: 3_000n, bond: 5n });
const job: RunnableJob = {
  ...sample,
  params: hexToBytes(sample.params),
  origin: { by: "opening", index: 1n, openedHash: zeroHash },
};

type World = {
  standing?: Standing;
  newest?: bigint;
  final?: bigint;
  proof?: OrderProof;
  delivered?: boolean;
  credit?: bigint;
};

/** What is sent when a job is accepted in such a world. */
async function accept(world: World, which = job) {
  const { standing = { is: "unaccepted" }, newest = 1_000n, final = newest, proof = "signed", credit = 5n } = world;
  const sent: `0x${string}`[] = [];
  const steps: string[] = [];
  const ports: AcceptPorts = {
    domain,
    market,
    sender: {
      address: gasWallet,
      send: async ({ data }, alreadyDone) => {
        expect(await alreadyDone()).to.equal(false);
        sent.push(data);
        return { status: "alreadyDone" };
      },
    },
    identity,
    grants: { find: () => (world.delivered === false ? undefined : ({} as GrantPackage)) },
    chain: { proofOf: async () => proof },
    credit: async () => credit,
    timestamps: async () => ({ newest, final }),
    standingNow: async () => standing,
    observe: (step) => void steps.push(step),
  };
  await acceptJob(ports, which);
  return { sent, steps };
}

const refusal = async (world: World, which = job) =>
  (await rejection(accept(world, which), NotAcceptableError)).message;
const said = (fact: string) => `Job ${job.jobId} is not accepted: ${fact}.`;

describe("acceptJob", () => {
  it("sends the enclave's signature for its gas wallet as bonder", async () => {
    const { sent, steps } = await accept({});
    expect(steps).to.deep.equal(["accepting", "accepted"]);
    const { functionName, args } = decodeFunctionData({ abi: jobMarketAbi, data: sent[0] ?? "0x" });
    expect([functionName, args?.[0]]).to.deep.equal(["accept", 1n]);
    const hash = hashAcceptance(domain, { jobId: job.jobId, bonder: gasWallet });
    const signature = args?.[2] as `0x${string}`;
    expect(await recoverAddress({ hash, signature })).to.equal(identity.signingKey);
  });

  it("sends nothing for a job that is accepted already, and only has to become final", async () => {
    const standing: Standing = { is: "accepted", by: identity.signingKey };
    expect(await accept({ standing, credit: 0n })).to.deep.equal({ sent: [], steps: [] });
  });

  it("stakes nothing where it could not carry the job out", async () => {
    const { grantHash } = job.order.datasets[0] ?? { grantHash: zeroHash };
    const cases: [World, string][] = [
      [{ newest: 2_000n }, "the time to accept it is over"],
      [{ newest: 1_900n, final: 1_400n }, "its deadline is too near"],
      [{ proof: "none" }, "its requester is not proven"],
      [{ delivered: false }, `grant ${grantHash} was not delivered`],
      [{ credit: 4n }, "the gas wallet's credit is below the bond of 5"],
    ];
    for (const [world, fact] of cases) expect(await refusal(world)).to.equal(said(fact));
    expect((await accept({ newest: 1_900n, final: 1_411n })).sent).to.have.length(1);
    const signed: RunnableJob = { ...job, origin: { by: "signature", requesterSignature: "0x", payerSignature: "0x" } };
    expect(await refusal({}, signed)).to.equal(said("it was not opened on chain"));
  });
});
