/** Room: cli/commands/datasetOptions. What a person says of a data set on the command line, as metadata and payees. */
import { type Command, Option } from "commander";
import type { Metadata, PriceUnitName } from "../../protocol/metadata.ts";
import type { Client } from "../../sdk/client.ts";
import type { Payee } from "../../sdk/datasets.ts";
import { accountOf, accountOrZero } from "../accounts.ts";
import { UsageError } from "../failure.ts";

/** Options of {@link addMetadataOptions}. */
export type MetadataOptions = {
  token?: string;
  per?: keyof typeof unitOf;
  topic?: string;
  description?: string;
  keywords?: string;
  place?: string;
  language?: string;
  edition?: string;
  licence?: string;
};

const unitOf = { use: "use", row: "outputRow", byte: "inputByte" } as const satisfies Record<string, PriceUnitName>;

/**
 * Adds the options that publishing and updating share.
 *
 * @example
 * addMetadataOptions(command).option("--title <text>", "what it is")
 */
export function addMetadataOptions(command: Command): Command {
  const per = new Option("--per <unit>", "what the price is for: each use, row of the result, byte of the ciphertext");
  return command
    .option("--token <address>", "token of the price (default: the native coin)")
    .addOption(per.choices(Object.keys(unitOf)))
    .option("--topic <text>", "field it belongs to")
    .option("--description <text>", "a few sentences")
    .option("--keywords <list>", "comma-separated")
    .option("--place <text>", "where the records are of")
    .option("--language <tag>", "of its texts, e.g. en")
    .option("--edition <text>", "which one, e.g. 2026-03")
    .option("--licence <text>", "e.g. CC-BY-4.0");
}

/**
 * The fields that were given; an empty text is one that was not.
 *
 * @example
 * metadataOf({ topic: "climate", keywords: "co2, monthly" }) // { topic: "climate", keywords: ["co2", "monthly"] }
 */
export function metadataOf(options: MetadataOptions): Omit<Partial<Metadata>, "v" | "price"> {
  const { topic, description, place, language, edition, licence } = options;
  const keywords = options.keywords?.split(",").flatMap((word) => word.trim() || []);
  const given = Object.entries({ topic, description, place, language, edition, licence, keywords });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/**
 * The price of the metadata: an amount in whole units of a token.
 *
 * @throws UsageError | any error of `tokenOf` and `parseAmount`
 * @example
 * const price = await priceFrom(client, { price: "2.50", token })
 */
export async function priceFrom(
  client: Client,
  { price, token, per }: MetadataOptions & { price: string },
): Promise<NonNullable<Metadata["price"]>> {
  const { parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const known = await tokenOf(client, await accountOrZero("--token", token));
  const amount = parseAmount(price, known);
  return { token: known.address, amount, ...(per === undefined ? {} : { unit: unitOf[per] }) };
}

/**
 * Payees from `ADDRESS:BPS`.
 *
 * @throws {@link UsageError} | BadPayeesError
 * @example
 * await payeesOf(["0x5FbDB2315678afecb367f032d93F642f64180aa3:10000"])
 */
export async function payeesOf(texts: readonly string[] = []): Promise<Payee[]> {
  const { requirePayees } = await import("../../sdk/payees.ts");
  const payees: Payee[] = [];
  for (const text of texts) {
    const [account = "", share = "", ...more] = text.split(":");
    if (!/^[0-9]{1,5}$/.test(share) || more.length > 0) {
      throw new UsageError(`--payee: ${JSON.stringify(text.slice(0, 60))} is not ADDRESS:BPS.`, {
        hint: "Give an address, a colon and its share in basis points: 0x...:2500 is a quarter.",
      });
    }
    payees.push({ account: await accountOf("--payee", account), shareBps: Number(share) });
  }
  requirePayees(payees);
  return payees;
}
