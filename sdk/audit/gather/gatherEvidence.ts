/**
 * Room: sdk/audit/gather/gatherEvidence. Collects what an audit looks at, from the chain and from the worker.
 */
import { type Address, concatHex, type Hex, type PublicClient } from "viem";
import { enclaveRegistryAbi, endorsementsAbi, jobMarketAbi, tdxVerifierAbi } from "../../../protocol/abi.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { type JobState, jobStates, type Receipt } from "../../../protocol/eip712.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import type { Believed } from "../believed.ts";
import {
  type BlockRef,
  type DatasetEvidence,
  type Endorsement,
  type Evidence,
  isMissing,
  type Missing,
} from "../evidence.ts";
import { type ChainView, openChainView } from "./chainView.ts";
import { gatherDataset } from "./consent.ts";
import { gatherRecord, gatherRegistration } from "./enclave.ts";
import { gatherAcceptance, gatherCounted, gatherCredits, gatherEnding, gatherOpening, NoSuchJobError } from "./job.ts";
import { gatherLog } from "./log.ts";
import { gatherSessionJob } from "./session.ts";
import { type Shows, workerShows } from "./shows.ts";
import { gatherProgram, gatherWorker, openResult } from "./worker.ts";

/** What to audit, and with what. */
export type AuditOptions = {
  chain: PublicClient;
  deployment: Deployment;
  jobId: Hex;
  /** Worker that ran the job: shows its compose file, event log, the program and the sealed result. */
  workerUrl?: string | undefined;
  /** `AGE-SECRET-KEY-1...` of a reader of the result: opens it here to check the commitment; goes nowhere. */
  resultIdentity?: string | undefined;
  /** The signed order, where it was settled without being opened: what of it the chain does not show is taken from here. */
  order?: SignedOrder | undefined;
  /** Block at which the chain is looked at; default: the head. */
  at?: bigint | undefined;
  /** What the auditor believes beforehand; default: nothing but the deployment. */
  believed?: Believed | undefined;
};

const noReceipt = { missing: "there is no receipt" };

/**
 * Collects the evidence on a job.
 *
 * @throws NoSuchJobError | OrderNotShownError | OtherOrderError | ContradictoryChainError | WrongAuditChainError | RpcError
 * @example
 * const evidence = await gatherEvidence({ chain, deployment, jobId })
 */
export async function gatherEvidence(options: AuditOptions): Promise<Evidence> {
  const { jobId, workerUrl, resultIdentity } = options;
  const view = await openChainView(options.chain, options.deployment, options.at);
  const onChain = await gatherOnChain(view, jobId, { order: options.order, shows: workerShows(workerUrl) });
  const receipt = onChain.settlement?.receipt;
  const worker = await gatherWorker(workerUrl, jobId, receipt);
  const evidence: Evidence = {
    ...onChain,
    program: await gatherProgramOf(receipt, onChain.opening.programUri, workerUrl),
    endorsements: await gatherEndorsements(view, onChain.opening.order.workloadId, options.believed?.auditors ?? []),
    worker: { ...worker, log: await gatherLog(workerUrl, onChain.settlement) },
    opened: await openResult(worker.result, receipt, resultIdentity),
  };
  await view.requireAnchor();
  return evidence;
}

/** What of the evidence the chain has, given what only a party or the worker can show of the job. */
export type OnChain = Omit<Evidence, "program" | "endorsements" | "worker" | "opened">;

/** What is shown of a job that the chain knows by hashes only. */
export type Shown = { order: SignedOrder | undefined; shows: Shows };

/**
 * Collects what the chain has on a job.
 *
 * @throws NoSuchJobError | OrderNotShownError | OtherOrderError | ContradictoryChainError | RpcError
 * @example
 * const { opening, ending } = await gatherOnChain(view, jobId, { order: undefined, shows: nothingShown })
 */
export async function gatherOnChain(view: ChainView, jobId: Hex, shown: Shown): Promise<OnChain> {
  const { opening, ending, settlement, session } = await gatherJob(view, jobId, shown);
  const signer = settlement?.signer;
  const receipt = settlement?.receipt;
  const datasets: DatasetEvidence[] = [];
  for (const [position, use] of opening.order.datasets.entries())
    datasets.push(await gatherDataset(view, use, position, ending, settlement));
  return {
    deployment: view.deployment,
    jobId,
    anchor: view.anchor,
    wiring: await gatherWiring(view),
    opening,
    state: opening.index === undefined ? undefined : await gatherState(view, opening.index, jobId),
    ending,
    settlement,
    session,
    registration: signer === undefined ? noReceipt : await gatherRegistration(view, signer),
    enclaveRecord: signer === undefined ? noReceipt : await gatherRecord(view, signer),
    receiptAnchor: receipt === undefined ? noReceipt : await gatherAnchor(view, receipt.anchorBlock),
    datasets,
    credits: await gatherCredits(view, session?.sessionId ?? settlement?.together[0]?.jobId ?? jobId),
    acceptance: await gatherAcceptance(view, jobId),
    counted: await gatherCounted(view, jobId),
  };
}

/** A job that the chain does not know may be a session's: then its worker shows it. */
async function gatherJob(
  view: ChainView,
  jobId: Hex,
  { order, shows }: Shown,
): Promise<Pick<Evidence, "opening" | "ending" | "settlement" | "session">> {
  try {
    const opening = await gatherOpening(view, jobId, order);
    return { opening, ...(await gatherEnding(view, jobId, opening, shows)) };
  } catch (error) {
    if (!(error instanceof NoSuchJobError)) throw error;
    const ofSession = await gatherSessionJob(view, jobId, shows);
    if (ofSession === undefined) throw error;
    return ofSession;
  }
}

/** The program of a receipt, from where the order says. */
export async function gatherProgramOf(
  receipt: Receipt | undefined,
  uri: string | Missing,
  workerUrl: string | undefined,
): Promise<Uint8Array | Missing> {
  if (receipt === undefined) return noReceipt;
  return isMissing(uri) ? uri : await gatherProgram(uri, workerUrl);
}

async function gatherWiring(view: ChainView): Promise<Evidence["wiring"]> {
  const { jobMarket, enclaveRegistry, tdxVerifier } = view.deployment.contracts;
  const market = { address: jobMarket, abi: jobMarketAbi, args: [] } as const;
  const registry = { address: enclaveRegistry, abi: enclaveRegistryAbi, args: [] } as const;
  const verifier = { address: tdxVerifier, abi: tdxVerifierAbi, args: [] } as const;
  const [x, y] = await view.read({ ...verifier, functionName: "rootKey" });
  return {
    enclaves: await view.read({ ...market, functionName: "enclaves" }),
    datasets: await view.read({ ...market, functionName: "datasets" }),
    verifier: await view.read({ ...registry, functionName: "verifier" }),
    collateral: await view.read({ ...verifier, functionName: "collateral" }),
    allowedTcb: await view.read({ ...registry, functionName: "allowedTcb" }),
    rootKey: concatHex([x, y]),
  };
}

async function gatherState(view: ChainView, index: bigint, jobId: Hex): Promise<JobState> {
  const address = view.deployment.contracts.jobMarket;
  const state = await view.read({ address, abi: jobMarketAbi, functionName: "jobState", args: [index, jobId] });
  return jobStates[state] ?? "None";
}

async function gatherEndorsements(
  view: ChainView,
  workloadId: Hex,
  auditors: readonly Address[],
): Promise<Endorsement[]> {
  const contract = { address: view.deployment.contracts.endorsements, abi: endorsementsAbi } as const;
  const found: Endorsement[] = [];
  for (const auditor of auditors) {
    const word = await view.read({ ...contract, functionName: "endorsement", args: [auditor, workloadId] });
    found.push({ auditor, ...word });
  }
  return found;
}

async function gatherAnchor(view: ChainView, number: bigint): Promise<BlockRef | Missing> {
  return number <= view.anchor.number
    ? await view.block(number)
    : { missing: "the receipt's anchor block does not exist" };
}
