/** Room: cli/commands/credit. `dcm credit`: what the market owes you, paying in and taking out. */
import type { Command } from "commander";
import type { DepositWay } from "../../sdk/deposits.ts";
import { accountOf, accountOrZero } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { handOver, readSigned } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output } from "../output.ts";
import { integer } from "../parse.ts";

type ShowOptions = GlobalOptions & { account?: string; token?: string };
type DepositOptions = GlobalOptions & { token?: string; amount: string; account?: string; by?: string };
type WithdrawOptions = GlobalOptions & { token?: string; to?: string; amount?: string };
type SignOptions = WithdrawOptions & { validHours: number; out?: string };

const ways: readonly DepositWay[] = ["native", "allowance", "approve", "permit", "permit2", "authorization"];

/**
 * Adds the commands.
 *
 * @example
 * addCreditCommands(program)
 */
export function addCreditCommands(program: Command): void {
  const credit = program
    .command("credit")
    .description("your money in the market: payments and refunds that wait for you, and what you have paid in")
    .addHelpText("after", "\nExample:\n  $ dcm credit show --token 0x...");

  credit
    .command("show")
    .description("what an account may withdraw of a token")
    .option("--account <address>", "default: your wallet")
    .option("--token <address>", "default: the native coin")
    .addHelpText("after", "\nExample:\n  $ dcm credit show --account 0x... --token 0x...")
    .action(answer(show));

  credit
    .command("deposit")
    .description("pay in: jobs are paid from credit first, signed orders and bonds from nothing else")
    .requiredOption("--amount <amount>", "in whole units")
    .option("--token <address>", "default: the native coin")
    .option("--account <address>", "who is credited (default: your wallet)")
    .option("--by <way>", `${ways.join(", ")} (default: what the token takes)`)
    .addHelpText(
      "after",
      `
permit is ERC-2612, authorization is EIP-3009 (USDC), permit2 needs one approval of the token to Permit2. No way gives
the market more than the amount.

Example:
  $ dcm credit deposit --token 0x... --amount 10
  $ dcm credit deposit --amount 0.5`,
    )
    .action(answer(deposit));

  credit
    .command("withdraw")
    .description("take your credit out")
    .option("--token <address>", "default: the native coin")
    .option("--to <address>", "default: your wallet")
    .option("--amount <amount>", "in whole units (default: all)")
    .addHelpText("after", "\nExample:\n  $ dcm credit withdraw --token 0x... --amount 2.50")
    .action(answer(withdraw));

  credit
    .command("sign-withdrawal")
    .description("sign that anyone may take your credit out to one address: for wallets without gas; sends nothing")
    .option("--token <address>", "default: the native coin")
    .option("--to <address>", "default: your wallet")
    .option("--amount <amount>", "in whole units (default: all)")
    .option("--valid-hours <n>", "from now", integer(1, 87_600), 24)
    .option("--out <file>", "write the withdrawal file here")
    .addHelpText(
      "after",
      "\nTo take it back: dcm job take-back NONCE.\n\nExample:\n  $ dcm credit sign-withdrawal --token 0x... --to 0x... --out withdrawal.json",
    )
    .action(answer(signWithdrawal));

  credit
    .command("submit-withdrawal")
    .description("submit a signed withdrawal; the money goes where its signer said")
    .argument("<file>", "withdrawal file")
    .addHelpText("after", "\nExample:\n  $ dcm credit submit-withdrawal withdrawal.json")
    .action(answer(submitWithdrawal));
}

async function show(options: ShowOptions): Promise<Output> {
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
}

async function deposit(options: DepositOptions): Promise<Output> {
  const by = ways.find((way) => way === options.by);
  if (by === undefined && options.by !== undefined)
    throw new UsageError(`${JSON.stringify(options.by.slice(0, 40))} is no way to pay in.`, {
      hint: `Give one of ${ways.join(", ")}, or leave --by out.`,
    });
  const account = options.account === undefined ? {} : { account: await accountOf("--account", options.account) };
  const { client, simulated } = await connectWallet(options);
  const { deposit } = await import("../../sdk/deposits.ts");
  const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const amount = parseAmount(options.amount, token);
  const way = by === undefined ? {} : { way: by };
  const { blockNumber: _, ...json } = await deposit(client, { token: token.address, amount, ...account, ...way });
  const text = fields([
    ["paid in", `${formatAmount(amount, token)} (by ${json.way})`],
    ["credited to", json.account],
    ["transaction", json.hash],
  ]);
  return { json: { ...json, token: token.address }, text, simulated };
}

async function withdraw(options: WithdrawOptions): Promise<Output> {
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
}

async function signWithdrawal(options: SignOptions): Promise<Output> {
  const receiver = options.to === undefined ? {} : { to: await accountOf("--to", options.to) };
  const { client, simulated } = await connectWallet(options);
  const { signWithdrawal, withdrawalFileOf } = await import("../../sdk/credit.ts");
  const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const amount = options.amount === undefined ? {} : { amount: parseAmount(options.amount, token) };
  const terms = { token: token.address, ...receiver, ...amount };
  const signed = await signWithdrawal(client, terms, BigInt(options.validHours) * 3600n);
  const file = withdrawalFileOf(client.deployment, signed);
  const written = await handOver(options.out, file, "Anyone may submit this:");
  const { to, deadline, nonce } = signed.withdrawal;
  const text = fields([
    ["amount", formatAmount(signed.withdrawal.amount, token)],
    ["to", to],
    ["valid until", dateOf(deadline)],
    ["nonce", nonce],
    ["file", options.out],
  ]);
  return { json: { file }, text: [...text, ...written], simulated };
}

async function submitWithdrawal(options: GlobalOptions, path: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { readWithdrawalFile, submitWithdrawal } = await import("../../sdk/credit.ts");
  const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const signed = readWithdrawalFile(await readSigned(path), client.deployment);
  const { account, token, to, amount } = signed.withdrawal;
  const { hash, gasUsed } = await submitWithdrawal(client, signed);
  const text = fields([
    ["withdrawn", formatAmount(amount, await tokenOf(client, token))],
    ["of", account],
    ["to", to],
    ["transaction", hash],
  ]);
  return { json: { account, token, to, amount, hash, gasUsed }, text, simulated };
}
