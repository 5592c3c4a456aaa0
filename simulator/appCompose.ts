/**
 * Room: simulator/appCompose. Reads a dstack app-compose manifest as far as a platform acts on it. Pure.
 * The manifest's hash is that of its raw bytes: whitespace and key order count.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { BaseError } from "../protocol/errors.ts";

/** Largest manifest taken, in bytes. */
export const maxAppComposeBytes = 256 * 1024;

// Unknown fields are dstack's business and are measured all the same, so they pass.
const manifestSchema = z.object({
  manifest_version: z.literal(2),
  name: z.string().min(1).max(256),
  runner: z.literal("docker-compose"),
  docker_compose_file: z.string().min(1),
  kms_enabled: z.literal(true, "must be true: only key management by a KMS is simulated"),
  key_provider: z.literal("kms", 'must be "kms": no other key provider is simulated').optional(),
  no_instance_id: z.boolean().default(false),
  storage_fs: z.enum(["zfs", "ext4"]).default("zfs"),
});

/** A manifest that a simulated platform can boot. */
export type AppCompose = {
  /** The text as given. */
  raw: string;
  /** sha256 of the raw bytes. */
  hash: Uint8Array;
  name: string;
  noInstanceId: boolean;
  storageFs: string;
};

/**
 * Reads and checks a manifest.
 *
 * @param raw - app-compose.json, unchanged.
 * @throws {@link BadAppComposeError} if it is too large, no JSON, or asks for what is not simulated.
 * @example
 * const { hash } = readAppCompose(await readFile("deploy/app-compose.json", "utf8"))
 */
export function readAppCompose(raw: string): AppCompose {
  if (!raw.isWellFormed()) throw new BadAppComposeError("it is not well-formed Unicode");
  const bytes = utf8ToBytes(raw);
  if (bytes.length > maxAppComposeBytes) {
    throw new BadAppComposeError(`it is ${bytes.length} bytes, at most ${maxAppComposeBytes} are taken`);
  }
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch (cause) {
    throw new BadAppComposeError("it is not JSON", cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new BadAppComposeError(z.prettifyError(parsed.error));
  const { name, no_instance_id, storage_fs } = parsed.data;
  return { raw, hash: sha256(bytes), name, noInstanceId: no_instance_id, storageFs: storage_fs };
}

/** The manifest cannot be booted. */
export class BadAppComposeError extends BaseError {
  override readonly name = "Simulator.BadAppComposeError";
  constructor(detail: string, cause?: unknown) {
    super(`The app-compose manifest cannot be booted: ${detail}`, {
      hint: "Start from deploy/app-compose.json: manifest_version 2, runner docker-compose, kms_enabled true.",
      cause,
    });
  }
}
