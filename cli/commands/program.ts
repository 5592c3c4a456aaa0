/** Room: cli/commands/program. `dcm program`: what a program is called, by its content. */
import { type Command, InvalidArgumentError } from "commander";
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { answer, fields, type GlobalOptions, type Output } from "../output.ts";
import { id } from "../parse.ts";
import { addShowCommand, labelled } from "./programShow.ts";
import { addTryCommands } from "./programTry.ts";

/**
 * Adds the commands.
 *
 * @example
 * addProgramCommands(program)
 */
export function addProgramCommands(program: Command): void {
  const programs = program
    .command("program")
    .description("write, try, publish and identify programs")
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
        const { describePolicy } = await import("../../sdk/describePolicy.ts");
        const text = fields([
          ["program", programId],
          ["name", manifest.name],
          ["inputs", manifest.inputs.map((input) => `${input.name} (${input.format})`).join(", ")],
          ["files", manifest.files.map((file) => file.path).join(", ")],
          ...labelled("policy", describePolicy(manifest)),
        ]);
        const { name, inputs, files } = manifest;
        return { json: { programId, name, inputs, files }, text };
      }),
    );

  addShowCommand(programs);

  programs
    .command("new")
    .description("start a program: a directory with a manifest, a source that runs as it is, and a README")
    .argument("<dir>", "directory to make; its name is the program's")
    .addHelpText(
      "after",
      '\nExample:\n  $ dcm program new mine && dcm program run mine --input data=rows.csv --params \'{"column":"a"}\'',
    )
    .action(
      answer(async (_: GlobalOptions, directory: string) => {
        const { newProgram } = await import("../../sdk/node/newProgram.ts");
        const { id: programId, manifest } = await newProgram(directory);
        const next = `Change main.js and manifest.json, then: dcm program id ${directory} --write`;
        return {
          json: { programId, directory },
          text: [
            ...fields([
              ["program", programId],
              ["name", manifest.name],
            ]),
            next,
          ],
        };
      }),
    );

  addTryCommands(programs);

  programs
    .command("publish")
    .description("upload a program to a worker, so that whoever is asked to consent can read and run it")
    .argument("<dir>", "directory with manifest.json")
    .requiredOption("--worker <url>", "worker that keeps it")
    .option("--out <file>", "write the bundle to this file as well")
    .addHelpText("after", "\nExample:\n  $ dcm program publish mine --worker http://127.0.0.1:8080")
    .action(
      answer(async (options: GlobalOptions & { worker: string; out?: string }, directory: string) => {
        const { packProgram } = await import("../../protocol/program.ts");
        const { readProgram } = await import("../../sdk/node/programDir.ts");
        const { uploadBlob } = await import("../../sdk/worker.ts");
        const program = await readProgram(directory);
        const bundle = packProgram(program);
        if (options.out !== undefined) {
          const { writeAtomic } = await import("../../sdk/node/files.ts");
          await writeAtomic(options.out, bundle, { mode: 0o644, overwrite: true });
        }
        const { uri } = await uploadBlob(options.worker, bundle);
        const text = fields([
          ["program", program.id],
          ["uri", uri],
          ["bytes", bundle.length],
        ]);
        return { json: { programId: program.id, uri, sizeBytes: bundle.length }, text };
      }),
    );

  programs
    .command("fetch")
    .description("get a published program, check it against its id, and write its files to be read and run")
    .argument("<id>", "program id, from whoever asks for consent", id)
    .requiredOption("--uri <uri>", "blob:<sha256>, as dcm program publish says", blob)
    .requiredOption("--worker <url>", "worker that keeps it")
    .requiredOption("--out <dir>", "directory to make")
    .addHelpText(
      "after",
      `\nExample:\n  $ dcm program fetch 0x... --uri blob:... --worker http://127.0.0.1:8080 --out theirs`,
    )
    .action(answer(fetchProgram));
}

type FetchOptions = GlobalOptions & { uri: string; worker: string; out: string };

/** What comes is a stranger's, but it has the id that was asked for, so it is what will run. */
async function fetchProgram({ uri, worker, out }: FetchOptions, wanted: Hex): Promise<Output> {
  const { maxBundleBytes, unpackProgram } = await import("../../protocol/program.ts");
  const { boundedFetch, serverUrl } = await import("../../sdk/boundedFetch.ts");
  const { writeProgram } = await import("../../sdk/node/programDir.ts");
  const url = serverUrl(worker, `blobs/${uri.slice("blob:".length)}`);
  const program = unpackProgram(await boundedFetch(url, { maxBytes: maxBundleBytes }));
  if (program.id !== wanted) throw new OtherProgramError(wanted, program.id);
  await writeProgram(program, out);
  const text = fields([
    ["program", program.id],
    ["name", program.manifest.name],
    ["directory", out],
  ]);
  return { json: { programId: program.id, name: program.manifest.name, directory: out }, text };
}

function blob(text: string): string {
  if (!/^blob:[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError("It must be blob: and 64 digits of hex.");
  return text;
}

/** Under the URI there is another program. */
class OtherProgramError extends BaseError {
  override readonly name = "Cli.OtherProgramError";
  constructor(wanted: Hex, found: Hex) {
    super(`The bundle is program ${found}, not ${wanted}.`, {
      hint: "Ask whoever wants the consent for the right URI; do not consent to a program that you have not read.",
    });
  }
}
