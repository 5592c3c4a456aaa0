/**
 * Room: sdk/bundle/makeBundle. Makes a job's bundle: gathers the evidence as an audit does, has everything proven that was
 * looked at, and audits what it made. May import: protocol, sdk.
 */
import { type Address, type Hex, isAddressEqual, type PublicClient, parseAbi } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { LogEvidence } from "../../protocol/logJson.ts";
import { packProgram, unpackProgram } from "../../protocol/program.ts";
import { orderToJson, receiptToJson } from "../../protocol/receiptJson.ts";
import type { SignedOrder } from "../../protocol/signedOrder.ts";
import { isMissing } from "../audit/evidence.ts";
import { openChainView } from "../audit/gather/chainView.ts";
import { gatherOnChain, gatherProgramOf, type OnChain } from "../audit/gather/gatherEvidence.ts";
import { gatherLog } from "../audit/gather/log.ts";
import { type Shows, workerShows } from "../audit/gather/shows.ts";
import { gatherWorker } from "../audit/gather/worker.ts";
import { toTypedError } from "../chainErrors.ts";
import { withoutAll } from "../log.ts";
import { collectProofs } from "../proofs/collectProofs.ts";
import { type Bundle, type BundleJson, bundleFormat, maxBundledLog, maxBundledResult } from "./bundleSchema.ts";
import { requireComplete } from "./completeness.ts";
import { type CodeParameters, expectedCode } from "./expectedCode.ts";
import { keepRenewals } from "./inventory.ts";
import { readBundle, writeBundle } from "./readBundle.ts";
import { recordView } from "./recordView.ts";
import { runtimeEventsOf } from "./runtimeEvents.ts";

/** Of which job, and from where. */
export type MakeBundleOptions = {
  chain: PublicClient;
  deployment: Deployment;
  jobId: Hex;
  /** Worker that ran the job: shows its compose file, event log, the program and the sealed result. */
  workerUrl?: string | undefined;
  /** The signed order, where it was settled without being opened. */
  order?: SignedOrder | undefined;
  /** The block that everything is proven under; default: the head. */
  at?: bigint | undefined;
  /** Is told what is being done. */
  progress?: (step: string) => void;
};

/** A bundle: the file, and what it holds. */
export type MadeBundle = { bytes: Uint8Array; bundle: Bundle };

const codeAbi = parseAbi([
  "function extension() view returns (address)",
  "function maxLifeSeconds() view returns (uint64)",
  "function allowedTcb() view returns (uint16)",
  "function minimumEvaluationNumber() view returns (uint16)",
]);

/**
 * Makes a job's bundle.
 *
 * @throws what `auditJob`, `collectProofs` and `writeBundle` throw | Bundle.LeftOutError if the RPC leaves out events.
 * @example
 * const { bytes } = await makeBundle({ chain, deployment, jobId, workerUrl: "https://worker.example" })
 * await writeFile("job.dcb", bytes)
 */
export async function makeBundle(options: MakeBundleOptions): Promise<MadeBundle> {
  const { chain, deployment, workerUrl, progress = () => {} } = options;
  const jobId = options.jobId.toLowerCase() as Hex;
  progress("Gathering what the chain has");
  const view = await openChainView(chain, deployment, options.at);
  const { anchor } = view;
  const parameters = await parametersOf(chain, deployment, anchor.number);
  const recorder = recordView(view, parameters);
  const shown = rememberShown(workerShows(workerUrl));
  const onChain = await gatherOnChain(recorder.view, jobId, { order: options.order, shows: shown.shows });
  await requireComplete(onChain, recorder.view, async (block, address, stored) => {
    recorder.want(block, address, stored.slots);
    return stored.read(await Promise.all(stored.slots.map((slot) => wordAt(chain, block, address, slot))));
  });
  for (const { address } of expectedCode(deployment, parameters)) recorder.want(anchor.number, address, []);
  keepRenewals(recorder, onChain);
  await view.requireAnchor();

  progress("Collecting proofs");
  const proofs = await collectProofs(chain, { ...recorder.wants(), logIndexes: false }, anchor);
  progress("Gathering what the worker shows");
  const json: BundleJson = {
    format: bundleFormat,
    jobId,
    deployment: lowerCased(deploymentJson(deployment, parameters)),
    chain: { ...proofs, logIndexes: false },
    ...lowerCased(shownJson(onChain, shown.seen, options.order)),
    ...(await workerJson(onChain, workerUrl)),
  };
  const bytes = writeBundle(json);
  return { bytes, bundle: readBundle(bytes) };
}

/* CHAIN */

async function parametersOf(chain: PublicClient, { contracts }: Deployment, at: bigint): Promise<CodeParameters> {
  const read = <const name extends (typeof codeAbi)[number]["name"]>(address: Address, functionName: name) =>
    chain.readContract({ address, abi: codeAbi, functionName, blockNumber: at }).catch((cause: unknown) => {
      throw toTypedError(cause);
    });
  return {
    marketExtension: await read(contracts.jobMarket, "extension"),
    maxLifeSeconds: await read(contracts.enclaveRegistry, "maxLifeSeconds"),
    allowedTcb: await read(contracts.enclaveRegistry, "allowedTcb"),
    minimumEvaluationNumber: await read(contracts.tdxCollateral, "minimumEvaluationNumber"),
  };
}

async function wordAt(chain: PublicClient, blockNumber: bigint, address: Address, slot: Hex): Promise<Hex> {
  const word = await chain.getStorageAt({ address, slot, blockNumber }).catch((cause: unknown) => {
    throw toTypedError(cause);
  });
  return `0x${(word ?? "0x").slice(2).padStart(64, "0")}`;
}

function deploymentJson({ chainId, rootKey, contracts }: Deployment, parameters: CodeParameters) {
  const { endorsements: _, ...addresses } = contracts;
  const { marketExtension, maxLifeSeconds, ...rest } = parameters;
  return {
    chainId,
    rootKey,
    contracts: { ...addresses, marketExtension },
    maxLifeSeconds: maxLifeSeconds.toString(),
    ...rest,
  };
}

/* PARTS */

type Seen = { receipt?: Awaited<ReturnType<Shows["receipt"]>>; leaf?: Awaited<ReturnType<Shows["leaf"]>> };

function rememberShown(shows: Shows): { shows: Shows; seen: Seen } {
  const seen: Seen = {};
  return {
    seen,
    shows: {
      receipt: async (jobId) => (seen.receipt = await shows.receipt(jobId)),
      leaf: async (jobId) => (seen.leaf = await shows.leaf(jobId)),
    },
  };
}

/** What was shown of the job, if the evidence rests on it. */
function shownJson({ opening, session, settlement }: OnChain, { receipt, leaf }: Seen, order: SignedOrder | undefined) {
  if (session !== undefined && leaf !== undefined) {
    const { deadline, nonce, receipt: own, payerSignature, ...rest } = leaf.leaf;
    const isOne = isAddressEqual(opening.order.requester, opening.order.payer);
    const text = { deadline: deadline.toString(), nonce: nonce.toString(), receipt: receiptToJson(own) };
    return {
      leaf: { session: leaf.session, leaf: { ...rest, ...text, payerSignature: isOne ? "0x" : payerSignature } },
    };
  }
  const parties = opening.index === undefined ? order : undefined;
  return {
    ...(parties && { order: { order: orderToJson(parties.order), params: parties.params } }),
    ...(receipt &&
      settlement && { receipt: { receipt: receiptToJson(receipt.receipt), signature: receipt.signature } }),
  };
}

async function workerJson(onChain: OnChain, workerUrl: string | undefined) {
  const { opening, settlement } = onChain;
  if (settlement === undefined) return {};
  const program = await gatherProgramOf(settlement.receipt, opening.programUri, workerUrl);
  const { attestation, result } = await gatherWorker(workerUrl, settlement.receipt.jobId, settlement.receipt);
  const log = await gatherLog(workerUrl, settlement);
  const packed = isMissing(program) ? undefined : repacked(program);
  return {
    ...(packed && { program: packed.toBase64() }),
    ...(isMissing(result) || result.length > maxBundledResult ? {} : { result: result.toBase64() }),
    ...attestationJson(attestation, settlement.signer),
    ...(isMissing(log) ? {} : { log: lowerCased(logJson(withoutAll(log, maxBundledLog))) }),
  };
}

type Attestation = Awaited<ReturnType<typeof gatherWorker>>["attestation"];

/** Of the enclave that signed, and of no other boot. */
function attestationJson(shown: Attestation, signer: Address): Pick<BundleJson, "attestation"> {
  if (isMissing(shown) || isMissing(shown.rootCa)) return {};
  const eventLog = runtimeEventsOf(shown.eventLog);
  if (shown.signingKey.toLowerCase() !== signer.toLowerCase() || eventLog === undefined) return {};
  return { attestation: { eventLog, appCompose: shown.appCompose, rootCa: shown.rootCa.toBase64() } };
}

function logJson({ boot, entries, all, other }: LogEvidence): NonNullable<BundleJson["log"]> {
  const common = { boot, entries, ...("missing" in all ? {} : { all }) };
  if ("head" in other) {
    const { size, anchorBlock, ...rest } = other.head;
    const head = { ...rest, size: size.toString(), anchorBlock: anchorBlock.toString(), proof: other.proof };
    return { ...common, head };
  }
  if (!("receipt" in other)) return common;
  const { receipt, signature } = other.receipt;
  return { ...common, receipt: { receipt: receiptToJson(receipt), signature, proof: other.proof } };
}

/** A program in its one spelling; what is none proves nothing. */
function repacked(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return packProgram(unpackProgram(bytes));
  } catch (error) {
    if (error instanceof BaseError) return undefined;
    throw error;
  }
}

/** Hex in its one spelling. */
function lowerCased<T>(value: T): T {
  if (typeof value === "string") return (/^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value) as T;
  if (Array.isArray(value)) return value.map(lowerCased) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lowerCased(item)])) as T;
}
