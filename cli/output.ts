/**
 * Room: cli/output. What commands print. stdout holds the result and nothing else; progress goes to stderr.
 * Text of strangers is made harmless for terminals.
 */
import type { Command } from "commander";
import { plainText } from "../sdk/plainText.ts";

/** What a command answers: `json` for --json, `text` otherwise. */
export type Output = {
  json: unknown;
  text: string | readonly string[];
  /** The deployment's platform is simulated. */
  simulated?: boolean;
  exitCode?: number;
};

/** Options every command has. */
export type GlobalOptions = {
  rpc?: string;
  deployment?: string;
  home?: string;
  keystore?: string;
  passwordFile?: string;
  json?: boolean;
};

/**
 * Makes a commander action of a function that answers an {@link Output}.
 *
 * @example
 * command.action(answer(async (options: GlobalOptions, id: Hex) => ({ json: { id }, text: id })))
 */
export function answer<Options extends GlobalOptions, Args extends unknown[]>(
  handler: (options: Options, ...args: Args) => Promise<Output>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command; // commander appends the options and the command
    const options = command.optsWithGlobals<Options>();
    const output = await handler(options, ...(all.slice(0, -2) as Args));
    show(output, options.json === true);
  };
}

function show({ json, text, simulated, exitCode }: Output, asJson: boolean): void {
  const lines = typeof text === "string" ? [text] : text;
  const marked = simulated ? [...lines, simulatedNote] : lines;
  process.stdout.write(
    asJson ? `${toJson(simulated === undefined ? json : mark(json, simulated))}\n` : `${marked.join("\n")}\n`,
  );
  if (exitCode !== undefined) process.exitCode = exitCode;
}

const simulatedNote = "SIMULATED: the platform's root key is not Intel's; its enclaves keep nothing secret.";

function mark(json: unknown, simulated: boolean): unknown {
  return { ...(json as object), simulated };
}

/** One line of JSON; bigints as decimal strings, control characters escaped. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v));
  return text.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Says on stderr what is being done.
 *
 * @example
 * progress("Encrypting...")
 */
export function progress(text: string): void {
  process.stderr.write(`${plainText(text, 400)}\n`);
}

/**
 * Lines of `label  value`; entries without a value are left out.
 *
 * @example
 * fields([["title", metadata.title]])
 */
export function fields(entries: readonly (readonly [label: string, value: unknown])[]): string[] {
  const shown = entries.filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${plainText(String(value), 2000)}`);
}

/**
 * Aligned columns under a header, or a sentence if there is nothing.
 *
 * @example
 * table(["id", "title"], rows, "No data sets.")
 */
export function table(header: readonly string[], rows: readonly (readonly unknown[])[], nothing: string): string[] {
  if (rows.length === 0) return [nothing];
  const cells = [header, ...rows].map((row) => row.map((cell) => plainText(String(cell ?? ""), 80)));
  const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * A Unix time for people.
 *
 * @param unixSeconds - anything beyond what dates can hold is shown as the number.
 * @example
 * dateOf(1_786_621_538n) // "2026-08-13 11:45:38 UTC"
 */
export function dateOf(unixSeconds: bigint): string {
  const date = new Date(Number(unixSeconds) * 1000);
  return Number.isNaN(date.getTime())
    ? String(unixSeconds)
    : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
