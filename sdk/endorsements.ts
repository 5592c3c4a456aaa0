/**
 * Room: sdk/endorsements. Auditors' words on workloads: "built from this source, I reproduced it". Advice, no power:
 * whom to believe is the reader's choice.
 */
import { type Address, getAbiItem, type Hex, padHex } from "viem";
import { endorsementsAbi } from "../protocol/abi.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import { defaultListLimit } from "./datasets.ts";
import { scanEvents } from "./scanEvents.ts";
import { read, type Sent, send } from "./send.ts";

const endorsedEvent = getAbiItem({ abi: endorsementsAbi, name: "Endorsed" });

/** One auditor's word on one workload. */
export type EndorsementListing = {
  auditor: Address;
  workloadId: Hex;
  /** A git commit (20 bytes, left) or a SHA-256. */
  sourceHash: Hex;
  /** Where source and report are, as the auditor wrote it. */
  uri: string;
  /** Unix seconds. */
  endorsedAt: number;
  /** Unix seconds; 0: it stands. */
  withdrawnAt: number;
  transactionHash: Hex;
};

/** Narrows a listing. */
export type EndorsementFilter = { workloadId?: Hex; auditor?: Address; limit?: number };

/**
 * Says that the wallet reproduced a workload from a source.
 *
 * @param sourceHash - a git commit (20 bytes) or a SHA-256 (32 bytes).
 * @param uri - where source and report are, at most 512 bytes.
 * @throws {@link BadSourceHashError} | any error of `send`
 * @example
 * await endorse(client, workloadId, "0x99aaff...", "https://auditor.example/report")
 */
export async function endorse(client: Client, workloadId: Hex, sourceHash: Hex, uri: string): Promise<Sent> {
  const size = (sourceHash.length - 2) / 2;
  if (size !== 20 && size !== 32) throw new BadSourceHashError(size);
  const args = [workloadId, padHex(sourceHash, { dir: "right", size: 32 }), uri] as const;
  const { hash, gasUsed, blockNumber } = await send(client, { ...contractOf(client), functionName: "endorse", args });
  return { hash, gasUsed, blockNumber };
}

/**
 * Takes the wallet's word on a workload back.
 *
 * @param reasonUri - why, at most 512 bytes; may be empty.
 * @throws any error of `send`: Endorsements_NotEndorsed
 * @example
 * await withdrawEndorsement(client, workloadId, "")
 */
export async function withdrawEndorsement(client: Client, workloadId: Hex, reasonUri: string): Promise<Sent> {
  const call = { ...contractOf(client), functionName: "withdraw", args: [workloadId, reasonUri] } as const;
  const { hash, gasUsed, blockNumber } = await send(client, call);
  return { hash, gasUsed, blockNumber };
}

/**
 * What auditors last said, the newest first; withdrawn words too, with the time.
 *
 * @throws any error of `scanEvents` and `read`
 * @example
 * const words = await listEndorsements(client, { workloadId })
 */
export async function listEndorsements(client: Client, filter: EndorsementFilter = {}): Promise<EndorsementListing[]> {
  const { workloadId, auditor, limit = defaultListLimit } = filter;
  const { address } = contractOf(client);
  const args = { ...(workloadId && { workloadId }), ...(auditor && { auditor }) };
  const found: EndorsementListing[] = [];
  const seen = new Set<string>();
  for await (const log of scanEvents(client, { address, event: endorsedEvent, args, newestFirst: true })) {
    if (found.length >= limit) break;
    const key = `${log.args.auditor} ${log.args.workloadId}`;
    if (seen.has(key)) continue; // it was replaced by what came later
    seen.add(key);
    const call = { functionName: "endorsement", args: [log.args.auditor, log.args.workloadId] } as const;
    const { endorsedAt, withdrawnAt } = await read(client, { ...contractOf(client), ...call });
    found.push({ ...log.args, endorsedAt, withdrawnAt, transactionHash: log.transactionHash });
  }
  return found;
}

function contractOf(client: Client) {
  return { address: client.deployment.contracts.endorsements, abi: endorsementsAbi } as const;
}

/** The source is not named by a hash that fits. */
export class BadSourceHashError extends BaseError {
  override readonly name = "Endorsements.BadSourceHashError";
  constructor(size: number) {
    super(`The source's hash is ${size} bytes, 20 or 32 expected.`, {
      hint: "Give a git commit (40 hex digits) or a SHA-256 (64), with 0x.",
    });
  }
}
