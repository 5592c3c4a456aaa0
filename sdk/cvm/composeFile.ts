/**
 * Room: sdk/cvm/composeFile. What a docker compose file runs, and what of it the measurement does not cover. Pure.
 * Source: compose-spec/compose-spec, 04-version-and-name.md to 09-secrets.md, 14-include.md.
 */
import { judgeService, type ServiceProblems } from "./composeService.ts";
import { BadYamlError, entriesOf, readYaml, type Yaml } from "./yaml.ts";

/** A compose file's services, and sentences about what is wrong with it: see {@link ServiceProblems}. */
export type ComposeFile = ServiceProblems & {
  /** Images by service, in order; what is not text is left out. */
  images: { service: string; image: string }[];
};

/** Fields of volumes and networks that name them; others may bind them to the VM. */
const volumeFields = new Set(["name", "labels", "external"]);
const networkFields = new Set(["name", "labels", "internal", "attachable", "ipam", "enable_ipv4", "enable_ipv6"]);
/** Fields of configs and secrets whose content stands in the compose file. */
const contentFields = new Set(["name", "labels", "content"]);

/**
 * Reads a compose file.
 *
 * @param text - `docker_compose_file` of the manifest.
 * @throws `BadYamlError` if it is not one plain YAML document with services.
 * @example
 * const { unpinned, escapes } = readComposeFile(readAppCompose(text).composeFile)
 */
export function readComposeFile(text: string): ComposeFile {
  const found: ComposeFile = { images: [], unpinned: [], unmeasured: [], escapes: [], unknown: [] };
  const sections = new Map(entriesOf(readYaml(text), "the compose file"));
  for (const [section, value] of sections) {
    if (section === "volumes" || section === "networks")
      found.escapes.push(...ofVm(section.slice(0, -1) as "volume" | "network", value));
    if (section === "include") found.unmeasured.push("the file includes others");
    else if (section === "volumes") found.escapes.push(...odd("volume", value, volumeFields, { driver: "local" }));
    else if (section === "networks") found.escapes.push(...odd("network", value, networkFields, { driver: "bridge" }));
    else if (section === "configs" || section === "secrets")
      found.unmeasured.push(...odd(section.slice(0, -1), value, contentFields, {}));
    else if (!["version", "name", "services"].includes(section) && !section.startsWith("x-"))
      found.unknown.push(`the file has ${section}`);
  }
  const services = entriesOf(sections.get("services"), "services");
  if (services.length === 0) throw new BadYamlError("it has no services");
  for (const [name, service] of services) {
    const problems = judgeService(name, service);
    for (const kind of ["unpinned", "unmeasured", "escapes", "unknown"] as const)
      found[kind].push(...problems[kind].map((problem) => `${name} ${problem}`));
    const image = entriesOf(service, name).find(([field]) => field === "image")?.[1];
    if (typeof image === "string") found.images.push({ service: name, image });
  }
  return found;
}

/** A name of the app's own: no path, no variable, no other container. */
const ownName = /^[A-Za-z0-9][\w.-]*$/;

/** Volumes and networks that may be the VM's by their name: `host` is a network of Docker's own, a path is a bind. */
function ofVm(kind: "volume" | "network", section: Yaml): string[] {
  return entriesOf(section, `${kind}s`).flatMap(([key, item]) => {
    const { name = key, external = "false" } = Object.fromEntries(entriesOf(item, `${kind} ${key}`));
    const names = [name, kind === "volume" ? external : "false"];
    if (names.some((text) => typeof text !== "string" || !ownName.test(text)))
      return [`${kind} ${key} has another name than an app's own`];
    return kind === "network" && name === "host" && external === "false" ? [`network ${key} is the VM's`] : [];
  });
}

/** Items of a section that have other fields than the harmless ones, or a field of another value than the harmless. */
function odd(
  kind: string,
  section: Yaml,
  harmless: ReadonlySet<string>,
  values: Readonly<Record<string, string>>,
): string[] {
  return entriesOf(section, `${kind}s`).flatMap(([name, item]) =>
    entriesOf(item, `${kind} ${name}`)
      .filter(([field, value]) => !harmless.has(field) && values[field] !== value)
      .map(([field]) => `${kind} ${name} has ${field}`),
  );
}
