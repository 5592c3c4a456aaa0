/** Room: cli/commands/enclave. `dcm enclave`: registered enclaves. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { accountOf } from "../accounts.ts";
import { connect } from "../context.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, table } from "../output.ts";
import { id, integer } from "../parse.ts";

type ListOptions = GlobalOptions & { workload?: Hex; operator?: string; limit: number };

/**
 * Adds the commands.
 *
 * @example
 * addEnclaveCommands(program)
 */
export function addEnclaveCommands(program: Command): void {
  const enclave = program
    .command("enclave")
    .description("find the enclaves that run jobs")
    .addHelpText("after", "\nExample:\n  $ dcm enclave list");

  enclave
    .command("list")
    .description("registered enclaves, the newest first")
    .option("--workload <id>", "of this workload only", id)
    .option("--operator <address>", "of this operator only")
    .option("--limit <n>", "at most so many", integer(1, 10_000), 100)
    .addHelpText("after", "\nExample:\n  $ dcm enclave list --limit 5")
    .action(answer(list));

  enclave
    .command("show")
    .description("everything recorded of one enclave")
    .argument("<address>", "its signing key")
    .addHelpText("after", "\nExample:\n  $ dcm enclave show 0x...")
    .action(
      answer(async (options: GlobalOptions, key: string) => {
        const signingKey = await accountOf("address", key);
        const { client, simulated } = await connect(options);
        const { getEnclave } = await import("../../sdk/enclaves.ts");
        const found = await getEnclave(client, signingKey);
        const text = fields([
          ["signing key", found.signingKey],
          ["live", found.live ? "yes" : "no"],
          ["operator", found.operator],
          ["workload", found.workloadId],
          ["compose hash", found.composeHash],
          ["platform", found.platformId],
          ["TCB status", found.tcbStatus],
          ["expires", dateOf(found.expiresAt)],
          ["vault key", found.vaultKey],
          ["endpoint", found.endpoint],
          ["registered in", found.transactionHash],
        ]);
        return { json: found, text, simulated };
      }),
    );
}

async function list(options: ListOptions): Promise<Output> {
  const { workload, operator, limit } = options;
  const { client, simulated } = await connect(options);
  const { listEnclaves } = await import("../../sdk/enclaves.ts");
  const enclaves = await listEnclaves(client, {
    limit,
    ...(workload === undefined ? {} : { workloadId: workload }),
    ...(operator === undefined ? {} : { operator: await accountOf("--operator", operator) }),
  });
  const rows = enclaves.map((e) => [e.signingKey, e.live ? "live" : "gone", e.workloadId, e.operator, e.endpoint]);
  const text = table(["signing key", "state", "workload", "operator", "endpoint"], rows, "No enclaves.");
  return { json: { enclaves }, text, simulated };
}
