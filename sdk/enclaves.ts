/**
 * Room: sdk/enclaves. Registered enclaves with their live state.
 */
import { type Address, getAbiItem, type Hex } from "viem";
import { enclaveRegistryAbi } from "../protocol/abi.ts";
import {
  type EnclaveState,
  enclaveStates,
  evidenceHashOf,
  type RecordedStatus,
  recordedStatuses,
} from "../protocol/enclaveRecord.ts";
import { BaseError } from "../protocol/errors.ts";
import type { TcbEvidence } from "../protocol/quote/platformRecord.ts";
import type { Client } from "./client.ts";
import { defaultListLimit } from "./datasets.ts";
import { type EventLog, findEvent, scanEvents } from "./scanEvents.ts";
import { read } from "./send.ts";

const registeredEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRegistered" });
const renewedEvent = getAbiItem({ abi: enclaveRegistryAbi, name: "EnclaveRenewed" });

/** A registered enclave. Its `endpoint` is whatever its operator wrote. */
export type EnclaveListing = {
  signingKey: Address;
  operator: Address;
  workloadId: Hex;
  composeHash: Hex;
  platformId: Hex;
  /** Of the platform when a quote was last verified. */
  tcbStatus: RecordedStatus;
  /** As somebody last recorded it; `live` says what holds now. */
  state: EnclaveState;
  /** Unix seconds. */
  expiresAt: bigint;
  /** What collateral judged last: what `demote` is shown. */
  tcb: TcbEvidence;
  vaultKey: Hex;
  endpoint: string;
  live: boolean;
  blockNumber: bigint;
  transactionHash: Hex;
};

/** Narrows a listing. */
export type EnclaveFilter = { workloadId?: Hex; operator?: Address; fromBlock?: bigint; limit?: number };

/**
 * Registered enclaves, the newest first; `live` says which may settle jobs now.
 *
 * @throws {@link ForgedEnclaveError} | any error of `scanEvents` and `read`
 * @example
 * const enclaves = await listEnclaves(client, { workloadId })
 */
export async function listEnclaves(client: Client, filter: EnclaveFilter = {}): Promise<EnclaveListing[]> {
  const { workloadId, operator, fromBlock, limit = defaultListLimit } = filter;
  const address = client.deployment.contracts.enclaveRegistry;
  const args = { ...(workloadId && { workloadId }), ...(operator && { operator }) };
  const range = fromBlock === undefined ? {} : { fromBlock };
  const found: EnclaveListing[] = [];
  if (limit < 1) return found;
  for await (const log of scanEvents(client, { address, event: registeredEvent, args, newestFirst: true, ...range })) {
    found.push(await toListing(client, log));
    if (found.length >= limit) break;
  }
  return found;
}

/**
 * One enclave by its signing key.
 *
 * @throws {@link UnknownEnclaveError} | {@link ForgedEnclaveError} | any error of `scanEvents` and `read`
 * @example
 * const { endpoint, live } = await getEnclave(client, signingKey)
 */
export async function getEnclave(client: Client, signingKey: Address): Promise<EnclaveListing> {
  const address = client.deployment.contracts.enclaveRegistry;
  const log = await findEvent(client, { address, event: registeredEvent, args: { signingKey }, newestFirst: true });
  if (log === undefined) throw new UnknownEnclaveError(signingKey);
  return await toListing(client, log);
}

async function toListing(client: Client, log: EventLog<typeof registeredEvent>): Promise<EnclaveListing> {
  const { signingKey, operator, workloadId, composeHash, platformId, vaultKey, endpoint } = log.args;
  const registry = { address: client.deployment.contracts.enclaveRegistry, abi: enclaveRegistryAbi } as const;
  const stored = await read(client, { ...registry, functionName: "enclave", args: [signingKey] });
  const live = await read(client, { ...registry, functionName: "isLive", args: [signingKey] });
  const same = stored.workloadId === workloadId && stored.operator === operator && stored.platformId === platformId;
  const tcb = await evidenceOf(client, log, stored.evidenceHash);
  if (!same || tcb === undefined) throw new ForgedEnclaveError(signingKey);
  return {
    signingKey,
    operator,
    workloadId,
    composeHash,
    platformId,
    tcbStatus: recordedStatuses[stored.tcbStatus] ?? "Unsupported",
    state: enclaveStates[stored.state] ?? "None",
    expiresAt: BigInt(stored.expiresAt),
    tcb,
    vaultKey,
    endpoint,
    live,
    blockNumber: log.blockNumber,
    transactionHash: log.transactionHash,
  };
}

/** The evidence that the registry remembers: the registration's, or that of the last renewal. */
async function evidenceOf(
  client: Client,
  { args }: EventLog<typeof registeredEvent>,
  evidenceHash: Hex,
): Promise<TcbEvidence | undefined> {
  const { signingKey, vaultKey } = args;
  if (evidenceHashOf(vaultKey, args.tcb) === evidenceHash) return args.tcb;
  const address = client.deployment.contracts.enclaveRegistry;
  const renewed = await findEvent(client, { address, event: renewedEvent, args: { signingKey }, newestFirst: true });
  const tcb = renewed?.args.tcb;
  return tcb !== undefined && evidenceHashOf(vaultKey, tcb) === evidenceHash ? tcb : undefined;
}

/** No such enclave. */
export class UnknownEnclaveError extends BaseError {
  override readonly name = "Enclaves.UnknownEnclaveError";
  constructor(signingKey: Address) {
    super(`There is no enclave with signing key ${signingKey}.`, { hint: "Look it up with `dcm enclave list`." });
  }
}

/** The registration event and the registry's state contradict each other. */
export class ForgedEnclaveError extends BaseError {
  override readonly name = "Enclaves.ForgedEnclaveError";
  constructor(signingKey: Address) {
    super(`The RPC's record of enclave ${signingKey} contradicts the registry.`, {
      hint: "The RPC is faulty or lies. Use another one.",
    });
  }
}
