/** Room: cli/commands/order. `dcm job order` and what is done with a signed order: sponsored, opened, settled, taken back. */
import type { Command } from "commander";
import type { Client } from "../../sdk/client.ts";
import { connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { handOver, makeJob, readSigned, type TermsOptions, withOpenTerms } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { texts, uint } from "../parse.ts";

type OrderOptions = TermsOptions & { out?: string; send?: boolean };
type SettleOptions = GlobalOptions & { receiptFile: string; grantFile?: string[]; offerFile?: string };

/**
 * Adds the commands to `dcm job`.
 *
 * @example
 * addOrderCommands(job)
 */
export function addOrderCommands(job: Command): void {
  withOpenTerms(job.command("order"))
    .description("sign a job instead of opening it: no gas, nothing on chain until it settles")
    .option("--payer <address>", "who pays and is refunded, if not you; it signs with dcm job sponsor")
    .option("--out <file>", "write the order file here")
    .option("--send", "give the order to the worker: it is settled in one transaction, against the payer's credit")
    .addHelpText(
      "after",
      `
Whoever has the file can have the job run and settled, but changes nothing in it. With --send the payer's credit must
cover the cost: dcm credit deposit. With --payer, that account signs too: dcm job sponsor. To take it back: dcm job
take-back.

Example:
  $ dcm credit deposit --token 0x... --amount 10
  $ dcm job order --program programs/yearly-correlation --dataset 0x... --grant-file grant.json --workload 0x... \\
      --worker http://127.0.0.1:8080 --token 0x... --fee 1.00 --send`,
    )
    .action(answer(order));

  job
    .command("sponsor")
    .description("sign another's order as its payer")
    .argument("<file>", "order file that names you as its payer")
    .option("--out <file>", "write the order with your signature here")
    .option("--worker <url>", "give it to this worker: it is settled in one transaction, against your credit")
    .addHelpText(
      "after",
      "\nUp to its whole cost may be taken from your credit or allowance; nothing else.\n\nExample:\n  $ dcm job sponsor order.json --out sponsored.json",
    )
    .action(answer(sponsor));

  job
    .command("open")
    .description("open a signed order: escrows its cost from the payer")
    .argument("<file>", "order file")
    .addHelpText(
      "after",
      "\nAnyone may; a payer that is not you pays from its credit or allowance.\n\nExample:\n  $ dcm job open sponsored.json",
    )
    .action(answer(open));

  job
    .command("settle")
    .description("settle a signed order with an enclave's receipt, in one transaction; anyone may")
    .argument("<file>", "order file")
    .requiredOption("--receipt-file <file>", "signed receipt, as GET /receipts/<id> of a worker")
    .option("--grant-file <file>", "grant that is paid or limited, in the order's order (repeatable)", texts)
    .option("--offer-file <file>", "the order's offer, if it names one")
    .addHelpText(
      "after",
      "\nExample:\n  $ dcm job settle order.json --receipt-file receipt.json --grant-file grant.json",
    )
    .action(answer(settle));

  job
    .command("take-back")
    .description("make what you signed with a nonce worthless: an order, or a withdrawal")
    .argument("<nonce>", "the nonce: `nonce` in the file", uint)
    .addHelpText(
      "after",
      "\nA job that was opened is taken back with dcm job cancel.\n\nExample:\n  $ dcm job take-back 7",
    )
    .action(answer(takeBack));
}

async function order(options: OrderOptions): Promise<Output> {
  if (options.send) requireSendable(options);
  const { client, home, simulated } = await connectWallet(options);
  const { orderFileOf, signOrder } = await import("../../sdk/orders.ts");
  const { formatAmount } = await import("../../sdk/tokens.ts");
  const { postOrder } = await import("../../sdk/worker.ts");
  const { job, token } = await makeJob(options, client, home);
  const signed = await signOrder(client, job);
  const file = orderFileOf(client.deployment, signed);
  const written = options.send && options.out === undefined ? [] : await handOver(options.out, file, "The order:");
  if (options.send) {
    progress("Giving the order to the worker...");
    await postOrder(options.worker, signed);
  }
  const text = [
    ...fields([
      ["job", job.jobId],
      ["costs at most", formatAmount(job.cost, token)],
      ["payer", job.order.payer],
      ["deadline", dateOf(job.order.deadline)],
      ["nonce", job.order.nonce],
      ["file", options.out],
    ]),
    ...written,
  ];
  return { json: { jobId: job.jobId, cost: job.cost, file }, text, simulated };
}

/** What a worker would refuse of an order that it is to settle alone. */
function requireSendable({ payer, quorum, acceptMinutes }: OrderOptions): void {
  if (payer !== undefined)
    throw new UsageError("An order that another account pays is not settled before that account has signed.", {
      hint: "Write it with --out FILE; the payer gives it to the worker: `dcm job sponsor FILE --worker URL`.",
    });
  if (quorum > 1 || acceptMinutes !== undefined)
    throw new UsageError("Quorum and acceptance need a job on chain.", {
      hint: "Use `dcm job create`, or write the order with --out FILE and open it with `dcm job open`.",
    });
}

async function sponsor(options: GlobalOptions & { out?: string; worker?: string }, path: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { orderFileOf, readOrderFile, sponsorOrder, verifyOrder } = await import("../../sdk/orders.ts");
  const { postOrder } = await import("../../sdk/worker.ts");
  const sponsored = await sponsorOrder(client, readOrderFile(await readSigned(path), client.deployment));
  const { jobId, cost } = await verifyOrder(client, sponsored);
  const file = orderFileOf(client.deployment, sponsored);
  const written = await handOver(options.out, file, "The order:");
  if (options.worker !== undefined) await postOrder(options.worker, sponsored);
  const { requester, token } = sponsored.order;
  const text = fields([
    ["job", jobId],
    ["requester", requester],
    ["costs at most", await amountOf(client, cost, token)],
    ["file", options.out],
  ]);
  return { json: { jobId, cost, requester, file }, text: [...text, ...written], simulated };
}

async function open(options: GlobalOptions, path: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { hexToBytes } = await import("viem");
  const { addressOf } = await import("../../sdk/client.ts");
  const { openJob } = await import("../../sdk/jobs.ts");
  const { readOrderFile, verifyOrder } = await import("../../sdk/orders.ts");
  const signed = readOrderFile(await readSigned(path), client.deployment);
  const { order: terms, requesterSignature, payerSignature } = signed;
  const iPay = terms.payer.toLowerCase() === addressOf(client).toLowerCase();
  const { jobId, cost } = await verifyOrder(client, signed, { payerMaySign: iPay });
  const prepared = { order: terms, jobId, programUri: signed.programUri, params: hexToBytes(signed.params), cost };
  const { hash, gasUsed, index, payment } = await openJob(client, prepared, { requesterSignature, payerSignature });
  const text = fields([
    ["job", jobId],
    ["index", index],
    ["escrow", `${await amountOf(client, cost, terms.token)} (by ${payment})`],
    ["transaction", hash],
  ]);
  return { json: { jobId, index, cost, payment, hash, gasUsed }, text, simulated };
}

async function settle(options: SettleOptions, path: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { signedReceiptSchema } = await import("../../protocol/receiptJson.ts");
  const { maxGrantFileBytes, readGrantFile } = await import("../../sdk/grantFile.ts");
  const { readJson, readText } = await import("../../sdk/node/files.ts");
  const { readOfferFile } = await import("../../sdk/offers.ts");
  const { orderGroupOf, readOrderFile, settleOrders, verifyOrder } = await import("../../sdk/orders.ts");
  const { deployment } = client;
  const signed = readOrderFile(await readSigned(path), deployment);
  const { jobId } = await verifyOrder(client, signed);
  const receipt = await readJson(options.receiptFile, 64 * 1024, signedReceiptSchema);
  const grants = [];
  for (const file of options.grantFile ?? [])
    grants.push(readGrantFile(await readText(file, maxGrantFileBytes), deployment));
  const offers =
    options.offerFile === undefined ? [] : [readOfferFile(await readSigned(options.offerFile), deployment)];
  const { hash, gasUsed } = await settleOrders(client, [orderGroupOf(signed, receipt, grants, offers)]);
  const text = fields([
    ["settled", jobId],
    ["transaction", hash],
  ]);
  return { json: { jobId, hash, gasUsed }, text, simulated };
}

async function takeBack(options: GlobalOptions, nonce: bigint): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { cancelNonce } = await import("../../sdk/orders.ts");
  const { hash, gasUsed } = await cancelNonce(client, nonce);
  const text = fields([
    ["worthless now", `what was signed with nonce ${nonce}`],
    ["transaction", hash],
  ]);
  return { json: { nonce, hash, gasUsed }, text, simulated };
}

async function amountOf(client: Client, amount: bigint, token: `0x${string}`): Promise<string> {
  const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
  return formatAmount(amount, await tokenOf(client, token));
}
