/** Room: cli/commands/job. `dcm job`: open a job, follow it, read its result, take it back. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import type { SignedGrant } from "../../protocol/eip712.ts";
import type { Home } from "../../sdk/node/home.ts";
import { plainLines } from "../../sdk/plainText.ts";
import { accountOrZero } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id, ids, integer, json, texts } from "../parse.ts";

type CreateOptions = GlobalOptions & {
  program: string;
  dataset: Hex[];
  grant?: Hex[];
  grantFile?: string[];
  workload: Hex;
  worker: string;
  fee: string;
  failureFee: string;
  maxTotal?: string;
  token?: string;
  params: unknown;
  deadlineMinutes: number;
  operator?: string;
};
type ResultOptions = GlobalOptions & { wait: number; worker?: string; identityFile?: string; out?: string };

const jobId = `0x${"12".repeat(32)}`;

/**
 * Adds the commands.
 *
 * @example
 * addJobCommands(program)
 */
export function addJobCommands(program: Command): void {
  const job = program
    .command("job")
    .description("run programs on data sets you were granted")
    .addHelpText("after", `\nExample:\n  $ dcm job status ${jobId}`);

  job
    .command("create")
    .description("check the grants, keep a fresh result key, escrow the cost and open the job")
    .requiredOption("--program <dir>", "program directory")
    .requiredOption("--dataset <id>", "data set, one per input of the program, in its order (repeatable)", ids)
    .option("--grant-file <file>", "grant from a provider (repeatable)", texts)
    .option("--grant <hash>", "grant given from this home (repeatable)", ids)
    .requiredOption("--workload <id>", "the enclave code you trust to run it", id)
    .requiredOption("--worker <url>", "worker that the program is uploaded to")
    .requiredOption("--fee <amount>", "paid to the operator for a result, in whole units, e.g. 1.00")
    .option("--failure-fee <amount>", "paid to the operator for a signed failure", "0")
    .option("--max-total <amount>", "refuse if prices and fee exceed this, in whole units")
    .option("--token <address>", "token of all payments (default: the native coin)")
    .option("--params <json>", "parameters of the program", json, {})
    .option("--deadline-minutes <n>", "from now; then the escrow can be taken back", integer(1, 525_000), 60)
    .option("--operator <address>", "whom an enclave that runs it must pay (default: anyone)")
    .addHelpText(
      "after",
      `
Example:
  $ dcm job create --program programs/yearly-correlation --dataset 0x... --dataset 0x... \\
      --grant-file co2.json --grant-file temperature.json --workload 0x... \\
      --worker http://127.0.0.1:8080 --token 0x... --fee 1.00`,
    )
    .action(answer(create));

  job
    .command("status")
    .description("where a job stands")
    .argument("<id>", "job id", id)
    .addHelpText("after", `\nExample:\n  $ dcm job status ${jobId}`)
    .action(answer(status));

  job
    .command("result")
    .description("fetch a settled job's result, check it against the receipt, and open it")
    .argument("<id>", "job id", id)
    .option("--worker <url>", "where from (default: the enclave that settled it)")
    .option("--identity-file <file>", "age identity of a further reader (default: the one kept in this home)")
    .option("--out <file>", "write the output here, as JSON")
    .option("--wait <seconds>", "how long to wait for the job to end", integer(0, 86_400), 0)
    .addHelpText("after", `\nExample:\n  $ dcm job result ${jobId} --wait 60`)
    .action(answer(result));

  job
    .command("cancel")
    .description("take your open job back; the whole escrow becomes your credit")
    .argument("<id>", "job id", id)
    .addHelpText("after", `\nExample:\n  $ dcm job cancel ${jobId}`)
    .action(answer((options: GlobalOptions, job: Hex) => end(options, job, "cancelJob")));

  job
    .command("expire")
    .description("end a job whose deadline has passed; the whole escrow becomes the requester's credit")
    .argument("<id>", "job id", id)
    .addHelpText("after", `\nExample:\n  $ dcm job expire ${jobId}`)
    .action(answer((options: GlobalOptions, job: Hex) => end(options, job, "expireJob")));
}

async function create(options: CreateOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { packProgram } = await import("../../protocol/program.ts");
  const { newResultIdentity } = await import("../../sdk/encryption.ts");
  const { chainTime } = await import("../../sdk/grants.ts");
  const { openJob } = await import("../../sdk/jobs.ts");
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { deadlineAfter, orderGrants, prepareJob } = await import("../../sdk/prepareJob.ts");
  const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const { blobUri, uploadBlob } = await import("../../sdk/worker.ts");

  const program = await readProgram(options.program);
  const granted = await readGrants(options, home, client.deployment);
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const operator = await accountOrZero("--operator", options.operator);
  const { identity, resultKey } = await newResultIdentity();
  const bundle = packProgram(program);
  const job = await prepareJob(client, {
    program,
    programUri: blobUri(bundle),
    params: options.params,
    workloadId: options.workload,
    grants: orderGrants(options.dataset, granted),
    resultKey,
    operatorFee: parseAmount(options.fee, token),
    failureFee: parseAmount(options.failureFee, token),
    operator,
    token: token.address,
    ...(options.maxTotal === undefined ? {} : { maxTotal: parseAmount(options.maxTotal, token) }),
    deadline: deadlineAfter(options.deadlineMinutes, await chainTime(client), BigInt(Math.floor(Date.now() / 1000))),
  });
  await home.saveResultIdentity(job.jobId, identity);
  for (const [i, { name, format }] of program.manifest.inputs.entries()) {
    progress(`Input ${name} (${format}) is data set ${job.order.datasets[i]?.datasetId}`);
  }
  progress("Uploading the program...");
  await uploadBlob(options.worker, bundle);
  progress(`Opening the job: ${formatAmount(job.cost, token)} into escrow...`);
  const { hash, gasUsed, index, payment } = await openJob(client, job);
  const text = fields([
    ["job", job.jobId],
    ["index", index],
    ["program", program.id],
    ["escrow", `${formatAmount(job.cost, token)} (by ${payment})`],
    ["deadline", dateOf(job.order.deadline)],
    ["transaction", hash],
    ["gas", gasUsed],
  ]);
  const { jobId, cost, programUri } = job;
  const rest = { programId: program.id, programUri, cost, token: token.address, payment, hash, gasUsed };
  return { json: { jobId, index, deadline: job.order.deadline, ...rest }, text, simulated };
}

async function readGrants(options: CreateOptions, home: Home, deployment: Deployment): Promise<SignedGrant[]> {
  const { maxGrantFileBytes, readGrantFile } = await import("../../sdk/grantFile.ts");
  const { readText } = await import("../../sdk/node/files.ts");
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

async function status(options: GlobalOptions, job: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { jobStatus } = await import("../../sdk/findJob.ts");
  const found = await jobStatus(client, job);
  const text = fields([
    ["job", found.jobId],
    ["index", found.index],
    ["state", found.state],
    ["failure", found.failure === "None" ? undefined : found.failure],
    ["deadline", dateOf(found.deadline)],
    ["settled by", found.signer],
    ["result hash", found.resultHash],
    ["settled in", found.settledHash],
  ]);
  const { failure, signer, resultHash, settledHash, ...rest } = found;
  const nullable = { failure, signer, resultHash, settledHash };
  const json = Object.fromEntries(Object.entries(nullable).map(([key, value]) => [key, value ?? null]));
  return { json: { ...rest, ...json }, text, simulated };
}

async function result(options: ResultOptions, job: Hex): Promise<Output> {
  const { waitForOutput } = await import("../../sdk/fetchOutput.ts");
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  let identity: string | undefined;
  let context: Awaited<ReturnType<typeof connect>>;
  if (options.identityFile === undefined) {
    const wallet = await connectWallet(options);
    context = wallet;
    identity = await wallet.home.resultIdentity(job);
  } else {
    identity = await readIdentity(options.identityFile);
    context = await connect(options);
  }
  if (identity === undefined) {
    throw new UsageError(`The result key of job ${job} is not in this home.`, {
      hint: "Use the wallet and home that created the job, or --identity-file if a grant names you as a reader.",
    });
  }
  const { output } = await waitForOutput(context.client, job, identity, {
    waitMs: options.wait * 1000,
    ...(options.worker === undefined ? {} : { workerUrl: options.worker }),
  });
  const text = JSON.stringify(output, null, 2);
  if (options.out !== undefined) await writeAtomic(options.out, `${text}\n`, { mode: 0o600, overwrite: false });
  const { simulated } = context;
  return { json: { jobId: job, output }, text: options.out === undefined ? plainLines(text) : options.out, simulated };
}

/** The first secret line of a file as age-keygen writes it. */
async function readIdentity(file: string): Promise<string> {
  const { readText } = await import("../../sdk/node/files.ts");
  const lines = (await readText(file, 16 * 1024)).split(/\r?\n/);
  const identity = lines.find((line) => line.startsWith("AGE-SECRET-KEY-1"))?.trim();
  if (identity !== undefined) return identity;
  throw new UsageError(`${file} holds no age identity.`, {
    hint: "Give the file that age-keygen wrote, not the public key alone.",
  });
}

async function end(options: GlobalOptions, job: Hex, name: "cancelJob" | "expireJob"): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const jobs = await import("../../sdk/jobs.ts");
  const { hash, gasUsed } = await jobs[name](client, job);
  const done = name === "cancelJob" ? "cancelled" : "expired";
  const text = [
    ...fields([
      [done, job],
      ["transaction", hash],
    ]),
    "The escrow is the requester's credit now: dcm credit withdraw, with --token if it was a token.",
  ];
  return { json: { jobId: job, hash, gasUsed }, text, simulated };
}
