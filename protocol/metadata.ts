/**
 * Room: protocol/metadata. Public metadata of a data set: what a requester searches and sees before paying. Pure.
 * `docs/schemas/dataset-metadata.schema.json` says what they may be, here and for everybody else. Nothing in them is
 * verified by anyone but the provider; they say what the provider claims.
 */
import { type Schema, Validator } from "@cfworker/json-schema";
import { type Address, getAddress } from "viem";
import schema from "../docs/schemas/dataset-metadata.schema.json" with { type: "json" };
import { BaseError } from "./errors.ts";
import { isPlainJson, type JsonValue } from "./jsonSchema.ts";

/** Longest metadata, in bytes of UTF-8. Source: `MAX_METADATA` in DatasetRegistry.sol. */
export const maxMetadataBytes = 8192;

/** Deepest metadata: an object, a list of columns, a column. */
const maxDepth = 3;

/** What a price may be for; the words of `priceUnits` in eip712.ts. */
export type PriceUnitName = "use" | "outputRow" | "inputByte";

/** Metadata that meet the schema; `price.amount` in base units of `price.token`. */
export type Metadata = {
  v: 1;
  title: string;
  description?: string;
  topic?: string;
  keywords?: string[];
  format: "csv" | "json" | "text" | "parquet" | "bytes";
  columns?: {
    name: string;
    type: "string" | "number" | "integer" | "boolean" | "date";
    description?: string;
    unit?: string;
  }[];
  records?: number;
  /** First and last year, month, day or instant, in ISO 8601. */
  timeRange?: [string, string];
  place?: string;
  language?: string;
  edition?: string;
  licence?: string;
  /** What is offered; the grant is what binds. Without a unit: for each use. */
  price?: { token: Address; amount: bigint; unit?: PriceUnitName };
};

const validator = new Validator(structuredClone(schema) as Schema, "2020-12"); // it writes into the schema it is given

/**
 * Checks metadata against the published schema.
 *
 * @param json - as parsed from JSON.
 * @throws {@link BadMetadataError} naming the place.
 * @example
 * parseMetadata({ v: 1, title: "CO2 at Mauna Loa", format: "csv" }).title
 */
export function parseMetadata(json: JsonValue): Metadata {
  if (!isPlainJson(json, maxDepth)) throw new BadMetadataError("/", "is nested too deep or has a __proto__ key");
  const { valid, errors } = validator.validate(json);
  if (!valid) {
    const { instanceLocation = "#", keyword = "", error = "does not fit" } = errors.at(-1) ?? {}; // the innermost
    throw new BadMetadataError(
      instanceLocation.slice(1) || "/",
      keyword === "false" ? "is no field of metadata" : error,
    );
  }
  const { price, ...rest } = json as Omit<Metadata, "price"> & { price?: JsonPrice };
  if (price === undefined) return rest;
  // Whatever its case: a wrong checksum is for whoever types an address to learn, not for who reads one.
  const token = getAddress(price.token.toLowerCase());
  return { ...rest, price: { ...price, token, amount: BigInt(price.amount) } };
}

/** A price as the schema has it. */
type JsonPrice = Omit<NonNullable<Metadata["price"]>, "amount"> & { amount: string };

/**
 * The metadata of a DatasetRegistered or DatasetUpdated event.
 *
 * @returns undefined if a provider registered something else than metadata: show the data set without them.
 * @example
 * const title = readMetadata(event.metadata)?.title
 */
export function readMetadata(text: string): Metadata | undefined {
  try {
    return parseMetadata(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Metadata as the registry takes them.
 *
 * @throws {@link BadMetadataError} if readers would not accept them.
 * @example
 * metadataToText({ v: 1, title: "CO2 at Mauna Loa", format: "csv" })
 */
export function metadataToText(metadata: Metadata): string {
  const text = JSON.stringify(metadata, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
  parseMetadata(JSON.parse(text));
  const sizeBytes = new TextEncoder().encode(text).length;
  if (sizeBytes > maxMetadataBytes) {
    throw new BadMetadataError("/", `has ${sizeBytes} bytes, limit ${maxMetadataBytes}`);
  }
  return text;
}

/** Readers of the registry would not accept these metadata. */
export class BadMetadataError extends BaseError {
  override readonly name = "Metadata.BadMetadataError";
  constructor(at: string, fact: string) {
    super(`The metadata are not valid: ${at.slice(0, 200)} ${fact.slice(0, 200)}`, {
      hint: "docs/schemas/dataset-metadata.schema.json says what each field may be.",
    });
  }
}
