/**
 * Room: simulator/platform. A software TDX machine with one dstack app booted on it. Its quotes are true in form and
 * in signature; the root they lead to is a throwaway, and nothing in it is secret from its host.
 * What it measures is what real hardware would, but MRTD and registers 0-2, which are made up and the same everywhere.
 */
import { randomBytes } from "node:crypto";
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { type Hex, bytesToHex as toHex } from "viem";
import type { WorkloadMeasurements } from "../protocol/attestationBinding.ts";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { BaseError } from "../protocol/errors.ts";
import { type AppCompose, readAppCompose } from "./appCompose.ts";
import { type AppKeys, createAppKeys } from "./appKeys.ts";
import { createAuthorities } from "./authorities.ts";
import { keyIdentifier, publicKeyInfo } from "./certificate.ts";
import { type CollateralOptions, simulatedCollateral } from "./collateral.ts";
import { bootEvents, replay, runtimeEvent, type TdEvent } from "./eventLog.ts";
import { type MrConfigVersion, mrConfigIdOf } from "./mrConfigId.ts";
import { issuePckChain } from "./pckChain.ts";
import { createQuotingEnclave, type QuoteForm } from "./quotingEnclave.ts";
import { type P256KeyPair, p256KeyPair, type Secrets, secretsOf, seedSize } from "./secrets.ts";
import type { TdReport } from "./tdReport.ts";

/** What a platform is made from. */
export type PlatformOptions = {
  /** Raw app-compose.json. */
  appCompose: string;
  /** 32 bytes from which all keys grow, so that a restart is the same machine. Random by default. */
  seed?: Uint8Array;
  /** Which of the machines under one seed: they share the authorities, and nothing else. One without a name by default. */
  machine?: string;
  /** Of its quotes; version 4 by default. */
  quoteForm?: QuoteForm;
  /** Of MRCONFIGID; 1 by default. */
  mrConfigVersion?: MrConfigVersion;
};

/** A booted platform. */
export type Platform = {
  /** x || y of the root CA's P-256 key: what a verifier must be given to believe this platform. */
  rootKey: Hex;
  /** All of its keys grow from these. They protect nothing. */
  secrets: Secrets;
  /** DER. */
  certificates: { root: Uint8Array; pckIssuer: Uint8Array; pckLeaf: Uint8Array; tcbSigning: Uint8Array };
  /** Serial numbers, to revoke by. */
  serials: { pckIssuer: Uint8Array; pckLeaf: Uint8Array; tcbSigning: Uint8Array };
  /** 16 bytes. */
  ppid: Uint8Array;
  appCompose: AppCompose;
  /** 20 bytes: the head of the compose hash. */
  appId: Uint8Array;
  /** 20 bytes, or none if the manifest wants none. */
  instanceId: Uint8Array;
  /** sha256 of the simulated OS image's name. */
  osImageHash: Uint8Array;
  /** What is behind the hash in MRCONFIGID of version 2, the document of version 3; empty for version 1. */
  mrConfigPreimage: Uint8Array;
  /** JSON of who provides the app's keys. */
  keyProviderInfo: string;
  keyOf: AppKeys;
  /** Signs the app's TLS certificates. */
  appCaKeys: P256KeyPair;
  /** What makes the workload id; see `workloadIdOf`. */
  workload: WorkloadMeasurements;
  /** Everything measured so far. */
  events(): readonly TdEvent[];
  /** Measures an event into register 3; quotes made later show it. */
  extend(name: string, payload: Uint8Array): void;
  /** The TD report that a quote of now would carry. */
  report(reportData: Uint8Array, overrides?: Partial<TdReport>): TdReport;
  /**
   * A signed quote, padded with zeros as on hardware.
   *
   * @param reportData - 64 bytes.
   * @param overrides - fields to falsify before signing: for tests of what a verifier must refuse.
   */
  quote(reportData: Uint8Array, overrides?: Partial<TdReport>): Uint8Array;
  /**
   * What Intel would publish of this platform: up to date, nothing revoked.
   *
   * @param options - what to publish instead. `now` is an hour ago by default, so that no chain's clock is behind it.
   */
  collateral(options?: Partial<CollateralOptions>): Collateral;
};

const hourSeconds = 3600;

/** Most events measured after boot; a real log is bounded by its VM's memory. */
export const maxAppEvents = 1024;

const zeros = (length: number) => new Uint8Array(length);
const madeUp = (what: string) => sha384(utf8ToBytes(`SIMULATED ${what}`));

/**
 * Boots a platform.
 *
 * @throws {@link BadAppComposeError} if the manifest cannot be booted.
 * @throws {@link BadSeedError} if the seed is not 32 bytes.
 * @example
 * const platform = createPlatform({ appCompose });
 * const quote = platform.quote(new Uint8Array(64));
 * const debug = platform.quote(new Uint8Array(64), { tdAttributes: Uint8Array.of(1, 0, 0, 16, 0, 0, 0, 0) });
 */
export function createPlatform(options: PlatformOptions): Platform {
  const appCompose = readAppCompose(options.appCompose);
  const shared = secretsOf(options.seed ?? randomBytes(seedSize));
  const authorities = createAuthorities(shared);
  const { machine } = options;
  const secrets: Secrets =
    machine === undefined ? shared : (label, length) => shared(`${label} of machine ${machine}`, length);
  const chain = issuePckChain(secrets, authorities);
  const quoteOf = createQuotingEnclave(secrets, chain, options.quoteForm);

  const appId = appCompose.hash.subarray(0, 20);
  const instanceId = appCompose.noInstanceId
    ? zeros(0)
    : sha256(concatBytes(secrets("instance", 20), appId)).subarray(0, 20);
  const kmsCa = publicKeyInfo(p256KeyPair(secrets, "KMS CA").publicKey);
  const keyProviderInfo = JSON.stringify({ name: "kms", id: bytesToHex(kmsCa) });
  const osImageHash = sha256(utf8ToBytes("SIMULATED dstack OS image"));

  const events: TdEvent[] = [
    ...bootEvents,
    runtimeEvent("system-preparing", zeros(0)),
    runtimeEvent("app-id", appId),
    runtimeEvent("compose-hash", appCompose.hash),
    runtimeEvent("instance-id", instanceId),
    runtimeEvent("boot-mr-done", zeros(0)),
    runtimeEvent("mr-kms", sha256(utf8ToBytes("SIMULATED KMS"))),
    runtimeEvent("os-image-hash", osImageHash),
    runtimeEvent("key-provider", utf8ToBytes(keyProviderInfo)),
    runtimeEvent("storage-fs", utf8ToBytes(appCompose.storageFs)),
    runtimeEvent("system-ready", zeros(0)),
  ];
  const bootedWith = events.length;

  const teeTcbSvn = hexToBytes("0b010400000000000000000000000000");
  const { mrConfigId, preimage: mrConfigPreimage } = mrConfigIdOf(options.mrConfigVersion ?? 1, {
    composeHash: appCompose.hash,
    appId,
    instanceId,
    keyProviderId: kmsCa,
  });
  const fixed = {
    teeTcbSvn,
    mrSeam: madeUp("TDX module"),
    mrSignerSeam: zeros(48), // zero: signed by Intel
    seamAttributes: zeros(8),
    tdAttributes: hexToBytes("0000001000000000"), // SEPT_VE_DISABLE, no debug
    xfam: hexToBytes("e702060000000000"),
    mrTd: madeUp("virtual firmware"),
    mrConfigId,
    mrOwner: zeros(48),
    mrOwnerConfig: zeros(48),
    rtMr0: replay(bootEvents, 0),
    rtMr1: replay(bootEvents, 1),
    rtMr2: replay(bootEvents, 2),
    teeTcbSvn2: teeTcbSvn, // not updated since the TD was started
    mrServiceTd: zeros(48),
  };

  function report(reportData: Uint8Array, overrides: Partial<TdReport> = {}): TdReport {
    return { ...fixed, rtMr3: replay(events, 3), reportData, ...overrides };
  }

  return {
    rootKey: toHex(authorities.keys.root.publicKey.subarray(1)),
    secrets,
    certificates: {
      root: chain.root,
      pckIssuer: chain.issuer,
      pckLeaf: chain.leaf,
      tcbSigning: authorities.certificates.tcbSigning,
    },
    serials: {
      pckIssuer: keyIdentifier(authorities.keys.pckCa.publicKey),
      pckLeaf: chain.serial,
      tcbSigning: keyIdentifier(authorities.keys.tcbSigning.publicKey),
    },
    ppid: chain.ppid,
    appCompose,
    appId,
    instanceId,
    osImageHash,
    mrConfigPreimage,
    keyProviderInfo,
    keyOf: createAppKeys(secrets, appId),
    appCaKeys: p256KeyPair(secrets, "app CA"),
    workload: {
      composeHash: toHex(appCompose.hash),
      mrTd: toHex(fixed.mrTd),
      rtMr0: toHex(fixed.rtMr0),
      rtMr1: toHex(fixed.rtMr1),
      rtMr2: toHex(fixed.rtMr2),
      tdAttributes: toHex(fixed.tdAttributes),
      xfam: toHex(fixed.xfam),
    },
    events: () => [...events],
    extend(name, payload) {
      if (events.length - bootedWith >= maxAppEvents) throw new TooManyEventsError();
      events.push(runtimeEvent(name, Uint8Array.from(payload)));
    },
    report,
    quote: (reportData, overrides) => quoteOf(report(reportData, overrides)),
    collateral: (options) =>
      simulatedCollateral(authorities, { now: Math.floor(Date.now() / 1000) - hourSeconds, ...options }),
  };
}

/** The platform has measured as many events as it keeps. */
export class TooManyEventsError extends BaseError {
  override readonly name = "Simulator.TooManyEventsError";
  constructor() {
    super(`The event log is full: ${maxAppEvents} events were emitted since boot.`, {
      hint: "Restart the simulator; emit events only for what changes what the TD is.",
    });
  }
}
