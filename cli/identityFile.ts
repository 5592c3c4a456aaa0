/**
 * Room: cli/identityFile. Age identities in files as age-keygen, or `dcm dataset key`, writes them.
 */
import { UsageError } from "./failure.ts";

/**
 * The first secret line of such a file.
 *
 * @throws {@link UsageError} | FileUnreadableError
 * @example
 * const identity = await readIdentity("key.txt")
 */
export async function readIdentity(file: string): Promise<string> {
  const { readText } = await import("../sdk/node/files.ts");
  const lines = (await readText(file, 16 * 1024)).split(/\r?\n/).map((line) => line.trim());
  const identity = lines.find((line) => /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(line));
  if (identity !== undefined) return identity;
  throw new UsageError(`${file} holds no age identity.`, {
    hint: "Give the file that age-keygen or `dcm dataset key` wrote, not the public key alone.",
  });
}
