/** Room: cli/commands/log. `dcm log`: what enclaves have written down. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { LogEntry } from "../../protocol/logEntry.ts";
import { plainText } from "../../sdk/plainText.ts";
import { connect } from "../context.ts";
import { answer, fields, type GlobalOptions, table } from "../output.ts";
import { id } from "../parse.ts";

type LogOptions = GlobalOptions & { worker: string };

/**
 * Adds the commands.
 *
 * @example
 * addLogCommands(program)
 */
export function addLogCommands(program: Command): void {
  const log = program
    .command("log")
    .description("the logs of enclaves: every key use, run and refusal")
    .addHelpText("after", "\nExample:\n  $ dcm log verify --worker http://127.0.0.1:8080");

  log
    .command("show")
    .description("list a worker's logs as it tells of them; nothing is checked")
    .requiredOption("--worker <url>", "the worker")
    .addHelpText("after", "\nExample:\n  $ dcm log show --worker http://127.0.0.1:8080")
    .action(
      answer(async ({ worker }: LogOptions) => {
        const { fetchLogs } = await import("../../sdk/logApi.ts");
        const logs = await fetchLogs(worker);
        const rows = logs.map(({ logId, size, root, living, intact }) => [
          logId,
          size,
          `${root.slice(0, 18)}...`,
          living ? "living" : intact ? "earlier" : "earlier, DAMAGED",
        ]);
        return { json: { logs }, text: table(["signing key", "entries", "root", "state"], rows, "No logs.") };
      }),
    );

  log
    .command("verify")
    .description("check the living log to its end, or a job's place in the log of its receipt")
    .argument("[job]", "job id", id)
    .requiredOption("--worker <url>", "the worker")
    .addHelpText(
      "after",
      `
Says whether entries, roots and signatures fit together. Whether the key that signed is that of an attested enclave is
for dcm audit to say.

Example:
  $ dcm log verify --worker http://127.0.0.1:8080 0x${"12".repeat(32)}`,
    )
    .action(answer(verify));
}

async function verify(options: LogOptions, jobId?: Hex) {
  const { client, simulated } = await connect(options);
  const { verifyJobLog, verifyLivingLog } = await import("../../sdk/verifyLog.ts");
  if (jobId === undefined) {
    const { entries, ...log } = await verifyLivingLog(client.marketDomain, options.worker);
    const previous = log.previous && { logId: log.previous.logId, size: log.previous.size };
    const text = fields([
      ["verified", `${log.size} entries, root and signature`],
      ["signing key", log.logId],
      ["root", log.root],
      ["before it", previous === null ? "no log" : `${previous.logId}, ${previous.size} entries`],
      ...countsOf(entries),
    ]);
    return { json: { ...log, entries }, text, simulated };
  }
  const found = await verifyJobLog(client.marketDomain, options.worker, jobId.toLowerCase() as Hex);
  const { logId, receipt, entries, complete } = found;
  const text = [
    ...fields([
      ["verified", `${entries.length} entries about the job, of ${receipt.logSize}`],
      ["signing key", logId],
      ["root", receipt.logRoot],
      ["complete", complete ? "yes: all entries were read" : "not looked at: the log is too long"],
    ]),
    ...entries.map(({ index, entry }) => plainText(`${index}  ${entry.type}${detailOf(entry)}`, 400)),
  ];
  return { json: { logId, logRoot: receipt.logRoot, logSize: receipt.logSize, entries, complete }, text, simulated };
}

function countsOf(entries: readonly LogEntry[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { type } of entries) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

/** What an entry says beside its job. */
function detailOf(entry: LogEntry): string {
  return Object.entries(entry)
    .filter(([name]) => name !== "type" && name !== "jobId")
    .map(([name, value]) => `  ${name} ${value}`)
    .join("");
}
