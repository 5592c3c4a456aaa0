/** Room: cli/commands/endorsement. `dcm endorsement`: auditors' words on workloads. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Hex } from "viem";
import { accountOf } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { answer, dateOf, fields, type GlobalOptions, table } from "../output.ts";
import { id, integer } from "../parse.ts";

type EndorseOptions = GlobalOptions & { source: Hex; uri: string };
type WithdrawOptions = GlobalOptions & { reasonUri: string };
type ListOptions = GlobalOptions & { workload?: Hex; auditor?: string; limit: number };

/**
 * Adds the commands.
 *
 * @example
 * addEndorsementCommands(program)
 */
export function addEndorsementCommands(program: Command): void {
  const endorsement = program
    .command("endorsement")
    .description("what auditors say of workloads: advice, no power")
    .addHelpText("after", "\nExample:\n  $ dcm endorsement list --workload 0x...");

  endorsement
    .command("endorse")
    .description("say that you reproduced a workload from a source")
    .argument("<workload>", "workload id", id)
    .requiredOption("--source <hash>", "git commit or SHA-256 of the source", sourceHash)
    .requiredOption("--uri <uri>", "where source and report are")
    .addHelpText(
      "after",
      "\nExample:\n  $ dcm endorsement endorse 0x... --source 0x... --uri https://auditor.example/1",
    )
    .action(
      answer(async (options: EndorseOptions, workloadId: Hex) => {
        const { client, simulated } = await connectWallet(options);
        const { endorse } = await import("../../sdk/endorsements.ts");
        const { hash, gasUsed } = await endorse(client, workloadId, options.source, options.uri);
        const text = fields([
          ["endorsed", workloadId],
          ["source", options.source],
          ["transaction", hash],
        ]);
        return { json: { workloadId, sourceHash: options.source, hash, gasUsed }, text, simulated };
      }),
    );

  endorsement
    .command("withdraw")
    .description("take your word back")
    .argument("<workload>", "workload id", id)
    .option("--reason-uri <uri>", "where it says why", "")
    .addHelpText("after", "\nExample:\n  $ dcm endorsement withdraw 0x...")
    .action(
      answer(async (options: WithdrawOptions, workloadId: Hex) => {
        const { client, simulated } = await connectWallet(options);
        const { withdrawEndorsement } = await import("../../sdk/endorsements.ts");
        const { hash, gasUsed } = await withdrawEndorsement(client, workloadId, options.reasonUri);
        const text = fields([
          ["withdrawn", workloadId],
          ["transaction", hash],
        ]);
        return { json: { workloadId, hash, gasUsed }, text, simulated };
      }),
    );

  endorsement
    .command("list")
    .description("what auditors last said, the newest first; whom to believe is up to you")
    .option("--workload <id>", "of this workload only", id)
    .option("--auditor <address>", "by this auditor only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .addHelpText("after", "\nExample:\n  $ dcm endorsement list --limit 5")
    .action(
      answer(async (options: ListOptions) => {
        const { workload, limit } = options;
        const auditor = options.auditor === undefined ? {} : { auditor: await accountOf("--auditor", options.auditor) };
        const { client, simulated } = await connect(options);
        const { listEndorsements } = await import("../../sdk/endorsements.ts");
        const filter = { limit, ...auditor, ...(workload === undefined ? {} : { workloadId: workload }) };
        const endorsements = await listEndorsements(client, filter);
        const rows = endorsements.map((e) => [
          e.workloadId,
          e.auditor,
          e.withdrawnAt === 0 ? "stands" : `withdrawn ${dateOf(BigInt(e.withdrawnAt))}`,
          e.sourceHash,
          e.uri,
        ]);
        const text = table(["workload", "auditor", "state", "source", "uri"], rows, "No endorsements.");
        return { json: { endorsements }, text, simulated };
      }),
    );
}

function sourceHash(text: string): Hex {
  const digits = /^(?:0x)?([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/.exec(text)?.[1]; // git and sha256sum write no 0x
  if (digits === undefined)
    throw new InvalidArgumentError("It must be 20 bytes (git commit) or 32 bytes (SHA-256) of hex.");
  return `0x${digits.toLowerCase()}`;
}
