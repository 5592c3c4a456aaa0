/**
 * `npm test`: everything CI needs, in order, with a count at the end. Stops at nothing: all suites run, and the exit
 * code is 0 only if each ran at least one test and none failed. `npm test -- contracts` runs the named suites only.
 * The checks run one after another, then the three long suites at once: each is mostly one thread. What a suite says is
 * shown as it comes, or once the suites before it are done.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

type Suite = { name: string; command: string; args: string[]; counts: boolean };

/** Suites of one array run at once. They share the artifacts that were built before and change nothing there. */
const batches: Suite[][] = [
  [{ name: "abi", command: process.execPath, args: ["scripts/abi.ts", "--check"], counts: false }],
  [{ name: "schemas", command: process.execPath, args: ["scripts/schemas.ts", "--check"], counts: false }],
  [{ name: "errors", command: process.execPath, args: ["scripts/errors.ts"], counts: false }],
  [{ name: "citations", command: process.execPath, args: ["scripts/citations.ts"], counts: false }],
  [{ name: "snapshots", command: process.execPath, args: ["scripts/snapshots.ts"], counts: false }],
  [{ name: "types", command: "tsc", args: ["-p", "."], counts: false }],
  [{ name: "lint", command: "biome", args: ["check", "."], counts: false }],
  [
    { name: "contracts", command: "hardhat", args: ["test"], counts: true },
    {
      name: "typescript",
      command: "mocha",
      args: ["test/{protocol,enclave,sdk,cli,simulator,programs,scripts,determinism}/**/*.test.ts"],
      counts: true,
    },
    { name: "integration", command: "mocha", args: ["test/integration/**/*.test.ts"], counts: true },
  ],
];

const names = batches.flat().map(({ name }) => name);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(", ")}; there are: ${names.join(", ")}`);
  process.exit(2);
}

const live = new Set<ChildProcess>();
// SIGKILL, and to the whole group: no compiler or worker outlives this, however it ends.
process.on("exit", () => {
  for (const child of live) killGroup(child);
});
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
process.on("SIGHUP", () => process.exit(129));

let passed = 0;
let failed = 0;
for (const batch of batches) {
  const running = batch.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map(start);
  for (const { suite, show, ended } of running) {
    console.log(`\n== ${suite.name}: ${suite.command} ${suite.args.join(" ")}`);
    show();
    const { code, output, seconds } = await ended;
    const counted = { passed: last(output, /^\s*(\d+) passing\b/gm), failed: last(output, /^\s*(\d+) failing\b/gm) };
    const broken = code !== 0 || (suite.counts && counted.passed === 0);
    passed += suite.counts ? counted.passed : broken ? 0 : 1;
    failed += broken ? Math.max(1, counted.failed) : 0;
    console.log(`== ${suite.name}: ${broken ? `FAILED (exit code ${code})` : "ok"} in ${seconds.toFixed(1)} s`);
  }
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

type Ended = { code: number; output: string; seconds: number };

/** Starts a suite and keeps its output. `show` writes what it has said so far, and from then on what it says. */
function start(suite: Suite): { suite: Suite; show(): void; ended: Promise<Ended> } {
  const began = Date.now();
  const child = spawn(suite.command, suite.args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], detached: true });
  live.add(child);
  const heldBack: (() => void)[] = [];
  let shown = false;
  let output = "";
  const say = (to: NodeJS.WriteStream, text: string) => {
    if (shown) to.write(text);
    else heldBack.push(() => to.write(text));
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    say(process.stdout, text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => say(process.stderr, text));
  const ended = new Promise<Ended>((resolve) => {
    const end = (code: number) => {
      live.delete(child);
      resolve({ code, output, seconds: (Date.now() - began) / 1000 });
    };
    child.on("close", (code) => end(code ?? 1));
    child.on("error", (error) => {
      say(process.stderr, `${error.message}\n`);
      end(127);
    });
  });
  const show = () => {
    shown = true;
    for (const write of heldBack) write();
  };
  return { suite, show, ended };
}

/** The group of a suite that runs is there, or has just ended. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

// The last count is the one of all: Hardhat's comes after that of the mocha tests among its own. Runners colour their
// counts on some terminals: take the escape codes out before counting.
function last(output: string, pattern: RegExp): number {
  return Number([...stripVTControlCharacters(output).matchAll(pattern)].at(-1)?.[1] ?? 0);
}
