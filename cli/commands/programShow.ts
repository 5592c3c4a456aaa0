/** Room: cli/commands/programShow. `dcm program show`: what whoever is asked to consent to a program should read. */
import type { Command } from "commander";
import { answer, fields, type GlobalOptions, type Output } from "../output.ts";

/**
 * Adds the command to `dcm program`.
 *
 * @example
 * addShowCommand(programs)
 */
export function addShowCommand(programs: Command): void {
  programs
    .command("show")
    .description("what a program takes, what may leave it, and what it may use up: read it before you consent")
    .argument("<dir>", "directory with manifest.json")
    .addHelpText("after", "\nExample:\n  $ dcm program show programs/yearly-correlation")
    .action(answer(show));
}

async function show(_: GlobalOptions, directory: string): Promise<Output> {
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { describePolicy } = await import("../../sdk/describePolicy.ts");
  const { toJcs } = await import("../../protocol/jcs.ts");
  const { id: programId, manifest } = await readProgram(directory);
  const { runtime, limits, output } = manifest;
  const policy = describePolicy(manifest);
  const text = fields([
    ["program", programId],
    ["name", manifest.name],
    ["engine", `${runtime.engine} ${runtime.version}`],
    ...manifest.inputs.map(({ name, format, columns = [] }, i) => {
      const named = columns.map((column) => `${column.name} ${column.type}`).join(", ");
      return [i === 0 ? "inputs" : "", `${name} (${format}${named === "" ? "" : `: ${named}`})`] as const;
    }),
    ...labelled(
      "files",
      manifest.files.map(({ path, size }) => `${path} (${size} bytes)`),
    ),
    ["parameters", toJcs(manifest.params)],
    ["output", toJcs(output.schema)],
    ...labelled("policy", policy),
    ["limits", `fuel ${limits.fuel}, ${limits.memoryBytes} bytes of memory, ${limits.wallMs} ms`],
  ]);
  return { json: { programId, manifest, policy }, text };
}

/**
 * A label beside the first of several lines.
 *
 * @example
 * fields(labelled("policy", describePolicy(manifest)))
 */
export function labelled(label: string, lines: readonly string[]): (readonly [string, string])[] {
  return lines.map((text, i) => [i === 0 ? label : "", text]);
}
