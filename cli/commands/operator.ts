/** Room: cli/commands/operator. `dcm operator`: what an operator says of its enclaves. */
import type { Command } from "commander";
import { accountOf } from "../accounts.ts";
import { connectWallet } from "../context.ts";
import { answer, dateOf, fields, type GlobalOptions } from "../output.ts";
import { integer } from "../parse.ts";

type AuthorizeOptions = GlobalOptions & { agent: string; validFor: number };

/**
 * Adds the commands.
 *
 * @example
 * addOperatorCommands(program)
 */
export function addOperatorCommands(program: Command): void {
  const operator = program
    .command("operator")
    .description("run enclaves in your name: agree to them, end them")
    .addHelpText("after", "\nExample:\n  $ dcm operator authorize --agent 0x... --valid-for 365");

  operator
    .command("authorize")
    .description("sign that a worker's gas wallet may register enclaves in your name; sends nothing")
    .requiredOption("--agent <address>", "the worker's gas wallet: `gasWallet` of its GET /enclave")
    .option("--valid-for <days>", "how long it holds", integer(1, 3650), 365)
    .addHelpText(
      "after",
      `
You answer for the enclaves that it registers and are paid their fees. It cannot touch your money. A renewal does not
need it; a restarted worker does. What this prints, unchanged, is the worker's OPERATOR_AUTHORIZATION.

Example:
  $ export OPERATOR_AUTHORIZATION="$(dcm operator authorize --agent 0x... --valid-for 365 --json)"`,
    )
    .action(
      answer(async (options: AuthorizeOptions) => {
        const agent = await accountOf("--agent", options.agent);
        const { client, simulated } = await connectWallet(options);
        const { authorizeAgent } = await import("../../sdk/operators.ts");
        const { operator, validUntil, signature } = await authorizeAgent(client, agent, options.validFor);
        const json = { operator, agent, validUntil: Number(validUntil), signature };
        const text = fields([
          ["operator", operator],
          ["agent", agent],
          ["valid until", dateOf(validUntil)],
          ["OPERATOR_AUTHORIZATION", JSON.stringify({ validUntil: json.validUntil, signature })],
        ]);
        return { json, text, simulated };
      }),
    );

  operator
    .command("retire")
    .description("end the registration of one of your enclaves, for good")
    .argument("<address>", "its signing key")
    .addHelpText("after", "\nIts worker stops with exit code 3.\n\nExample:\n  $ dcm operator retire 0x...")
    .action(
      answer(async (options: GlobalOptions, key: string) => {
        const signingKey = await accountOf("address", key);
        const { client, simulated } = await connectWallet(options);
        const { retireEnclave } = await import("../../sdk/operators.ts");
        const { hash, gasUsed } = await retireEnclave(client, signingKey);
        const text = fields([
          ["retired", signingKey],
          ["transaction", hash],
        ]);
        return { json: { signingKey, hash, gasUsed }, text, simulated };
      }),
    );
}
