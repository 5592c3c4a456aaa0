/**
 * Room: cli/failure. How errors look on stderr, and the exit code: 1 when something failed, 2 when the command was
 * not understood or lacks configuration. No stack traces; unknown errors are not repeated, they could hold secrets.
 */
import { CommanderError } from "commander";
import { BaseError } from "../protocol/errors.ts";
import { plainText } from "../sdk/plainText.ts";

/**
 * The exit code for what a command threw.
 *
 * @example
 * process.exitCode = exitCodeOf(error)
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Prints an error.
 *
 * @param json - as `{"error":{"name","message","hint"}}`, else as two lines.
 * @example
 * showError(error, false)
 */
export function showError(error: unknown, json: boolean): void {
  if (error instanceof CommanderError && error.exitCode === 0) return; // --help
  const { name, ...raw } = describe(error);
  // An error may quote a stranger: metadata, a server's answer, a file of the chain.
  const [message, hint] = [plainText(raw.message, 2000), plainText(raw.hint, 1000)];
  const text = json ? JSON.stringify({ error: { name, message, hint } }) : `error: ${message}\nhint: ${hint}`;
  process.stderr.write(`${withoutSecrets(text)}\n`);
}

function describe(error: unknown): { name: string; message: string; hint: string } {
  if (error instanceof BaseError) return { name: error.name, message: error.message, hint: error.hint };
  if (error instanceof CommanderError) {
    const isGroup = error.code === "commander.help"; // a group without its subcommand
    const message = isGroup ? "A subcommand is missing." : error.message.replace(/^error: /, "");
    return { name: "Cli.UsageError", message: oneLine(message), hint: "Run the command with --help for an example." };
  }
  const kind = error instanceof Error ? error.constructor.name : typeof error;
  return {
    name: "Cli.UnexpectedError",
    message: `Something unexpected failed (${kind}).`,
    hint: "This is a bug: please report the command and the version.",
  };
}

function oneLine(text: string): string {
  // An unknown option may carry what was meant to be secret: `--private-key=0x...`.
  return text.replace(/(unknown option '[^'=]*)=[^']*'/, "$1'").replace(/\s+/g, " ");
}

/** The last net: identities never leave, whatever message they got into. */
function withoutSecrets(text: string): string {
  return text.replace(/AGE-SECRET-KEY-[0-9A-Z-]*/gi, "AGE-SECRET-KEY-(hidden)");
}

/** The command was not given what it needs. */
export class UsageError extends BaseError {
  override readonly name = "Cli.UsageError";
}
