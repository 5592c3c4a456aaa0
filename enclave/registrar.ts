/**
 * Room: enclave/registrar. Composes the rooms that get this enclave registered and keep it so: collateral, consent, quote,
 * transaction.
 */
import type { Hex, PublicClient } from "viem";
import { enclaveRegistryAbi } from "../protocol/abi.ts";
import { answered } from "../protocol/chain/rpc.ts";
import { fetchCollateral } from "../protocol/collateral/pcs.ts";
import { domainOf } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { EnclaveIdentity } from "./attestation/identity.ts";
import { keepRegistered } from "./attestation/keepRegistered.ts";
import { consentOf } from "./attestation/operatorConsent.ts";
import type { TdxPlatform } from "./attestation/platform.ts";
import { type Registration, type RegistrationPorts, register } from "./attestation/registration.ts";
import { isWorthRenewing } from "./attestation/renewal.ts";
import { openChainCalls } from "./chain/chainCalls.ts";
import type { Reader } from "./chain/reader.ts";
import { findRecordedKeyHash } from "./chain/recordedKeyHash.ts";
import type { Sender } from "./chain/sender.ts";
import { createCollateralKeeper } from "./collateral/collateralKeeper.ts";
import { pcsGet } from "./collateral/pcsGet.ts";
import type { Config } from "./config.ts";
import { anchorOf, headBlock } from "./jobs/jobChain.ts";
import type { Logger } from "./log/logger.ts";
import { isSignedByOwner } from "./vault/ownerSignature.ts";

/** Longest time ahead that collateral is kept good for, in seconds: Intel's lasts 30 days. */
const maxHorizonSeconds = 7 * 86_400;

/** What a registrar is made from. */
export type RegistrarPorts = {
  client: PublicClient;
  config: Config;
  log: Logger;
  /** Aborting ends whatever is under way. */
  signal: AbortSignal;
  platform: TdxPlatform;
  identity: EnclaveIdentity;
  /** See `Measured`. */
  appConfig: Hex;
  sender: Sender;
  reader: Reader;
};

/** See {@link createRegistrar}. */
export type Registrar = {
  register(): Promise<Registration>;
  /** Keeps the registration alive until the signal aborts; see `keepRegistered`. */
  keep(
    first: Registration,
    changed: (registration: Registration | undefined) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Unix seconds: until when the chain's collateral judges this platform, as last seen. */
  collateralUntil(): bigint | undefined;
};

/**
 * Makes a registrar.
 *
 * @throws RpcFailedError, if the registry cannot be asked how long registrations live.
 * @example
 * const registrar = await createRegistrar(ports);
 * const registration = await registrar.register();
 */
export async function createRegistrar(ports: RegistrarPorts): Promise<Registrar> {
  const { client, config, log, signal, platform, identity, appConfig, sender, reader } = ports;
  const { deployment, operator, endpoint, collateralUrl, authorization: given } = config;
  const { chainId, contracts } = deployment;
  const registry = { address: contracts.enclaveRegistry, abi: enclaveRegistryAbi } as const;
  const asked = client.readContract({ ...registry, functionName: "maxLifeSeconds" });
  const maxLifeSeconds = await answered("eth_call", asked);
  const newestBlock = () => headBlock(client, "latest");
  const timestamp = async () => (await newestBlock()).timestamp;

  const collateral = createCollateralKeeper({
    chain: openChainCalls(client),
    deployment,
    sender,
    fetch: collateralUrl === undefined ? undefined : (wanted) => fetchCollateral(pcsGet(signal), collateralUrl, wanted),
    recordedKeyHash: findRecordedKeyHash(client, deployment),
    timestamp,
    horizonSeconds: Math.min(Number(maxLifeSeconds), maxHorizonSeconds),
    recorded: (item, transaction) => log.info("collateral.recorded", { item, transaction }),
    problem: (error) => warn("collateral.refresh", error),
  });
  const registering: RegistrationPorts = {
    platform,
    identity,
    sender,
    reader,
    deployment,
    operator,
    endpoint,
    appConfig,
    recentBlock: () => anchorOf(client, config.headPolicy),
    newestBlock,
    consent: () =>
      consentOf({
        domain: domainOf(chainId, contracts.enclaveRegistry),
        operator,
        agent: sender.address,
        given,
        now: timestamp,
        isSignedBy: (owner, digest, signature) => isSignedByOwner(client, owner, digest, signature),
      }),
    prove: collateral.prove,
    shown: new Set(),
  };

  function warn(what: string, error: unknown): void {
    const hint = error instanceof BaseError ? error.hint : undefined;
    log.warn(what, { error: error instanceof Error ? error : new Error("not an error"), hint });
  }

  return {
    register: () => register(registering),
    keep: (first, changed, stopped) =>
      keepRegistered(registering, first, {
        everyMs: 10 * config.pollMs,
        signal: stopped,
        changed,
        problem: (error) => warn("enclave.register", error),
        worthRenewing: async ({ expiresAt }) =>
          isWorthRenewing(await timestamp(), expiresAt, await collateral.refresh(), maxLifeSeconds),
      }),
    collateralUntil: collateral.until,
  };
}
