/** Room: scripts/image. Runs a tool of the machine: npm, apt-get, dpkg-deb. */
import { spawn } from "node:child_process";
import { BaseError } from "../../protocol/errors.ts";

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to stdout.
 * @throws {@link CommandError} if it cannot be started or does not end with exit code 0.
 * @example
 * await run("npm", ["ci"], { folder })
 */
export function run(command: string, args: readonly string[], { folder }: { folder: string }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) => reject(new CommandError(command, args, "it is not installed", cause)));
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new CommandError(command, args, Buffer.concat(err).toString("utf8").trim().slice(-2000)));
    });
  });
}

/** A tool that the build needs failed. */
export class CommandError extends BaseError {
  override readonly name = "Image.CommandError";
  constructor(command: string, args: readonly string[], problem: string, cause?: unknown) {
    super(`${command} ${args[0] ?? ""} failed: ${problem}`, {
      hint: "docs/BUILD.md says what a machine needs to build the image.",
      retryable: true,
      cause,
    });
  }
}
