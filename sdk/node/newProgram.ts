/**
 * Room: sdk/node/newProgram. Starts a program: a directory with a manifest, a source that runs as it is, and a README.
 */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { quickjs } from "../../protocol/engines.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { Manifest, Program } from "../../protocol/program.ts";
import { writeAtomic } from "./files.ts";
import { writeProgramManifest } from "./programDir.ts";

const source = `/** How many distinct ids each value of a column has. Say here what a reader of the result learns. */
export default function ({ data }, { column }) {
  const [header, ...rows] = data.split(/\\r?\\n/).filter((line) => line !== "").map((line) => line.split(","));
  const [id, position] = [header.indexOf("id"), header.indexOf(column)];
  if (id < 0 || position < 0) throw new Error("no such column");
  const units = new Map();
  for (const row of rows) units.set(row[position], (units.get(row[position]) ?? new Set()).add(row[id]));
  return { rows: [...units].map(([value, ids]) => ({ value, units: ids.size })) };
}
`;

const manifest: Omit<Manifest, "name" | "files"> = {
  v: 1,
  runtime: quickjs,
  entry: "main.js",
  params: {
    type: "object",
    additionalProperties: false,
    required: ["column"],
    properties: { column: { type: "string", maxLength: 128 } },
  },
  inputs: [{ name: "data", format: "csv" }],
  output: {
    format: "json",
    schema: {
      type: "object",
      additionalProperties: false,
      required: ["rows"],
      properties: {
        rows: {
          type: "array",
          maxItems: 100,
          items: {
            type: "object",
            additionalProperties: false,
            required: ["value", "units"],
            properties: {
              value: { type: "string", maxLength: 64 },
              units: { type: "integer", minimum: 1, maximum: 10_000_000 },
            },
          },
        },
      },
    },
    maxBytes: 16_384,
    policy: {
      group: { k: 10, rows: "/rows", count: "units", units: { data: "id" }, otherwise: "omit" },
      pad: [32_768],
    },
  },
  limits: { fuel: 1_000_000_000, memoryBytes: 256 * 1024 * 1024, wallMs: 60_000 },
};

const readme = (name: string) => `# ${name}

What it computes, in one sentence.

| | |
|---|---|
| input | \`data\`: CSV without quotes, with a column \`id\` that tells people, or what else is counted, apart |
| parameters | \`{ "column": "name" }\` |
| output | \`rows\`: \`{ value, units }\` |
| policy | values with fewer than ten distinct \`id\` are left out; padded to 32 KiB |

## Privacy: what consenting means

What a reader of one result learns, and of many.
`;

/**
 * Writes a new program that counts values, to be changed. Nothing that is there is overwritten.
 *
 * @param directory - is made; its last part names the program.
 * @throws {@link ProgramExistsError} | `FileUnwritableError`
 * @example
 * const { id } = await newProgram("programs/mine")
 */
export async function newProgram(directory: string): Promise<Program> {
  const name = basename(directory).replace(/[-_]+/g, " ").slice(0, 80) || "program";
  await mkdir(directory).catch((cause) => {
    throw new ProgramExistsError(directory, cause);
  });
  const files: Record<string, string> = {
    "main.js": source,
    "README.md": readme(name),
    "manifest.json": JSON.stringify({ ...manifest, name, files: [] }),
  };
  for (const [file, text] of Object.entries(files))
    await writeAtomic(join(directory, file), text, { mode: 0o644, overwrite: false });
  return writeProgramManifest(directory);
}

/** The directory is there already, or cannot be made. */
export class ProgramExistsError extends BaseError {
  override readonly name = "ProgramDir.ProgramExistsError";
  constructor(directory: string, cause: unknown) {
    super(`${directory} could not be made: it is there already, or its parent is not.`, {
      hint: "Name a directory that does not exist yet.",
      cause,
    });
  }
}
