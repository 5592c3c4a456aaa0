/**
 * Room: cli/jobTerms. What the commands that make an order have in common: their options, and the job these make.
 */
import type { Command } from "commander";
import type { Address, Hex } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import type { SignedGrant } from "../protocol/eip712.ts";
import type { Program } from "../protocol/program.ts";
import type { Client } from "../sdk/client.ts";
import type { Home } from "../sdk/node/home.ts";
import type { PreparedJob } from "../sdk/prepareJob.ts";
import type { Token } from "../sdk/tokens.ts";
import { accountOf, accountOrZero } from "./accounts.ts";
import { UsageError } from "./failure.ts";
import { type GlobalOptions, progress } from "./output.ts";
import { id, ids, integer, json, texts } from "./parse.ts";

/** Options of an order. */
export type TermsOptions = GlobalOptions & {
  program: string;
  dataset: Hex[];
  grant?: Hex[];
  grantFile?: string[];
  workload: Hex;
  worker: string;
  fee?: string;
  failureFee: string;
  maxTotal?: string;
  maxRows?: number;
  token?: string;
  params: unknown;
  deadlineMinutes: number;
  operator?: string;
  offerFile?: string;
  payer?: string;
  acceptMinutes?: number;
  bond?: string;
  quorum: number;
};

/** A job as the options have it, its result key kept in the home, its program at the worker. */
export type MadeJob = { job: PreparedJob; program: Program; token: Token; identity: string };

/**
 * Adds the options of every order to a command; what an order can have besides, its command adds.
 *
 * @example
 * withTerms(job.command("create"))
 */
export function withTerms(command: Command): Command {
  return command
    .requiredOption("--program <dir>", "program directory")
    .requiredOption("--dataset <id>", "data set, one per input of the program, in its order (repeatable)", ids)
    .option("--grant-file <file>", "grant from a provider (repeatable)", texts)
    .option("--grant <hash>", "grant given from this home (repeatable)", ids)
    .requiredOption("--workload <id>", "the enclave code you trust to run it", id)
    .requiredOption("--worker <url>", "worker that the program is uploaded to")
    .option("--fee <amount>", "paid to each operator for a result, in whole units, e.g. 1.00; with an offer, at most")
    .option("--failure-fee <amount>", "paid to the operator for a signed failure", "0")
    .option("--max-total <amount>", "refuse if prices and fees exceed this, in whole units")
    .option(
      "--max-rows <n>",
      "rows of the result to pay for at most, where a grant is priced by them",
      integer(0, 1e12),
    )
    .option("--token <address>", "token of all payments (default: the native coin)")
    .option("--params <json>", "parameters of the program", json, {})
    .option("--deadline-minutes <n>", "from now; then the escrow can be taken back", integer(1, 525_000), 60)
    .option("--operator <address>", "whom an enclave that runs it must pay (default: anyone, or who offers)");
}

/**
 * As {@link withTerms}, with what a single job can have, and a session's jobs cannot.
 *
 * @example
 * withOpenTerms(job.command("create"))
 */
export function withOpenTerms(command: Command): Command {
  return withTerms(command)
    .option("--offer-file <file>", "an operator's offer (see dcm offer): charged by its prices, up to --fee")
    .option("--accept-minutes <n>", "an enclave must accept the job by then, from now, and only it may settle", minutes)
    .option(
      "--bond <amount>",
      "what whoever accepts it stakes, and you get if it does not settle (with --accept-minutes)",
    )
    .option("--quorum <n>", "how many enclaves, on as many platforms, must say the same", integer(1, 5), 1);
}

const minutes = integer(1, 525_000);

/**
 * The job that the options mean. Its result key is kept before anything is signed or sent.
 *
 * @throws UsageError | any error of `prepareJob`
 * @example
 * const { job, token } = await makeJob(options, client, home)
 */
export async function makeJob(options: TermsOptions, client: Client, home: Home): Promise<MadeJob> {
  const { packProgram } = await import("../protocol/program.ts");
  const { newResultIdentity } = await import("../sdk/encryption.ts");
  const { chainTime } = await import("../sdk/grants.ts");
  const { readProgram } = await import("../sdk/node/programDir.ts");
  const { deadlineAfter, orderGrants, prepareJob } = await import("../sdk/prepareJob.ts");
  const { parseAmount, tokenOf } = await import("../sdk/tokens.ts");
  const { blobUri, uploadBlob } = await import("../sdk/worker.ts");

  const program = await readProgram(options.program);
  const granted = await readGrants(options, home, client.deployment);
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const offer = options.offerFile === undefined ? undefined : await readOffer(options.offerFile, client.deployment);
  const named = options.operator === undefined ? undefined : await accountOf("--operator", options.operator);
  const operator = named ?? offer?.offer.operator;
  const payer = options.payer === undefined ? {} : { payer: await accountOf("--payer", options.payer) };
  const { identity, resultKey } = await newResultIdentity();
  const bundle = packProgram(program);
  const [chainNow, now] = [await chainTime(client), BigInt(Math.floor(Date.now() / 1000))];
  const after = (span: number) => deadlineAfter(span, chainNow, now);
  const amount = (text: string) => parseAmount(text, token);
  if (options.fee === undefined && offer === undefined)
    throw new UsageError("There is neither a fee nor an offer.", { hint: "Give --fee AMOUNT or --offer-file FILE." });
  const wholeRun = BigInt(Math.ceil(program.manifest.limits.wallMs / 1000));
  const offered = offer === undefined ? 0n : offer.offer.fee + offer.offer.pricePerSecond * wholeRun;
  const job = await prepareJob(client, {
    program,
    programUri: blobUri(bundle),
    params: options.params,
    workloadId: options.workload,
    grants: orderGrants(options.dataset, granted),
    resultKey,
    operatorFee: options.fee === undefined ? offered : amount(options.fee),
    failureFee: amount(options.failureFee),
    token: token.address,
    quorum: options.quorum ?? 1,
    ...payer,
    ...(operator === undefined ? {} : { operator }),
    ...(offer === undefined ? {} : { offer }),
    ...(options.maxTotal === undefined ? {} : { maxTotal: amount(options.maxTotal) }),
    ...(options.maxRows === undefined ? {} : { maxRows: BigInt(options.maxRows) }),
    ...(options.acceptMinutes === undefined ? {} : { acceptBy: after(options.acceptMinutes) }),
    ...(options.bond === undefined ? {} : { bond: amount(options.bond) }),
    deadline: after(options.deadlineMinutes),
  });
  await home.saveResultIdentity(job.jobId, identity);
  for (const [i, { name, format }] of program.manifest.inputs.entries())
    progress(`Input ${name} (${format}) is data set ${job.order.datasets[i]?.datasetId}`);
  progress("Uploading the program...");
  await uploadBlob(options.worker, bundle);
  if (offer !== undefined && !(await makesOffer(client, options.worker, job.order.offerHash)))
    progress("Note: this worker does not make that offer; only a worker that does will run the job.");
  return { job, program, token, identity };
}

/**
 * Refuses to go on if somebody else is to pay: that needs a signature of two.
 *
 * @throws UsageError
 * @example
 * requireOwnPayment(job.order.payer, addressOf(client))
 */
export function requireOwnPayment(payer: Address, me: Address): void {
  if (payer.toLowerCase() === me.toLowerCase()) return;
  throw new UsageError(`The payer is ${payer}, not this wallet.`, {
    hint: "Sign the order with `dcm job order --out FILE`; the payer signs it with `dcm job sponsor` and opens it.",
  });
}

/** Whether a worker says that it makes an offer; one that does not answer does not. */
async function makesOffer(client: Client, worker: string, offerHash: Hex): Promise<boolean> {
  const { BaseError } = await import("../protocol/errors.ts");
  const { hashOffer } = await import("../protocol/eip712.ts");
  const { fetchOffer } = await import("../sdk/worker.ts");
  try {
    return hashOffer(client.marketDomain, (await fetchOffer(worker)).offer) === offerHash;
  } catch (error) {
    if (error instanceof BaseError) return false;
    throw error;
  }
}

async function readGrants(options: TermsOptions, home: Home, deployment: Deployment): Promise<SignedGrant[]> {
  const { maxGrantFileBytes, readGrantFile } = await import("../sdk/grantFile.ts");
  const { readText } = await import("../sdk/node/files.ts");
  const grants: SignedGrant[] = [];
  for (const file of options.grantFile ?? [])
    grants.push(readGrantFile(await readText(file, maxGrantFileBytes), deployment));
  for (const hash of options.grant ?? []) {
    const signed = await home.grant(hash);
    if (signed === undefined) {
      throw new UsageError(`Grant ${hash} was not given from this home.`, {
        hint: "Give the provider's grant file with --grant-file.",
      });
    }
    grants.push(signed);
  }
  return grants;
}

async function readOffer(file: string, deployment: Deployment) {
  const { readOfferFile } = await import("../sdk/offers.ts");
  return readOfferFile(await readSigned(file), deployment);
}

/**
 * The text of a file that somebody signed.
 *
 * @throws FileUnreadableError
 * @example
 * const signed = readOrderFile(await readSigned(file), deployment)
 */
export async function readSigned(file: string): Promise<string> {
  const { readText } = await import("../sdk/node/files.ts");
  const { maxSignedFileBytes } = await import("../sdk/signedFile.ts");
  return await readText(file, maxSignedFileBytes);
}

/**
 * Writes a file for somebody else; without a name, its content is to be printed.
 *
 * @returns the lines to print.
 * @throws FileUnwritableError if it exists
 * @example
 * const text = [...fields(entries), ...(await handOver(options.out, file, "Give this to the worker:"))]
 */
export async function handOver(out: string | undefined, file: object, sentence: string): Promise<string[]> {
  const content = JSON.stringify(file, null, 2);
  if (out === undefined) return [sentence, content];
  const { writeAtomic } = await import("../sdk/node/files.ts");
  await writeAtomic(out, `${content}\n`, { mode: 0o644, overwrite: false });
  return [];
}
