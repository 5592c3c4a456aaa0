/**
 * Room: simulator/guestAgent. The methods of dstack's guest agent (HTTP API of 0.5.6 to 0.5.11) over a platform.
 * Knows nothing of HTTP. Strict where the real agent is lax: a field or method that is not simulated is an error,
 * never ignored. Bytes are lowercase hex without 0x. As on real 0.5.x, an app may emit events of any name, system
 * names too: a verifier must accept those only before `system-ready`.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { BaseError } from "../protocol/errors.ts";
import type { KeyAlgorithm } from "./appKeys.ts";
import { fullLog, strippedLog } from "./eventLog.ts";
import type { Platform } from "./platform.ts";
import { issueTlsKey } from "./tlsCertificate.ts";

/** Answers one call. Throws a {@link BaseError} for what the real agent answers with HTTP 400. */
export type GuestAgent = (method: string, request: unknown) => unknown;

/** What `Version` says: the API that is spoken, and that nobody should take it for the real thing. */
export const agentVersion = { version: "0.5.8", rev: "SIMULATED" } as const;

/** Longest path, purpose, event name or subject, in UTF-16 code units. */
const maxText = 256;
/** Largest event payload or message to sign, in bytes. */
const maxPayloadBytes = 16 * 1024;

// A lone surrogate has no UTF-8 of its own: two paths would give one key.
const text = z
  .string()
  .max(maxText)
  .refine((value) => value.isWellFormed(), "must be well-formed Unicode");
const hexUpTo = (maxBytes: number) =>
  z
    .string()
    .max(maxBytes * 2, `must be at most ${maxBytes} bytes`)
    .regex(/^([0-9a-fA-F]{2})*$/, "must be whole bytes of hex without 0x")
    .transform((value) => hexToBytes(value));
const keyAlgorithm = z
  .enum(["", "secp256k1", "k256", "ed25519"])
  .transform((name): KeyAlgorithm => (name === "ed25519" ? name : "secp256k1"));
const signAlgorithm = z
  .enum(["secp256k1", "k256", "secp256k1_prehashed", "ed25519"])
  .transform((name) => (name === "k256" ? "secp256k1" : name));
const unixSeconds = z
  .int()
  .min(0)
  .max(253_402_300_799) // end of the year 9999, the last that a certificate can name
  .transform((seconds) => new Date(seconds * 1000));

const schemas = {
  nothing: z.strictObject({}),
  key: z.strictObject({
    path: text.default(""),
    purpose: text.default(""),
    algorithm: keyAlgorithm.default("secp256k1"),
  }),
  reportData: z.strictObject({ report_data: hexUpTo(64) }),
  event: z.strictObject({ event: text.min(1), payload: hexUpTo(maxPayloadBytes) }),
  tls: z.strictObject({
    subject: text.default(""),
    alt_names: z
      .array(z.string().regex(/^[\x21-\x7e]{1,253}$/, "must be a DNS name"))
      .max(64)
      .default([]),
    usage_ra_tls: z.literal(false, "RA-TLS is not simulated").default(false),
    usage_server_auth: z.boolean().default(false),
    usage_client_auth: z.boolean().default(false),
    not_before: unixSeconds.optional(),
    not_after: unixSeconds.optional(),
  }),
  sign: z.strictObject({ algorithm: signAlgorithm, data: hexUpTo(maxPayloadBytes) }),
  verify: z.strictObject({
    algorithm: signAlgorithm,
    data: hexUpTo(maxPayloadBytes),
    signature: hexUpTo(64),
    public_key: hexUpTo(65),
  }),
};

/**
 * The guest agent of a platform.
 *
 * @example
 * const agent = createGuestAgent(platform);
 * agent("GetQuote", { report_data: "00" });
 */
export function createGuestAgent(platform: Platform): GuestAgent {
  const vmConfig = JSON.stringify({
    os_image_hash: bytesToHex(platform.osImageHash),
    cpu_count: 2,
    memory_size: 2 ** 31,
    image: "dstack-0.5.8-SIMULATED",
    spec_version: 1,
  });
  const appCertificate = issueTlsKey(platform.appCaKeys, {
    subject: "demo-cert",
    altNames: [],
    serverAuth: false,
    clientAuth: true,
  }).certificateChain.join("\n");

  // A Map, not an object: "constructor" is no method.
  const methods = new Map<string, (request: unknown) => unknown>([
    ["GetKey", getKey],
    ["GetQuote", getQuote],
    ["Info", info],
    ["GetTlsKey", getTlsKey],
    ["Sign", sign],
    ["Verify", verify],
    ["Version", (request) => read(schemas.nothing, request) && agentVersion],
    ["EmitEvent", emitEvent],
  ]);

  function getKey(request: unknown) {
    const { path, purpose, algorithm } = read(schemas.key, request);
    const { key, signatureChain } = platform.keyOf(path, purpose, algorithm);
    return { key: bytesToHex(key), signature_chain: signatureChain.map(bytesToHex) };
  }

  function getQuote(request: unknown) {
    const { report_data } = read(schemas.reportData, request);
    const reportData = concatBytes(report_data, new Uint8Array(64 - report_data.length));
    return {
      quote: bytesToHex(platform.quote(reportData)),
      event_log: JSON.stringify(strippedLog(platform.events())),
      report_data: bytesToHex(reportData),
      vm_config: vmConfig,
    };
  }

  function info(request: unknown) {
    read(schemas.nothing, request);
    const { mrTd, rtMr0, rtMr1, rtMr2, rtMr3, mrConfigId, mrOwner, mrOwnerConfig } = platform.report(
      new Uint8Array(64),
    );
    const registers = [mrTd, rtMr0, rtMr1, rtMr2, rtMr3];
    const shared = {
      mr_aggregated: bytesToHex(sha256(concatBytes(...registers, mrConfigId, mrOwner, mrOwnerConfig))),
      os_image_hash: bytesToHex(platform.osImageHash),
      compose_hash: bytesToHex(platform.appCompose.hash),
      device_id: bytesToHex(sha256(concatBytes(utf8ToBytes("SIMULATED device"), platform.ppid))),
    };
    const tcbInfo = {
      mrtd: bytesToHex(mrTd),
      rtmr0: bytesToHex(rtMr0),
      rtmr1: bytesToHex(rtMr1),
      rtmr2: bytesToHex(rtMr2),
      rtmr3: bytesToHex(rtMr3),
      ...shared,
      event_log: fullLog(platform.events()),
      app_compose: platform.appCompose.raw,
    };
    return {
      app_id: bytesToHex(platform.appId),
      instance_id: bytesToHex(platform.instanceId),
      app_cert: appCertificate,
      tcb_info: JSON.stringify(tcbInfo, null, 2),
      app_name: platform.appCompose.name,
      ...shared,
      key_provider_info: platform.keyProviderInfo,
      vm_config: vmConfig,
      cloud_vendor: "",
      cloud_product: "",
    };
  }

  function getTlsKey(request: unknown) {
    const terms = read(schemas.tls, request);
    const { key, certificateChain } = issueTlsKey(platform.appCaKeys, {
      subject: terms.subject,
      altNames: terms.alt_names,
      serverAuth: terms.usage_server_auth,
      clientAuth: terms.usage_client_auth,
      notBefore: terms.not_before,
      notAfter: terms.not_after,
    });
    return { key, certificate_chain: certificateChain };
  }

  function sign(request: unknown) {
    const { algorithm, data } = read(schemas.sign, request);
    const { key, publicKey, signatureChain } = platform.keyOf(
      "vms",
      "signing",
      algorithm === "ed25519" ? "ed25519" : "secp256k1",
    );
    const signature =
      algorithm === "ed25519"
        ? ed25519.sign(data, key)
        : secp256k1.sign(digestOf(algorithm, data), key).toBytes("compact");
    return {
      signature: bytesToHex(signature),
      signature_chain: [signature, ...signatureChain].map(bytesToHex),
      public_key: bytesToHex(publicKey),
    };
  }

  function verify(request: unknown) {
    const { algorithm, data, signature, public_key } = read(schemas.verify, request);
    if (signature.length !== 64) throw new BadRequestError(`a signature has 64 bytes, not ${signature.length}`);
    const curve = algorithm === "ed25519" ? ed25519 : secp256k1;
    try {
      curve.Point.fromHex(public_key); // `verify` says false to a malformed key; the agent refuses it
    } catch (cause) {
      throw new BadRequestError("the public key is no point of the curve", cause);
    }
    const message = algorithm === "ed25519" ? data : digestOf(algorithm, data);
    return { valid: curve.verify(signature, message, public_key) };
  }

  function emitEvent(request: unknown) {
    const { event, payload } = read(schemas.event, request);
    platform.extend(event, payload);
    return {};
  }

  return function guestAgent(method, request) {
    const handler = methods.get(method);
    if (handler === undefined) throw new UnknownMethodError(method, [...methods.keys()]);
    return handler(request);
  };
}

function read<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw new BadRequestError(z.prettifyError(parsed.error));
  return parsed.data;
}

function digestOf(algorithm: "secp256k1" | "secp256k1_prehashed", data: Uint8Array): Uint8Array {
  if (algorithm === "secp256k1") return sha256(data);
  if (data.length !== 32) throw new BadRequestError(`a digest has 32 bytes, not ${data.length}`);
  return data;
}

/** The request of a method is malformed. */
export class BadRequestError extends BaseError {
  override readonly name = "Simulator.BadRequestError";
  constructor(detail: string, cause?: unknown) {
    super(`The request is malformed: ${detail}`, {
      hint: "Bytes are hex without 0x; fields that are not simulated are refused.",
      cause,
    });
  }
}

/** The guest agent has no such method, or it is not simulated. */
export class UnknownMethodError extends BaseError {
  override readonly name = "Simulator.UnknownMethodError";
  constructor(method: string, known: readonly string[]) {
    super(`There is no method ${JSON.stringify(method.slice(0, 64))} here.`, {
      hint: `Simulated: ${known.join(", ")}.`,
    });
  }
}
