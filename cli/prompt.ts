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
  stdin.setRawMode(true); // before the question: what is typed early must not be echoed either
  stdin.setEncoding("utf8");
  stderr.write(question);
  return await new Promise((resolve) => {
    let line = "";
    const end = () => {
      stdin.off("data", onData);
      stdin.pause();
      stdin.setRawMode(false);
      stderr.write("\n");
    };
    const onData = (text: string) => {
      for (const [at, character] of [...text].entries()) {
        if (character === interrupt) {
          end();
          stderr.write("Interrupted.\n");
          process.exit(130);
        }
        if (enter.includes(character)) {
          end();
          stdin.unshift([...text].slice(at + 1).join("")); // a pasted second line answers the next question
          return resolve(line);
        }
        if (backspace.includes(character)) line = line.slice(0, -1);
        else if (line.length < maxLength) line += character;
      }
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}
