/** Runs the real `dcm` binary as a person's shell would. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../../../scripts/children.ts";

const binary = fileURLToPath(new URL("../../../cli/dcm.ts", import.meta.url));

/** What a command left behind. */
export type Ran = { code: number | null; stdout: string; stderr: string };

/** Environment of a run; nothing of the test's own DCM_* gets in. */
export type Environment = Readonly<Record<string, string>>;

/**
 * Starts a command.
 *
 * @example
 * const child = startDcm(["provider", "serve"], environment);
 */
export function startDcm(args: readonly string[], environment: Environment) {
  const env = { ...childEnvironment(), HOME: "/nonexistent", NO_COLOR: "1", ...environment };
  return spawn(process.execPath, [binary, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

/**
 * Runs a command to its end.
 *
 * @example
 * const { code, stdout } = await dcm(["--help"], {});
 */
export async function dcm(args: readonly string[], environment: Environment): Promise<Ran> {
  const child = startDcm(args, environment);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/**
 * Runs a check for each case, three at a time: starting a process mostly waits.
 *
 * @example
 * await forEach(cases, async ([args, code]) => expect((await dcm(args, {})).code).to.equal(code));
 */
export async function forEach<T>(cases: readonly T[], check: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < cases.length; at += 3) await Promise.all(cases.slice(at, at + 3).map(check));
}
