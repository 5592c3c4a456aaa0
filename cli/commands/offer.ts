/** Room: cli/commands/offer. `dcm offer`: an operator's signed prices. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { SignedOffer } from "../../protocol/eip712.ts";
import type { Client } from "../../sdk/client.ts";
import { accountOrZero } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { handOver, readSigned } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output } from "../output.ts";
import { id, integer } from "../parse.ts";

type SignOptions = GlobalOptions & {
  workload: Hex;
  token?: string;
  fee: string;
  perSecond: string;
  validDays: number;
  out?: string;
};

/**
 * Adds the commands.
 *
 * @example
 * addOfferCommands(program)
 */
export function addOfferCommands(program: Command): void {
  const offer = program
    .command("offer")
    .description("an operator's signed prices, which orders can go by")
    .addHelpText("after", "\nExample:\n  $ dcm offer show https://worker.example");

  offer
    .command("sign")
    .description("sign prices for jobs in one workload, paid in one token; sends nothing")
    .requiredOption("--workload <id>", "what your enclaves run (see dcm enclave list)", id)
    .requiredOption("--fee <amount>", "for each job, in whole units")
    .option("--per-second <amount>", "for each second that a program runs, rounded up", "0")
    .option("--token <address>", "default: the native coin")
    .option("--valid-days <n>", "latest deadline of an order under this offer, from now", integer(1, 3650), 30)
    .option("--out <file>", "write the offer file here")
    .addHelpText(
      "after",
      `
An order names the offer by its hash, and caps what it may come to. There is no way to take an offer back before it
runs out: a worker that does not want it any more does not take its orders.

Example:
  $ dcm offer sign --workload 0x... --token 0x... --fee 0.50 --per-second 0.01 --out offer.json`,
    )
    .action(answer(sign));

  offer
    .command("verify")
    .description("check that an offer is signed by its operator and has not run out")
    .argument("<file>", "offer file")
    .addHelpText("after", "\nExample:\n  $ dcm offer verify offer.json")
    .action(
      answer(async (options: GlobalOptions, path: string) => {
        const { client, simulated } = await connect(options);
        const { readOfferFile } = await import("../../sdk/offers.ts");
        return await verified(client, readOfferFile(await readSigned(path), client.deployment), simulated);
      }),
    );

  offer
    .command("show")
    .description("fetch and check the offer of a worker's operator")
    .argument("<url>", "worker")
    .option("--out <file>", "write the offer file here")
    .addHelpText("after", "\nExample:\n  $ dcm offer show https://worker.example --out offer.json")
    .action(
      answer(async (options: GlobalOptions & { out?: string }, url: string) => {
        const { client, simulated } = await connect(options);
        const { offerFileOf } = await import("../../sdk/offers.ts");
        const { fetchOffer } = await import("../../sdk/worker.ts");
        const signed = await fetchOffer(url);
        const output = await verified(client, signed, simulated);
        if (options.out !== undefined) await handOver(options.out, offerFileOf(client.deployment, signed), "");
        return output;
      }),
    );
}

async function sign(options: SignOptions): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { chainTime } = await import("../../sdk/grants.ts");
  const { offerFileOf, signOffer } = await import("../../sdk/offers.ts");
  const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const signed = await signOffer(client, {
    workloadId: options.workload,
    token: token.address,
    fee: parseAmount(options.fee, token),
    pricePerSecond: parseAmount(options.perSecond, token),
    validUntil: (await chainTime(client)) + BigInt(options.validDays) * 86_400n,
  });
  const file = offerFileOf(client.deployment, signed);
  const written = await handOver(options.out, file, "Give this to requesters, and to your worker:");
  const text = fields([
    ["offer", signed.offerHash],
    ["fee", formatAmount(signed.offer.fee, token)],
    ["per second", formatAmount(signed.offer.pricePerSecond, token)],
    ["valid until", dateOf(signed.offer.validUntil)],
    ["file", options.out],
  ]);
  return { json: { offerHash: signed.offerHash, file }, text: [...text, ...written], simulated };
}

async function verified(client: Client, signed: SignedOffer, simulated: boolean): Promise<Output> {
  const { verifyOffer } = await import("../../sdk/offers.ts");
  const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const { offerHash } = await verifyOffer(client, signed);
  const { operator, workloadId, fee, pricePerSecond, validUntil } = signed.offer;
  const token = await tokenOf(client, signed.offer.token);
  const text = fields([
    ["offer", offerHash],
    ["signed by", operator],
    ["workload", workloadId],
    ["fee", formatAmount(fee, token)],
    ["per second", formatAmount(pricePerSecond, token)],
    ["valid until", dateOf(validUntil)],
  ]);
  return { json: { offerHash, ...signed.offer }, text, simulated };
}
