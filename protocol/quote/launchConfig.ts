/**
 * Room: protocol/quote/launchConfig. What the host fixed at launch in MRCONFIGID, read with the evidence that versions 2 and 3
 * need: given, or rebuilt from a replayed event log. Whatever is rebuilt counts only if it hashes to the quote's. Pure.
 * Source: Dstack-TEE/dstack, dstack-types/src/mr_config.rs, MrConfig and MrConfigV3.
 */
import { bytesToHex, concatBytes, type Hex, hexToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";
import { toJcs, toJcsBytes } from "../jcs.ts";
import type { SystemEvents } from "./eventLog.ts";
import { type KeyProvider, keyProviderKinds, readKeyProvider } from "./keyProvider.ts";
import { ConfigEvidenceMismatchError, composeHashOf, versionOf } from "./mrConfigId.ts";

/** What MRCONFIGID commits to; what it leaves open is undefined. */
export type LaunchConfig = {
  version: number;
  /** What `composeHashOf` and the chain take beside MRCONFIGID. */
  evidence: Uint8Array;
  composeHash: Hex;
  appId?: Hex | undefined;
  instanceId?: Hex | undefined;
  keyProvider?: Partial<KeyProvider> | undefined;
  gpuPolicyHash?: Hex | undefined;
  initScriptHashes?: Hex[] | undefined;
};

const hex = (bytes?: number) =>
  z.string().regex(bytes === undefined ? /^([0-9a-f]{2}){0,256}$/ : new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const documentSchema = z.strictObject({
  version: z.literal(3),
  compose_hash: hex(32),
  key_provider: z.enum(["none", "local", "kms", "tpm", "snp_derived"]),
  key_provider_id: hex().optional(),
  app_id: hex(20).optional(),
  instance_id: hex().optional(),
  gpu_policy_hash: hex(32).optional(),
  init_script_hashes: z.array(hex(32)).max(5).optional(),
});

/**
 * Reads MRCONFIGID.
 *
 * @param mrConfigId - 48 bytes.
 * @param system - events of a log that replays to the quote's RTMR3, if there is one.
 * @param given - preimage (version 2) or document (version 3), if there is one.
 * @returns undefined if the evidence is neither given nor follows from the log.
 * @throws what `composeHashOf` throws, `Cvm.BadKeyProviderError`, {@link BadLaunchDocumentError}
 * @example
 * const config = readLaunchConfig(report.mrConfigId, system, undefined)
 */
export function readLaunchConfig(
  mrConfigId: Uint8Array,
  system: SystemEvents | undefined,
  given: Uint8Array | undefined,
): LaunchConfig | undefined {
  const version = versionOf(mrConfigId);
  if (version !== 2 && version !== 3) {
    const evidence = new Uint8Array();
    return { version, evidence, composeHash: composeHashOf(mrConfigId, evidence) };
  }
  const candidates = given !== undefined ? [given] : system === undefined ? [] : rebuild(version, system);
  for (const evidence of candidates) {
    try {
      const composeHash = composeHashOf(mrConfigId, evidence);
      return { ...(version === 2 ? readPreimage(evidence) : readDocument(evidence)), version, evidence, composeHash };
    } catch (error) {
      if (given !== undefined || !(error instanceof ConfigEvidenceMismatchError)) throw error;
    }
  }
  return undefined;
}

function readPreimage(evidence: Uint8Array): Partial<LaunchConfig> {
  const kind = keyProviderKinds[evidence[52] ?? 0] as KeyProvider["kind"]; // composeHashOf refuses any other
  return {
    appId: bytesToHex(evidence.subarray(32, 52)),
    keyProvider: { kind, id: bytesToHex(evidence.subarray(53)) },
  };
}

/** The guest takes any JSON with these fields; nobody but an attacker has a use for one that is not canonical. */
function readDocument(evidence: Uint8Array): Partial<LaunchConfig> {
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(evidence);
    json = JSON.parse(text);
  } catch (cause) {
    throw new BadLaunchDocumentError("it is not JSON", cause);
  }
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) throw new BadLaunchDocumentError(z.prettifyError(parsed.error));
  // A key that stands in it twice is gone once it is written anew.
  if (toJcs(parsed.data) !== text) throw new BadLaunchDocumentError("it is not in canonical form");
  const { app_id, instance_id, key_provider, key_provider_id, gpu_policy_hash, init_script_hashes } = parsed.data;
  const bytes = (text: string | undefined): Hex | undefined => (text === undefined ? undefined : `0x${text}`);
  return {
    appId: bytes(app_id),
    instanceId: bytes(instance_id),
    keyProvider: { kind: key_provider, ...(key_provider_id === undefined ? {} : { id: `0x${key_provider_id}` }) },
    gpuPolicyHash: bytes(gpu_policy_hash),
    initScriptHashes: init_script_hashes?.map((hash): Hex => `0x${hash}`),
  };
}

/** What dstack would have committed to for this boot. A document may leave fields out: each way to do so is tried. */
function rebuild(version: 2 | 3, system: SystemEvents): Uint8Array[] {
  const { kind, id } = readKeyProvider(system.keyProvider);
  if (version === 2) {
    const parts = [system.composeHash, system.appId].map((part) => hexToBytes(part));
    return [concatBytes([...parts, Uint8Array.of(keyProviderKinds.indexOf(kind)), hexToBytes(id)])];
  }
  const digits = (value: Hex | undefined) => value?.slice(2) || undefined;
  const optional = Object.entries({
    app_id: digits(system.appId),
    key_provider_id: digits(id),
    instance_id: digits(system.instanceId),
    gpu_policy_hash: digits(system.gpuPolicyHash),
    init_script_hashes: system.initScriptHashes.map(digits),
  }).filter(([, value]) => value !== undefined);
  const required = { version: 3, compose_hash: digits(system.composeHash), key_provider: kind };
  return Array.from({ length: 2 ** optional.length }, (_, left) =>
    toJcsBytes({ ...required, ...Object.fromEntries(optional.filter((_, place) => ((left >> place) & 1) === 0)) }),
  );
}

/** The configuration that MRCONFIGID commits to is not one that dstack writes. */
export class BadLaunchDocumentError extends BaseError {
  override readonly name = "Cvm.BadLaunchDocumentError";
  constructor(fact: string, cause?: unknown) {
    super(`The launch configuration is not one that dstack writes: ${fact}`, {
      hint: "Do not trust a VM that was launched with it.",
      cause,
    });
  }
}
