/**
 * Room: sdk/cvm/verifyCvm. Everything a stranger can check of a dstack VM from files: quote, event log, manifest, Info.
 * Pure: no clock, no network; the same files always give the same lines.
 */
import { bytesToHex, type Hex } from "viem";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { measurementsOf } from "../../protocol/quote/mrConfigId.ts";
import { isMissing } from "../audit/evidence.ts";
import type { AuditLine } from "../audit/line.ts";
import { plainText } from "../plainText.ts";
import type { Script } from "./appCompose.ts";
import { type CvmCase, type CvmEvidence, type CvmPolicy, measuredManifest, openCase } from "./case.ts";
import { locationEnvs } from "./envs.ts";
import { appLines } from "./lines/app.ts";
import { bootLines } from "./lines/boot.ts";
import { boundLines } from "./lines/bound.ts";
import { claimsLines, unprovenClaims } from "./lines/claims.ts";
import { identityLines } from "./lines/identity.ts";
import { infoLines } from "./lines/info.ts";
import { quoteLines } from "./lines/quote.ts";

/** What the examination of a VM came to. */
export type CvmReport = {
  /** The root key is not Intel's. */
  simulated: boolean;
  /** What the quote measured; undefined: what it takes to know was not given. */
  measured: { reportData: Hex; mrConfigId: Hex; composeHash: Hex | undefined; workloadId: Hex | undefined };
  lines: AuditLine[];
  /** What is allowed, and worth a thought. */
  warnings: string[];
  /** Scripts of the measured manifest: they run as root. */
  scripts: Script[];
};

/**
 * Examines a VM.
 *
 * @throws `UnsupportedQuoteError` | `MalformedQuoteError`: without a quote there is nothing to examine.
 * @example
 * const { lines } = await verifyCvm({ answer: readQuoteAnswer(bytes) }, policy)
 */
export async function verifyCvm(evidence: CvmEvidence, policy: CvmPolicy): Promise<CvmReport> {
  const found = openCase(evidence, policy);
  const { config, report } = found;
  const quote = await quoteLines(found);
  const { scripts, warnings } = noteworthy(found);
  if (quote[0]?.verdict !== "verified") warnings.unshift("nobody signed this quote: what it measures may be made up");
  return {
    simulated: policy.rootKey !== intelRootKey,
    measured: {
      reportData: bytesToHex(report.reportData),
      mrConfigId: bytesToHex(report.mrConfigId),
      composeHash: isMissing(config) ? undefined : config.composeHash,
      workloadId: isMissing(config) ? undefined : workloadIdOf(measurementsOf(report, config.evidence)),
    },
    lines: [
      ...quote,
      ...boundLines(found),
      ...bootLines(found),
      ...appLines(found),
      ...identityLines(found),
      ...infoLines(found),
      ...claimsLines(found),
    ],
    warnings: [...warnings, ...unprovenWords(found)],
    scripts,
  };
}

/** Fields that nothing examined here speaks for: whoever wrote them may have made them up. */
function unprovenWords(found: CvmCase): string[] {
  const words = [...unprovenClaims(found), ...(found.evidence.info?.unproven ?? []).map((field) => `${field} in Info`)];
  return words.length === 0 ? [] : [`nobody here speaks for ${plainText(words.join(", "), 300)}`];
}

function noteworthy(found: CvmCase): Pick<CvmReport, "warnings" | "scripts"> {
  let manifest: ReturnType<typeof measuredManifest>;
  try {
    manifest = measuredManifest(found);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { warnings: [], scripts: [] }; // the lines say it
  }
  if (isMissing(manifest)) return { warnings: [], scripts: [] };
  const places = locationEnvs(manifest.allowedEnvs);
  const warnings = {
    "anyone may read the containers' logs (public_logs)": manifest.publicLogs,
    "anyone may read load, memory and disks of the VM (public_sysinfo)": manifest.publicSysinfo,
    [`the host may choose whom the app talks to: ${plainText(places.join(", "), 300)}`]: places.length > 0,
  };
  return {
    warnings: Object.entries(warnings).flatMap(([warning, applies]) => (applies ? [warning] : [])),
    scripts: manifest.scripts,
  };
}
