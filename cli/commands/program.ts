/** Room: cli/commands/program. `dcm program`: what a program is called, by its content. */
import type { Command } from "commander";
import { answer, fields, type GlobalOptions } from "../output.ts";

/**
 * Adds the commands.
 *
 * @example
 * addProgramCommands(program)
 */
export function addProgramCommands(program: Command): void {
  const programs = program
    .command("program")
    .description("identify programs")
    .addHelpText("after", "\nExample:\n  $ dcm program id programs/yearly-correlation");

  programs
    .command("id")
    .description("check a program directory against its manifest.json and print the program id")
    .argument("<dir>", "directory with manifest.json")
    .option("--write", "list and hash the files anew first, and write the manifest")
    .addHelpText("after", "\nExample:\n  $ dcm program id programs/yearly-correlation\n  $ dcm program id mine --write")
    .action(
      answer(async (options: GlobalOptions & { write?: boolean }, directory: string) => {
        const { readProgram, writeProgramManifest } = await import("../../sdk/node/programDir.ts");
        const { id: programId, manifest } = await (options.write ? writeProgramManifest : readProgram)(directory);
        const text = fields([
          ["program", programId],
          ["name", manifest.name],
          ["inputs", manifest.inputs.map((input) => `${input.name} (${input.format})`).join(", ")],
          ["files", manifest.files.map((file) => file.path).join(", ")],
        ]);
        const { name, inputs, files } = manifest;
        return { json: { programId, name, inputs, files }, text };
      }),
    );
}
