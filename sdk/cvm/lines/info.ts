/**
 * Room: sdk/cvm/lines/info. Whether Info's words are what was measured. Pure.
 */
import { bytesToHex, concatBytes, type Hex, sha256, stringToBytes } from "viem";
import { replayEventLog, verifyEventLog } from "../../../protocol/quote/eventLog.ts";
import type { TdReport } from "../../../protocol/quote/tdReport.ts";
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, type Finding, fails, given, holds, line, unknown } from "../../audit/line.ts";
import { type CvmCase, measuredComposeHash, measuredManifest } from "../case.ts";
import { type Info, registerNames, type Stated } from "../evidence.ts";

/**
 * Judges Info; nothing if there is none. Who the app is: `identityLines`.
 *
 * @example
 * lines.push(...infoLines(found))
 */
export function infoLines(found: CvmCase): AuditLine[] {
  const { claims, info } = found.evidence;
  if (info === undefined) return [];
  const { report } = found;
  // A worker's answer repeats no measurements.
  const isShort = claims !== undefined && isEmpty(info.registers) && isEmpty(info.composeHashes);
  return [
    ...(isShort ? [] : measurementLines(found, info)),
    ...(isEmpty(info.mrAggregated)
      ? []
      : [
          line("info.aggregate", "mr_aggregated in Info is that of the quote's registers", () =>
            sameAs(mrAggregatedOf(report), info.mrAggregated),
          ),
        ]),
    ...(info.appName === undefined
      ? []
      : [
          line("info.name", "The name in Info is the manifest's", () =>
            given(measuredManifest(found), ({ name }) =>
              info.appName === name
                ? holds(name)
                : fails(`app_name in Info is ${info.appName}, in the manifest ${name}`),
            ),
          ),
        ]),
    ...spareLines(found, info),
  ];
}

function measurementLines(found: CvmCase, info: Info): AuditLine[] {
  const { report } = found;
  return [
    line("info.registers", "The measurements in Info are the quote's", () => {
      const { mrTd, rtMr0, rtMr1, rtMr2, rtMr3 } = report;
      const measured = [mrTd, rtMr0, rtMr1, rtMr2, rtMr3].map((register) => bytesToHex(register));
      const silent = registerNames.find((name) => info.registers[name] === undefined);
      const wrong = registerNames.find((name, place) => (info.registers[name] ?? measured[place]) !== measured[place]);
      if (wrong !== undefined) return fails(`${wrong} is ${info.registers[wrong]} in Info, another in the quote`);
      return silent === undefined ? holds("MRTD and RTMR0 to RTMR3") : unknown(`Info has no ${silent}`);
    }),
    line("info.composeHash", "The compose hash in Info is the measured one", () => {
      if (isEmpty(info.composeHashes)) return unknown("Info has none");
      return given(measuredComposeHash(found), ({ composeHash }) => sameAs(composeHash, info.composeHashes));
    }),
  ];
}

/** What Info says again, while it is the same thing from elsewhere that was examined. */
function spareLines(found: CvmCase, info: Info): AuditLine[] {
  const { config, eventLog, evidence, report } = found;
  const { answer, appCompose } = evidence;
  const spare = <T>(value: T | undefined, isExamined: boolean, make: (value: T) => AuditLine) =>
    value === undefined || value === "" || isExamined ? [] : [make(value)];
  return [
    ...spare(info.eventLog, info.eventLog === eventLog, (log) =>
      line("info.eventLog", "The event log in Info is what was measured, too", () => {
        verifyEventLog(log, report.rtMr3);
        const { registers } = replayEventLog(log);
        const measured = [report.rtMr0, report.rtMr1, report.rtMr2].map((register) => bytesToHex(register));
        const wrong = measured.findIndex((register, place) => (registers[place] ?? register) !== register);
        return wrong === -1
          ? holds("it replays to the quote's registers, as far as it states digests")
          : fails(`event_log in Info replays to ${registers[wrong]}, the quote has RTMR${wrong} ${measured[wrong]}`);
      }),
    ),
    ...spare(info.appCompose, appCompose === undefined, (text) =>
      line("info.appCompose", "The manifest in Info is the measured one, too", () =>
        given(measuredComposeHash(found), ({ composeHash }) =>
          sameAs(composeHash, { "the SHA-256 of app_compose": sha256(stringToBytes(text)) }),
        ),
      ),
    ),
    ...spare(info.vmConfig?.mrConfig, answer.vmConfig?.mrConfig === undefined, (document) =>
      line("info.mrConfig", "vm_config.mr_config in Info is that beside the quote, too", () =>
        document === answer.vmConfig?.mrConfig
          ? holds("the same text")
          : fails(`vm_config.mr_config in Info is another${isMissing(config) ? "; which is right is not known" : ""}`),
      ),
    ),
  ];
}

function isEmpty(stated: Stated): boolean {
  return Object.keys(stated).length === 0;
}

function sameAs(right: Hex, stated: Stated): Finding {
  const wrong = Object.entries(stated).find(([, value]) => value !== right);
  return wrong === undefined ? holds(right) : fails(`${wrong[0]} in Info is ${wrong[1]}, it is ${right}`);
}

/** What the host fixed at launch counts only if there is any: releases without it must give the same value as before. */
function mrAggregatedOf(report: TdReport): Hex {
  const { mrTd, rtMr0, rtMr1, rtMr2, rtMr3, mrConfigId, mrOwner, mrOwnerConfig } = report;
  const launched = concatBytes([mrConfigId, mrOwner, mrOwnerConfig]);
  const registers = [mrTd, rtMr0, rtMr1, rtMr2, rtMr3];
  return sha256(concatBytes(launched.every((byte) => byte === 0) ? registers : [...registers, launched]));
}
