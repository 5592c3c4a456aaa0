/**
 * Room: sdk/demotion. Whether a registration is still good by the chain's collateral, and ending one that is not. Anyone may.
 */
import { type Address, keccak256 } from "viem";
import { enclaveRegistryAbi, tdxCollateralAbi, tdxVerifierAbi } from "../protocol/abi.ts";
import {
  allowedStatuses,
  type demotionReasons,
  type RecordedStatus,
  recordedStatuses,
} from "../protocol/enclaveRecord.ts";
import { BaseError } from "../protocol/errors.ts";
import { ContractRefusedError } from "./chainErrors.ts";
import type { Client } from "./client.ts";
import { type EnclaveListing, getEnclave } from "./enclaves.ts";
import { chainTime } from "./grants.ts";
import { read, type Sent, send } from "./send.ts";

/** Errors come up through the contracts that ask. */
const errors = [...tdxVerifierAbi, ...tdxCollateralAbi].filter((item) => item.type === "error");
const verifierAbi = [...tdxVerifierAbi, ...errors] as const;
const registryAbi = [...enclaveRegistryAbi, ...errors] as const;

/** How a registration stands by the collateral of now. */
export type Standing = {
  enclave: EnclaveListing;
  /** Why it can be demoted; undefined: it cannot. */
  reason: (typeof demotionReasons)[number] | undefined;
  /** One sentence, for people. */
  why: string;
  /** The platform's status now, and what it is made of; undefined if collateral judges nothing now. */
  status: { tcb: RecordedStatus; platform: RecordedStatus; module: RecordedStatus; qe: RecordedStatus } | undefined;
  certificateRevoked: boolean;
  /** Intel's advisories that hold for the platform, like "INTEL-SA-01245". */
  advisoryIds: string[];
  /** For the contract; not trusted by it. */
  revocationHint: number;
};

/**
 * Looks at a registration with the chain's collateral of now.
 *
 * @throws UnknownEnclaveError | any error of `read`
 * @example
 * const { reason, why } = await standingOf(client, signingKey)
 */
export async function standingOf(client: Client, signingKey: Address): Promise<Standing> {
  const { tdxVerifier, tdxCollateral, enclaveRegistry } = client.deployment.contracts;
  const enclave = await getEnclave(client, signingKey);
  const { issuer, serial } = enclave.tcb.platform;
  const hintCall = { functionName: "revocationHint", args: [issuer, serial] } as const;
  const nothing = { enclave, status: undefined, certificateRevoked: false, advisoryIds: [], revocationHint: 0 };
  if (enclave.state !== "Active")
    return { ...nothing, reason: undefined, why: `it is recorded as ${enclave.state.toLowerCase()} already` };
  if (enclave.expiresAt <= (await chainTime(client)))
    return { ...nothing, reason: "Expired", why: "it has expired; renewing it would bring it back" };

  try {
    const [revocationHint] = await read(client, { address: tdxCollateral, abi: tdxCollateralAbi, ...hintCall });
    const args = [enclave.tcb, revocationHint] as const;
    const judged = await read(client, { address: tdxVerifier, abi: verifierAbi, functionName: "assess", args });
    const registry = { address: enclaveRegistry, abi: enclaveRegistryAbi } as const;
    const allowedTcb = await read(client, { ...registry, functionName: "allowedTcb", args: [] });
    const name = (status: number) => recordedStatuses[status] ?? "Unsupported";
    const { certificateRevoked } = judged;
    const tcb = name(judged.tcbStatus);
    const isAllowed = ((allowedTcb >> judged.tcbStatus) & 1) === 1;
    const allowed = allowedStatuses(allowedTcb).join(", ");
    return {
      enclave,
      reason: certificateRevoked ? "CertificateRevoked" : isAllowed ? undefined : "TcbStatus",
      why: certificateRevoked
        ? "the platform's certificate, or that of the CA that issued it, is revoked"
        : `the platform is ${tcb} by the collateral on chain; allowed: ${allowed}`,
      status: { tcb, platform: name(judged.platform), module: name(judged.module_), qe: name(judged.qe) },
      certificateRevoked,
      advisoryIds: [...new Set(judged.advisoryIds)].map((id) => `INTEL-SA-${String(id).padStart(5, "0")}`),
      revocationHint,
    };
  } catch (error) {
    if (!(error instanceof ContractRefusedError)) throw error;
    const why = `nothing can be judged now: ${error.contractError}; refresh it with \`dcm collateral push\``;
    return { ...nothing, reason: undefined, why };
  }
}

/**
 * Demotes a registration that is no longer good.
 *
 * @param standing - of {@link standingOf}.
 * @throws {@link NotDemotableError} | any error of `send`
 * @example
 * const { hash } = await demoteEnclave(client, await standingOf(client, signingKey))
 */
export async function demoteEnclave(client: Client, standing: Standing): Promise<Sent> {
  const { enclave, reason, revocationHint } = standing;
  if (reason === undefined) throw new NotDemotableError(standing);
  const { hash, gasUsed, blockNumber } = await send(client, {
    address: client.deployment.contracts.enclaveRegistry,
    abi: registryAbi,
    functionName: "demote",
    args: [enclave.signingKey, keccak256(enclave.vaultKey), enclave.tcb, revocationHint],
  });
  return { hash, gasUsed, blockNumber };
}

/** The contract would refuse the demotion. */
export class NotDemotableError extends BaseError {
  override readonly name = "Demotion.NotDemotableError";
  constructor({ enclave, why }: Standing) {
    super(`Enclave ${enclave.signingKey} cannot be demoted: ${why}.`, {
      hint:
        enclave.state === "Active"
          ? "If Intel has published newer collateral, push it first with `dcm collateral push`."
          : "Nothing is left to do: a registration ends once.",
    });
  }
}
