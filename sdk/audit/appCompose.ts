/**
 * Room: sdk/audit/appCompose. What a dstack app-compose manifest lets run beside its compose file. Pure.
 * Source: Dstack-TEE/dstack, dstack-types/src/lib.rs, AppCompose (0.5).
 */
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";

/** Longest manifest, in bytes. */
export const maxAppComposeSize = 256 * 1024;

/** Every field that is known to start nothing. A field that is not here may: it is refused, scripts among them. */
const manifestSchema = z.strictObject({
  manifest_version: z.literal(2),
  name: z.string(),
  runner: z.literal("docker-compose"),
  docker_compose_file: z.string(),
  features: z.array(z.string()).optional(),
  kms_enabled: z.boolean().optional(),
  gateway_enabled: z.boolean().optional(),
  tproxy_enabled: z.boolean().optional(),
  local_key_provider_enabled: z.boolean().optional(),
  key_provider: z.string().optional(),
  key_provider_id: z.string().optional(),
  public_logs: z.boolean().optional(),
  public_sysinfo: z.boolean().optional(),
  public_tcbinfo: z.boolean().optional(),
  allowed_envs: z.array(z.string()).optional(),
  no_instance_id: z.boolean().optional(),
  secure_time: z.boolean().optional(),
  storage_fs: z.string().optional(),
  swap_size: z.int().min(0).optional(),
});

/** What of a manifest decides what the host can do to the VM. */
export type AppCompose = {
  /** Images that the compose file names, in order. */
  images: string[];
  /** Environment variables that the host may set. */
  allowedEnvs: string[];
  /** Whether anyone may read the containers' logs. */
  publicLogs: boolean;
};

/**
 * Reads a manifest, strictly.
 *
 * @throws {@link BadAppComposeError} if it has a field that is not known, or starts scripts.
 * @example
 * const { images } = readAppCompose(text)
 */
export function readAppCompose(text: string): AppCompose {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new BadAppComposeError("it is not JSON", cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new BadAppComposeError(z.prettifyError(parsed.error));
  const { docker_compose_file, allowed_envs, public_logs } = parsed.data;
  const images = [...docker_compose_file.matchAll(/^[ \t-]*["']?image["']?[ \t]*:[ \t]*["']?([^\s"'#]{1,256})/gm)];
  return {
    images: images.map((match) => match[1] ?? ""),
    allowedEnvs: allowed_envs ?? [],
    // dstack publishes logs unless told not to.
    publicLogs: public_logs ?? true,
  };
}

/** The manifest may start more than its compose file. */
export class BadAppComposeError extends BaseError {
  override readonly name = "AppCompose.BadAppComposeError";
  constructor(fact: string, cause?: unknown) {
    super(`The app-compose manifest is not one that can be judged: ${fact}`, {
      hint: "Fields that are not known, and scripts, may start anything as root.",
      cause,
    });
  }
}
