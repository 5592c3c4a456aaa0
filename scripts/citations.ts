/**
 * Checks what the documents point at: links to files and headings of this project, and the tests that
 * docs/THREAT-MODEL.md cites as `file`: *name*, *name*. Exits 1 and says what is gone.
 */
import { access, glob, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFile(join(root, path), "utf8").catch(() => undefined);

const problems: string[] = [];
let links = 0;
const own = { cwd: root, exclude: ["**/node_modules"] };
for await (const document of glob("{*.md,{docs,deploy,programs,test,contracts}/**/*.md}", own)) {
  const text = (await read(document)) ?? "";
  for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    links++;
    const [path = "", heading] = target.split("#");
    const linked = path === "" ? document : normalize(join(dirname(document), path));
    const there = await access(join(root, linked)).then(
      () => true,
      () => false,
    );
    if (!there) problems.push(`${document}: no file ${linked}`);
    else if (heading !== undefined && !headings((await read(linked)) ?? "").includes(heading))
      problems.push(`${document}: no ${target}`);
  }
}

let tests = 0;
const threats = (await read("docs/THREAT-MODEL.md")) ?? "";
for (const [, file = "", names = ""] of threats.matchAll(/`([\w/.]+\.(?:test\.ts|t\.sol))`:((?: \*[^*|]+\*,?)+)/g)) {
  const source = await read(join("test", file));
  for (const [, name = ""] of names.matchAll(/\*([^*]+)\*/g)) {
    tests++;
    const forms = file.endsWith(".sol") ? [`function ${name}(`] : [`it("${name}"`, `it(\`${name}\``];
    if (!forms.some((form) => source?.includes(form)))
      problems.push(`docs/THREAT-MODEL.md: ${file} has no test "${name}"`);
  }
}
const threatRows = [...threats.matchAll(/^\| T\d+ .*$/gm)].map(([row]) => row);
for (const row of threatRows)
  if (!/`: \*/.test(row)) problems.push(`docs/THREAT-MODEL.md: no test for ${row.slice(0, 60)}`);

for (const problem of problems) console.error(problem);
console.log(`${links} links, ${threatRows.length} threats, ${tests} cited tests, ${problems.length} problems`);
process.exitCode = problems.length === 0 && links > 0 && tests > 0 ? 0 : 1;

/** The anchors that a Markdown viewer makes of headings. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
