/**
 * Checks that docs/errors.md has one row for each error that is thrown on purpose, and none for errors that are gone:
 * subclasses of BaseError in TypeScript, custom errors in Solidity (mocks excepted). Exits 1 and says what is wrong.
 */
import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = ["{protocol,enclave,sdk,cli,simulator,scripts,deploy}/**/*.ts", "contracts/**/*.sol"];

const problems: string[] = [];
const thrown = new Map<string, string>();
for await (const path of glob(sources, { cwd: root, exclude: ["contracts/mocks/**"] })) {
  const text = await readFile(new URL(path, `file://${root}`), "utf8");
  for (const name of path.endsWith(".sol") ? solidityErrors(text) : typescriptErrors(path, text)) {
    if (thrown.has(name)) problems.push(`${name}: declared in ${thrown.get(name)} and in ${path}`);
    thrown.set(name, path);
  }
}

const rows = matches(
  await readFile(new URL("docs/errors.md", `file://${root}`), "utf8"),
  /^\| `([\w.]+)` \| .+ \| .+ \|$/gm,
);
const documented = new Set(rows);
for (const [name, path] of thrown)
  if (!documented.has(name)) problems.push(`${name} (${path}): no row in docs/errors.md`);
for (const name of documented)
  if (!thrown.has(name)) problems.push(`${name}: in docs/errors.md, but nothing throws it`);
for (const name of rows.filter((row, i) => rows.indexOf(row) !== i))
  problems.push(`${name}: two rows in docs/errors.md`);

for (const problem of problems.sort()) console.error(problem);
console.log(`${thrown.size} errors, ${documented.size} documented, ${problems.length} problems`);
process.exitCode = problems.length === 0 && thrown.size > 0 ? 0 : 1;

/** Every concrete class has a name of the form `Room.ClassName`, so that none can hide from the search for names. */
function typescriptErrors(path: string, text: string): string[] {
  const names = matches(text, /^ +override readonly name = "([^"]*)";$/gm);
  const classes = matches(text, /^(?:export )?class (\w+) extends (?:BaseError|HttpError)\b/gm);
  if (names.map((name) => name.split(".")[1]).join() !== classes.join()) {
    problems.push(`${path}: its error classes [${classes}] are not named Room.Class: [${names}]`);
  }
  return names;
}

function solidityErrors(text: string): string[] {
  return matches(text, /^ *error (\w+)\(/gm);
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}
