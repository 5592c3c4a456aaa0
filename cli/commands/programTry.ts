/**
 * Room: cli/commands/programTry. `dcm program run`: a program on local files, in the sandbox of the worker itself, so that
 * whoever consents has seen it run. No chain, no keys.
 */
import type { Command } from "commander";
import { zeroHash } from "viem";
import type { FailureCode } from "../../protocol/eip712.ts";
import type { Program } from "../../protocol/program.ts";
import { UsageError } from "../failure.ts";
import { answer, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { json, texts } from "../parse.ts";
import { labelled } from "./programShow.ts";

type RunOptions = GlobalOptions & { input?: string[]; params: unknown; out?: string };

/**
 * Adds `check` and `run` to the group.
 *
 * @example
 * addTryCommands(programs)
 */
export function addTryCommands(programs: Command): void {
  programs
    .command("check")
    .description("check a program as a worker does before it runs it: manifest, files, engine, statements or module")
    .argument("<dir>", "directory with manifest.json")
    .addHelpText(
      "after",
      "\nExits 1 if a worker would refuse it, and says why.\n\nExample:\n  $ dcm program check mine",
    )
    .action(answer(check));

  programs
    .command("run")
    .description("run a program on files of yours, here, with the worker's own engine, sandbox and output policy")
    .argument("<dir>", "directory with manifest.json")
    .option("--local", "the default, and all there is: jobs on others' data are made with dcm job create")
    .option("--input <name=file>", "data in the clear for an input of the manifest (repeatable)", texts)
    .option("--params <json>", "parameters of the program", json, {})
    .option("--out <file>", "write the output here, as JSON")
    .addHelpText(
      "after",
      `
Nothing leaves this machine. Prints the output as JSON; what the run used goes to stderr, and what the program printed if
its policy has that sealed for the data's owner ("prints": "readers"). A run that fails says which
rule or limit ended it, as the signed receipt would, and exits with 1.

Example:
  $ dcm program run programs/yearly-correlation --input co2=co2.csv --input temperature=temp.csv`,
    )
    .action(answer(run));
}

async function check(_: GlobalOptions, directory: string): Promise<Output> {
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { describePolicy } = await import("../../sdk/describePolicy.ts");
  const { checkRunnable } = await import("../../enclave/sandbox/runProgram.ts");
  const program = await readProgram(directory);
  const refusal = await checkRunnable(program);
  const policy = describePolicy(program.manifest);
  const { name, runtime } = program.manifest;
  const text = fields([
    ["program", program.id],
    ["name", name],
    ["engine", `${runtime.engine} ${runtime.version}`],
    ...labelled("policy", policy),
    ["verdict", refusal === undefined ? "a worker with this engine runs it" : `${refusal.failure}: ${refusal.reason}`],
  ]);
  const json = { programId: program.id, runnable: refusal === undefined, ...refusal, policy };
  return { json, text, exitCode: refusal === undefined ? 0 : 1 };
}

async function run(options: RunOptions, directory: string): Promise<Output> {
  const { plainLines } = await import("../../sdk/plainText.ts");
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { applyPolicy } = await import("../../enclave/policy/applyPolicy.ts");
  const { runProgram } = await import("../../enclave/sandbox/runProgram.ts");
  const { findWall } = await import("../../enclave/sandbox/wall.ts");
  const program = await readProgram(directory);
  const inputs = await readInputs(program, options.input ?? []);
  const wall = await findWall();
  progress(`Running ${program.manifest.name} (${program.id}) behind the wall "${wall.name}" ...`);
  const startedMs = performance.now();
  const ran = await runProgram({ program, inputs, params: options.params }, wall);
  // In a job the noise comes of the data sets' keys; here there are none.
  const chance = { datasetKeys: [crypto.getRandomValues(new Uint8Array(32))], jobId: zeroHash };
  const released = ran.status === "ok" ? applyPolicy(program.manifest, ran.output, chance) : undefined;
  const failure = ran.status === "failed" ? ran.failure : released?.ok === false ? released.failure : undefined;
  const elapsedMs = Math.round(performance.now() - startedMs);
  const used = { fuelUsed: ran.fuelUsed, elapsedMs };
  if (ran.prints !== undefined) progress(plainLines(`It printed:\n${new TextDecoder().decode(ran.prints.text)}`));
  progress(`Used ${ran.fuelUsed} fuel at most, in ${elapsedMs} ms.`);
  if (failure !== undefined) {
    const text = [`FAILED: ${failure}`, ...hintOf(failure)];
    return { json: { programId: program.id, status: "failed", failure, ...used }, text, exitCode: 1 };
  }
  const output = released?.ok === true ? released.output : null;
  const text = JSON.stringify(output, null, 2);
  if (options.out !== undefined) {
    const { writeAtomic } = await import("../../sdk/node/files.ts");
    await writeAtomic(options.out, `${text}\n`, { mode: 0o600, overwrite: true });
  }
  return { json: { programId: program.id, status: "ok", output, ...used }, text };
}

async function readInputs({ manifest }: Program, given: readonly string[]): Promise<Uint8Array[]> {
  const { maxCiphertextBytes } = await import("../../protocol/limits.ts");
  const { readBounded } = await import("../../sdk/node/files.ts");
  const files = new Map(given.map(nameAndFile));
  const unknown = [...files.keys()].find((name) => !manifest.inputs.some((input) => input.name === name));
  if (unknown !== undefined || files.size !== given.length) {
    const names = manifest.inputs.map((input) => input.name).join(", ");
    throw new UsageError("An input is given twice, or is none of the program's.", {
      hint: `Its inputs are: ${names}.`,
    });
  }
  return Promise.all(
    manifest.inputs.map(({ name, format }) => {
      const file = files.get(name);
      if (file === undefined) {
        throw new UsageError(`Input ${name} is missing.`, { hint: `Give --input ${name}=FILE (${format}).` });
      }
      return readBounded(file, maxCiphertextBytes);
    }),
  );
}

function nameAndFile(text: string): [string, string] {
  const [, name, file] = /^([a-z][a-zA-Z0-9]{0,31})=(.+)$/s.exec(text) ?? [];
  if (name === undefined || file === undefined) {
    throw new UsageError("An input is not NAME=FILE.", { hint: "For instance --input data=rows.csv." });
  }
  return [name, file];
}

const hints: Partial<Record<FailureCode, string>> = {
  ProgramMismatch: "the manifest names an engine that is not here: compare its runtime with protocol/engines.ts",
  ParamsRefused: "--params does not meet the manifest's schema",
  InputMismatch: "an input is not of the form that the manifest says: encoding, JSON, columns, types",
  ProgramTrapped:
    "it threw, did not load, nested too deep, or never settled; its policy says who sees why: output.policy.prints",
  FuelExhausted: "raise limits.fuel, or do less",
  MemoryExceeded: "raise limits.memoryBytes, or keep less",
  TimeExceeded: "raise limits.wallMs, or do less",
  OutputTooLarge: "the result is larger than output.maxBytes",
  OutputRefused: "the result does not meet output.schema, or a rule of output.policy cannot be applied to it",
  StatementRefused: "the statement uses what programs may not: docs/PROGRAMS-SQL.md",
  ColumnRefused: "a column is used in a way that its role in output.policy forbids",
  GroupTooSmall: "a row of the result has too few units behind it",
};

function hintOf(failure: FailureCode): string[] {
  const hint = hints[failure];
  return hint === undefined ? [] : [`hint: ${hint}`];
}
