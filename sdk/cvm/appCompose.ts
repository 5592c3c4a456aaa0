/**
 * Room: sdk/cvm/appCompose. What a dstack app-compose manifest starts, and what it lets the host set and read. Pure.
 * Source: Dstack-TEE/dstack, dstack-types/src/lib.rs, AppCompose (0.4 to 0.6); os/common/rootfs/app-compose.sh.
 */
import { type Hex, sha256, stringToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { repeatedKey } from "./uniqueKeys.ts";

/** Longest manifest, in bytes. */
export const maxAppComposeSize = 256 * 1024;

/** A byte order mark is kept: JSON has none. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Restrict what the guest boots on; `gpu_policy` can also loosen, and is not taken. */
const requirementsSchema = z.strictObject({
  os_version: z.string().optional(),
  platforms: z.array(z.string()).optional(),
  tdx_measure_acpi_tables: z.boolean().optional(),
  launch_token_hash: z.string().optional(),
});

/** Every field whose meaning is known: a field that is not here may start anything. */
const fields = {
  manifest_version: z.union([z.literal(2), z.literal("2"), z.literal("3")]),
  name: z.string(),
  runner: z.literal("docker-compose"),
  docker_compose_file: z.string(),
  docker_config: z.strictObject({}).optional(),
  pre_launch_script: z.string().optional(),
  init_script: z.union([z.string(), z.array(z.string())]).optional(),
  features: z.array(z.string()).optional(),
  kms_enabled: z.boolean().optional(),
  gateway_enabled: z.boolean().optional(),
  tproxy_enabled: z.boolean().optional(),
  local_key_provider_enabled: z.boolean().optional(),
  key_provider: z.enum(["none", "kms", "local", "tpm"]).optional(),
  key_provider_id: z
    .string()
    .regex(/^([0-9a-fA-F]{2})*$/)
    .optional(),
  public_logs: z.boolean().optional(),
  public_sysinfo: z.boolean().optional(),
  public_tcbinfo: z.boolean().optional(),
  allowed_envs: z.array(z.string()).optional(),
  no_instance_id: z.boolean().optional(),
  secure_time: z.boolean().optional(),
  storage_fs: z.string().optional(),
  swap_size: z.union([z.int().min(0), z.string().regex(/^[0-9]{1,12} ?[KMGTkmgt]?$/)]).optional(),
  event_log_version: z.union([z.literal(1), z.literal(2)]).optional(),
  requirements: requirementsSchema.optional(),
};

const manifestSchema = z.object(fields);

/** A script that the manifest has the VM run as root. */
export type Script = { field: "pre_launch_script" | "init_script"; text: string; sha256: Hex };

/** What of a manifest decides what runs in the VM and what the host can do to it. */
export type AppCompose = {
  name: string;
  /** Text of the docker compose file: see `readComposeFile`. */
  composeFile: string;
  /** In order of execution. */
  scripts: Script[];
  /** Top-level fields whose meaning is not known here, in order. */
  unknownFields: string[];
  /** Environment variables that the host may set. */
  allowedEnvs: string[];
  /** Whether anyone may read the containers' logs. */
  publicLogs: boolean;
  /** Whether anyone may read the VM's load, memory and disks. */
  publicSysinfo: boolean;
  /** Where the app's keys come from. */
  keyProvider: "none" | "kms" | "local" | "tpm";
  /** Which one it must be; `0x`: any of its kind. */
  keyProviderId: Hex;
};

/**
 * Reads a manifest, strictly but for unknown fields and scripts, which it names.
 *
 * @param manifest - raw bytes, or their text.
 * @throws {@link BadAppComposeError} if it is not JSON, names a key twice, or a known field has an unknown value.
 * @example
 * const { scripts, unknownFields } = readAppCompose(text)
 */
export function readAppCompose(manifest: Uint8Array | string): AppCompose {
  if (manifest.length > maxAppComposeSize) throw new BadAppComposeError(`longer than ${maxAppComposeSize} bytes`);
  let text: string;
  let json: unknown;
  try {
    text = typeof manifest === "string" ? manifest : utf8.decode(manifest);
    json = JSON.parse(text);
  } catch (cause) {
    throw new BadAppComposeError("it is not JSON text", cause);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new BadAppComposeError(`it names ${JSON.stringify(repeated.slice(0, 64))} twice`);
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new BadAppComposeError(z.prettifyError(parsed.error));
  const { allowed_envs, docker_compose_file, key_provider_id, public_logs, public_sysinfo } = parsed.data;
  return {
    name: parsed.data.name,
    composeFile: docker_compose_file,
    scripts: scriptsOf(parsed.data),
    unknownFields: Object.keys(json as object).filter((name) => !Object.hasOwn(fields, name)),
    allowedEnvs: allowed_envs ?? [],
    // Releases differ in what they do when it is not said.
    publicLogs: public_logs ?? true,
    publicSysinfo: public_sysinfo ?? true,
    keyProvider: keyProviderOf(parsed.data),
    keyProviderId: `0x${(key_provider_id ?? "").toLowerCase()}`,
  };
}

type Manifest = z.output<typeof manifestSchema>;

function scriptsOf({ init_script, pre_launch_script }: Manifest): Script[] {
  const script = (field: Script["field"], text: string) => ({ field, text, sha256: sha256(stringToBytes(text)) });
  const init = typeof init_script === "string" ? [init_script] : (init_script ?? []);
  return [
    ...init.map((text) => script("init_script", text)),
    ...(pre_launch_script ? [script("pre_launch_script", pre_launch_script)] : []),
  ];
}

function keyProviderOf(manifest: Manifest): AppCompose["keyProvider"] {
  if (manifest.key_provider !== undefined) return manifest.key_provider;
  if (manifest.kms_enabled) return "kms";
  return manifest.local_key_provider_enabled ? "local" : "none";
}

/** The manifest cannot be judged. */
export class BadAppComposeError extends BaseError {
  override readonly name = "AppCompose.BadAppComposeError";
  constructor(fact: string, cause?: unknown) {
    super(`The app-compose manifest is not one that can be judged: ${fact}`, {
      hint: "Fields that are not known may start anything as root; nothing is said of such a VM.",
      cause,
    });
  }
}
