/** Room: cli/commands/credit. `dcm credit`: what the market owes you. */
import type { Command } from "commander";
import { accountOf, accountOrZero } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { answer, fields, type GlobalOptions } from "../output.ts";

type ShowOptions = GlobalOptions & { account?: string; token?: string };
type WithdrawOptions = GlobalOptions & { token?: string; to?: string; amount?: string };

/**
 * Adds the commands.
 *
 * @example
 * addCreditCommands(program)
 */
export function addCreditCommands(program: Command): void {
  const credit = program
    .command("credit")
    .description("payments and refunds that wait for you")
    .addHelpText("after", "\nExample:\n  $ dcm credit show --token 0x...");

  credit
    .command("show")
    .description("what an account may withdraw of a token")
    .option("--account <address>", "default: your wallet")
    .option("--token <address>", "default: the native coin")
    .addHelpText("after", "\nExample:\n  $ dcm credit show --account 0x... --token 0x...")
    .action(
      answer(async (options: ShowOptions) => {
        const given = options.account === undefined ? undefined : await accountOf("--account", options.account);
        const { client, simulated } = given === undefined ? await connectWallet(options) : await connect(options);
        const { creditOf } = await import("../../sdk/credit.ts");
        const { addressOf } = await import("../../sdk/client.ts");
        const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
        const token = await tokenOf(client, await accountOrZero("--token", options.token));
        const account = given ?? addressOf(client);
        const amount = await creditOf(client, account, token.address);
        const text = fields([
          ["account", account],
          ["credit", formatAmount(amount, token)],
        ]);
        return { json: { account, token: token.address, amount }, text, simulated };
      }),
    );

  credit
    .command("withdraw")
    .description("take your credit out")
    .option("--token <address>", "default: the native coin")
    .option("--to <address>", "default: your wallet")
    .option("--amount <amount>", "in whole units (default: all)")
    .addHelpText("after", "\nExample:\n  $ dcm credit withdraw --token 0x... --amount 2.50")
    .action(
      answer(async (options: WithdrawOptions) => {
        const receiver = options.to === undefined ? {} : { to: await accountOf("--to", options.to) };
        const { client, simulated } = await connectWallet(options);
        const { withdraw } = await import("../../sdk/credit.ts");
        const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
        const token = await tokenOf(client, await accountOrZero("--token", options.token));
        const amount = options.amount === undefined ? {} : { amount: parseAmount(options.amount, token) };
        const sent = await withdraw(client, { token: token.address, ...receiver, ...amount });
        const { blockNumber: _, ...json } = sent;
        const text = fields([
          ["withdrawn", formatAmount(sent.amount, token)],
          ["to", sent.to],
          ["transaction", sent.hash],
        ]);
        return { json: { ...json, token: token.address }, text, simulated };
      }),
    );
}
