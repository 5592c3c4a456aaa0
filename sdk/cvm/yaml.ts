/**
 * Room: sdk/cvm/yaml. Reads YAML so that no other reader can see another document in the same text. Pure.
 * Scalars stay text: what `yes`, `on` or `0x1` mean differs between versions of YAML. Tags, repeated keys and several
 * documents are refused, and so are characters that some readers take for a line break and others do not.
 */
import { FAILSAFE_SCHEMA, load, types } from "js-yaml";
import { BaseError } from "../../protocol/errors.ts";

/** A YAML value: text, nothing, a list or a mapping. */
export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

/** Most entries that are looked at in one mapping or list: with aliases, few bytes name many. */
export const maxEntries = 256;

const schema = FAILSAFE_SCHEMA.extend({ implicit: [types.merge] });

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ambiguous = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff]|\r(?!\n)/;

/**
 * Reads a YAML document.
 *
 * @returns values whose mappings have own properties only.
 * @throws {@link BadYamlError}
 * @example
 * const document = readYaml("services: {}")
 */
export function readYaml(text: string): Yaml {
  const found = ambiguous.exec(text)?.[0];
  if (found !== undefined)
    throw new BadYamlError(`it holds character ${found.codePointAt(0)?.toString(16).padStart(4, "0")}`);
  try {
    return (load(text, { schema, maxDepth: 50, maxTotalMergeKeys: 1000 }) ?? null) as Yaml;
  } catch (cause) {
    const fact = cause instanceof Error ? cause.message.slice(0, 200) : "unreadable";
    throw new BadYamlError(fact, cause);
  }
}

/**
 * The entries of a mapping; of nothing, none.
 *
 * @throws {@link BadYamlError} if it is something else, or has more than {@link maxEntries}.
 * @example
 * for (const [name, service] of entriesOf(document, "services")) ...
 */
export function entriesOf(value: Yaml | undefined, what: string): [string, Yaml][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object" || Array.isArray(value)) throw new BadYamlError(`${what} is not a mapping`);
  const entries = Object.entries(value);
  if (entries.length > maxEntries) throw new BadYamlError(`${what} has ${entries.length} entries, limit ${maxEntries}`);
  return entries;
}

/** The text is not YAML, or not YAML that every reader reads alike. */
export class BadYamlError extends BaseError {
  override readonly name = "Yaml.BadYamlError";
  constructor(fact: string, cause?: unknown) {
    super(`The compose file cannot be judged: ${fact}`, {
      hint: "Use plain YAML: one document, no tags, no repeated keys, no unusual line breaks.",
      cause,
    });
  }
}
