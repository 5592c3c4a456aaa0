/**
 * Room: sdk/cvm/attestation. Reads a worker's answer to GET /attestation, and what is known of that worker from elsewhere.
 * Nothing here is believed. Pure: bytes in, evidence out.
 * Mirrors `enclave/http/workerApi.ts`, Attestation.
 */
import { type Address, type Hex, stringToBytes } from "viem";
import { z } from "zod";
import type { EnclaveBinding } from "../../protocol/attestationBinding.ts";
import { recordedStatuses } from "../../protocol/enclaveRecord.ts";
import { maxEventLogSize } from "../../protocol/quote/eventLog.ts";
import { maxQuoteSize, quoteBytes } from "../../protocol/quote/parseQuote.ts";
import { address, bytes32, hexOf, hexUpTo, uint64String } from "../../protocol/schemas.ts";
import { maxAppComposeSize } from "./appCompose.ts";
import type { CvmEvidence } from "./case.ts";
import { BadEvidenceError, readInfo, readJson } from "./evidence.ts";

/** What a worker says of its quote; fields as in its answer. `expiresAt` in Unix seconds. */
export type WorkerClaims = {
  binding: EnclaveBinding;
  reportDataKind: "registration" | "challenge";
  images: string[];
  buildManifest: Hex | null;
  registrationTx?: Hex | undefined;
  registration: { registry: Address; platformId: Hex; tcbStatus: string; expiresAt: bigint } | null;
  simulated: boolean;
};

/** What is known of a binding from elsewhere. */
export type KnownBinding = { [Field in keyof EnclaveBinding]?: EnclaveBinding[Field] | undefined };

/** Fields of a binding, in the order in which they are hashed. */
export const bindingFields = ["chainId", "registry", "operator", "signingKey", "vaultKey"] as const;

const maxVaultKeySize = 2048;
const chainId = z
  .int()
  .min(1)
  .transform((value) => BigInt(value));
const lowercase = address.transform((value) => value.toLowerCase() as Address);
const bindingSchema = z.object({
  chainId,
  registry: lowercase,
  operator: lowercase,
  signingKey: lowercase,
  vaultKey: hexUpTo(maxVaultKeySize),
});
const attestationSchema = z.object({
  quote: hexUpTo(maxQuoteSize),
  eventLog: z.string().max(maxEventLogSize),
  appCompose: z.string().max(maxAppComposeSize),
  info: z.looseObject({ appId: z.string(), instanceId: z.string(), appName: z.string().max(256) }),
  binding: bindingSchema,
  images: z.array(z.string().max(1024)).max(256),
  buildManifest: bytes32.nullable(),
  reportDataKind: z.enum(["registration", "challenge"]),
  registrationTx: bytes32.optional(),
  registration: z
    .object({
      registry: lowercase,
      platformId: hexOf(16),
      tcbStatus: z.enum(recordedStatuses),
      expiresAt: uint64String,
    })
    .nullable(),
  simulated: z.boolean(),
});

/**
 * Reads a worker's answer to GET /attestation.
 *
 * @throws `BadEvidenceError`
 * @example
 * const report = await verifyCvm(readAttestation(bytes), { ...policy, nonce })
 */
export function readAttestation(bytes: Uint8Array): CvmEvidence {
  const { quote, eventLog, appCompose, info, ...claims } = readJson("attestation", attestationSchema, bytes);
  const { appId, instanceId, appName, ...others } = info;
  const asInfo = {
    ...others,
    app_id: appId,
    instance_id: instanceId,
    ...(appName === "" ? {} : { app_name: appName }),
  };
  return {
    answer: { quote: quoteBytes(quote), eventLog },
    appCompose: stringToBytes(appCompose),
    info: readInfo(stringToBytes(JSON.stringify(asInfo))),
    claims,
  };
}

/**
 * Reads what is known of a worker: some fields of a binding, at the top or in `binding`; of a deployment file, its chain and
 * registry.
 *
 * @throws `BadEvidenceError`
 * @example
 * const expectedBinding = readExpectedBinding(await readBounded("enclave.json", maxEvidenceSize))
 */
export function readExpectedBinding(bytes: Uint8Array): KnownBinding {
  const fields = bindingSchema.partial();
  const deployed = z.object({ contracts: z.object({ enclaveRegistry: lowercase }).optional() });
  const json = readJson("expected binding", z.object({ binding: z.unknown().optional() }).loose(), bytes);
  const known = json.binding === undefined ? json : json.binding;
  const parsed = fields.and(deployed).safeParse(known);
  if (!parsed.success) throw new BadEvidenceError("expected binding", z.prettifyError(parsed.error).slice(0, 300));
  const { contracts, ...binding } = parsed.data;
  const found = contracts === undefined ? binding : { registry: contracts.enclaveRegistry, ...binding };
  if (Object.keys(found).length === 0) throw new BadEvidenceError("expected binding", "it has no field of a binding");
  return found;
}
