/** Room: cli/commands/job. `dcm job`: open a job, follow it, read its result, take it back. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { plainLines } from "../../sdk/plainText.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { readIdentity } from "../identityFile.ts";
import { makeJob, type TermsOptions, withOpenTerms } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id, integer } from "../parse.ts";
import { addOrderCommands } from "./order.ts";

type ResultOptions = GlobalOptions & { wait: number; worker?: string; identityFile?: string; out?: string };

type PrintsOptions = GlobalOptions & { worker?: string; identityFile: string; out?: string };

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

  withOpenTerms(job.command("create"))
    .description("check the grants, keep a fresh result key, escrow the cost and open the job")
    .addHelpText(
      "after",
      `
Your credit is used first (dcm credit show); what is lacking is taken from your wallet. What the prices do not come to
is refunded as credit when the job settles.

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
    .command("prints")
    .description("as the owner of a settled job's data: what its program printed and threw, where its policy says so")
    .argument("<id>", "job id", id)
    .requiredOption("--identity-file <file>", "age identity of a reader that every grant of the job names")
    .option("--worker <url>", "where from (default: the enclave that settled it)")
    .option("--out <file>", "write the prints here, as they are")
    .addHelpText("after", `\nExample:\n  $ dcm job prints ${jobId} --identity-file key.txt`)
    .action(answer(prints));

  job
    .command("cancel")
    .description("take your open job back that nobody has accepted; the whole escrow becomes the payer's credit")
    .argument("<id>", "job id", id)
    .addHelpText("after", `\nExample:\n  $ dcm job cancel ${jobId}`)
    .action(answer((options: GlobalOptions, job: Hex) => end(options, job, "cancelJob")));

  job
    .command("expire")
    .description("end a job whose deadline has passed, or that nobody accepted in time; the payer gets the escrow back")
    .argument("<id>", "job id", id)
    .addHelpText("after", `\nExample:\n  $ dcm job expire ${jobId}`)
    .action(answer((options: GlobalOptions, job: Hex) => end(options, job, "expireJob")));

  addOrderCommands(job);
}

async function create(options: TermsOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { openJob } = await import("../../sdk/jobs.ts");
  const { formatAmount } = await import("../../sdk/tokens.ts");
  const { job, program, token } = await makeJob(options, client, home);
  progress(`Opening the job: ${formatAmount(job.cost, token)} into escrow...`);
  const { hash, gasUsed, index, payment } = await openJob(client, job);
  const text = fields([
    ["job", job.jobId],
    ["index", index],
    ["program", program.id],
    ["escrow", `${formatAmount(job.cost, token)} (by ${payment})`],
    ["accept by", job.order.acceptBy === 0n ? undefined : dateOf(job.order.acceptBy)],
    ["deadline", dateOf(job.order.deadline)],
    ["transaction", hash],
    ["gas", gasUsed],
  ]);
  const { jobId, cost, programUri } = job;
  const rest = { programId: program.id, programUri, cost, token: token.address, payment, hash, gasUsed };
  return { json: { jobId, index, deadline: job.order.deadline, ...rest }, text, simulated };
}

async function status(options: GlobalOptions, job: Hex): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { jobStatus } = await import("../../sdk/findJob.ts");
  const found = await jobStatus(client, job);
  const text = fields([
    ["job", found.jobId],
    ["index", found.index],
    ["state", found.state],
    ["enclaves", (found.quorum ?? 1) > 1 ? `${found.votes} of ${found.quorum} have said the same` : undefined],
    ["accepted by", found.acceptedBy],
    ["failure", found.failure === "None" ? undefined : found.failure],
    ["deadline", found.deadline && dateOf(found.deadline)],
    ["settled by", found.signer],
    ["result hash", found.resultHash],
    ["settled in", found.settledHash],
  ]);
  const { index, deadline, quorum, acceptedBy, failure, signer, resultHash, settledHash, ...rest } = found;
  const nullable = { index, deadline, quorum, acceptedBy, failure, signer, resultHash, settledHash };
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

async function prints(options: PrintsOptions, job: Hex): Promise<Output> {
  const { fetchPrints } = await import("../../sdk/fetchPrints.ts");
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  const identity = await readIdentity(options.identityFile);
  const { client, simulated } = await connect(options);
  const { text: bytes, cut } = await fetchPrints(client, job, identity, options.worker);
  const text = new TextDecoder().decode(bytes);
  if (options.out !== undefined) await writeAtomic(options.out, bytes, { mode: 0o600, overwrite: false });
  const note = cut ? ["(there was more, or its end is not known)"] : [];
  const shown = options.out === undefined ? plainLines(text.replace(/\n$/, "")).split("\n") : [options.out];
  return { json: { jobId: job, prints: text, cut }, text: [...shown, ...note], simulated };
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
    "The escrow is the payer's credit now: dcm credit withdraw, with --token if it was a token.",
  ];
  return { json: { jobId: job, hash, gasUsed }, text, simulated };
}
