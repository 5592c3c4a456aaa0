/** A wallet as simple as can be: shows what a descriptor says of a message or a call, line by line. */
import { formatUnits } from "viem";
import type { Checked } from "./checkDescriptor.ts";

/** Tokens that the wallet knows, by lowercase address. */
export type Tokens = Readonly<Record<string, { symbol: string; decimals: number }>>;

type Format = Checked["display"]["formats"][string];
type Field = Extract<Format["fields"][number], { format: string }>;

/** The lines that a descriptor's format makes of a value: the intent, then `label: value` of all that is shown. */
export function render(descriptor: Checked, key: string, message: unknown, tokens: Tokens): string[] {
  const format = descriptor.display.formats[key] as Format; // tests name keys that exist
  const lines = (field: Field, from: unknown): string[] =>
    valuesAt(from, field.path)
      .filter((value) => isShown(field, value))
      .map((value) => `${field.label}: ${show(field, value, from)}`);

  const show = (field: Field, value: unknown, from: unknown): string => {
    switch (field.format) {
      case "date":
        return new Date(Number(value) * 1000).toISOString().replace(".000Z", "Z");
      case "duration":
        return new Date(Number(value) * 1000).toISOString().slice(11, 19);
      case "enum": {
        const { $ref } = field.params;
        return descriptor.metadata.enums[$ref.replace("$.metadata.enums.", "")]?.[String(value)] ?? `? ${value}`;
      }
      case "tokenAmount": {
        const { tokenPath, nativeCurrencyAddress } = field.params;
        const root = tokenPath.startsWith("#.");
        const [token] = valuesAt(root ? message : from, root ? tokenPath.slice(2) : tokenPath).map(String);
        const native = descriptor.metadata.constants[nativeCurrencyAddress.replace("$.metadata.constants.", "")];
        if (token === native) return `${formatUnits(BigInt(String(value)), 18)} ETH`;
        const known = tokens[(token ?? "").toLowerCase()];
        if (known === undefined) return `${value} of unknown token`;
        return `${formatUnits(BigInt(String(value)), known.decimals)} ${known.symbol}`;
      }
      case "unit":
        return `${formatUnits(BigInt(String(value)), field.params.decimals ?? 0)}${field.params.base}`;
      default:
        return String(value);
    }
  };

  const shown = format.fields.flatMap((field) =>
    "fields" in field
      ? valuesAt(message, field.path).flatMap((element) => field.fields.flatMap((inner) => lines(inner, element)))
      : lines(field, message),
  );
  return [format.intent, ...shown];
}

function isShown({ visible = "always" }: Field, value: unknown): boolean {
  if (typeof visible === "string") return visible === "always";
  return !visible.ifNotIn.some((hidden) => String(hidden) === String(value));
}

function valuesAt(from: unknown, path: string): unknown[] {
  return path
    .split(".")
    .reduce<unknown[]>(
      (values, step) =>
        values.flatMap((value) => (step === "[]" ? (value as unknown[]) : [(value as Record<string, unknown>)[step]])),
      [from],
    );
}
