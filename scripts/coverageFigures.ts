/** Reads what Hardhat counted of marked sources (see branches.ts) back into lines and branches of the sources themselves. Pure. */
import assert from "node:assert/strict";
import type { Marked } from "./branches.ts";

type Count = { hit: number; of: number };

/**
 * Coverage of one file.
 *
 * @property line - lines on which a statement starts; hit if all that is on the line ran.
 * @property branch - ways on from each condition.
 * @property uncovered - what did not run, in words that do not change when lines are added above it.
 */
export type FileCoverage = { path: string; line: Count; branch: Count; uncovered: string[] };

/**
 * @param marked - by path, as named in `lcov`.
 * @param lcov - report on the marked sources.
 * @returns files that have statements, by path.
 * @throws AssertionError if the report lacks a file or a line that can run.
 */
export function readCoverage(marked: ReadonlyMap<string, Marked>, lcov: string): FileCoverage[] {
  const ranOf = new Map(
    lcov.split("end_of_record").map((record) => {
      const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(
        ([, line, hits]) => [Number(line), hits !== "0"] as const,
      );
      return [/^SF:(.+)$/m.exec(record)?.[1], new Map(lines)];
    }),
  );
  const files: FileCoverage[] = [];
  for (const [path, { branches, statements }] of marked) {
    if (statements.length === 0) continue;
    const ran = (line: number): boolean => {
      const its = ranOf.get(path)?.get(line);
      assert(its !== undefined, `${path}:${line} is not in the report`);
      return its;
    };
    const deadLines = statements.filter(({ line }) => !ran(line));
    const deadBranches = branches.filter(({ marker }) => !ran(marker));
    files.push({
      path,
      line: { hit: statements.length - deadLines.length, of: statements.length },
      branch: { hit: branches.length - deadBranches.length, of: branches.length },
      uncovered: [
        ...deadLines.map(({ where, text }) => `${path} ${where}: ${text}`),
        ...deadBranches.map(({ where, kind, text, way }) => `${path} ${where}: ${kind} ${text}: ${way}`),
      ],
    });
  }
  return files;
}
