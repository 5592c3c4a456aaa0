/**
 * `npm test`: everything CI needs, in order, with a count at the end. Stops at nothing: all suites run, and the exit
 * code is 0 only if each ran at least one test and none failed. `npm test -- contracts` runs the named suites only.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

type Suite = { name: string; command: string; args: string[]; counts: boolean };

const suites: Suite[] = [
  { name: "abi", command: process.execPath, args: ["scripts/abi.ts", "--check"], counts: false },
  { name: "errors", command: process.execPath, args: ["scripts/errors.ts"], counts: false },
  { name: "citations", command: process.execPath, args: ["scripts/citations.ts"], counts: false },
  { name: "snapshots", command: process.execPath, args: ["scripts/snapshots.ts"], counts: false },
  { name: "types", command: "tsc", args: ["-p", "."], counts: false },
  { name: "lint", command: "biome", args: ["check", "."], counts: false },
  { name: "contracts", command: "hardhat", args: ["test"], counts: true },
  {
    name: "typescript",
    command: "mocha",
    args: ["test/{protocol,enclave,sdk,cli,simulator,programs,integration}/**/*.test.ts"],
    counts: true,
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(", ")}; there are: ${suites.map((suite) => suite.name).join(", ")}`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
  const start = Date.now();
  console.log(`\n== ${suite.name}: ${suite.command} ${suite.args.join(" ")}`);
  const { code, output } = await run(suite);
  const counted = { passed: sum(output, /^\s*(\d+) passing\b/gm), failed: sum(output, /^\s*(\d+) failing\b/gm) };
  const broken = code !== 0 || (suite.counts && counted.passed === 0);
  passed += suite.counts ? counted.passed : broken ? 0 : 1;
  failed += broken ? Math.max(1, counted.failed) : 0;
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  console.log(`== ${suite.name}: ${broken ? `FAILED (exit code ${code})` : "ok"} in ${seconds} s`);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs a suite, shows its output as it comes, and keeps it. */
function run(suite: Suite): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(suite.command, suite.args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      process.stdout.write(chunk);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

// Runners colour their counts on some terminals: take the escape codes out before counting.
function sum(output: string, pattern: RegExp): number {
  return [...stripVTControlCharacters(output).matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
}
