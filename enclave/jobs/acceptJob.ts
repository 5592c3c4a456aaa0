/**
 * Room: enclave/jobs/acceptJob. Binds a job that must be accepted to this enclave. Its bond is at stake from then on: it is
 * the requester's if the job expires, also because this process ended and its key with it.
 */
import { type Address, encodeFunctionData, type Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { type Domain, hashAcceptance } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { Sender } from "../chain/sender.ts";
import type { GrantBook } from "../vault/grantBook.ts";
import type { JobChain, JobStep, RunnableJob, Standing } from "./ports.ts";

/** What accepting takes. */
export type AcceptPorts = {
  domain: Domain;
  market: Address;
  sender: Pick<Sender, "address" | "send">;
  identity: Pick<EnclaveIdentity, "signDigest">;
  grants: Pick<GrantBook, "find">;
  /** Of the gas wallet, at the newest block. */
  credit(token: Address): Promise<bigint>;
  /** Unix seconds of the newest block, and of the newest that counts as final. */
  timestamps(): Promise<{ newest: bigint; final: bigint }>;
  chain: Pick<JobChain, "proofOf">;
  /** At the newest block. */
  standingNow(job: RunnableJob): Promise<Standing>;
  observe(step: JobStep, jobId: Hex): void;
};

/** Time that running and settling may take, in seconds: with less, nothing is staked. */
const settleMarginSeconds = 120n;

/**
 * Accepts a job, if it looks as if it could be carried out: nothing is staked on an order that cannot be proven, while a
 * consent or the bond is missing, or where time is short. To be called again when this returns: the acceptance is seen on
 * chain.
 *
 * @throws {@link NotAcceptableError} with what is missing; errors of the chain and the sender.
 * @example
 * await acceptJob(ports, job)
 */
export async function acceptJob(ports: AcceptPorts, job: RunnableJob): Promise<void> {
  const { jobId, order, origin } = job;
  if (origin.by !== "opening") throw new NotAcceptableError(jobId, "it was not opened on chain");
  if ((await ports.standingNow(job)).is !== "unaccepted") return; // it only has to become final
  const { newest, final } = await ports.timestamps();
  if (newest >= order.acceptBy) throw new NotAcceptableError(jobId, "the time to accept it is over");
  // The acceptance must be final before anything is opened, and finality may take longer than it did.
  if (newest + 2n * (newest - final) + settleMarginSeconds >= order.deadline) {
    throw new NotAcceptableError(jobId, "its deadline is too near");
  }
  // Of such an order nothing can be signed, not even that it failed: the bond would be lost.
  if ((await ports.chain.proofOf(job)) === "none") throw new NotAcceptableError(jobId, "its requester is not proven");
  const missing = order.datasets.find(({ grantHash }) => ports.grants.find(grantHash) === undefined);
  if (missing !== undefined) throw new NotAcceptableError(jobId, `grant ${missing.grantHash} was not delivered`);
  if ((await ports.credit(order.token)) < order.bond) {
    throw new NotAcceptableError(jobId, `the gas wallet's credit is below the bond of ${order.bond}`);
  }
  const digest = hashAcceptance(ports.domain, { jobId, bonder: ports.sender.address });
  const args = [origin.index, order, ports.identity.signDigest(digest)] as const;
  const data = encodeFunctionData({ abi: jobMarketAbi, functionName: "accept", args });
  ports.observe("accepting", jobId);
  await ports.sender.send({ to: ports.market, data }, async () => (await ports.standingNow(job)).is !== "unaccepted");
  ports.observe("accepted", jobId);
}

/** The job must be accepted before it is run, and this worker does not stake a bond on it now. */
export class NotAcceptableError extends BaseError {
  override readonly name = "Jobs.NotAcceptableError";
  constructor(jobId: Hex, fact: string) {
    super(`Job ${jobId} is not accepted: ${fact}.`, {
      hint: "Deliver what is missing, or deposit credit for the gas wallet of GET /enclave.",
      retryable: true,
    });
  }
}
