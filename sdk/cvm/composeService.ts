/**
 * Room: sdk/cvm/composeService. What one service of a docker compose file takes from outside the measured text, and how
 * it could leave its container. Pure. Fields that are not known are named: they may do either.
 * Source: compose-spec/compose-spec, 05-services.md.
 */
import { BadYamlError, entriesOf, maxEntries, type Yaml } from "./yaml.ts";

/** What is wrong with a service; phrases such as "mounts /". */
export type ServiceProblems = {
  /** The image is not named by its content. */
  unpinned: string[];
  /** It brings in what the compose file does not hold. */
  unmeasured: string[];
  /** It can reach the VM beyond its container. */
  escapes: string[];
  /** Fields that are not known. */
  unknown: string[];
};

/** What says how a container runs, and neither brings anything in nor lets anything out. */
const plain = new Set(
  (
    "annotations attach blkio_config cap_drop command container_name cpu_count cpu_percent cpu_period cpu_quota " +
    "cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset depends_on dns dns_opt dns_search domainname entrypoint " +
    "environment expose extra_hosts healthcheck hostname image init labels links logging mac_address mem_limit " +
    "mem_reservation mem_swappiness memswap_limit networks oom_kill_disable oom_score_adj pids_limit platform ports " +
    "profiles pull_policy read_only restart scale secrets configs shm_size stdin_open stop_grace_period stop_signal " +
    "storage_opt sysctls tmpfs tty ulimits user working_dir"
  ).split(" "),
);

/** Files and code that are not in the measured text. */
const unmeasured = new Set(["build", "develop", "env_file", "extends", "label_file", "provider"]);

/** What gives a container more than a container has. */
const escapes = new Set(
  (
    "cap_add cgroup_parent credential_spec device_cgroup_rules devices gpus group_add runtime use_api_socket uts " +
    "userns_mode volumes_from"
  ).split(" "),
);

/** Fields that are harmless with these values, and only with these: the host may choose the value of a variable. */
const allowedValues: Readonly<Record<string, RegExp>> = {
  privileged: /^false$/,
  network_mode: /^(none|bridge|service:[\w.-]+)$/,
  pid: /^service:[\w.-]+$/,
  ipc: /^(none|private|shareable|service:[\w.-]+)$/,
  cgroup: /^private$/,
};
const harmlessSecurityOption = /^no-new-privileges([:=]true)?$/;
const pinnedImage = /^[^\s$@]+@sha256:[0-9a-f]{64}$/;
const volumeName = /^[A-Za-z0-9][\w.-]*$/;
/** What an app asks for quotes and keys: every dstack app has it. */
const agentSocket = /^\/(?:var\/)?run\/(?:dstack|tappd|dstack\/dstack)\.sock$/;

/**
 * Whether an image is named by the digest of its content, and not by way of a variable.
 *
 * @example
 * isPinned("nginx:alpine") // false
 */
export function isPinned(image: string): boolean {
  return pinnedImage.test(image);
}

/**
 * Judges a service.
 *
 * @throws `BadYamlError` if it is not a mapping.
 * @example
 * const { escapes } = judgeService("worker", { privileged: "true" })
 */
export function judgeService(name: string, service: Yaml): ServiceProblems {
  const found: ServiceProblems = { unpinned: [], unmeasured: [], escapes: [], unknown: [] };
  const fields = entriesOf(service, `service ${name}`);
  const image = fields.find(([field]) => field === "image")?.[1];
  if (typeof image !== "string") found.unpinned.push("has no image");
  else if (!isPinned(image)) found.unpinned.push(`runs ${image}`);
  for (const [field, value] of fields) {
    const allowed = Object.hasOwn(allowedValues, field) ? allowedValues[field] : undefined;
    if (plain.has(field) || field.startsWith("x-")) continue;
    if (unmeasured.has(field)) found.unmeasured.push(`has ${field}`);
    else if (escapes.has(field)) found.escapes.push(`has ${field}`);
    else if (allowed !== undefined) {
      if (typeof value !== "string" || !allowed.test(value)) found.escapes.push(`has ${field}: ${shown(value)}`);
    } else if (field === "security_opt") found.escapes.push(...securityEscapes(value));
    else if (field === "volumes") found.escapes.push(...mountEscapes(value));
    else if (field === "deploy") found.escapes.push(...deviceEscapes(value));
    else found.unknown.push(`has ${field}`);
  }
  return found;
}

function securityEscapes(value: Yaml): string[] {
  return listOf(value)
    .filter((option) => typeof option !== "string" || !harmlessSecurityOption.test(option))
    .map((option) => `has security_opt ${shown(option)}`);
}

function mountEscapes(value: Yaml): string[] {
  return listOf(value).flatMap((mount) => {
    if (typeof mount === "string") return isShortMountHarmless(mount) ? [] : [`mounts ${shown(mount)}`];
    const { type, source } = fieldsOf(mount);
    if (type === "tmpfs" || (type === "volume" && source === undefined)) return [];
    if (type === "volume" && typeof source === "string" && volumeName.test(source)) return [];
    // A bind takes names for paths.
    if (type === "bind" && typeof source === "string" && agentSocket.test(source)) return [];
    return [`mounts ${shown(source ?? null)} (${shown(type ?? null)})`];
  });
}

/** Named and anonymous volumes are the app's own; of the VM itself, only the socket of the guest agent is. */
function isShortMountHarmless(mount: string): boolean {
  const [source = "", ...more] = mount.split(":");
  if (mount.includes("$")) return false;
  return more.length === 0 || volumeName.test(source) || agentSocket.test(source);
}

function deviceEscapes(deploy: Yaml): string[] {
  const { devices } = fieldsOf(fieldsOf(fieldsOf(deploy).resources).reservations);
  return devices === undefined ? [] : ["has deploy.resources.reservations.devices"];
}

function fieldsOf(value: Yaml | undefined): { [key: string]: Yaml } {
  return Object.fromEntries(entriesOf(value, "deploy or volume"));
}

/** One value stands for a list of one. */
function listOf(value: Yaml): Yaml[] {
  const list = Array.isArray(value) ? value : value === null ? [] : [value];
  if (list.length > maxEntries) throw new BadYamlError(`a list has ${list.length} items, limit ${maxEntries}`);
  return list;
}

/** Never written out: a few aliases make a value that is larger than any memory. */
function shown(value: Yaml): string {
  return typeof value === "string" ? value.slice(0, 120) : "(not text)";
}
