/**
 * Room: sdk/bundle/parts. The parts of a bundle that no chain proves, as evidence: each has to hash to something that is proven,
 * which `judge` looks at. A part that belongs to no claim of the job has no place in its bundle. Pure.
 */
import { type Address, getAddress, type Hex, isAddressEqual, zeroAddress } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { LogEvidence } from "../../protocol/logJson.ts";
import { packProgram, unpackProgram } from "../../protocol/program.ts";
import { sameBytes } from "../../protocol/sameBytes.ts";
import type { Evidence, WorkerEvidence } from "../audit/evidence.ts";
import type { OnChain, Shown } from "../audit/gather/gatherEvidence.ts";
import type { Bundle } from "./bundleSchema.ts";
import type { CodeParameters } from "./expectedCode.ts";
import { eventLogOf } from "./runtimeEvents.ts";

/**
 * The deployment that a bundle is of, and what its code fixes beside it.
 *
 * @returns without what no claim rests on: its first block, and where endorsements are.
 * @example
 * const { deployment, parameters } = deploymentOf(bundle)
 */
export function deploymentOf({ deployment }: Bundle): { deployment: Deployment; parameters: CodeParameters } {
  const { chainId, rootKey, contracts, ...rest } = deployment;
  const { marketExtension, ...addresses } = contracts;
  return {
    deployment: { chainId, rootKey, fromBlock: 0, contracts: { ...addresses, endorsements: zeroAddress } },
    parameters: { marketExtension, ...rest },
  };
}

/**
 * What the bundle shows of a job that the chain knows by hashes only.
 *
 * @returns with a function that tells whether receipt and leaf were asked for.
 * @example
 * const shown = shownIn(bundle)
 * const onChain = await gatherOnChain(view, bundle.jobId, shown)
 */
export function shownIn({ order, receipt, leaf }: Bundle): Shown & { used(): { receipt: boolean; leaf: boolean } } {
  const used = { receipt: false, leaf: false };
  return {
    order: order && { ...checksummed(order), params: order.params as Hex, ...notNeeded },
    shows: {
      async receipt() {
        used.receipt = true;
        return receipt;
      },
      async leaf() {
        used.leaf = true;
        return leaf && checksummed(leaf);
      },
    },
    used: () => used,
  };
}

/** Addresses as viem writes them; in the file they are lowercase. */
function checksummed<T>(value: T): T {
  if (typeof value === "string") return (/^0x[0-9a-f]{40}$/.test(value) ? getAddress(value) : value) as T;
  if (Array.isArray(value)) return value.map(checksummed) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, checksummed(item)])) as T;
}

/** Of a signed order: once it is settled, the market has judged its signatures, and its program's place is of no interest. */
const notNeeded = { programUri: "", requesterSignature: "0x", payerSignature: "0x" } as const;

/**
 * Refuses parts that belong to no claim: nobody would look at them.
 *
 * @throws {@link SurplusPartError}
 * @example
 * requireOwnParts(bundle, onChain, shown.used())
 */
export function requireOwnParts(bundle: Bundle, onChain: OnChain, used: { receipt: boolean; leaf: boolean }): void {
  const { opening, settlement, session } = onChain;
  const ran = settlement !== undefined;
  const belongs: Readonly<Record<string, boolean>> = {
    order: opening.index === undefined && session === undefined,
    receipt: used.receipt && ran,
    leaf: used.leaf && session !== undefined,
    program: ran,
    attestation: ran,
    log: ran && (bundle.log?.head === undefined || bundle.log.receipt === undefined),
    result: settlement?.receipt.status === receiptStatus.ok,
  };
  for (const [part, expected] of Object.entries(belongs))
    if (bundle[part as keyof Bundle] !== undefined && !expected) throw new SurplusPartError(part);
  if (session === undefined) return;
  const { requester, payer } = opening.order;
  const own = bundle.leaf?.leaf;
  if (own?.jobId !== bundle.jobId) throw new SurplusPartError("leaf.jobId");
  if (isAddressEqual(requester, payer) && own.payerSignature !== "0x")
    throw new SurplusPartError("leaf.payerSignature");
}

/**
 * The program in the bundle.
 *
 * @throws {@link SurplusPartError} if it is one, but written otherwise than `packProgram` does.
 * @example
 * const program = programIn(bundle)
 */
export function programIn({ program }: Bundle): Evidence["program"] {
  if (program === undefined) return { missing: "the bundle holds no program" };
  if (!isProgramOfOtherSpelling(program)) return program;
  throw new SurplusPartError("program");
}

function isProgramOfOtherSpelling(bytes: Uint8Array): boolean {
  try {
    return !sameBytes(packProgram(unpackProgram(bytes)), bytes);
  } catch (error) {
    if (error instanceof BaseError) return false; // that it is no program is a line's to say
    throw error;
  }
}

/**
 * What the bundle has of the enclave that signed the receipt.
 *
 * @example
 * const worker = workerIn(bundle, onChain)
 */
export function workerIn({ attestation, log, result }: Bundle, { settlement }: OnChain): WorkerEvidence {
  return {
    log:
      log === undefined || settlement === undefined
        ? { missing: "the bundle holds nothing of the enclave's log" }
        : logOf(log, settlement.signer),
    attestation:
      attestation === undefined || settlement === undefined
        ? { missing: "the bundle holds no event log and compose file of the enclave that ran the job" }
        : {
            eventLog: eventLogOf(attestation.eventLog),
            appCompose: attestation.appCompose,
            signingKey: getAddress(settlement.signer), // what is shown of another boot is not put into a bundle
            rootCa: attestation.rootCa,
          },
    result: result ?? { missing: "the bundle holds no sealed result" },
  };
}

function logOf(log: NonNullable<Bundle["log"]>, signer: Address): LogEvidence {
  const { boot, entries, all, head, receipt } = log;
  return {
    logId: signer,
    boot,
    entries,
    all: all ?? { missing: "the bundle does not hold the whole log: whether something was left out does not show" },
    other: head
      ? { head, proof: head.proof }
      : receipt
        ? { receipt: { ...receipt, signer }, proof: receipt.proof }
        : { missing: "the bundle holds no other word of this enclave" },
  };
}

/** A part of the bundle that is of no use: it was put there, or changed, by somebody. */
export class SurplusPartError extends BaseError {
  override readonly name = "Bundle.SurplusPartError";
  readonly part: string;
  constructor(part: string) {
    super(`The bundle has a part that no claim of the job rests on, or in another spelling: ${part}.`, {
      hint: "It was changed or put together by hand. Have it made anew with `dcm bundle`.",
    });
    this.part = part;
  }
}
