/** Room: cli/commands/receipt. `dcm receipt`: many receipts at once. */
import { dirname } from "node:path";
import { type Command, Option } from "commander";
import type { Hex } from "viem";
import type { Expected, ReceiptsReport, ReceiptVerifier } from "../../sdk/audit/auditReceipts.ts";
import { plainText } from "../../sdk/plainText.ts";
import { connect, deploymentOf } from "../context.ts";
import { answer, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id } from "../parse.ts";

type AuditOptions = GlobalOptions & {
  offline?: true;
  believeRpc?: true;
  workload?: Hex;
  verifier?: ReceiptVerifier["name"];
};

/**
 * Adds the group.
 *
 * @example
 * addReceiptCommands(program)
 */
export function addReceiptCommands(program: Command): void {
  const receipts = program
    .command("receipt")
    .description("many receipts at once: take them from the chain, audit them")
    .addHelpText("after", "\nExample:\n  $ dcm receipt audit receipts.ndjson");

  receipts
    .command("export")
    .description("write the receipts of all settlements, from their calldata, a row of JSON each")
    .requiredOption("--out <file>", "where to; must not exist")
    .addHelpText("after", "\nExample:\n  $ dcm receipt export --out receipts.ndjson")
    .action(answer(exportAll));

  receipts
    .command("audit")
    .description("check signatures, and that no enclave contradicts itself; exit codes as of dcm audit")
    .argument("<file>", "a row of JSON each: {receipt, signature, signer}, as a worker's GET /receipts/:id gives them")
    .option("--offline", "ask no chain: whether the signers are registered enclaves is left open")
    .option("--believe-rpc", "the RPC is your own, or you believe it like one: without it registrations stay open")
    .option("--workload <id>", "the workload that every receipt must name", id)
    .addOption(
      new Option("--verifier <kind>", "default: native where it is there").choices(["native", "javascript"] as const),
    )
    .addHelpText(
      "after",
      `
What is checked of each: its form, its EIP-712 hash, its signature, its signer's registration for the workload it names
(not with --offline); and of all of one enclave together: one root for each size of its log, one output for each job.
Who is registered, the RPC says: only with --believe-rpc is anything verified by that. What a receipt says of its job, and what an enclave measured,
is checked by dcm audit.

Example:
  $ dcm receipt audit receipts.ndjson --believe-rpc`,
    )
    .action(answer(audit));
}

async function exportAll(options: GlobalOptions & { out: string }): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { settledReceipts } = await import("../../sdk/settledReceipts.ts");
  const { writeThenUse } = await import("../../sdk/node/files.ts");
  let [receipts, elsewhere] = [0, 0];
  async function* rows(): AsyncGenerator<Uint8Array> {
    for await (const { row } of settledReceipts(client)) {
      if (row === undefined) elsewhere += 1;
      else {
        yield new TextEncoder().encode(`${row}\n`);
        receipts += 1;
        if (receipts % 1000 === 0) progress(`${receipts} receipts ...`);
      }
    }
  }
  // Half of them must not look like all of them.
  await writeThenUse(dirname(options.out), rows(), (_, keepAs) => keepAs(options.out, 0o644));
  const text = fields([
    ["receipts", String(receipts)],
    ["at their workers", String(elsewhere)],
    ["file", options.out],
  ]);
  return { json: { receipts, elsewhere, file: options.out }, text, simulated };
}

async function audit(options: AuditOptions, path: string): Promise<Output> {
  const { auditReceipts, maxReceiptRow } = await import("../../sdk/audit/auditReceipts.ts");
  const { readRows } = await import("../../sdk/node/rows.ts");
  const { exitCodeOf } = await import("../../sdk/audit/report.ts");
  const { openVerifier } = await import("../../sdk/node/receiptVerifier.ts");
  const { domainOf } = await import("../../protocol/eip712.ts");
  const { isSimulated } = await import("../../protocol/deployment.ts");
  const deployment = await deploymentOf(options);
  const { chainId, contracts } = deployment;
  const verifier = await openVerifier(domainOf(chainId, contracts.jobMarket), options.verifier);
  const expected: Expected = {
    workloadId: options.workload,
    enclaves: options.offline === true ? undefined : await registeredEnclaves(options),
    believed: options.believeRpc,
  };
  const rows = readRows(path, maxReceiptRow);
  const report = await auditReceipts(rows, verifier, expected, (count) => progress(`${count} receipts ...`));
  const simulated = isSimulated(deployment);
  return { json: report, text: textOf(report), simulated, exitCode: exitCodeOf(report.verdict) };
}

async function registeredEnclaves(options: GlobalOptions): Promise<Map<string, Hex>> {
  const { client } = await connect(options);
  const { listEnclaves } = await import("../../sdk/enclaves.ts");
  const enclaves = await listEnclaves(client, { limit: Number.MAX_SAFE_INTEGER });
  return new Map(enclaves.map(({ signingKey, workloadId }) => [signingKey.toLowerCase(), workloadId]));
}

function textOf({
  verdict,
  receipts,
  verified,
  verifier,
  registered,
  signers,
  problems,
  moreProblems,
}: ReceiptsReport) {
  const rows = problems.map(({ row, jobId, problem }) => `row ${row}, job ${jobId ?? "unknown"}: ${problem}`);
  if (moreProblems > 0) rows.push(`... and ${moreProblems} more`);
  const enclaves = signers.map(
    (one) => `${one.signer}: ${one.receipts} receipts, a log of ${one.logSize} entries, workload ${one.workloadIds}`,
  );
  return [
    ...fields([
      ["verdict", verdict],
      ["registrations", registered ? "by the RPC's word" : "not looked at"],
      ["receipts", `${verified} of ${receipts} verified, by the ${verifier} verifier`],
    ]),
    ...[...enclaves, ...rows].map((row) => plainText(row, 400)),
  ];
}
