/**
 * `npm run coverage`: how much of contracts/ the Solidity tests run, by lines and by branches. Hardhat counts lines; for
 * branches a copy of the project is tested in which branches.ts has given each a line. Takes six minutes of one core.
 * Writes bench/results/coverage.json and docs/COVERAGE.md. Exits 1 if a test fails, a target is missed, or what is not
 * covered and what docs/COVERAGE.md gives reasons for are not the same.
 */
import { spawnSync } from "node:child_process";
import { cp, glob, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Marked, markBranches } from "./branches.ts";
import { readCoverage } from "./coverageFigures.ts";
import { reportCoverage } from "./coverageReport.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const copied = ["contracts", "test/contracts", "test/support", "test/vectors", "hardhat.config.ts", "package.json"];
/** Says how much gas a call may use: counting uses more. */
const gasTest = "test_WhenGroupIsAtItsLimit_ShouldSettleInOneTransaction";

const copy = await mkdtemp(join(tmpdir(), "dcm-coverage-"));
try {
  for (const path of copied) await cp(join(root, path), join(copy, path), { recursive: true });
  await symlink(await realpath(join(root, "node_modules")), join(copy, "node_modules"));
  const marked = await markAll();
  const args = ["test", "solidity", "--coverage", "--grep-exclude", gasTest];
  const { status } = spawnSync("hardhat", args, { cwd: copy, stdio: "inherit" });
  const problems = await reportCoverage(readCoverage(marked, await readFile(join(copy, "coverage/lcov.info"), "utf8")));
  if (status !== 0) problems.unshift("tests failed");
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await rm(copy, { recursive: true, force: true });
}

/** Marks the copy's contracts: all but those that only tests deploy. */
async function markAll(): Promise<Map<string, Marked>> {
  const marked = new Map<string, Marked>();
  const paths = await Array.fromAsync(glob("contracts/**/*.sol", { cwd: copy, exclude: ["contracts/mocks/**"] }));
  for (const [i, path] of paths.sort().entries()) {
    const file = join(copy, path);
    const its = markBranches(await readFile(file, "utf8"), `_branch${i}_`);
    await writeFile(file, its.source);
    marked.set(path, its);
  }
  return marked;
}
