/**
 * Room: cli/prompt. Asks for a secret on the terminal, without showing it.
 */
import { UsageError } from "./failure.ts";

const enter = ["\r", "\n"];
const interrupt = "\u0003";
const backspace = ["\u007f", "\b"];
const maxLength = 1024;

/**
 * Asks for one line; nothing of it is echoed.
 *
 * @throws {@link UsageError} if there is no terminal to ask on
 * @example
 * const password = await readSecretLine("Password: ")
 */
export async function readSecretLine(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new UsageError("The keystore's password is not configured, and there is no terminal to ask on.", {
      hint: "Set DCM_PASSWORD or give --password-file FILE.",
    });
  }
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  let line = "";
  try {
    for await (const text of stdin) {
      for (const character of text as string) {
        if (character === interrupt) {
          stdin.setRawMode(false);
          stderr.write("\nInterrupted.\n");
          process.exit(130);
        }
        if (enter.includes(character)) return line;
        if (backspace.includes(character)) line = line.slice(0, -1);
        else if (line.length < maxLength) line += character;
      }
    }
    return line;
  } finally {
    if (!stdin.destroyed) stdin.setRawMode(false);
    stderr.write("\n");
  }
}
