/**
 * Room: sdk/cvm/lines/identity. Whether log, MRCONFIGID, manifest and Info agree on who the app is, and on who gives it
 * its keys; and whether Info's other words are the quote's. Pure.
 */
import { bytesToHex, concatBytes, type Hex, sha256 } from "viem";
import type { SystemEvents } from "../../../protocol/quote/eventLog.ts";
import { type KeyProvider, readKeyProvider } from "../../../protocol/quote/keyProvider.ts";
import type { TdReport } from "../../../protocol/quote/tdReport.ts";
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, type Finding, fails, given, holds, line, unknown } from "../../audit/line.ts";
import { type CvmCase, measuredComposeHash, measuredManifest } from "../case.ts";
import { type Info, registerNames } from "../evidence.ts";

/**
 * Judges who the app is.
 *
 * @example
 * lines.push(...identityLines(found))
 */
export function identityLines(found: CvmCase): AuditLine[] {
  const { config, evidence, system } = found;
  const { info } = evidence;
  const launched = isMissing(config) ? undefined : config;
  const logged = (look: (events: SystemEvents) => Finding) => () => given(system, look);
  return [
    line(
      "id.app",
      "All agree on the app id",
      logged(({ appId, composeHash }) => {
        const own = appId === composeHash.slice(0, 42);
        const origin = own ? "the start of the compose hash" : "chosen at deployment, not bound to the code";
        return agree(appId, { MRCONFIGID: launched?.appId, Info: info?.appId }, `app ${appId}, ${origin}`);
      }),
    ),
    line(
      "id.instance",
      "All agree on the instance id",
      logged(({ instanceId }) =>
        agree(
          instanceId,
          { MRCONFIGID: launched?.instanceId, Info: info?.instanceId },
          instanceId === "0x" ? "the app asked for none" : `instance ${instanceId}`,
        ),
      ),
    ),
    line(
      "id.keys",
      "All agree on who gives the app its keys",
      logged(({ keyProvider }) => judgeKeys(found, readKeyProvider(keyProvider))),
    ),
    ...(info === undefined ? [] : infoLines(found, info)),
  ];
}

/** @param claims - who says it -> what is said; undefined: nothing. */
function agree(logged: string, claims: Readonly<Record<string, string | undefined>>, reason: string): Finding {
  const other = Object.entries(claims).find(([, said]) => said !== undefined && said !== logged);
  return other === undefined ? holds(reason) : fails(`the log says ${logged}, ${other[0]} says ${other[1]}`);
}

function judgeKeys(found: CvmCase, logged: KeyProvider): Finding {
  const { config, evidence } = found;
  const manifest = measuredManifest(found);
  const launched = isMissing(config) ? undefined : config.keyProvider;
  const asked = isMissing(manifest) ? undefined : manifest;
  const stated = evidence.info?.keyProviderInfo ? readKeyProvider(evidence.info.keyProviderInfo) : undefined;
  const kind = agree(
    logged.kind,
    { MRCONFIGID: launched?.kind, "the manifest": asked?.keyProvider, Info: stated?.kind },
    "",
  );
  if (kind.verdict !== "verified") return kind;
  const pinned = asked?.keyProviderId === "0x" ? undefined : asked?.keyProviderId;
  const shown = logged.kind === "none" ? "nobody: they last until the VM stops" : `${logged.kind} ${logged.id}`;
  return agree(
    logged.id,
    { MRCONFIGID: launched?.id, "the manifest": pinned, Info: stated?.id },
    `${shown}${launched?.id === undefined && pinned === undefined ? "; by the log, nothing pins it before launch" : ""}`,
  );
}

function infoLines(found: CvmCase, info: Info): AuditLine[] {
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
      if (info.composeHashes.length === 0) return unknown("Info has none");
      return given(measuredComposeHash(found), ({ composeHash }) => sameAs(composeHash, info.composeHashes));
    }),
    ...(info.mrAggregated.length === 0
      ? []
      : [
          line("info.aggregate", "mr_aggregated in Info is that of the quote's registers", () =>
            sameAs(mrAggregatedOf(report), info.mrAggregated),
          ),
        ]),
  ];
}

function sameAs(right: Hex, stated: readonly Hex[]): Finding {
  const wrong = stated.find((value) => value !== right);
  return wrong === undefined ? holds(right) : fails(`Info says ${wrong}, it is ${right}`);
}

/** What the host fixed at launch counts only if there is any: releases without it must give the same value as before. */
function mrAggregatedOf(report: TdReport): Hex {
  const { mrTd, rtMr0, rtMr1, rtMr2, rtMr3, mrConfigId, mrOwner, mrOwnerConfig } = report;
  const launched = concatBytes([mrConfigId, mrOwner, mrOwnerConfig]);
  const registers = [mrTd, rtMr0, rtMr1, rtMr2, rtMr3];
  return sha256(concatBytes(launched.every((byte) => byte === 0) ? registers : [...registers, launched]));
}
