/** Room: cli/commands/audit. `dcm audit`: every claim about a job, checked. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { plainLines } from "../../sdk/plainText.ts";
import { connect, connectWallet, hasWallet } from "../context.ts";
import { readSigned } from "../jobTerms.ts";
import { answer, type GlobalOptions, type Output, progress } from "../output.ts";
import { id } from "../parse.ts";

type AuditOptions = GlobalOptions & { worker?: string; orderFile?: string };

/**
 * Adds the command.
 *
 * @example
 * addAuditCommand(program)
 */
export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("check a job claim by claim; exit code 0: all verified, 1: something is false, 2: something is open")
    .argument("<id>", "job id", id)
    .option("--worker <url>", "worker that holds the result and the attestation")
    .option("--order-file <file>", "the signed order, if it was settled without being opened (dcm job order)")
    .addHelpText(
      "after",
      `
Parameters and program of such an order are in its file only; so is all of it if another contract had it settled.

A configured wallet (--keystore, DCM_KEYSTORE or DCM_PRIVATE_KEY) opens the result if the job was created from this
home; without one, its commitment cannot be verified.

Example:
  $ dcm audit 0x${"12".repeat(32)} --worker http://127.0.0.1:8080`,
    )
    .action(answer(audit));
}

async function audit(options: AuditOptions, jobId: Hex): Promise<Output> {
  if (options.worker === undefined) progress("No --worker is given: what only a worker can show cannot be verified.");
  const wallet = hasWallet(options) ? await connectWallet(options) : undefined;
  const { client, simulated } = wallet ?? (await connect(options));
  const resultIdentity = await wallet?.home.resultIdentity(jobId);
  const { readOrderFile } = await import("../../sdk/orders.ts");
  const file = options.orderFile;
  const order = file === undefined ? undefined : readOrderFile(await readSigned(file), client.deployment);
  const { auditJob } = await import("../../sdk/audit/auditJob.ts");
  const { formatAudit } = await import("../../sdk/audit/formatAudit.ts");
  const report = await auditJob({
    chain: client.chain,
    deployment: client.deployment,
    jobId,
    order,
    ...(options.worker === undefined ? {} : { workerUrl: options.worker }),
    ...(resultIdentity === undefined ? {} : { resultIdentity }),
  });
  const verdicts = new Set(report.lines.map((line) => line.verdict));
  const exitCode = verdicts.has("not verified") ? 1 : verdicts.has("cannot be verified") ? 2 : 0;
  return { json: report, text: plainLines(formatAudit(report)).trimEnd(), simulated, exitCode };
}
