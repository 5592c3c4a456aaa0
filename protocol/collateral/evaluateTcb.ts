/**
 * Room: protocol/collateral. Which TCB status Intel gives a platform, its TDX module and its quoting enclave. Pure.
 * Source: Intel QVL, EvaluateTcb.cpp (4.1.2.5.2) and TDRelaunchCheck.cpp; Intel PCS API v4, "Get TDX TCB Info".
 */
import { BaseError } from "../errors.ts";
import type { Platform } from "../quote/sgxExtension.ts";
import type { QeIdentity } from "./qeIdentity.ts";
import type { EnclaveLevel, ModuleIdentity, TcbInfo, TcbLevel } from "./tcbInfo.ts";
import type { EnclaveStatus, PlatformStatus, TcbStatus } from "./tcbStatus.ts";

/** Of TEE_TCB_SVN: SVN and major version of the TDX module; the SEAM loader and others follow. */
const svnByte = { moduleSvn: 0, moduleVersion: 1, afterModule: 2, end: 16 } as const;

/** A platform's status and what it is made of. */
export type TcbEvaluation = {
  /** All of it converged. */
  status: TcbStatus;
  /** What the TD was launched on. */
  platform: PlatformStatus;
  /** None where the platform's level already covers the module (module version 0). */
  module: EnclaveStatus | undefined;
  qe: EnclaveStatus;
  /** Intel's advisories on every level that was met, each once. */
  advisoryIds: readonly string[];
  /** Date of the platform's level, Unix seconds. */
  tcbDate: number;
  evaluationNumbers: { tcbInfo: number; qeIdentity: number };
};

/** What a PCK certificate says of a platform's SVNs. */
export type PlatformSvns = Omit<Platform, "ppid">;

/**
 * Evaluates a platform by TCB info and QE identity, whose signatures and dates must have been checked.
 *
 * @param platform - of the PCK leaf.
 * @param teeTcbSvn - 16 bytes of the TD report.
 * @param teeTcbSvn2 - 16 bytes of a TDX 1.5 report, undefined for 1.0.
 * @param qeIsvSvn - of the QE report.
 * @throws {@link OtherPlatformError} | {@link UnsupportedTcbError}, for the launch SVNs first
 * @example
 * const { status } = evaluateTcb(info, identity, platform, report.teeTcbSvn, report.teeTcbSvn2, enclave.isvSvn)
 */
export function evaluateTcb(
  tcbInfo: TcbInfo,
  qeIdentity: QeIdentity,
  platform: PlatformSvns,
  teeTcbSvn: Uint8Array,
  teeTcbSvn2: Uint8Array | undefined,
  qeIsvSvn: number,
): TcbEvaluation {
  requirePlatform(tcbInfo, platform);
  const qe = qeIdentity.levels.find(({ isvSvn }) => isvSvn <= qeIsvSvn);
  if (qe === undefined) throw new UnsupportedTcbError("quoting enclave", `ISVSVN ${qeIsvSvn} is below every level`);
  const launch = evaluate(tcbInfo, platform, teeTcbSvn, qe);
  const current = teeTcbSvn2 === undefined ? undefined : evaluate(tcbInfo, platform, teeTcbSvn2, qe);
  const levels = [launch, current].flatMap((one) => (one === undefined ? [] : [one.platform, one.module]));
  return {
    status: current === undefined ? launch.status : relaunchStatus(launch.status, current.status),
    platform: launch.platform.status,
    module: launch.module?.status,
    qe: qe.status,
    advisoryIds: [...new Set([...levels, qe].flatMap((level) => level?.advisoryIds ?? []))],
    tcbDate: launch.platform.tcbDate,
    evaluationNumbers: { tcbInfo: tcbInfo.evaluationNumber, qeIdentity: qeIdentity.evaluationNumber },
  };
}

/**
 * Refuses TCB info of another kind of platform.
 *
 * @throws {@link OtherPlatformError}
 * @example
 * requirePlatform(tcbInfo, readSgxExtension(leaf.sgxExtension))
 */
export function requirePlatform(tcbInfo: TcbInfo, platform: Pick<Platform, "fmspc" | "pceId">): void {
  if (tcbInfo.fmspc !== platform.fmspc) throw new OtherPlatformError("FMSPC", tcbInfo.fmspc, platform.fmspc);
  if (tcbInfo.pceId !== platform.pceId) throw new OtherPlatformError("PCE id", tcbInfo.pceId, platform.pceId);
}

/**
 * The identity of the TDX module of some SVNs; undefined for version 0, which TCB levels cover themselves.
 *
 * @param teeTcbSvn - 16 bytes.
 * @throws {@link UnsupportedTcbError}
 * @example
 * const signer = moduleIdentityOf(tcbInfo, report.teeTcbSvn) ?? tcbInfo.module
 */
export function moduleIdentityOf(tcbInfo: TcbInfo, teeTcbSvn: Uint8Array): ModuleIdentity | undefined {
  const version = teeTcbSvn[svnByte.moduleVersion];
  if (teeTcbSvn.length !== svnByte.end || version === undefined)
    throw new UnsupportedTcbError("TDX module", `TEE_TCB_SVN of ${teeTcbSvn.length} bytes, not 16`);
  if (version === 0) return undefined;
  const identity = tcbInfo.moduleIdentities.find((one) => one.version === version);
  if (identity === undefined)
    throw new UnsupportedTcbError("TDX module", `no identity TDX_${version.toString(16).padStart(2, "0")}`);
  return identity;
}

type Evaluated = { platform: TcbLevel; module: EnclaveLevel | undefined; status: PlatformStatus };

function evaluate(tcbInfo: TcbInfo, platform: PlatformSvns, teeTcbSvn: Uint8Array, qe: EnclaveLevel): Evaluated {
  const identity = moduleIdentityOf(tcbInfo, teeTcbSvn);
  const level = platformLevel(tcbInfo, platform, teeTcbSvn, identity !== undefined);
  const svn = teeTcbSvn[svnByte.moduleSvn] ?? 0;
  const module = identity?.levels.find(({ isvSvn }) => isvSvn <= svn);
  if (identity !== undefined && module === undefined)
    throw new UnsupportedTcbError("TDX module", `SVN ${svn} is below every level of version ${identity.version}`);
  const parts = module === undefined ? [qe.status] : [module.status, qe.status];
  return { platform: level, module, status: converge(level.status, parts) };
}

/** The first level that the platform reaches in all of its SVNs. */
function platformLevel(tcbInfo: TcbInfo, platform: PlatformSvns, teeTcbSvn: Uint8Array, ownModule: boolean): TcbLevel {
  // SVN and version of a module that has an identity of its own are judged by that identity.
  const from = ownModule ? svnByte.afterModule : 0;
  const reaches = (have: ArrayLike<number>, need: readonly number[], start: number) =>
    need.every((svn, i) => i < start || (have[i] ?? -1) >= svn);
  const level = tcbInfo.levels.find(
    ({ sgxSvns, tdxSvns, pceSvn }) =>
      reaches(platform.componentSvns, sgxSvns, 0) && platform.pceSvn >= pceSvn && reaches(teeTcbSvn, tdxSvns, from),
  );
  if (level !== undefined) return level;
  const svns = `SGX ${platform.componentSvns.join(".")}, PCE ${platform.pceSvn}, TDX ${[...teeTcbSvn].join(".")}`;
  throw new UnsupportedTcbError("platform", `${svns} is below every level`);
}

/** Parts that are worse than the platform pull it down; configuration that is needed stays needed. */
function converge(platform: PlatformStatus, parts: readonly EnclaveStatus[]): PlatformStatus {
  if (parts.includes("Revoked")) return "Revoked";
  if (!parts.includes("OutOfDate")) return platform;
  if (platform === "UpToDate" || platform === "SWHardeningNeeded") return "OutOfDate";
  if (platform === "ConfigurationNeeded" || platform === "ConfigurationAndSWHardeningNeeded")
    return "OutOfDateConfigurationNeeded";
  return platform;
}

/** A TD that was launched under an older module than runs now is out of date only until it is launched anew. */
function relaunchStatus(launch: PlatformStatus, current: PlatformStatus): TcbStatus {
  // Stricter than Intel, who looks at what runs now only where the launch was out of date. As in TcbVerdict.sol.
  if (current === "Revoked") return "Revoked";
  const configured = current === "UpToDate" || current === "SWHardeningNeeded";
  const unconfigured = current === "ConfigurationNeeded" || current === "ConfigurationAndSWHardeningNeeded";
  if (launch === "OutOfDate" && configured) return "TDRelaunchAdvised";
  if (launch === "OutOfDate" && unconfigured) return "TDRelaunchAdvisedConfigurationNeeded";
  if (launch === "OutOfDateConfigurationNeeded" && (configured || unconfigured))
    return "TDRelaunchAdvisedConfigurationNeeded";
  return launch;
}

/** TCB info is of another kind of platform than the quote. */
export class OtherPlatformError extends BaseError {
  override readonly name = "Collateral.OtherPlatformError";
  constructor(field: string, expected: string, actual: string) {
    super(`TCB info is for ${field} ${expected}, the quote's platform has ${actual}.`, {
      hint: `Fetch TCB info for the quote's platform: dcm quote show tells its FMSPC.`,
    });
  }
}

/** Intel lists no level that these SVNs reach: they are not supported, whatever the policy. */
export class UnsupportedTcbError extends BaseError {
  override readonly name = "Collateral.UnsupportedTcbError";
  constructor(part: string, fact: string) {
    super(`Intel lists no status for the ${part}: ${fact}.`, {
      hint: "The platform is older than all that Intel supports, or the collateral is older than the platform.",
    });
  }
}
