/**
 * Room: simulator/collateral. What Intel would publish of the simulated platform, under its root. Pure.
 * Source: Intel PCS API v4; compared byte by byte with Intel's in tests.
 */
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { BaseError } from "../protocol/errors.ts";
import { type Authorities, commonNames } from "./authorities.ts";
import { intelName } from "./certificate.ts";
import { type CrlTerms, issueCrl } from "./crl.ts";
import { signP256 } from "./ecdsa.ts";
import type { IsvLevel, ModuleIdentity, QeIdentity, TcbInfo, TcbLevel, TcbStatus } from "./tcbInfo.ts";
import { qeIdentityOf, quotingEnclaveSvn, tcbInfoOf } from "./tcbInfo.ts";

/** What to publish. */
export type CollateralOptions = {
  /** Unix seconds: issue date of every item. */
  now: number;
  /** Until the next update of every item; Intel's 30 days by default. */
  lifeSeconds?: number;
  /**
   * Verdicts on what the platform runs: itself, its TDX module, its quoting enclave. One that calls for an update comes
   * with an up-to-date level above it, as in a TCB recovery.
   */
  statuses?: { platform?: TcbStatus; module?: TcbStatus; qe?: TcbStatus };
  /** Serial numbers: of PCK certificates, and of certificates that the root has issued. */
  revoked?: { leaves?: readonly Uint8Array[]; authorities?: readonly Uint8Array[] };
  /** Fields to say otherwise, among them `tcbEvaluationDataNumber`. */
  tcbInfo?: Partial<TcbInfo>;
  qeIdentity?: Partial<QeIdentity>;
  pckCrl?: Partial<CrlTerms>;
  rootCaCrl?: Partial<CrlTerms>;
};

const thirtyDays = 30 * 24 * 3600;
/** Index of the identity of the simulated platform's module, TDX_01. */
const ownModule = 1;

/** Last second of the year 9999: no date after it can be written. */
const lastSecond = 253_402_300_799;

/**
 * Publishes collateral for the platforms below these authorities.
 *
 * @throws {@link BadIssueDateError} if `now` or the end of the life is no date.
 * @example
 * const collateral = simulatedCollateral(createAuthorities(secrets), { now: 1_787_184_000 })
 */
export function simulatedCollateral(authorities: Authorities, options: CollateralOptions): Collateral {
  const { now, lifeSeconds = thirtyDays, statuses = {}, revoked = {} } = options;
  const { keys, certificates } = authorities;
  for (const time of [now, now + lifeSeconds]) {
    if (!Number.isInteger(time) || time < 0 || time > lastSecond) throw new BadIssueDateError(time);
  }
  const dates = { issueDate: isoSeconds(now), nextUpdate: isoSeconds(now + lifeSeconds) };
  const updates = { thisUpdate: new Date(now * 1000), nextUpdate: new Date((now + lifeSeconds) * 1000) };
  const crl = (issuer: "root" | "pckCa", serials: readonly Uint8Array[] = [], changes: Partial<CrlTerms> = {}) =>
    issueCrl(
      {
        issuer: intelName(commonNames[issuer]),
        issuerKey: keys[issuer].publicKey,
        number: 1,
        ...updates,
        revoked: serials,
        moreExtensions: [],
        ...changes,
      },
      keys[issuer],
    );

  const info = tcbInfoOf(dates);
  const identity = qeIdentityOf(dates);
  const tcbInfo = utf8ToBytes(
    JSON.stringify({
      ...info,
      tdxModuleIdentities: info.tdxModuleIdentities.map((module, index) =>
        index === ownModule ? judgeModule(module, statuses.module) : module,
      ),
      tcbLevels: judge(info.tcbLevels, statuses.platform, updatedPlatform),
      ...options.tcbInfo,
    }),
  );
  const qeIdentity = utf8ToBytes(
    JSON.stringify({
      ...identity,
      tcbLevels: judge(identity.tcbLevels, statuses.qe, (level) => updatedIsv(level, quotingEnclaveSvn)),
      ...options.qeIdentity,
    }),
  );
  return {
    tcbInfo,
    tcbInfoSignature: signP256(tcbInfo, keys.tcbSigning, "compact"),
    qeIdentity,
    qeIdentitySignature: signP256(qeIdentity, keys.tcbSigning, "compact"),
    tcbSigning: certificates.tcbSigning,
    pckCa: certificates.pckCa,
    rootCa: certificates.root,
    rootCaCrl: crl("root", revoked.authorities, options.rootCaCrl),
    pckCrl: crl("pckCa", revoked.leaves, options.pckCrl),
  };
}

/**
 * A time as Intel's JSON writes it.
 *
 * @param unixSeconds - whole seconds.
 * @example
 * isoSeconds(0) // "1970-01-01T00:00:00Z"
 */
export function isoSeconds(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z");
}

/* VERDICTS */

const advisoryIDs = ["INTEL-SA-99999"];

/** Says `status` of the first level; where that calls for an update, there is one: an up-to-date level above. */
function judge<Level extends TcbLevel | IsvLevel>(
  levels: readonly Level[],
  status: TcbStatus = "UpToDate",
  updated: (level: Level) => Level,
): readonly Level[] {
  const [first, ...rest] = levels;
  if (first === undefined || status === "UpToDate") return levels;
  const judged = { ...first, tcbStatus: status, advisoryIDs };
  const needsUpdate = status === "Revoked" || status.startsWith("OutOfDate");
  return needsUpdate ? [updated(first), judged, ...rest] : [judged, ...rest];
}

function judgeModule(module: ModuleIdentity, status: TcbStatus | undefined): ModuleIdentity {
  return { ...module, tcbLevels: judge(module.tcbLevels, status, (level) => updatedIsv(level, level.tcb.isvsvn)) };
}

/** Above `isvsvn`. */
function updatedIsv(level: IsvLevel, isvsvn: number): IsvLevel {
  return { ...level, tcb: { isvsvn: isvsvn + 1 } };
}

/** With the next microcode: first two SGX components, third TDX component. */
function updatedPlatform(level: TcbLevel): TcbLevel {
  const { sgxtcbcomponents, pcesvn, tdxtcbcomponents } = level.tcb;
  const raise = (components: typeof sgxtcbcomponents, which: readonly number[]) =>
    components.map((component, index) =>
      which.includes(index) ? { ...component, svn: component.svn + 1 } : component,
    );
  const tcb = {
    sgxtcbcomponents: raise(sgxtcbcomponents, [0, 1]),
    pcesvn,
    tdxtcbcomponents: raise(tdxtcbcomponents, [2]),
  };
  return { ...level, tcb };
}

/** Collateral cannot be dated so. */
export class BadIssueDateError extends BaseError {
  override readonly name = "Simulator.BadIssueDateError";
  constructor(time: number) {
    super(`Collateral cannot be dated ${time}.`, {
      hint: `Give whole Unix seconds from 0 to ${lastSecond}, not milliseconds.`,
    });
  }
}
