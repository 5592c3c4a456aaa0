/** Room: cli/commands/enclave. `dcm enclave`: registered enclaves. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Standing } from "../../sdk/demotion.ts";
import { accountOf } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress, table } from "../output.ts";
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
    .description("everything recorded of one enclave, and how it stands by the chain's collateral now")
    .argument("<address>", "its signing key")
    .addHelpText("after", "\nExample:\n  $ dcm enclave show 0x...")
    .action(
      answer(async (options: GlobalOptions, key: string) => {
        const signingKey = await accountOf("address", key);
        const { client, simulated } = await connect(options);
        const { standingOf } = await import("../../sdk/demotion.ts");
        const standing = await standingOf(client, signingKey);
        return { json: { ...standing.enclave, standing: shown(standing) }, text: describe(standing), simulated };
      }),
    );

  enclave
    .command("demote")
    .description("end a registration that the chain's collateral no longer stands behind; anyone may")
    .argument("<address>", "its signing key")
    .addHelpText(
      "after",
      `
Says how the enclave stands by the collateral on chain, and sends the demotion only if the contract would take it.

Example:
  $ dcm collateral push --pcs https://api.trustedservices.intel.com --fmspc ...
  $ dcm enclave demote 0x...`,
    )
    .action(
      answer(async (options: GlobalOptions, key: string) => {
        const signingKey = await accountOf("address", key);
        const { client, simulated } = await connectWallet(options);
        const { demoteEnclave, standingOf } = await import("../../sdk/demotion.ts");
        const standing = await standingOf(client, signingKey);
        if (standing.reason !== undefined) progress(`${standing.reason}: ${standing.why}`);
        const { hash, gasUsed } = await demoteEnclave(client, standing);
        const text = fields([
          ["demoted", signingKey],
          ["reason", `${standing.reason}: ${standing.why}`],
          ["transaction", hash],
        ]);
        return { json: { signingKey, standing: shown(standing), hash, gasUsed }, text, simulated };
      }),
    );
}

function shown({ enclave: _, ...rest }: Standing) {
  return rest;
}

function describe(standing: Standing): string[] {
  const { enclave: found, status, advisoryIds, reason, why } = standing;
  const { platform, teeTcbSvn, currentTeeTcbSvn, qeIsvSvn } = found.tcb;
  const parts = status && `platform ${status.platform}, TDX module ${status.module}, quoting enclave ${status.qe}`;
  return fields([
    ["signing key", found.signingKey],
    ["live", found.live ? "yes" : "no"],
    ["state", found.state],
    ["expires", dateOf(found.expiresAt)],
    ["operator", found.operator],
    ["workload", found.workloadId],
    ["compose hash", found.composeHash],
    ["platform", found.platformId],
    ["TCB when verified", found.tcbStatus],
    ["TCB now", status === undefined ? `not judged: ${why}` : `${status.tcb} (${parts})`],
    ["advisories", advisoryIds.join(", ")],
    ["demotable", reason === undefined ? "no" : `yes, ${reason}: ${why}`],
    ["FMSPC, PCE", `${platform.fmspc}, id ${platform.pceId}, SVN ${platform.pceSvn}`],
    ["SVNs", `components ${platform.componentSvns}, TDX module ${teeTcbSvn}, quoting enclave ${qeIsvSvn}`],
    ["TDX module now", currentTeeTcbSvn === teeTcbSvn ? "" : currentTeeTcbSvn],
    ["PCK certificate", `serial 0x${platform.serial.toString(16)}, until ${dateOf(platform.notAfter)}`],
    ["vault key", found.vaultKey],
    ["endpoint", found.endpoint],
    ["registered in", found.transactionHash],
  ]);
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
  const rows = enclaves.map((e) => [e.signingKey, stateOf(e), e.workloadId, e.operator, e.endpoint]);
  const text = table(["signing key", "state", "workload", "operator", "endpoint"], rows, "No enclaves.");
  return { json: { enclaves }, text, simulated };
}

/** As it counts now: a registration expires without anybody recording it. */
function stateOf({ live, state }: { live: boolean; state: string }): string {
  if (live) return "live";
  return state === "Active" ? "expired" : state.toLowerCase();
}
