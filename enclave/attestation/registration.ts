/**
 * Room: enclave/attestation/registration. Makes the quotes that bind this enclave's keys to its code and to a recent
 * block, and has the contract verify and record them: once to register, again to renew.
 */
import { type Address, encodeFunctionData, type Hex, hexToBytes, keccak256 } from "viem";
import { enclaveRegistryAbi } from "../../protocol/abi.ts";
import { type EnclaveBinding, registrationReportData } from "../../protocol/attestationBinding.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashRegistration } from "../../protocol/eip712.ts";
import { evidenceHashOf } from "../../protocol/enclaveRecord.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { Evidence } from "../../protocol/quote/evidence.ts";
import { type Enclave, type Reader, UnknownEnclaveError } from "../chain/reader.ts";
import { type Sender, type Sent, TransactionRefusedError } from "../chain/sender.ts";
import type { EnclaveIdentity } from "./identity.ts";
import type { OperatorConsent } from "./operatorConsent.ts";
import type { PlatformQuote, TdxPlatform } from "./platform.ts";

/** A block to bind the quote to. */
export type RecentBlock = { number: bigint; hash: Hex };

/** A quote as the verifier is best shown it, and what it will say of the platform. */
export type Proof = {
  quote: Hex;
  evidence: Evidence;
  /** keccak256 of the ABI encoding of `TcbEvidence`: a renewal has to name the last one. */
  tcbEvidenceHash: Hex;
};

/** A recorded registration. */
export type Registration = {
  quote: PlatformQuote;
  /** Unix seconds. */
  expiresAt: bigint;
  /** Index into `TcbStatus` of TcbTypes.sol. */
  tcbStatus: number;
  platformId: Hex;
  /** Absent if another transaction than ours was mined first. */
  transactionHash: Hex | undefined;
};

/** What registering takes. */
export type RegistrationPorts = {
  platform: TdxPlatform;
  identity: EnclaveIdentity;
  sender: Pick<Sender, "address" | "send">;
  reader: Pick<Reader, "enclave">;
  deployment: Deployment;
  operator: Address;
  endpoint: string;
  /** What MRCONFIGID commits to; see `RegistrationRequest` in IEnclaveRegistry.sol. */
  appConfig: Hex;
  /** A block that is among the last 256 when the transaction is mined. */
  recentBlock(): Promise<RecentBlock>;
  /** The newest block, whatever its finality. */
  newestBlock(): Promise<RecentBlock & { timestamp: bigint }>;
  consent(): Promise<OperatorConsent>;
  /** The cheapest way to have a whole quote verified. */
  prove(quote: Uint8Array): Promise<Proof>;
  /** Every TCB evidence that was sent, whatever came of it: the registry remembers one of them. Grows. */
  shown: Set<Hex>;
};

/**
 * The keys of this enclave on the deployment's chain.
 *
 * @example
 * const binding = bindingOf(deployment, operator, identity)
 */
export function bindingOf(deployment: Deployment, operator: Address, identity: EnclaveIdentity): EnclaveBinding {
  return {
    chainId: BigInt(deployment.chainId),
    registry: deployment.contracts.enclaveRegistry,
    operator,
    signingKey: identity.signingKey,
    vaultKey: identity.vaultKey,
  };
}

/**
 * Registers this enclave; waits until it is mined.
 *
 * @throws {@link OutdatedProofError} (retryable), {@link PlatformNotAllowedError}, `OperatorConsentError` (retryable),
 * `PlatformError`, what `prove` and the sender throw.
 * @example
 * const { expiresAt } = await register(ports)
 */
export async function register(ports: RegistrationPorts): Promise<Registration> {
  const { identity, deployment, operator, endpoint, appConfig } = ports;
  const { validUntil, signature: consent } = await ports.consent();
  const { block, quote, proof } = await freshProof(ports);
  const { enclaveRegistry } = deployment.contracts;
  const message = { operator, vaultKeyHash: keccak256(identity.vaultKey), endpoint, blockNumber: block.number };
  const signature = identity.signDigest(hashRegistration(domainOf(deployment.chainId, enclaveRegistry), message));
  const { signingKey, vaultKey } = identity;
  const request = { operator, signingKey, vaultKey, endpoint, appConfig, blockNumber: block.number };
  const data = encodeFunctionData({
    abi: enclaveRegistryAbi,
    functionName: "register",
    args: [proof.quote, proof.evidence, request, signature, { validUntil, signature: consent }],
  });
  const sent = await send(ports, data, block, async () => (await recordOf(ports)) !== undefined);
  return recorded(ports, { quote, transactionHash: hashOf(sent) });
}

/**
 * Prolongs the registration under a fresh quote; waits until it is mined.
 *
 * @throws as {@link register} does, but for the consent, which a renewal does not need; {@link ForeignEvidenceError}.
 * @example
 * registration = await renew(ports, registration)
 */
export async function renew(ports: RegistrationPorts, registration: Registration): Promise<Registration> {
  const { identity, appConfig } = ports;
  const vaultKeyHash = keccak256(identity.vaultKey);
  const before = await ports.reader.enclave(identity.signingKey, { blockHash: (await ports.newestBlock()).hash });
  const wasRecorded = (hash: Hex) => evidenceHashOf(identity.vaultKey, hash) === before.evidenceHash;
  const tcbEvidenceHash = [...ports.shown].find(wasRecorded);
  if (tcbEvidenceHash === undefined) throw new ForeignEvidenceError(identity.signingKey, before.evidenceHash);
  const { block, quote, proof } = await freshProof(ports);
  const request = { signingKey: identity.signingKey, vaultKeyHash, tcbEvidenceHash, appConfig };
  const data = encodeFunctionData({
    abi: enclaveRegistryAbi,
    functionName: "renew",
    args: [proof.quote, proof.evidence, { ...request, blockNumber: block.number }],
  });
  await send(ports, data, block, async () => ((await recordOf(ports))?.expiresAt ?? 0n) > before.expiresAt);
  return recorded(ports, { quote, transactionHash: registration.transactionHash });
}

/**
 * What the registry knows of this enclave at the newest block.
 *
 * @returns undefined if it does not know it.
 * @example
 * const record = await recordOf(ports)
 */
export async function recordOf(
  ports: Pick<RegistrationPorts, "identity" | "reader" | "newestBlock">,
): Promise<Enclave | undefined> {
  const { hash: blockHash } = await ports.newestBlock();
  try {
    return await ports.reader.enclave(ports.identity.signingKey, { blockHash });
  } catch (error) {
    if (error instanceof UnknownEnclaveError) return undefined;
    throw error;
  }
}

/** A quote over the keys and a recent block, and how to show it. */
async function freshProof(ports: RegistrationPorts) {
  const block = await ports.recentBlock();
  const binding = bindingOf(ports.deployment, ports.operator, ports.identity);
  const quote = await ports.platform.quote(registrationReportData(binding, block.number, block.hash));
  const proof = await ports.prove(hexToBytes(quote.quote));
  ports.shown.add(proof.tcbEvidenceHash);
  return { block, quote, proof };
}

async function send(
  { sender, deployment }: RegistrationPorts,
  data: Hex,
  block: RecentBlock,
  alreadyDone: () => Promise<boolean>,
): Promise<Sent> {
  try {
    return await sender.send({ to: deployment.contracts.enclaveRegistry, data }, alreadyDone);
  } catch (error) {
    if (!(error instanceof TransactionRefusedError)) throw error;
    if (outdated.test(error.errorName)) throw new OutdatedProofError(block.number, error);
    throw notAllowed.test(error.errorName) ? new PlatformNotAllowedError(error) : error;
  }
}

async function recorded(
  ports: RegistrationPorts,
  made: Omit<Registration, "expiresAt" | "tcbStatus" | "platformId">,
): Promise<Registration> {
  const { hash: blockHash } = await ports.newestBlock();
  const { expiresAt, tcbStatus, platformId } = await ports.reader.enclave(ports.identity.signingKey, { blockHash });
  return { ...made, expiresAt, tcbStatus, platformId };
}

function hashOf(sent: Sent): Hex | undefined {
  return sent.status === "mined" ? sent.receipt.transactionHash : undefined;
}

/**
 * What a fresh quote and a fresh look at the chain's collateral cure: the block got too old or was reorganised away;
 * collateral ended or was replaced meanwhile; another enclave of this platform had its attestation key recorded.
 */
const outdated =
  /^(EnclaveRegistry_(StaleBlock|ReportDataMismatch)|TdxVerifier_(PlatformNotRecorded|WrongRevocationHint|UnknownIssuer)|TdxCollateral_(Missing|Expired))$/;
/** What no waiting cures: Intel's verdict on the platform. */
const notAllowed = /^TdxVerifier_(TcbStatusNotAllowed|CertificateRevoked|IssuerRevoked)$/;

/** What the quote was made and shown with is not what the chain has now. */
export class OutdatedProofError extends BaseError {
  override readonly name = "Registration.OutdatedProofError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint, cause: TransactionRefusedError) {
    super(`The registry does not take a quote made at block ${blockNumber}: ${cause.errorName}.`, {
      hint:
        "A fresh quote is made. If EnclaveRegistry_StaleBlock stays, blocks get final too slowly: set HEAD_POLICY to " +
        "fewer confirmations.",
      retryable: true,
      cause,
    });
    this.blockNumber = blockNumber;
  }
}

/** Intel's collateral says that this platform is not to be trusted as it is. */
export class PlatformNotAllowedError extends BaseError {
  override readonly name = "Registration.PlatformNotAllowedError";
  /** The contract's error and its arguments. */
  readonly errorName: string;
  readonly args: readonly unknown[];
  constructor(cause: TransactionRefusedError) {
    super(`The registry does not take this platform: ${cause.errorName}(${cause.args.map(String).join(", ")}).`, {
      hint:
        "Update the host (microcode, TDX module, quoting enclave) as Intel's advisories say and have it certified anew, " +
        "or run the worker on another host; then start it again.",
      cause,
    });
    this.errorName = cause.errorName;
    this.args = cause.args;
  }
}

/** The registry's record is not of any evidence that this worker showed. */
export class ForeignEvidenceError extends BaseError {
  override readonly name = "Registration.ForeignEvidenceError";
  constructor(signingKey: Address, evidenceHash: Hex) {
    super(`The registry holds evidence ${evidenceHash} of enclave ${signingKey}, which this worker never showed.`, {
      hint: "The RPC provider is faulty or lies: use another one.",
      retryable: true,
    });
  }
}
