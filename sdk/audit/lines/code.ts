/**
 * Room: sdk/audit/lines/code. Whether what was measured is the code that people agreed on. Pure.
 */
import { type Hex, hexToBytes, isAddressEqual, sha256, stringToBytes } from "viem";
import { isSimulated } from "../../../protocol/deployment.ts";
import { unpackProgram } from "../../../protocol/program.ts";
import { EventLogMismatchError, verifyEventLog } from "../../../protocol/quote/eventLog.ts";
import { composeHashOf } from "../../../protocol/quote/mrConfigId.ts";
import type { TdReport } from "../../../protocol/quote/tdReport.ts";
import { readAppCompose } from "../../cvm/appCompose.ts";
import { readComposeFile } from "../../cvm/composeFile.ts";
import { isPinned } from "../../cvm/composeService.ts";
import type { Believed } from "../believed.ts";
import { type Evidence, isMissing, type Missing, type WorkerEvidence } from "../evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";
import { verifyRegistered } from "../verifiedReport.ts";

/** What the worker shows of itself. */
type Shown = Exclude<WorkerEvidence["attestation"], Missing>;

const otherBoot = "the worker runs under another key now, so that its answers are of another boot";

/**
 * Judges the measured configuration and the program.
 *
 * @example
 * lines.push(...codeLines(evidence, believed))
 */
export function codeLines(evidence: Evidence, believed: Believed): AuditLine[] {
  const { attestation } = evidence.worker;
  const compose = line("code.compose", "The compose file that the worker shows is the one that was measured", () =>
    withReport(evidence, (report, appConfig) =>
      given(attestation, (shown) => judgeCompose(evidence, shown, composeHashOf(report.mrConfigId, appConfig))),
    ),
  );
  const ofMeasured = (look: (appCompose: string) => Finding) => () =>
    compose.verdict === "verified"
      ? given(attestation, ({ appCompose }) => look(appCompose))
      : unknown(`the measured compose file is not at hand: ${compose.reason}`);
  return [
    line("code.expected", "The workload is the one that the auditor expects", () =>
      judgeExpected(evidence, believed.workloadId),
    ),
    compose,
    line(
      "code.launch",
      "Beside its compose file the measured manifest starts nothing, and lets the host set and read nothing that decides",
      ofMeasured((appCompose) => judgeLaunch(evidence, appCompose)),
    ),
    line("code.boot", "The event log that the worker shows is what the enclave booted", () =>
      withReport(evidence, (report, appConfig) =>
        given(attestation, (shown) => judgeBoot(evidence, report, composeHashOf(report.mrConfigId, appConfig), shown)),
      ),
    ),
    line(
      "code.images",
      "The container images are built from the published source",
      ofMeasured((appCompose) => judgeImages(evidence, believed, appCompose)),
    ),
    line("code.program", "The program bundle is the program that was agreed on", () =>
      given(evidence.program, (bytes) => judgeProgram(evidence, bytes)),
    ),
  ];
}

function withReport(evidence: Evidence, look: (report: TdReport, appConfig: Uint8Array) => Finding): Finding {
  return given(evidence.registration, (found) =>
    given(found.call, (call) => look(verifyRegistered(evidence, found, call).report, hexToBytes(call.appConfig))),
  );
}

function judgeCompose(evidence: Evidence, shown: Shown, measured: Hex): Finding {
  const hash = sha256(stringToBytes(shown.appCompose));
  if (hash === measured) return holds("the SHA-256 of its bytes is the one in the quote's MRCONFIGID");
  return isOtherBoot(evidence, shown)
    ? unknown(otherBoot)
    : fails(`the worker shows a file of SHA-256 ${hash}, the quote measured ${measured}`);
}

/** By its own word: a worker that lies here gains no more than one that does not answer. */
function isOtherBoot({ registration }: Evidence, shown: Shown): boolean {
  return isMissing(registration) || shown.signingKey.toLowerCase() !== registration.signingKey.toLowerCase();
}

/** What a worker takes from its operator: whom it asks, who is paid and agrees, how it is reached. None decides where
 * data go: collateral is signed, or refused by the contract. */
const operatorSettings = [
  "RPC_URL",
  "OPERATOR_ADDRESS",
  "OPERATOR_AUTHORIZATION",
  "COLLATERAL_URL",
  "ENDPOINT",
  "MIN_FEES",
  "MAX_BOND",
  "MIN_DISPUTE_BOND",
  "OFFER",
];

function judgeLaunch(evidence: Evidence, appCompose: string): Finding {
  const { allowedEnvs, publicLogs, scripts, unknownFields } = readAppCompose(appCompose);
  const others = allowedEnvs.filter((name) => !operatorSettings.includes(name));
  const finding = allOf(
    {
      [`the manifest has unknown fields: ${unknownFields.join(", ")}`]: unknownFields.length === 0,
      [`the manifest runs ${scripts.map(({ field }) => field).join(", ")} as root`]: scripts.length === 0,
      [`the host may set ${others.join(", ")}`]: others.length === 0,
      "the containers' logs are public": !publicLogs,
    },
    `no scripts, no unknown fields, no public logs; the host may set ${allowedEnvs.join(", ") || "nothing"}`,
  );
  return finding.verdict === "verified" && isSimulated(evidence.deployment)
    ? unknown("SIMULATED: the platform measures the manifest, it does not launch from it")
    : finding;
}

function judgeBoot(evidence: Evidence, report: TdReport, composeHash: Hex, shown: Shown): Finding {
  try {
    const events = verifyEventLog(shown.eventLog, report.rtMr3);
    if (events.composeHash !== composeHash) return fails("its compose-hash event is another one");
    const image = events.osImageHash === undefined ? "" : `, OS image ${events.osImageHash}`;
    return holds(
      `it replays to RTMR3 of the registered quote; app ${events.appId}${image}, keys from ${events.keyProvider}`,
    );
  } catch (error) {
    if (error instanceof EventLogMismatchError && isOtherBoot(evidence, shown)) return unknown(otherBoot);
    throw error;
  }
}

function judgeExpected({ opening }: Evidence, expected: Hex | undefined): Finding {
  const { workloadId } = opening.order;
  if (expected === undefined)
    return unknown(`no workload was named; the order's is ${workloadId}: compare it with your own build's`);
  return allOf({ [`the order names ${workloadId}`]: workloadId === expected.toLowerCase() }, "it is the named one");
}

function judgeImages({ endorsements, opening }: Evidence, believed: Believed, appCompose: string): Finding {
  const { images, unpinned, unmeasured } = readComposeFile(readAppCompose(appCompose).composeFile);
  if (images.length === 0) return unknown("the compose file names no image: images are not published yet");
  const loose = images.find(({ image }) => !isPinned(image));
  if (loose !== undefined)
    return unknown(`image ${loose.image} is not pinned by digest: the measurement does not cover it`);
  // A service without an image, or code from beside the file, is in no image that anybody built anew.
  const [outside] = [...unpinned, ...unmeasured];
  if (outside !== undefined) return unknown(`${outside}: the measurement does not cover what that brings in`);
  const others = images.filter(({ image }) => !believed.images.some((digest) => image.endsWith(`@${digest}`)));
  if (others.length === 0) return holds("the auditor built each image anew, and found its digest");
  const words = endorsements.filter(({ endorsedAt, withdrawnAt }) => endorsedAt > 0 && withdrawnAt === 0);
  const [word] = words.filter(({ auditor }) => believed.auditors.some((one) => isAddressEqual(one, auditor)));
  if (word !== undefined)
    return holds(`${word.auditor} endorsed workload ${opening.order.workloadId}, built from ${word.sourceHash}`);
  return unknown("images are pinned by digest: build them anew, or name an auditor whom you believe");
}

function judgeProgram({ opening }: Evidence, bytes: Uint8Array): Finding {
  const { id, manifest } = unpackProgram(bytes);
  return allOf(
    {
      [`the bundle is program ${id}`]: id === opening.order.programId,
      "it takes another number of inputs": manifest.inputs.length === opening.order.datasets.length,
    },
    `${manifest.name}, ${manifest.files.length} files, on ${manifest.runtime.engine} ${manifest.runtime.version}`,
  );
}
