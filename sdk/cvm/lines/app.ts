/**
 * Room: sdk/cvm/lines/app. Whether the measured manifest says all there is to say of what runs. Pure.
 */
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../../audit/line.ts";
import type { AppCompose } from "../appCompose.ts";
import { type CvmCase, measuredCompose, measuredComposeHash, measuredManifest } from "../case.ts";
import type { ComposeFile } from "../composeFile.ts";
import { steeringEnvs } from "../envs.ts";

/**
 * Judges the app.
 *
 * @example
 * lines.push(...appLines(found))
 */
export function appLines(found: CvmCase): AuditLine[] {
  const { policy } = found;
  const manifest = (look: (manifest: AppCompose) => Finding) => () => given(measuredManifest(found), look);
  const compose = (look: (compose: ComposeFile) => Finding) => () => given(measuredCompose(found), look);
  const { expectedComposeHash } = policy;
  return [
    line("app.compose", "The app-compose manifest is the measured one, byte for byte", () => judgeCompose(found)),
    ...(expectedComposeHash === undefined
      ? []
      : [
          line("app.expected", "The measured compose hash is the expected one", () =>
            given(measuredComposeHash(found), ({ composeHash }) =>
              allOf({ [`${composeHash} was measured`]: composeHash === expectedComposeHash }, composeHash),
            ),
          ),
        ]),
    line("app.fields", "Every field of manifest and compose file is one whose meaning is known", () =>
      judgeFields(found),
    ),
    line(
      "app.scripts",
      "The manifest runs no scripts but accepted ones",
      manifest((read) => judgeScripts(found, read)),
    ),
    line(
      "app.images",
      "Every image is pinned by digest",
      compose(({ images, unpinned }) =>
        none(unpinned, images.map(({ service, image }) => `${service} ${image}`).join("; ")),
      ),
    ),
    line(
      "app.files",
      "Nothing comes from files or builds outside of the measured text",
      compose(({ unmeasured }) => none(unmeasured, "no build, env_file, extends, include, or content from a file")),
    ),
    line(
      "app.walls",
      "No container reaches the VM around it, but for the socket of dstack's guest agent",
      compose(({ escapes }) => none(escapes, "no privileges, devices, shared namespaces or mounts of the VM")),
    ),
    line(
      "app.envs",
      "The host can set no environment variables but allowed ones",
      manifest(({ allowedEnvs }) =>
        none(
          allowedEnvs.filter((name) => !policy.allowedEnvs.includes(name)),
          `it can set ${allowedEnvs.join(", ") || "none"}`,
        ),
      ),
    ),
    line(
      "app.steering",
      "The host can set no variable that steers the shell, the loader or docker itself",
      manifest(({ allowedEnvs }) => none(steeringEnvs(allowedEnvs), "no such name in allowed_envs")),
    ),
  ];
}

function none(problems: readonly string[], reason: string): Finding {
  return problems.length === 0 ? holds(reason) : fails(problems.join("; "));
}

function judgeCompose({ appCompose, config, system }: CvmCase): Finding {
  return given(appCompose, ({ hash }) => {
    if (!isMissing(config) && config.composeHash !== hash)
      return fails(`its SHA-256 is ${hash}, MRCONFIGID commits to ${config.composeHash}`);
    if (!isMissing(system) && system.composeHash !== hash)
      return fails(`its SHA-256 is ${hash}, the log says ${system.composeHash} was booted`);
    const bound = [isMissing(config) ? [] : "MRCONFIGID", isMissing(system) ? [] : "the compose-hash event"].flat();
    return bound.length === 0
      ? unknown("neither MRCONFIGID nor an event log that replays says what was booted")
      : holds(`SHA-256 ${hash}, as in ${bound.join(" and ")}`);
  });
}

function judgeFields(found: CvmCase): Finding {
  return given(measuredManifest(found), ({ unknownFields }) => {
    if (unknownFields.length > 0) return fails(`the manifest has ${unknownFields.join(", ")}`);
    return given(measuredCompose(found), ({ unknown }) => none(unknown, "they are"));
  });
}

function judgeScripts({ policy, system }: CvmCase, { scripts }: AppCompose): Finding {
  const init = scripts.filter(({ field }) => field === "init_script").map(({ sha256 }) => sha256);
  if (!isMissing(system) && system.initScriptHashes.length > 0 && system.initScriptHashes.join() !== init.join())
    return fails("the log names other init scripts than the manifest");
  const shown = scripts.map(({ field, sha256 }) => `${field} ${sha256}`);
  const refused = shown.filter((_, place) => !policy.acceptedScripts.includes(scripts[place]?.sha256 ?? "0x"));
  return refused.length > 0
    ? fails(`${refused.join("; ")}: runs as root, read it`)
    : holds(shown.length === 0 ? "there are none" : `accepted: ${shown.join("; ")}`);
}
