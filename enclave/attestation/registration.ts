/**
 * Room: enclave/attestation/registration. Makes the quote that binds this enclave's keys to its code and to a recent
 * block, and has the contract verify and record it.
 */
import { type Address, encodeFunctionData, type Hex, hexToBytes, keccak256 } from "viem";
import { enclaveRegistryAbi } from "../../protocol/abi.ts";
import { type EnclaveBinding, registrationReportData, workloadIdOf } from "../../protocol/attestationBinding.ts";
import { pause } from "../../protocol/chain/pause.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashRegistration } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { measurementsOf } from "../../protocol/quote/mrConfigId.ts";
import { parseQuote, splitQuote } from "../../protocol/quote/parseQuote.ts";
import type { Reader } from "../chain/reader.ts";
import { UnknownEnclaveError } from "../chain/reader.ts";
import { type Sender, TransactionRefusedError } from "../chain/sender.ts";
import type { EnclaveIdentity } from "./identity.ts";
import type { PlatformQuote, TdxPlatform } from "./platform.ts";

/** A block to bind the quote to. */
export type RecentBlock = { number: bigint; hash: Hex };

/** A recorded registration. */
export type Registration = {
  quote: PlatformQuote;
  workloadId: Hex;
  /** Unix seconds. */
  expiresAt: bigint;
  /** Absent if another transaction than ours was mined first. */
  transactionHash: Hex | undefined;
};

/** What registering takes. */
export type RegistrationPorts = {
  platform: TdxPlatform;
  identity: EnclaveIdentity;
  sender: Sender;
  reader: Reader;
  deployment: Deployment;
  operator: Address;
  endpoint: string;
  /** A block that is among the last 256 when the transaction is mined. */
  recentBlock(): Promise<RecentBlock>;
  /** The newest block, whatever its finality. */
  newestBlock(): Promise<RecentBlock>;
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
 * @throws {@link StaleQuoteError} (retryable), `PlatformError`, what reading the quote throws, what the sender throws.
 * @example
 * const { workloadId, expiresAt } = await register(ports)
 */
export async function register(ports: RegistrationPorts): Promise<Registration> {
  const { identity, reader, deployment, operator, endpoint } = ports;
  const block = await ports.recentBlock();
  const binding = bindingOf(deployment, operator, identity);
  const quote = await ports.platform.quote(registrationReportData(binding, block.number, block.hash));
  const bytes = hexToBytes(quote.quote);
  const { quote: body, pckLeaf, pckIssuer } = splitQuote(bytes);
  const domain = domainOf(deployment.chainId, deployment.contracts.enclaveRegistry);
  const vaultKeyHash = keccak256(identity.vaultKey);
  const signature = identity.signDigest(
    hashRegistration(domain, { operator, vaultKeyHash, endpoint, blockNumber: block.number }),
  );
  const data = encodeFunctionData({
    abi: enclaveRegistryAbi,
    functionName: "register",
    args: [
      body,
      pckLeaf,
      pckIssuer,
      { operator, signingKey: identity.signingKey, vaultKey: identity.vaultKey, endpoint, blockNumber: block.number },
      signature,
    ],
  });
  const now = async () => ({ blockHash: (await ports.newestBlock()).hash });
  const sending = ports.sender.send({ to: deployment.contracts.enclaveRegistry, data }, async () =>
    isRegistered(reader, identity.signingKey, await now()),
  );
  const sent = await sending.catch((error: unknown) => {
    throw isStale(error) ? new StaleQuoteError(block.number) : error;
  });
  const recorded = await reader.enclave(identity.signingKey, await now());
  return {
    quote,
    workloadId: workloadIdOf(measurementsOf(parseQuote(bytes).report)),
    expiresAt: recorded.expiresAt,
    transactionHash: sent.status === "mined" ? sent.receipt.transactionHash : undefined,
  };
}

/**
 * Looks now and then whether the registration is still on the chain, and registers anew if a reorganisation dropped it.
 * One that has expired stays as it is: its keys are not renewed. Ends when the signal aborts.
 *
 * @param first - what {@link register} returned.
 * @param to - told of each change (undefined: not registered any more) and of each failure, which is retried.
 * @example
 * await keepRegistered(ports, registration, { everyMs: 40_000, signal, changed, problem })
 */
export async function keepRegistered(
  ports: RegistrationPorts,
  first: Registration,
  to: {
    everyMs: number;
    signal: AbortSignal;
    changed(registration: Registration | undefined): void;
    problem(error: unknown): void;
  },
): Promise<void> {
  let newest = first;
  for (;;) {
    await pause(to.everyMs, to.signal);
    if (to.signal.aborted) return;
    try {
      const at = { blockHash: (await ports.newestBlock()).hash };
      if (!(await isRegistered(ports.reader, ports.identity.signingKey, at))) {
        to.changed(undefined);
        newest = await register(ports);
      }
      to.changed(newest);
    } catch (error) {
      if (!to.signal.aborted) to.problem(error);
    }
  }
}

async function isRegistered(
  reader: Reader,
  signingKey: Address,
  at: Parameters<Reader["enclave"]>[1],
): Promise<boolean> {
  try {
    await reader.enclave(signingKey, at);
    return true;
  } catch (error) {
    if (error instanceof UnknownEnclaveError) return false;
    throw error;
  }
}

/** The block is too old by now, or was reorganised away: then the chain knows another hash than the quote is bound to. */
function isStale(error: unknown): boolean {
  return (
    error instanceof TransactionRefusedError &&
    ["EnclaveRegistry_StaleBlock", "EnclaveRegistry_ReportDataMismatch"].includes(error.errorName)
  );
}

/** The block that the quote is bound to is no longer one that the registry takes. */
export class StaleQuoteError extends BaseError {
  override readonly name = "Registration.StaleQuoteError";
  readonly blockNumber: bigint;
  constructor(blockNumber: bigint) {
    super(`The registry no longer takes a quote that is bound to block ${blockNumber}.`, {
      hint: "A fresh quote is made. If it stays, blocks get final too slowly: set HEAD_POLICY to fewer confirmations.",
      retryable: true,
    });
    this.blockNumber = blockNumber;
  }
}
