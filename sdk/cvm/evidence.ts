/**
 * Room: sdk/cvm/evidence. Reads what a dstack VM hands out about itself, in every form in which the guest agent, its SDKs
 * and public samples write it. Nothing here is believed. Pure: bytes in, bytes out.
 * Source: Dstack-TEE/dstack, guest-agent/rpc (GetQuote and Info, v0).
 */
import { type Hex, hexToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { maxQuoteSize, quoteBytes } from "../../protocol/quote/parseQuote.ts";
import { readAttestBlob } from "./attestBlob.ts";
import { repeatedKey } from "./uniqueKeys.ts";

/** Longest file of each kind, in bytes: JSON may write a byte as `0, `, and a log and a manifest in one. */
export const maxEvidenceSize = 4 * 1024 * 1024;

/** What GetQuote answers. */
export type QuoteAnswer = {
  quote: Uint8Array;
  eventLog?: string | undefined;
  /** What the answer says the quote's report data are. */
  reportData?: Hex | undefined;
  vmConfig?: VmConfig | undefined;
};

/** What the host says of the VM: of it, the hash of the OS image and the configuration document. */
export type VmConfig = { osImageHash?: Hex | undefined; mrConfig?: string | undefined };

/** One thing, said at several places: field -> what it says. */
export type Stated = Readonly<Record<string, Hex>>;

/** What Info answers. */
export type Info = {
  appId?: Hex | undefined;
  instanceId?: Hex | undefined;
  appName?: string | undefined;
  keyProviderInfo?: string | undefined;
  osImageHashes: Stated;
  composeHashes: Stated;
  mrAggregated: Stated;
  /** MRTD and RTMR0 to 3 as stated, 48 bytes each if they are right. */
  registers: Partial<Record<RegisterName, Hex>>;
  eventLog?: string | undefined;
  appCompose?: string | undefined;
  vmConfig?: VmConfig | undefined;
  /** Fields that say something which neither quote nor log speaks of, in order. */
  unproven: string[];
};

/** Registers by their names in Info. */
export const registerNames = ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"] as const;
type RegisterName = (typeof registerNames)[number];

const hexText = z
  .string()
  .max(256)
  .regex(/^(0x)?([0-9a-fA-F]{2})*$/)
  .transform((text): Hex => `0x${text.replace(/^0x/, "").toLowerCase()}`);
const attestSchema = z.object({
  quote: z.undefined().optional(),
  attestation: z
    .string()
    .max(2 * maxEvidenceSize)
    .regex(/^(0x)?00([0-9a-fA-F]{2})*$/)
    .transform((text): Hex => `0x${text.replace(/^0x/, "")}`),
});
const textOrJson = z.union([z.string(), z.looseObject({}), z.array(z.unknown())]);
const answerSchema = z.looseObject({
  quote: z.union([z.string(), z.array(z.int().min(0).max(255)).max(maxQuoteSize)]),
  event_log: textOrJson.optional(),
  report_data: hexText.optional(),
  vm_config: textOrJson.optional(),
});
const tcbSchema = z.looseObject({
  mrtd: hexText.optional(),
  rtmr0: hexText.optional(),
  rtmr1: hexText.optional(),
  rtmr2: hexText.optional(),
  rtmr3: hexText.optional(),
  mr_aggregated: hexText.optional(),
  os_image_hash: hexText.optional(),
  compose_hash: hexText.optional(),
  event_log: textOrJson.optional(),
  app_compose: z.string().optional(),
});
const infoSchema = z.looseObject({
  app_id: hexText.optional(),
  instance_id: hexText.optional(),
  app_name: z.string().optional(),
  key_provider_info: z.string().optional(),
  os_image_hash: hexText.optional(),
  compose_hash: hexText.optional(),
  mr_aggregated: hexText.optional(),
  vm_config: textOrJson.optional(),
});

/**
 * Reads a quote: raw bytes, hex, a JSON array of bytes, GetQuote's answer, or Attest's, binary or JSON.
 *
 * @throws {@link BadEvidenceError}, or `BadAttestBlobError`, or `MalformedQuoteError` for bad hex.
 * @example
 * const { quote, eventLog } = readQuoteAnswer(await readBounded("quote.json", maxEvidenceSize))
 */
export function readQuoteAnswer(bytes: Uint8Array): QuoteAnswer {
  if (bytes[0] === 0) return readAttest(bytes);
  // A quote starts with its version, 3 to 5: a control character, which no text starts with.
  if ((bytes[0] ?? 0) < 9 && bytes.length > 0) return { quote: bytes };
  const text = textOf("quote", bytes).trim();
  if (text === "") throw new BadEvidenceError("quote", "it is empty");
  if (!/^[[{]/.test(text)) return { quote: quoteBytes(text) };
  const json = jsonOf("quote", text);
  const attest = attestSchema.safeParse(json);
  if (attest.success) return readAttest(hexToBytes(attest.data.attestation));
  const answer = parsed("quote", answerSchema, Array.isArray(json) ? { quote: json } : json);
  return {
    quote: typeof answer.quote === "string" ? quoteBytes(answer.quote) : Uint8Array.from(answer.quote),
    eventLog: asText(answer.event_log),
    reportData: answer.report_data === "0x" ? undefined : answer.report_data,
    vmConfig: vmConfigOf(answer.vm_config),
  };
}

function readAttest(bytes: Uint8Array): QuoteAnswer {
  if (bytes.length > maxEvidenceSize) throw new BadEvidenceError("attestation", `longer than ${maxEvidenceSize} bytes`);
  const { config, ...answer } = readAttestBlob(bytes);
  return { ...answer, vmConfig: vmConfigOf(config) };
}

/**
 * Reads an event log: the JSON array, or any answer that holds one.
 *
 * @returns its JSON text, which `replayEventLog` reads.
 * @throws {@link BadEvidenceError}
 * @example
 * const eventLog = readEventLogFile(bytes)
 */
export function readEventLogFile(bytes: Uint8Array): string {
  const text = textOf("event log", bytes);
  const json = jsonOf("event log", text);
  if (Array.isArray(json)) return text;
  const { event_log } = parsed("event log", z.looseObject({ event_log: textOrJson }), json);
  return asText(event_log) ?? "";
}

/**
 * Reads Info's answer, or its `tcb_info` alone.
 *
 * @throws {@link BadEvidenceError}
 * @example
 * const { registers } = readInfo(bytes)
 */
export function readInfo(bytes: Uint8Array): Info {
  const json = jsonOf("info", textOf("info", bytes));
  const info = parsed("info", infoSchema, json);
  const inner = info.tcb_info;
  const tcb = parsed("info", tcbSchema, typeof inner === "string" ? jsonOf("tcb_info", inner) : (inner ?? json));
  const stated = registerNames.flatMap((name) => (tcb[name] === undefined ? [] : [[name, tcb[name]] as const]));
  const all = (name: "os_image_hash" | "compose_hash" | "mr_aggregated"): Stated => {
    const places =
      inner === undefined
        ? [[name, tcb[name]]]
        : [
            [name, info[name]],
            [`tcb_info.${name}`, tcb[name]],
          ];
    return Object.fromEntries(places.filter(([, value]) => value !== undefined && value !== "0x"));
  };
  const unread = (said: object, schema: z.ZodObject, prefix: string) =>
    Object.entries(said)
      .filter(([name, value]) => !Object.hasOwn(schema.shape, name) && value !== "" && value !== null)
      .map(([name]) => `${prefix}${name}`);
  return {
    appId: info.app_id,
    instanceId: info.instance_id,
    appName: info.app_name,
    keyProviderInfo: info.key_provider_info,
    osImageHashes: all("os_image_hash"),
    composeHashes: all("compose_hash"),
    mrAggregated: all("mr_aggregated"),
    registers: Object.fromEntries(stated),
    eventLog: asText(tcb.event_log),
    appCompose: tcb.app_compose,
    vmConfig: vmConfigOf(info.vm_config),
    unproven:
      inner === undefined
        ? unread(info, infoSchema.extend(tcbSchema.shape), "")
        : [...unread(info, infoSchema.extend({ tcb_info: z.unknown() }), ""), ...unread(tcb, tcbSchema, "tcb_info.")],
  };
}

/**
 * Reads JSON of a form.
 *
 * @param what - its name, for errors.
 * @throws {@link BadEvidenceError} if it is longer than {@link maxEvidenceSize}, names a key twice, or is of another form.
 * @example
 * const answer = readJson("attestation", schema, bytes)
 */
export function readJson<T extends z.ZodType>(what: string, schema: T, bytes: Uint8Array): z.output<T> {
  const text = textOf(what, bytes);
  const json = jsonOf(what, text);
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    throw new BadEvidenceError(what, `it names ${JSON.stringify(repeated.slice(0, 64))} twice`);
  return parsed(what, schema, json);
}

function vmConfigOf(value: z.output<typeof textOrJson> | undefined): VmConfig | undefined {
  if (value === undefined || value === "") return undefined;
  const json = typeof value === "string" ? jsonOf("vm_config", value) : value;
  const schema = z.looseObject({ os_image_hash: hexText.optional(), mr_config: z.string().optional() });
  const { os_image_hash, mr_config } = parsed("vm_config", schema, json);
  return { osImageHash: os_image_hash === "0x" ? undefined : os_image_hash, mrConfig: mr_config };
}

function asText(value: z.output<typeof textOrJson> | undefined): string | undefined {
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}

function textOf(what: string, bytes: Uint8Array): string {
  if (bytes.length > maxEvidenceSize) throw new BadEvidenceError(what, `longer than ${maxEvidenceSize} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BadEvidenceError(what, "neither a quote nor text", cause);
  }
}

function jsonOf(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadEvidenceError(what, "not JSON", cause);
  }
}

function parsed<T extends z.ZodType>(what: string, schema: T, json: unknown): z.output<T> {
  const result = schema.safeParse(json);
  if (!result.success) throw new BadEvidenceError(what, z.prettifyError(result.error).slice(0, 300));
  return result.data;
}

/** A file does not hold what it should. */
export class BadEvidenceError extends BaseError {
  override readonly name = "Cvm.BadEvidenceError";
  constructor(what: string, fact: string, cause?: unknown) {
    super(`The ${what} cannot be read: ${fact}`, {
      hint: "Give the answer of GetQuote, of Info, or of a worker's GET /attestation as it was written, unchanged.",
      cause,
    });
  }
}
