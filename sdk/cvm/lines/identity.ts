import type { SystemEvents } from "../../../protocol/quote/eventLog.ts";
import { type KeyProvider, readKeyProvider } from "../../../protocol/quote/keyProvider.ts";
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, type Finding, fails, given, holds, line } from "../../audit/line.ts";
import { type CvmCase, measuredManifest } from "../case.ts";

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
        return agree(appId, { MRCONFIGID: launched?.appId, "app_id in Info": info?.appId }, `app ${appId}, ${origin}`);
      }),
    ),
    line(
      "id.instance",
      "All agree on the instance id",
      logged(({ instanceId }) =>
        agree(
          instanceId,
          { MRCONFIGID: launched?.instanceId, "instance_id in Info": info?.instanceId },
          instanceId === "0x" ? "the app asked for none" : `instance ${instanceId}`,
        ),
      ),
    ),
    line(
      "id.keys",
      "All agree on who gives the app its keys",
      logged(({ keyProvider }) => judgeKeys(found, readKeyProvider(keyProvider))),
    ),
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
    { MRCONFIGID: launched?.kind, "the manifest": asked?.keyProvider, "key_provider_info in Info": stated?.kind },
    "",
  );
  if (kind.verdict !== "verified") return kind;
  const pinned = asked?.keyProviderId === "0x" ? undefined : asked?.keyProviderId;
  const shown = logged.kind === "none" ? "nobody: they last until the VM stops" : `${logged.kind} ${logged.id}`;
  return agree(
    logged.id,
    { MRCONFIGID: launched?.id, "the manifest": pinned, "key_provider_info in Info": stated?.id },
    `${shown}${launched?.id === undefined && pinned === undefined ? "; by the log, nothing pins it before launch" : ""}`,
  );
}
