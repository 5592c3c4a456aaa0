/**
 * Room: sdk/bundle/bundleSchema. The file that a job is audited from with no network: `data-collab-market/bundle/1`. Format
 * only: nothing in it is believed. One spelling for everything, no field that no claim rests on. Pure. Documented in
 * docs/BUNDLE.md.
 */
import { type Address, getAddress, type Hex } from "viem";
import { z } from "zod";
import { maxParamsBytes } from "../../protocol/limits.ts";
import { maxEntryBytes } from "../../protocol/logEntry.ts";
import { maxEntriesRead, maxJobEntries, signedHeadSchema } from "../../protocol/logJson.ts";
import { maxBundleBytes as maxProgramBytes } from "../../protocol/program.ts";
import { maxCertificateSize } from "../../protocol/quote/pemChain.ts";
import { orderSchema, receiptSchema } from "../../protocol/receiptJson.ts";
import { shownLeafSchema } from "../../protocol/sessionJson.ts";
import { maxAppComposeSize } from "../cvm/appCompose.ts";
import { chainProofsSchema } from "../proofs/chainProofs.ts";

/** Names the format and its version. */
export const bundleFormat = "data-collab-market/bundle/1";

/** Largest file, in bytes. */
export const maxJobBundleBytes = 8 * 1024 * 1024;

/** Longest log that is put into a bundle whole, in bytes; of a longer one only proofs are. */
export const maxBundledLog = 64 * 1024;

/** Largest sealed result that is put into a bundle, in bytes. */
export const maxBundledResult = 1024 * 1024;

const maxEvents = 512;
const maxPayload = 128 * 1024;

/** Lowercase only: one spelling. */
const hexText = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `must be 0x and ${bytes} bytes of lowercase hex`)
    .transform((value) => value as Hex);

const lowerAddress = hexText(20).transform((value): Address => getAddress(value));

/** RFC 4648, section 4, in its one canonical form. */
const bytes = (maxBytes: number) =>
  z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .transform((text, context): Uint8Array => {
      try {
        const decoded = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
        if (decoded.length <= maxBytes && decoded.toBase64() === text) return decoded;
      } catch {
        // Not base64: said below.
      }
      context.addIssue({ code: "custom", message: `must be canonical base64 of at most ${maxBytes} bytes` });
      return z.NEVER;
    });

const uint64 = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,19})$/, "must be decimal digits")
  .transform((value) => BigInt(value))
  .refine((value) => value < 2n ** 64n, "must be below 2^64");

const uint16 = z.int().min(0).max(0xffff);

/** What the audit is of: the deployment, and what its contracts' code fixes beside it. */
const deployment = z.strictObject({
  chainId: z.int().positive(),
  rootKey: hexText(64),
  contracts: z.strictObject({
    tdxCollateral: lowerAddress,
    tdxVerifier: lowerAddress,
    enclaveRegistry: lowerAddress,
    datasetRegistry: lowerAddress,
    jobMarket: lowerAddress,
    marketExtension: lowerAddress,
  }),
  maxLifeSeconds: uint64,
  allowedTcb: uint16,
  minimumEvaluationNumber: uint16,
});

/** An event of RTMR3. Digests and other registers' events are left out: nothing here is judged by them. */
const runtimeEvent = z.strictObject({
  event: z.string().max(256),
  payload: z
    .string()
    .max(maxPayload)
    .regex(/^([0-9a-f]{2})*$/, "must be whole bytes of lowercase hex"),
  version: z.union([z.literal(1), z.literal(2)]),
});

const attestation = z.strictObject({
  eventLog: z.array(runtimeEvent).max(maxEvents),
  appCompose: z.string().max(maxAppComposeSize),
  /** DER. */
  rootCa: bytes(maxCertificateSize),
});

const entryText = z.string().max(maxEntryBytes);
const provenEntry = z.strictObject({ index: z.int().min(0), entry: entryText, proof: z.array(hexText(32)).max(108) });
const consistency = z.array(hexText(32)).max(108);

/** Of the log that the receipt commits to; whose it is and what is absent, the rest of the bundle says. */
const log = z.strictObject({
  boot: provenEntry,
  entries: z.array(provenEntry).max(maxJobEntries),
  all: z.array(entryText).max(maxEntriesRead).optional(),
  head: z.strictObject({ ...signedHeadSchema.shape, proof: consistency }).optional(),
  receipt: z.strictObject({ receipt: receiptSchema, signature: hexText(65), proof: consistency }).optional(),
});

/** The bundle of a job. */
export const bundleSchema = z.strictObject({
  format: z.enum([bundleFormat]),
  jobId: hexText(32),
  deployment,
  /** Block headers, transactions, receipts, accounts and words of storage under one block, the anchor. */
  chain: chainProofsSchema.extend({ logIndexes: z.literal(false) }),
  /** Of an order that was settled without being opened: what its parties have. */
  order: z
    .strictObject({
      order: orderSchema,
      params: z
        .string()
        .max(2 + maxParamsBytes * 2)
        .regex(/^0x([0-9a-f]{2})*$/),
    })
    .optional(),
  /** Of a job that was settled through another contract: what its worker has. */
  receipt: z.strictObject({ receipt: receiptSchema, signature: hexText(65) }).optional(),
  /** Of a session's job: its leaf in the claim. */
  leaf: z.strictObject({ session: hexText(32), leaf: shownLeafSchema }).optional(),
  /** JSON, as `packProgram` writes it. */
  program: bytes(maxProgramBytes).optional(),
  attestation: attestation.optional(),
  log: log.optional(),
  /** The sealed result. */
  result: bytes(maxBundledResult).optional(),
});

/** A parsed bundle. */
export type Bundle = z.output<typeof bundleSchema>;

/** The JSON of a bundle. */
export type BundleJson = z.input<typeof bundleSchema>;
