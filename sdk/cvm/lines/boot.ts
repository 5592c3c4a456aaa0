/**
 * Room: sdk/cvm/lines/boot. Whether what the log and the host say of the boot is what the quote measured. Pure.
 */
import { bytesToHex, type Hex } from "viem";
import { workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { replayEventLog, verifyEventLog } from "../../../protocol/quote/eventLog.ts";
import { measurementsOf } from "../../../protocol/quote/mrConfigId.ts";
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, type Finding, fails, given, holds, line, unknown } from "../../audit/line.ts";
import { type CvmCase, configOf } from "../case.ts";

/**
 * Judges the boot.
 *
 * @example
 * lines.push(...bootLines(found))
 */
export function bootLines(found: CvmCase): AuditLine[] {
  const { eventLog, report } = found;
  return [
    line("boot.log", "The event log is what was measured into RTMR3, with one system event of each name", () => {
      if (isMissing(eventLog)) return unknown(eventLog.missing);
      verifyEventLog(eventLog, report.rtMr3);
      return holds("digests recomputed from the payloads replay to the quote's RTMR3");
    }),
    line("boot.firmware", "The event log is what was measured into RTMR0 to RTMR2", () => judgeFirmware(found)),
    line("boot.config", "MRCONFIGID, fixed by the host at launch, commits to the booted compose file", () =>
      judgeConfig(found),
    ),
    line("boot.osImage", "The OS image that the log names is an allowed one", () => judgeOsImage(found)),
    line("boot.workload", "Compose file, firmware, kernel and shape of the VM are the expected ones", () =>
      judgeWorkload(found),
    ),
  ];
}

function judgeFirmware({ eventLog, report }: CvmCase): Finding {
  if (isMissing(eventLog)) return unknown(eventLog.missing);
  const { registers } = replayEventLog(eventLog);
  const measured = [report.rtMr0, report.rtMr1, report.rtMr2].map((register) => bytesToHex(register));
  const silent = measured.findIndex((_, place) => registers[place] === undefined);
  if (silent !== -1) return unknown(`the log has no digests for RTMR${silent}`);
  const wrong = measured.findIndex((register, place) => registers[place] !== register);
  return wrong === -1
    ? holds("its digests replay to the quote's registers; what they are digests of was not looked at")
    : fails(`the log replays to ${registers[wrong]}, the quote has RTMR${wrong} ${measured[wrong]}`);
}

function judgeConfig({ evidence, report, system }: CvmCase): Finding {
  const config = configOf(report, system, evidence);
  if (isMissing(config)) return unknown(`version ${report.mrConfigId[0]}: ${config.missing}`);
  const { composeHash, gpuPolicyHash, initScriptHashes, version } = config;
  if (!isMissing(system)) {
    if (composeHash !== system.composeHash)
      return fails(`it commits to ${composeHash}, the log says ${system.composeHash} was booted`);
    if (gpuPolicyHash !== undefined && gpuPolicyHash !== system.gpuPolicyHash)
      return fails(`it commits to GPU policy ${gpuPolicyHash}, the log names ${system.gpuPolicyHash ?? "none"}`);
    if (initScriptHashes !== undefined && initScriptHashes.join() !== system.initScriptHashes.join())
      return fails("it commits to other init scripts than the log names");
  }
  return holds(`version ${version}, compose hash ${composeHash}`);
}

function judgeOsImage({ evidence, policy, system }: CvmCase): Finding {
  const { answer, info } = evidence;
  const words: [string, Hex | undefined][] = [
    ["vm_config.os_image_hash beside the quote", answer.vmConfig?.osImageHash],
    ["vm_config.os_image_hash in Info", info?.vmConfig?.osImageHash],
    ...Object.entries(info?.osImageHashes ?? {}).map(([field, hash]): [string, Hex] => [`${field} in Info`, hash]),
  ];
  const stated = words.filter(([, hash]) => hash !== undefined);
  return given(system, ({ osImageHash }) => {
    if (osImageHash === undefined)
      return unknown(
        `the log has no os-image-hash event; ${stated[0] === undefined ? "nor does the host name one" : `${stated[0][1]} is the host's word`}`,
      );
    const other = stated.find(([, hash]) => hash !== osImageHash);
    if (other !== undefined) return fails(`the log names ${osImageHash}, ${other[0]} is ${other[1]}`);
    if (policy.allowedOsImages.length === 0)
      return unknown(`the log names ${osImageHash}; there is no list of allowed images to look it up in`);
    return policy.allowedOsImages.includes(osImageHash)
      ? holds(`${osImageHash} is on the list; that MRTD and RTMR0 to RTMR2 are that image's is for boot.workload`)
      : fails(`the log names ${osImageHash}, which is not on the list`);
  });
}

function judgeWorkload({ config, policy, report }: CvmCase): Finding {
  return given(config, ({ evidence }) => {
    const workloadId = workloadIdOf(measurementsOf(report, evidence));
    if (policy.expectedWorkload === undefined)
      return unknown(`workload ${workloadId} was compared with none: MRTD and RTMR0 to RTMR2 may be anything`);
    return workloadId === policy.expectedWorkload
      ? holds(`workload ${workloadId}, recomputed from the quote's measurements`)
      : fails(`the quote measures workload ${workloadId}`);
  });
}
