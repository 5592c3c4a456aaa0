/** Room: cli/commands/certificate. `dcm dataset certify` and `certificates`: proven properties, shown before paying. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Certificate } from "../../sdk/certificateFile.ts";
import type { CertificateListing, VerifiedCertificate } from "../../sdk/certificates.ts";
import { accountOf, accountOrZero } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id, integer, json } from "../parse.ts";

type CertifyOptions = GlobalOptions & {
  program: string;
  workload: Hex;
  worker: string;
  fee: string;
  failureFee: string;
  token?: string;
  operator?: string;
  params: unknown;
  deadlineMinutes: number;
  wait: number;
  out?: string;
};
type ListOptions = GlobalOptions & { worker?: string; workload?: Hex; limit: number; file?: string };

const sampleId = `0x${"12".repeat(32)}`;
const limits =
  "A certificate does not show that the provider did not choose program, parameters and moment, nor that the workload is honest.";

/**
 * Adds the commands.
 *
 * @example
 * addCertificateCommands(dataset)
 */
export function addCertificateCommands(dataset: Command): void {
  dataset
    .command("certify")
    .description("have a program run over your data set in an enclave, and its result shown to everybody, for ever")
    .argument("<id>", "your data set", id)
    .requiredOption("--program <dir>", "program directory; of one input")
    .requiredOption("--workload <id>", "the enclave code that runs it, which buyers have to trust", id)
    .requiredOption("--worker <url>", "worker that the program is uploaded to")
    .option("--fee <amount>", "paid to the operator for a result, in whole units", "0")
    .option("--failure-fee <amount>", "paid to the operator for a signed failure", "0")
    .option("--token <address>", "token of the fees (default: the native coin)")
    .option("--operator <address>", "whom an enclave that runs it must pay (default: anyone)")
    .option("--params <json>", "parameters of the program; they are shown as well", json, {})
    .option("--deadline-minutes <n>", "from now; then the escrow can be taken back", integer(1, 525_000), 60)
    .option("--wait <seconds>", "how long to wait for the result", integer(0, 86_400), 300)
    .option("--out <file>", "write the certificate here")
    .addHelpText(
      "after",
      `
Signs a grant for one free use by yourself, hands the key to the enclaves of the workload, opens the job. Read the
program first, and try it with \`dcm program run\`: what it returns cannot be taken back.

Example:
  $ dcm dataset certify ${sampleId} --program programs/data-quality --workload 0x... \\
      --worker http://127.0.0.1:8080 --token 0x... --fee 1.00 --out certificate.json`,
    )
    .action(answer(certify));

  dataset
    .command("certificates")
    .description("certificates of a data set, each verified; exit code 1: one of them is not good")
    .argument("[id]", "data set id; with --file: the one that the file must be about", id)
    .option("--file <file>", "verify this certificate instead of looking for them")
    .option("--worker <url>", "who has results and programs (default: the enclave that settled)")
    .option("--workload <id>", "the enclave code whose word counts; others' certificates are refused", id)
    .option("--limit <n>", "public jobs looked at, the newest first", integer(1, 1000), 10)
    .addHelpText(
      "after",
      `
${limits}
Whoever writes a workload decides what it signs: name the one that you trust with --workload.

Example:
  $ dcm dataset certificates ${sampleId} --workload 0x...
  $ dcm dataset certificates ${sampleId} --file certificate.json`,
    )
    .action(answer(certificates));
}

async function certify(options: CertifyOptions, datasetId: Hex): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { certificateToJson } = await import("../../sdk/certificateFile.ts");
  const { certifyDataset } = await import("../../sdk/certifyDataset.ts");
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  const { parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const token = await tokenOf(client, await accountOrZero("--token", options.token));
  const certificate = await certifyDataset(client, {
    datasetId,
    program: await readProgram(options.program),
    params: options.params,
    workloadId: options.workload,
    workerUrl: options.worker,
    datasetKey: () => home.brokerStore.datasetKey(datasetId),
    keepGrant: home.saveGrant,
    ...(options.operator === undefined ? {} : { operator: await accountOf("--operator", options.operator) }),
    token: token.address,
    operatorFee: parseAmount(options.fee, token),
    failureFee: parseAmount(options.failureFee, token),
    deadlineMinutes: options.deadlineMinutes,
    waitMs: options.wait * 1000,
    opened: (jobId) => progress(`Opened public job ${jobId}; waiting for its result...`),
  });
  const file = certificateToJson(certificate);
  if (options.out !== undefined)
    await writeAtomic(options.out, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o644, overwrite: false });
  const text = fields([...rowsOf(certificate), ["file", options.out]]);
  return { json: { jobId: certificate.jobId, certificate: file }, text, simulated };
}

async function certificates(options: ListOptions, datasetId: Hex | undefined): Promise<Output> {
  if (options.file !== undefined) return await fromFile(options, options.file, datasetId);
  if (datasetId === undefined)
    throw new UsageError("There is neither a data set nor a file.", { hint: "Give a data set's ID or --file FILE." });
  const { client, simulated } = await connect(options);
  const { listCertificates } = await import("../../sdk/certificates.ts");
  const { limit, worker: workerUrl, workload: workloadId } = options;
  const listed = await listCertificates(client, datasetId, { limit, workerUrl, workloadId });
  const text = listed.flatMap((entry) => [...entryOf(entry), ""]);
  const good = listed.filter((entry) => "verified" in entry).length;
  const count = listed.length === 0 ? "No certificates." : `${good} of ${listed.length} verified. ${limits}`;
  return {
    json: { datasetId, certificates: listed.map(jsonOf) },
    text: [...text, count],
    simulated,
    exitCode: good === listed.length ? 0 : 1,
  };
}

async function fromFile(options: ListOptions, file: string, datasetId: Hex | undefined): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { maxCertificateBytes, readCertificateFile } = await import("../../sdk/certificateFile.ts");
  const { verifyCertificate } = await import("../../sdk/certificates.ts");
  const { readText } = await import("../../sdk/node/files.ts");
  const certificate = readCertificateFile(await readText(file, maxCertificateBytes), client.deployment);
  const verified = await verifyCertificate(client, certificate, { datasetId, workloadId: options.workload });
  const entry = { jobId: certificate.jobId, verified };
  return {
    json: { datasetId: certificate.datasetId, certificates: [jsonOf(entry)] },
    text: [...entryOf(entry), "", limits],
    simulated,
  };
}

function entryOf(entry: CertificateListing): string[] {
  if ("problem" in entry)
    return fields([
      ["NOT VERIFIED", entry.jobId],
      ["because", entry.problem.message],
    ]);
  const { certificate, params, requester, settledAt, signer } = entry.verified;
  return fields([
    ["verified", dateOf(settledAt)],
    ...rowsOf(certificate),
    ["parameters", params],
    ["asked by", requester],
    ["signed by", signer],
  ]);
}

function rowsOf({ datasetId, jobId, manifest, output, programId, receipt }: Certificate) {
  return [
    ["job", jobId],
    ["data set", datasetId],
    ["program", `${manifest.name} (${programId})`],
    ["workload", receipt.workloadId],
    ["output", JSON.stringify(output)],
  ] as const;
}

function jsonOf(entry: CertificateListing) {
  const { jobId } = entry;
  if ("problem" in entry) {
    const { name, message, hint } = entry.problem;
    return { jobId, verified: false, error: { name, message, hint } };
  }
  const { certificate, open, ...rest }: VerifiedCertificate = entry.verified;
  const { datasetId, contentHash, programId, receiptHash, manifest, output } = certificate;
  const shown = { datasetId, contentHash, programId, program: manifest.name, receiptHash, output };
  return { jobId, verified: true, ...shown, ...rest, open };
}
