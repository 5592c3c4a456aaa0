/** Shows and writes what coverage.ts has measured: bench/results/coverage.json, and the table in docs/COVERAGE.md. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import type { FileCoverage } from "./coverageFigures.ts";

const targets = { line: 98, branch: 95 } as const;
const kinds = ["line", "branch"] as const;
const results = new URL("../bench/results/coverage.json", import.meta.url);
const document = new URL("../docs/COVERAGE.md", import.meta.url);
/** The table is all that stands between them. */
const marks = ["<!-- figures -->\n", "<!-- /figures -->"] as const;

/**
 * Writes the figures, and compares what is not covered with the list of reasons in docs/COVERAGE.md.
 *
 * @returns what is wrong: a target that is missed, and each line or branch that is not covered or has a reason, but not
 * both.
 * @throws AssertionError if the document has no place for the table.
 */
export async function reportCoverage(files: readonly FileCoverage[]): Promise<string[]> {
  const all = { path: "all", line: sum(files, "line"), branch: sum(files, "branch") };
  const rows = [all, ...files].flatMap((file) =>
    kinds.map((kind) => ({
      id: `coverage.${kind}.${file.path}`,
      value: percent(file[kind]),
      unit: "%",
      target: file === all ? targets[kind] : null,
      ...file[kind],
    })),
  );
  await writeFile(results, `${JSON.stringify(rows, null, 2)}\n`);

  const cell = (count: FileCoverage["line"]) => `${count.hit} of ${count.of} | ${percent(count)}`;
  const table = [all, ...files].map(({ path, line, branch }) => `| ${path} | ${cell(line)} | ${cell(branch)} |`);
  const head = ["| file | lines | % | branches | % |", "|---|---:|---:|---:|---:|"];
  const text = await readFile(document, "utf8");
  const [start, end] = [text.indexOf(marks[0]) + marks[0].length, text.indexOf(marks[1])];
  assert(start >= marks[0].length && end >= start, `docs/COVERAGE.md has no ${marks.join(" and ")}`);
  await writeFile(document, `${text.slice(0, start)}\n${[...head, ...table].join("\n")}\n\n${text.slice(end)}`);
  console.log(table.join("\n"));

  const uncovered = files.flatMap((file) => file.uncovered);
  const reasons = [...text.matchAll(/^- `(.+?)`: \S/gm)].map(([, what = ""]) => what);
  return [
    ...kinds.flatMap((kind) =>
      percent(all[kind]) < targets[kind]
        ? [`${kind} coverage is ${percent(all[kind])} %, target ${targets[kind]} %`]
        : [],
    ),
    ...without(uncovered, reasons).map((what) => `docs/COVERAGE.md gives no reason for: ${what}`),
    ...without(reasons, uncovered).map((what) => `docs/COVERAGE.md gives a reason, but it is covered: ${what}`),
  ];
}

function sum(files: readonly FileCoverage[], kind: "line" | "branch"): FileCoverage["line"] {
  const total = (what: "hit" | "of") => files.reduce((n, file) => n + file[kind][what], 0);
  return { hit: total("hit"), of: total("of") };
}

/** Two decimals, rounded down: 100 only if all ran. */
function percent({ hit, of }: FileCoverage["line"]): number {
  return of === 0 ? 100 : Math.floor((10_000 * hit) / of) / 100;
}

/** What `from` has more often than `less`. */
function without(from: readonly string[], less: readonly string[]): string[] {
  const left = [...less];
  return from.filter((what) => {
    const at = left.indexOf(what);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
