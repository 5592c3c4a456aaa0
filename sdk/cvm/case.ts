/**
 * Room: sdk/cvm/case. One VM under examination: what it showed, what is asked of it, and what could be read of it. Pure.
 */
import { type Hex, sha256 } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { type SystemEvents, verifyEventLog } from "../../protocol/quote/eventLog.ts";
import { type LaunchConfig, readLaunchConfig } from "../../protocol/quote/launchConfig.ts";
import { parseQuote } from "../../protocol/quote/parseQuote.ts";
import type { TdReport } from "../../protocol/quote/tdReport.ts";
import { type VerifiedQuote, verifyQuote } from "../../protocol/quote/verifyQuote.ts";
import { isMissing, type Missing } from "../audit/evidence.ts";
import type { Finding } from "../audit/line.ts";
import { type AppCompose, maxAppComposeSize, readAppCompose } from "./appCompose.ts";
import type { KnownBinding, WorkerClaims } from "./attestation.ts";
import { type ComposeFile, readComposeFile } from "./composeFile.ts";
import type { Info, QuoteAnswer } from "./evidence.ts";

/** What a VM showed of itself. */
export type CvmEvidence = {
  answer: QuoteAnswer;
  /** JSON text; else the answer's, else the one in `info`. */
  eventLog?: string | undefined;
  /** The manifest's raw bytes; else the text in `info`. */
  appCompose?: Uint8Array | undefined;
  info?: Info | undefined;
  /** Preimage or document that MRCONFIGID of version 2 or 3 commits to; else the host's `mr_config`, else the log's. */
  mrConfig?: Uint8Array | undefined;
  /** What a worker says of the quote. */
  claims?: WorkerClaims | undefined;
};

/** What is asked of a VM. */
export type CvmPolicy = {
  /** x || y of the P-256 key that quotes must go back to. */
  rootKey: Hex;
  /** Unix seconds: when the certificates must be valid. */
  at: number;
  /** Names that the host may set. */
  allowedEnvs: readonly string[];
  /** SHA-256 of scripts that were read and found good. */
  acceptedScripts: readonly Hex[];
  /** `os-image-hash` of images that are trusted. */
  allowedOsImages: readonly Hex[];
  expectedComposeHash?: Hex | undefined;
  expectedWorkload?: Hex | undefined;
  /** Right-padded with zeros to 64 bytes, as dstack does. */
  expectedReportData?: Hex | undefined;
  /** 32 bytes that the worker was asked with. */
  nonce?: Hex | undefined;
  /** The block that a registration's quote names. */
  block?: { number: bigint; hash: Hex } | undefined;
  /** What is known of the worker from elsewhere. */
  expectedBinding?: KnownBinding | undefined;
  /** SHA-256 of the build manifest of one's own build. */
  expectedBuildManifest?: Hex | undefined;
  /** Judges the platform's patch level by Intel's collateral; without it nobody does. */
  judge?: ((quote: Uint8Array, at: number, rootKey: Hex) => Finding | Promise<Finding>) | undefined;
};

/** A VM under examination. What could not be read says why. */
export type CvmCase = {
  evidence: CvmEvidence;
  policy: CvmPolicy;
  report: TdReport;
  /** The quote, with its signatures; else why they do not hold. */
  verified: VerifiedQuote | Missing;
  eventLog: string | Missing;
  /** The system's events, of a log that replays to the quote's RTMR3. */
  system: SystemEvents | Missing;
  config: LaunchConfig | Missing;
  appCompose: { bytes: Uint8Array; hash: Hex } | Missing;
};

/**
 * Reads what can be read.
 *
 * @throws what `parseQuote` throws: without a quote there is nothing to examine.
 * @example
 * const found = openCase(evidence, policy)
 */
export function openCase(evidence: CvmEvidence, policy: CvmPolicy): CvmCase {
  const { report } = parseQuote(evidence.answer.quote);
  const eventLog = eventLogOf(evidence);
  const system = isMissing(eventLog) ? eventLog : attempt(() => verifyEventLog(eventLog, report.rtMr3));
  const config = attempt(() => configOf(report, system, evidence));
  const verified = attempt(() => verifyQuote(evidence.answer.quote, policy.rootKey, policy.at));
  return { evidence, policy, report, verified, eventLog, system, config, appCompose: appComposeOf(evidence) };
}

/**
 * The launch configuration.
 *
 * @throws what `readLaunchConfig` throws.
 * @example
 * const config = configOf(report, system, evidence)
 */
export function configOf(
  report: TdReport,
  system: SystemEvents | Missing,
  { answer, info, mrConfig }: CvmEvidence,
): LaunchConfig | Missing {
  const document = answer.vmConfig?.mrConfig ?? info?.vmConfig?.mrConfig;
  const given = mrConfig ?? (report.mrConfigId[0] === 3 && document ? new TextEncoder().encode(document) : undefined);
  return (
    readLaunchConfig(report.mrConfigId, isMissing(system) ? undefined : system, given) ?? {
      missing: "what MRCONFIGID commits to is neither given nor follows from an event log that replays",
    }
  );
}

/**
 * The measured compose hash: MRCONFIGID's, else the log's.
 *
 * @example
 * const hash = measuredComposeHash(found)
 */
export function measuredComposeHash({ config, system }: CvmCase): { composeHash: Hex } | Missing {
  return isMissing(config) ? system : config;
}

/**
 * The manifest, if it is the measured one.
 *
 * @throws `BadAppComposeError`
 * @example
 * const manifest = measuredManifest(found)
 */
export function measuredManifest(found: CvmCase): AppCompose | Missing {
  const { appCompose } = found;
  const measured = measuredComposeHash(found);
  if (isMissing(appCompose)) return appCompose;
  if (isMissing(measured)) return { missing: `which manifest was measured is not known: ${measured.missing}` };
  if (appCompose.hash !== measured.composeHash) return { missing: "the manifest at hand is not the measured one" };
  return readAppCompose(appCompose.bytes);
}

/**
 * The compose file of the manifest, if that is the measured one.
 *
 * @throws `BadAppComposeError` | `BadYamlError`
 * @example
 * const compose = measuredCompose(found)
 */
export function measuredCompose(found: CvmCase): ComposeFile | Missing {
  const manifest = measuredManifest(found);
  return isMissing(manifest) ? manifest : readComposeFile(manifest.composeFile);
}

function eventLogOf({ answer, eventLog, info }: CvmEvidence): string | Missing {
  const text = eventLog ?? answer.eventLog ?? info?.eventLog;
  return text === undefined || text === "" ? { missing: "no event log was given" } : text;
}

function appComposeOf({ appCompose, info }: CvmEvidence): CvmCase["appCompose"] {
  const bytes = appCompose ?? (info?.appCompose ? new TextEncoder().encode(info.appCompose) : undefined);
  if (bytes === undefined) return { missing: "no app-compose manifest was given" };
  if (bytes.length > maxAppComposeSize) return { missing: `the manifest has more than ${maxAppComposeSize} bytes` };
  return { bytes, hash: sha256(bytes) };
}

function attempt<T>(read: () => T): T | Missing {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { missing: error.message };
  }
}
